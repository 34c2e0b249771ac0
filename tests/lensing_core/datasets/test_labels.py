"""Labels from which a classifier learns: order, policies, confidence, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest

from lensing_core.cutouts import CutoutGeometry
from lensing_core.datasets.labels import labels_to_train
from lensing_core.datasets.splits import split_groups
from lensing_core.datasets.table import TrainingLabels
from lensing_core.errors import BadInputError, NotFoundError, PolicyError
from lensing_core.ingest.catalog_writer import CatalogSpec, CatalogWriter, NewCandidate
from lensing_core.store import open_database


def labels_of(workspace, names):
    with open_database(workspace).session() as session:
        return labels_to_train(session, names)


def add_catalog(workspace, name, labels, *, survey="hsc", policies=None, confidences=None, **spec):
    geometry = CutoutGeometry(
        survey=survey,
        bands=("g",),
        size_px=8,
        pixel_scale_arcsec=0.2,
        pixel_kind="flux",
        zero_points_mag=(27.0,),
        psf_fwhm_arcsec=(0.7,),
    )
    writer = CatalogWriter(workspace, CatalogSpec(name, geometry, {}, **spec))
    rows = [
        NewCandidate(
            f"{name}-{k}",
            label=label,
            label_policy=policies[k] if policies else None,
            label_confidence=confidences[k] if confidences else None,
        )
        for k, label in enumerate(labels)
    ]
    pixels = np.random.default_rng(1).normal(size=(len(rows), 1, 8, 8)).astype("f4")
    writer.append(pixels, rows, rows_read=len(rows))
    writer.finish()


def test_labels_of_several_catalogs_in_order(workspace):
    add_catalog(workspace, "a", [1, None, 0])
    add_catalog(workspace, "b", [0, 1])
    labels = labels_of(workspace, ["b", "a"])
    assert labels.state.tolist() == [0, 1, 1, 0]
    assert labels.row.tolist() == [0, 1, 0, 2]
    assert [labels.catalogs[k] for k in labels.catalog_id] == ["b", "b", "a", "a"]
    assert labels.left_out == {"unlabeled": 1}
    assert len(set(labels.candidate_id.tolist())) == len(labels) == 4


def test_a_galaxy_stays_with_its_painted_arcs_where_nothing_has_a_position(workspace):
    geometry = CutoutGeometry("hsc", ("g",), 8, 0.2, "flux", (27.0,), (0.7,))
    spec = CatalogSpec("arcs", geometry, {}, origin="simulated", notes={"injection": {}})
    rows = [
        NewCandidate(f"g{k}{suffix}", label=label)
        for k in range(30)
        for label, suffix in enumerate(["", "+arc"])
    ]
    writer = CatalogWriter(workspace, spec)
    writer.append(np.zeros((60, 1, 8, 8), np.float32), rows, rows_read=60)
    writer.finish()
    labels = TrainingLabels.of(labels_of(workspace, ["arcs"]))
    plain, painted = labels.group[::2], labels.group[1::2]
    np.testing.assert_array_equal(plain, painted)
    assert len(set(plain.tolist())) == 30
    for rows_of in split_groups(labels.group, {"train": 0.7, "test": 0.3}, seed=0).values():
        assert (labels.label[rows_of] == 1).sum() == len(rows_of) / 2


def test_pretraining_only_is_refused(workspace):
    add_catalog(
        workspace,
        "zoo",
        [1, 0],
        label_policy="pretraining_only",
        label_source="weak:gzoo",
    )
    add_catalog(workspace, "good", [1, 0])
    with pytest.raises(PolicyError, match=r"zoo is for pretraining only .*weak:gzoo"):
        labels_of(workspace, ["good", "zoo"])


def test_known_lenses_need_nonlenses_of_their_survey(workspace):
    add_catalog(
        workspace, "castles", [1, 1], label_policy="positives_only", label_source="obs:castles"
    )
    add_catalog(workspace, "other", [0, 0, 1], survey="des")
    with pytest.raises(PolicyError, match=r"castles holds known lenses only .* hsc non-lenses"):
        labels_of(workspace, ["castles"])
    with pytest.raises(PolicyError, match="castles"):
        labels_of(workspace, ["castles", "other"])
    add_catalog(workspace, "blank", [0, 0, 0])
    labels = labels_of(workspace, ["castles", "blank"])
    assert labels.state.tolist() == [1, 1, 0, 0, 0]


def test_a_positives_only_negative_neither_pairs_nor_trains(workspace):
    add_catalog(workspace, "castles", [1, 0], label_policy="positives_only")
    with pytest.raises(PolicyError, match="known lenses only"):
        labels_of(workspace, ["castles"])
    add_catalog(workspace, "blank", [0])
    labels = labels_of(workspace, ["castles", "blank"])
    assert labels.state.tolist() == [1, 0]
    assert labels.left_out == {"non-lens of a positives-only set": 1}


def test_a_rows_policy_wins_over_the_catalogs(workspace):
    add_catalog(workspace, "mixed", [1, 0, 1], policies=[None, None, "pretraining_only"])
    labels = labels_of(workspace, ["mixed"])
    assert labels.row.tolist() == [0, 1]
    assert labels.left_out == {"for pretraining only": 1}


def test_confidence_threshold(workspace):
    add_catalog(
        workspace, "graded", [1, 1, 0, 0], confidences=[0.9, 0.3, None, 0.2], label_confidence=0.8
    )
    labels = labels_of(workspace, ["graded"])
    assert labels.row.tolist() == [0, 2]
    assert labels.left_out == {"confidence too low": 2}
    np.testing.assert_allclose(labels.weight, [0.8, 0.6], rtol=1e-6)  # 2c - 1


def test_training_takes_the_weights_of_labels_where_some_are_doubted(workspace):
    add_catalog(workspace, "sure", [1, 0])
    assert TrainingLabels.of(labels_of(workspace, ["sure"])).weight is None
    add_catalog(workspace, "unsure", [1, 0, 0], confidences=[0.5, 0.75, None])
    labels = TrainingLabels.of(labels_of(workspace, ["unsure"]))
    np.testing.assert_allclose(labels.weights(np.array([2, 0, 1])), [1, 0.05, 0.5])


def test_what_cannot_train_is_said(workspace):
    add_catalog(workspace, "lenses", [1, 1])
    with pytest.raises(PolicyError, match="lenses holds known lenses only"):
        labels_of(workspace, ["lenses"])
    add_catalog(workspace, "blank", [0, 0])
    with pytest.raises(BadInputError, match="no labeled lenses"):
        labels_of(workspace, ["blank"])
    with pytest.raises(NotFoundError, match="no catalog nowhere"):
        labels_of(workspace, ["lenses", "nowhere"])
