"""Runs in the process of a benchmark, and what they left in the database."""

from __future__ import annotations

import numpy as np
from sqlalchemy import select

from lens_triage.training.runner.context import JobContext
from lens_triage.training.runner.registry import job_function
from lens_triage.training.settings import RunSettings
from lensing_core.store import open_database
from lensing_core.store.tables import Candidate, Catalog, Ensemble, Run, Score
from lensing_core.workspace import Workspace


def run_here(workspace: Workspace, settings: RunSettings, run_id: str) -> JobContext:
    """Do a run in this process, so that no start of a process is timed."""
    with open_database(workspace).session() as session:
        session.add(Run(id=run_id, kind=settings.kind, title=run_id, settings=settings.to_json()))
    context = JobContext(workspace, run_id)
    job_function(settings.kind)(context, settings)
    return context


def scores_of(workspace: Workspace, ensemble: str, catalog: str) -> tuple[np.ndarray, np.ndarray]:
    """Logits of a catalog by an ensemble, and its imported labels, in the order of its cutouts."""
    query = (
        select(Score.logit, Candidate.label)
        .join(Candidate, Candidate.id == Score.candidate_id)
        .join(Catalog, Catalog.id == Candidate.catalog_id)
        .join(Ensemble, Ensemble.id == Score.ensemble_id)
        .where(Catalog.name == catalog, Ensemble.name == ensemble)
        .order_by(Candidate.cutout_index)
    )
    with open_database(workspace).session() as session:
        found = np.array(session.execute(query).all(), dtype=np.float64)
    return found[:, 0], found[:, 1].astype(int)
