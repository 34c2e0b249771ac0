"""The demonstration: a simulated survey, an ensemble and its ranking, built by visible runs.

Then an open labeling session on the ranking, without a grade: those come from people alone.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from lens_triage.training import runner as jobs
from lens_triage.training.labeling import SessionSettings, make_session
from lens_triage.training.settings import (
    RunSettings,
    ScoreSettings,
    SimulateSettings,
    TrainSettings,
)
from lensing_core.disk import replacing
from lensing_core.store import open_database
from lensing_core.store.label_sessions import session_names
from lensing_core.store.runs import get_run
from lensing_core.workspace import Workspace

TRAINING_CATALOG = "demo-training"
SURVEY_CATALOG = "demo-survey"
ENSEMBLE = "demo"
SESSION = "first-look"
_TO_GRADE = 100
_MARK = "demo.json"


@dataclass(frozen=True)
class Demo:
    """The demonstration of a workspace: its runs, in order."""

    run_ids: tuple[str, ...]


def demo_settings() -> list[RunSettings]:
    """The runs, each of which waits for the one before.

    The survey holds 2 % lenses, so that a first page of the ranking has something on it; real
    surveys hold about 0.1 %. Its labels are hidden, its truth is kept apart.
    """
    common = {"survey": "hsc", "bands": ["g", "r", "i"], "size_arcsec": 12.0}
    return [
        SimulateSettings(
            catalog=TRAINING_CATALOG, n_objects=2400, lens_fraction=0.5, seed=1, **common
        ),
        TrainSettings(
            ensemble=ENSEMBLE, catalogs=[TRAINING_CATALOG], survey_prior=0.02, epochs=8, seed=1
        ),
        SimulateSettings(
            catalog=SURVEY_CATALOG,
            n_objects=2000,
            lens_fraction=0.02,
            labeled=False,
            seed=2,
            **common,
        ),
        ScoreSettings(ensemble=ENSEMBLE, catalog=SURVEY_CATALOG),
    ]


def submit_demo(workspace: Workspace) -> Demo:
    """Queue the demonstration's runs unless the workspace has them; return them."""
    existing = read_demo(workspace)
    if existing is not None:
        return existing
    run_ids: list[str] = []
    for settings in demo_settings():
        run_ids.append(jobs.submit(workspace, settings, after=run_ids[-1] if run_ids else None))
    mark = workspace.confine(_MARK)
    with replacing(mark) as beside:
        beside.write_text(json.dumps({"runs": run_ids}))
    return Demo(tuple(run_ids))


def complete_demo(workspace: Workspace) -> bool:
    """Make the labeling session once the ranking is there; whether nothing is left to do.

    May be called again and again, also in a workspace without a demonstration.
    """
    demo = read_demo(workspace)
    if demo is None:
        return True
    database = open_database(workspace)
    if any(database.ask(get_run, run_id).status != "succeeded" for run_id in demo.run_ids):
        return False
    with database.session() as session:
        made = SESSION in session_names(session)
    if not made:
        settings = SessionSettings(
            session=SESSION, ensemble=ENSEMBLE, catalogs=[SURVEY_CATALOG], n=_TO_GRADE
        )
        make_session(workspace, settings, None)
    return True


def read_demo(workspace: Workspace) -> Demo | None:
    """The demonstration of a workspace, or None where it was never asked for."""
    mark = workspace.confine(_MARK)
    if not mark.is_file():
        return None
    return Demo(tuple(json.loads(mark.read_text())["runs"]))
