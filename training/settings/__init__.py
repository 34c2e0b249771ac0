"""Settings of runs, one class each: types, bounds, units and help are declared once.

The command-line options, the settings panels of the browser and the JSON stored with a run are all
derived from these classes (see :func:`fields`, :meth:`RunSettings.to_json`).
"""

from lens_triage.training.settings.attach import AttachSettings
from lens_triage.training.settings.base import Field, RunSettings, fields
from lens_triage.training.settings.crossmatch import CrossmatchSettings
from lens_triage.training.settings.encode import EncodeSettings
from lens_triage.training.settings.finetune import FinetuneSettings
from lens_triage.training.settings.ingest import IngestSettings
from lens_triage.training.settings.inject import InjectSettings
from lens_triage.training.settings.model import ModelSettings
from lens_triage.training.settings.probe import ProbeSettings
from lens_triage.training.settings.report import ReportSettings
from lens_triage.training.settings.retrain import RetrainSettings
from lens_triage.training.settings.score import ScoreSettings
from lens_triage.training.settings.search import SearchSettings
from lens_triage.training.settings.selection import SelectionSettings
from lens_triage.training.settings.simulate import SimulateSettings
from lens_triage.training.settings.train import TrainSettings

SETTINGS: dict[str, type[RunSettings]] = {
    cls.kind: cls
    for cls in (
        SimulateSettings,
        InjectSettings,
        IngestSettings,
        AttachSettings,
        SearchSettings,
        TrainSettings,
        EncodeSettings,
        ScoreSettings,
        SelectionSettings,
        ProbeSettings,
        ModelSettings,
        RetrainSettings,
        FinetuneSettings,
        CrossmatchSettings,
        ReportSettings,
    )
}

__all__ = [
    "SETTINGS",
    "AttachSettings",
    "CrossmatchSettings",
    "EncodeSettings",
    "Field",
    "FinetuneSettings",
    "IngestSettings",
    "InjectSettings",
    "ModelSettings",
    "ProbeSettings",
    "ReportSettings",
    "RetrainSettings",
    "RunSettings",
    "ScoreSettings",
    "SearchSettings",
    "SelectionSettings",
    "SimulateSettings",
    "TrainSettings",
    "fields",
]
