"""Ensembles of a filled workspace with scores of held-out objects, so that there is a figure."""

from __future__ import annotations

import numpy as np
from manifests import rule
from sqlalchemy import select, update

from lens_triage.training.jobs.train.held_out import HeldOut
from lensing_core.store import open_database
from lensing_core.store.tables import Candidate, Catalog, Ensemble, Observation
from lensing_core.workspace import Workspace

PRIOR = 0.01


def hold_out(
    workspace: Workspace,
    ensemble: str = "first",
    catalogs: tuple[str, ...] = ("simulated",),
    *,
    contrast: float = 2.0,
    seed: int = 0,
) -> HeldOut:
    """Write scores of all labeled objects of catalogs; lenses know their Einstein radius.

    The ensemble is made if there is none of its name. Logits are calibrated: those of a normal
    score of unit width, whose mean is higher by ``contrast`` for lenses, at :data:`PRIOR`.
    """
    rng = np.random.default_rng(seed)
    with open_database(workspace).session() as session:
        found = session.execute(
            select(Candidate.id, Candidate.label)
            .join(Catalog, Catalog.id == Candidate.catalog_id)
            .where(Catalog.name.in_(catalogs), Candidate.label.is_not(None))
            .order_by(Candidate.id)
        ).all()
        ids, labels = (np.array(column, dtype=np.int64) for column in zip(*found, strict=True))
        for k in ids[labels == 1].tolist():
            truth = {"theta_e_arcsec": float(rng.uniform(0.5, 2)), "arc_snr": 60.0}
            session.execute(
                update(Observation).where(Observation.candidate_id == k).values(truth=truth)
            )
        row = session.scalar(select(Ensemble).where(Ensemble.name == ensemble))
        if row is None:
            row = Ensemble(name=ensemble, fusion="mean", manifest={"catalogs": list(catalogs)})
            session.add(row)
        row.manifest = {**row.manifest, "rule": rule(PRIOR)}
    z = rng.normal(contrast * labels, 1)
    logit = contrast * z - contrast**2 / 2 + np.log(PRIOR / (1 - PRIOR))
    held = HeldOut(ids, labels, logit)
    held.write(workspace, ensemble)
    return held
