"""What is said of an ensemble: from scores of held-out objects, or from its manifest."""

from __future__ import annotations

import os

import numpy as np
import pytest
from evaluation_data import hold_out
from sqlalchemy import select, update

from lens_triage.training.evaluation import evaluate
from lens_triage.training.jobs.train.held_out import HeldOut
from lensing_core.errors import NotFoundError
from lensing_core.metrics import ranking_metrics
from lensing_core.store import open_database
from lensing_core.store.tables import Candidate, Catalog, Ensemble


def test_everything_follows_from_the_held_out_scores(filled_workspace):
    held = hold_out(filled_workspace)
    found = evaluate(filled_workspace, "first")
    expected = ranking_metrics(held.logit, held.label)
    for name, metric in found.metrics.items():
        assert metric.value == pytest.approx(expected[name], nan_ok=True)
    assert np.isnan(found.metrics["recall_fpr_1e-3"].value)
    (source,) = found.sources
    assert (source.catalog, source.origin, source.label_source) == (
        "simulated", "simulated", "sim:test",
    )  # fmt: skip
    assert (source.lenses, source.others) == (found.lenses, found.others)
    assert found.lenses == int(held.label.sum())
    assert found.curve.n_negative == found.others
    # The logits stand at the survey's prior; moved to that of the objects, they are calibrated.
    mean = np.average(
        [b["probability"] for b in found.reliability["bins"]],
        weights=[b["count"] for b in found.reliability["bins"]],
    )
    assert mean == pytest.approx(held.label.mean(), abs=0.1)
    by_radius = found.strata["theta_e_arcsec"]
    assert sum(b["lenses"] for b in by_radius) == found.lenses
    assert {b["low"] for b in by_radius} <= {0.5, 0.8, 1.2, 1.8}
    assert "magnitude" in found.strata
    assert "survey" not in found.strata  # one survey only


def test_objects_of_one_catalog_are_taken_alone(filled_workspace):
    with open_database(filled_workspace).session() as session:
        cosmos = session.scalars(select(Catalog).where(Catalog.name == "cosmos")).one()
        session.execute(
            update(Candidate)
            .where(Candidate.catalog_id == cosmos.id)
            .values(label=(Candidate.cutout_index % 5 == 0))
        )
    held = hold_out(filled_workspace, catalogs=("simulated", "cosmos"))
    both = evaluate(filled_workspace, "first")
    assert [s.catalog for s in both.sources] == ["cosmos", "simulated"]
    alone = evaluate(filled_workspace, "first", "cosmos")
    assert (alone.lenses, alone.others) == (28, 112)
    assert alone.lenses + evaluate(filled_workspace, "first", "simulated").lenses == both.lenses
    with pytest.raises(NotFoundError, match="first has no test split in catalog ghost"):
        evaluate(filled_workspace, "first", "ghost")
    # written again: what was kept in memory does not stand
    held.part(np.flatnonzero(held.label == 1)).write(filled_workspace, "first")
    path = filled_workspace.held_out / "first.npz"
    os.utime(path, (1, 1))
    none = evaluate(filled_workspace, "first")
    assert (none.others, none.metrics, none.curve) == (0, {}, None)


def test_an_ensemble_from_elsewhere_tells_what_came_with_it(filled_workspace):
    assert not HeldOut.exists(filled_workspace, "first")
    with open_database(filled_workspace).session() as session:
        ensemble = session.scalars(select(Ensemble).where(Ensemble.name == "first")).one()
        ensemble.manifest = {
            **ensemble.manifest,
            "splits": {"test": {"lenses": 30, "objects": 100}},
            "reliability": {"bins": []},
        }
    found = evaluate(filled_workspace, "first")
    assert (found.sources, found.curve, found.lenses, found.others) == ((), None, 30, 70)
    assert found.metrics["tpr10"].low_95 <= found.metrics["tpr10"].value
    assert found.reliability == {"bins": []}
    with pytest.raises(NotFoundError, match="no ensemble ghost"):
        evaluate(filled_workspace, "ghost")
