"""Heads: PU models on what other members computed, stored and read without pickle."""

from __future__ import annotations

import numpy as np
import pytest

from lensing_core.cutouts import CutoutGeometry
from lensing_core.errors import ContractError, NotFoundError
from lensing_core.features import GridFeatures
from lensing_core.models.classic import ClassicMember, train_trees
from lensing_core.models.contract import InputContract
from lensing_core.models.files import load_member, save_member
from lensing_core.models.head import HeadInput, HeadMember, gather_inputs
from lensing_core.models.member import MemberOutput
from lensing_core.pu import pu_method

GEOMETRY = CutoutGeometry("hsc", ("g", "i"), 24, 0.168, "flux", (27.0, 27.0), (0.8, 0.6))


@pytest.fixture(scope="module")
def flux():
    rng = np.random.default_rng(1)
    made = rng.normal(size=(120, 2, 24, 24)).astype("f4")
    made[:60, :, 8:16, 8:16] += 3
    return made


@pytest.fixture
def stored(workspace, flux):
    """Trees and a head on their features, both in the workspace."""
    compute = GridFeatures(GEOMETRY)
    table, labels = compute(flux), (np.arange(120) < 60).astype(int)
    booster = train_trees(
        (table, labels),
        (table, labels),
        names=compute.schema.names,
        learning_rate=0.1,
        leaves=4,
        rounds=5,
        patience=5,
        seed=1,
        threads=1,
    )
    base = ClassicMember(InputContract.of(GEOMETRY), booster, compute.schema.to_json())
    save_member(workspace, "trees-1", base, {})
    s = (np.arange(120) < 30).astype(int)
    model = pu_method("naive", prior=0.5, learner="logistic").fit(table, s)
    inputs = (HeadInput("trees-1", "features", table.shape[1]),)
    head = HeadMember(inputs, model, 0.5, {"trees-1": base})
    save_member(workspace, "head-1", head, {"note": "n"})
    return table, head


def test_a_head_is_read_as_it_was_written(workspace, stored, flux):
    table, head = stored
    read = load_member(workspace, "head-1")
    assert read.manifest["kind"] == "pu_head"
    assert read.manifest["pu"]["method"] == "naive"
    assert {p.suffix for p in (workspace.models / "head-1").iterdir()} == {".json", ".safetensors"}
    expected = head.model.decision(table) + 0.5
    by_output = read.member.from_outputs({"trees-1": MemberOutput(np.zeros(120), features=table)})
    np.testing.assert_allclose(by_output.logit, expected)
    by_pixels = read.member.predictor(GEOMETRY, "survey")(flux)
    np.testing.assert_allclose(by_pixels.logit, expected, atol=1e-4)
    assert read.member.contract == InputContract.of(GEOMETRY)


def test_a_head_needs_its_base_beside_it(workspace, stored, tmp_path):
    (workspace.models / "trees-1").rename(tmp_path / "gone")
    with pytest.raises(NotFoundError, match="trees-1"):
        load_member(workspace, "head-1")


def test_what_does_not_fit_is_said(workspace, stored):
    table, head = stored
    with pytest.raises(ContractError, match="which gave 3; train the head again"):
        head.from_outputs({"trees-1": MemberOutput(np.zeros(120), features=table[:, :3])})
    with pytest.raises(ContractError, match="which gave 0"):
        head.from_outputs({"trees-1": MemberOutput(np.zeros(120))})
    with pytest.raises(ContractError, match="no variance"):
        head.predictor(GEOMETRY, "survey", with_variance=True)


def test_inputs_stand_in_order_and_infinities_are_unknown():
    one, two = np.array([[1, 2]], "f4"), np.array([[np.inf, 4]], "f4")
    inputs = (HeadInput("b", "features", 2), HeadInput("a", "embedding", 2))
    outputs = {"a": MemberOutput(np.zeros(1), one), "b": MemberOutput(np.zeros(1), features=two)}
    np.testing.assert_array_equal(gather_inputs(inputs, outputs), [[np.nan, 4, 1, 2]])
    assert np.isinf(two[0, 0])  # the caller's table is as it was
