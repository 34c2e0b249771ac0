"""What several benchmarks need: runs, what they left in the database, and real objects."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import select

from lens_triage.training.defaults import run_once
from lens_triage.training.runner.context import JobContext
from lens_triage.training.runner.registry import job_function
from lens_triage.training.settings import IngestSettings, RunSettings
from lensing_core.store import Session, open_database
from lensing_core.store.tables import Candidate, Catalog, Ensemble, Run, Score
from lensing_core.workspace import Workspace


def do(workspace: Workspace, settings: RunSettings) -> None:
    """Do a run once in this workspace, to its end, and print what it was and how long it took."""
    print(f"# {settings.title()}: {run_once(workspace, settings):.0f} s", flush=True)


def run_here(workspace: Workspace, settings: RunSettings, run_id: str) -> JobContext:
    """Do a run in this process, so that no start of a process is timed."""
    known_run(workspace, settings, run_id)
    context = JobContext(workspace, run_id)
    job_function(settings.kind)(context, settings)
    return context


def known_run(workspace: Workspace, settings: RunSettings, run_id: str) -> None:
    """Write a run that is done in this process into the database, unless it is there."""
    with open_database(workspace).session() as session:
        if session.get(Run, run_id) is None:
            session.add(
                Run(id=run_id, kind=settings.kind, title=run_id, settings=settings.to_json())
            )


def scores_of(workspace: Workspace, ensemble: str, catalog: str) -> tuple[np.ndarray, np.ndarray]:
    """Logits of a catalog by an ensemble, and its imported labels, in the order of its cutouts.

    Labels are 1, 0, or -1 where there is none.
    """
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
    return found[:, 0], np.nan_to_num(found[:, 1], nan=-1).astype(int)


def candidates_of(session: Session, catalog: str) -> list[Candidate]:
    """Return the candidates of a catalog in the order of its cutouts."""
    rows = session.scalars(
        select(Candidate)
        .join(Catalog, Catalog.id == Candidate.catalog_id)
        .where(Catalog.name == catalog)
        .order_by(Candidate.cutout_index)
    )
    return list(rows)


def expert_grades(workspace: Workspace, catalog: str) -> np.ndarray:
    """Return the mean grade of each graded stamp, in the order of the cutouts."""
    with open_database(workspace).session() as session:
        rows = candidates_of(session, catalog)
        return np.array([float(row.observation.properties["Expert_Grade"]) for row in rows])


def graded_stamps(data: Path, catalog: str, **changes: Any) -> IngestSettings:
    """Return the import of the 210 graded CFHTLS stamps of Space Warps."""
    folder = data / "spacewarps_cfhtls"
    usual: dict[str, Any] = {
        "survey": "cfhtls",
        "table": str(folder / "candidates.txt"),
        "images": str(folder / "candidates"),
        "frame_crop_px": 10,
        "pixel_scale_arcsec": 30 / 464,
        "grid_scale_arcsec": 0.187,
        "columns": {"id": "Name", "file": "Name", "ra": "Ra(deg)", "dec": "Dec(deg)"},
    }
    return IngestSettings(catalog=catalog, **{**usual, **changes})


def confirmed_lenses(data: Path, catalog: str, kind: str, **changes: Any) -> IngestSettings:
    """Return the import of confirmed lenses in Pan-STARRS1, ``kind`` 'galaxies' or 'quasars'."""
    folder = data / "sled_ps1"
    usual: dict[str, Any] = {
        "survey": "ps1",
        "table": str(folder / f"lensed_{kind}.csv"),
        "images": str(folder / f"lensed_{kind}"),
        "pattern": "{folder}/{folder}_{band}.fits",
        "columns": {"id": "name"},
        "label_source": "obs:sled",
        "label_policy": "positives_only",
        "all_are": "lens",
    }
    return IngestSettings(catalog=catalog, **{**usual, **changes})
