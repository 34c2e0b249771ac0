"""Samples of training sets in workspaces, and catalogs that are compared with them."""

from __future__ import annotations

import numpy as np
import retraining_data

from lens_triage.training.shift import keep_sample, shift_of
from lensing_core.models.manifest import manifests_with_bases


def test_catalogs_are_compared_with_what_was_kept_and_nothing_else(workspace):
    model = retraining_data.make_base(workspace)
    retraining_data.make_survey(workspace, model, "sky", 90, lenses=10, others=20)
    unknown = shift_of(workspace, "first", "sky")
    assert (unknown["level"], unknown["alarms"]) == ("unknown", [])
    assert "Ensemble first keeps no statistics of its training set" in unknown["notes"][0]
    assert unknown["zero_points_mag"]["catalog"] == {"sky": [27.0, 27.0]}

    used = manifests_with_bases(workspace.models, [model])
    keep_sample(workspace, "first", {"catalogs": ["sky", "gone"]}, used, {})
    itself = shift_of(workspace, "first", "sky")
    assert (itself["level"], itself["alarms"]) == ("ok", [])
    assert next(d["columns"] for d in itself["domains"]) == "measured"
    assert {d["training"] for d in itself["domains"]} == {81}  # without the nine labeled lenses

    retraining_data.make_survey(workspace, model, "moved", 90, seed=3, lenses=0, others=0)
    (path,) = workspace.embeddings.glob(f"{model}/moved.npy")
    stored = np.load(path)
    np.save(path, stored + np.float32(4))
    moved = shift_of(workspace, "first", "moved")
    assert moved["level"] == "warning"
    assert "By embedding of trees-1 the catalog is told from training objects" in moved["alarms"][0]
    assert all(of["object"].startswith("moved-") for of in moved["giveaways"])
