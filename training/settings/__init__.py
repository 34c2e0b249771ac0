"""Every run is described by one class here: types, bounds, units and help stand there once.

The command-line options, the settings panels of the browser and the JSON stored with a run are all
derived from these classes (see :func:`fields`, :meth:`RunSettings.to_json`).
"""

from training.settings.base import Field, RunSettings, fields
from training.settings.crossmatch import CrossmatchSettings
from training.settings.finetune import FinetuneSettings
from training.settings.ingest import IngestSettings
from training.settings.inject import InjectSettings
from training.settings.retrain import RetrainSettings
from training.settings.score import ScoreSettings
from training.settings.simulate import SimulateSettings
from training.settings.train import TrainSettings

SETTINGS: dict[str, type[RunSettings]] = {
    cls.kind: cls
    for cls in (
        SimulateSettings,
        InjectSettings,
        IngestSettings,
        TrainSettings,
        ScoreSettings,
        RetrainSettings,
        FinetuneSettings,
        CrossmatchSettings,
    )
}

__all__ = [
    "SETTINGS",
    "CrossmatchSettings",
    "Field",
    "FinetuneSettings",
    "IngestSettings",
    "InjectSettings",
    "RetrainSettings",
    "RunSettings",
    "ScoreSettings",
    "SimulateSettings",
    "TrainSettings",
    "fields",
]
