"""Members: their contract, what they are on disk, and what does not change a score."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from lensing_core.cutouts import CutoutGeometry
from lensing_core.errors import BadInputError, ContractError, NotFoundError
from lensing_core.features import GridFeatures
from lensing_core.models.classic import ClassicMember, train_trees
from lensing_core.models.contract import InputContract, flux_scale
from lensing_core.models.deep import DeepMember, ImageScaling
from lensing_core.models.files import load_member, save_member
from lensing_core.models.networks import NetworkSpec, build_network
from lensing_core.models.ood import OODDistance

GEOMETRY = CutoutGeometry("hsc", ("g", "r", "i"), 32, 0.168, "flux", (27.0,) * 3, (0.7,) * 3)


@pytest.fixture(scope="module")
def flux() -> np.ndarray:
    rng = np.random.default_rng(0)
    return rng.standard_normal((70, 3, 32, 32)).astype(np.float32)


@pytest.fixture(scope="module")
def deep() -> DeepMember:
    torch.manual_seed(0)
    spec = NetworkSpec("resnet10t", in_bands=3, size_px=32)
    return DeepMember(
        InputContract.of(GEOMETRY), spec, build_network(spec), ImageScaling((1.0, 1.0, 1.0)),
        precision="32",
    )  # fmt: skip


@pytest.fixture(scope="module")
def trees(flux) -> ClassicMember:
    compute = GridFeatures(GEOMETRY)
    table = compute(flux)
    labels = (table[:, 0] > np.median(table[:, 0])).astype(np.int64)
    booster = train_trees(
        (table, labels), (table, labels), names=compute.schema.names, learning_rate=0.1, leaves=4,
        rounds=20, patience=20, seed=0, threads=1,
    )  # fmt: skip
    return ClassicMember(InputContract.of(GEOMETRY), booster, compute.schema.to_json())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"bands": ("g", "r", "z")}, "bands i are missing"),
        ({"size_px": 24}, "fewer than 32"),
        ({"pixel_scale_arcsec": 0.2}, "not 0.168"),
        ({"pixel_kind": "rendered"}, "not flux"),
    ],
)
def test_cutouts_that_do_not_fit_are_refused_with_the_reason(change, message):
    with pytest.raises(ContractError, match=message):
        InputContract.of(GEOMETRY).fit(replace(GEOMETRY, **change), "mine")


def test_bands_are_matched_by_name_and_larger_cutouts_cropped():
    larger = replace(
        GEOMETRY, bands=("i", "z", "g", "r"), size_px=36, zero_points_mag=(25.0, 26.0, 27.0, 28.0),
        psf_fwhm_arcsec=(0.6,) * 4,
    )  # fmt: skip
    selection = InputContract.of(GEOMETRY).fit(larger, "mine")
    flux = np.random.default_rng(1).standard_normal((2, 4, 36, 36)).astype(np.float32)
    np.testing.assert_array_equal(selection(flux), flux[:, [2, 3, 0], 2:34, 2:34])
    expected = 10 ** (-0.4 * (np.array([27.0, 28.0, 25.0]) - 25.0))
    np.testing.assert_allclose(flux_scale(selection.geometry), expected, rtol=1e-6)


def test_a_network_and_its_file_give_the_same(workspace, deep, flux):
    ood_distance = OODDistance(np.zeros(512, np.float32), np.eye(512, dtype=np.float32))
    member = replace(deep, ood_distance=ood_distance)
    save_member(workspace, "net-1", member, {"note": 1})
    read = load_member(workspace, "net-1", precision="32").member
    first, second = (m.predictor(GEOMETRY, "x")(flux) for m in (member, read))
    np.testing.assert_array_equal(first.logit, second.logit)
    np.testing.assert_allclose(
        read.ood_distance(first.embedding), np.linalg.norm(first.embedding, axis=1), rtol=1e-5
    )
    assert {p.suffix for p in (workspace.models / "net-1").iterdir()} == {".json", ".safetensors"}


def test_a_rounded_network_is_the_one_that_is_read(workspace, deep, flux):
    torch.manual_seed(1)
    member = replace(deep, network=build_network(deep.spec), half=True).rounded()
    save_member(workspace, "net-16", member, {})
    read = load_member(workspace, "net-16", precision="32").member
    logits = [m.predictor(GEOMETRY, "x")(flux).logit for m in (member, read)]
    np.testing.assert_array_equal(*logits)
    assert (workspace.models / "net-16" / "weights.safetensors").stat().st_size < 11e6


def test_the_batch_does_not_change_a_logit(deep, flux):
    predict = deep.predictor(GEOMETRY, "x")
    whole = predict(flux).logit
    parts = [predict(flux[first:last]).logit for first, last in ((0, 7), (7, 64), (64, 70))]
    np.testing.assert_array_equal(np.concatenate(parts), whole)


def test_bf16_is_close_and_the_batch_does_not_change_it_either(deep, flux):
    predict = replace(deep, precision="bf16").predictor(GEOMETRY, "x")
    whole = predict(flux).logit
    np.testing.assert_allclose(whole, deep.predictor(GEOMETRY, "x")(flux).logit, atol=0.05)
    np.testing.assert_array_equal(predict(flux[:9]).logit, whole[:9])


def test_the_mean_over_orientations_does_not_know_up_from_down(deep, flux):
    predict = replace(deep, dihedral_averaging=True).predictor(GEOMETRY, "x")
    upright = predict(flux[:5]).logit
    for turned in (flux[:5, :, ::-1], flux[:5].transpose(0, 1, 3, 2)):
        np.testing.assert_allclose(predict(np.ascontiguousarray(turned)).logit, upright, atol=1e-5)


def test_dropout_gives_a_variance_and_one_pass_gives_none(deep, trees, flux):
    for member in (deep, trees):
        assert member.predictor(GEOMETRY, "x")(flux).variance is None
        found = member.predictor(GEOMETRY, "x", with_variance=True)(flux)
        assert found.variance.shape == (70,)
        assert (found.variance > 0).all()


def test_trees_and_their_file_give_the_same(workspace, trees, flux):
    save_member(workspace, "trees-1", trees, {})
    read = load_member(workspace, "trees-1").member
    logits = [m.predictor(GEOMETRY, "x")(flux).logit for m in (trees, read)]
    np.testing.assert_array_equal(*logits)
    assert (workspace.models / "trees-1" / "trees.txt").read_text().startswith("tree")


def test_trees_of_other_features_are_refused(trees):
    stored = {**trees.features, "sha256": "0" * 64}
    with pytest.raises(ContractError, match="Train it again"):
        replace(trees, features=stored).predictor(GEOMETRY, "x")


def test_models_that_are_not_there_or_not_known_are_named(workspace, trees):
    with pytest.raises(NotFoundError, match="ghost"):
        load_member(workspace, "ghost")
    save_member(workspace, "odd-1", trees, {})
    path = workspace.models / "odd-1" / "manifest.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "kind": "oracle"}))
    with pytest.raises(BadInputError, match="oracle"):
        load_member(workspace, "odd-1")


def test_a_model_that_was_changed_or_is_cut_off_is_refused(workspace, trees):
    save_member(workspace, "trees-2", trees, {})
    folder = workspace.models / "trees-2"
    text = (folder / "trees.txt").read_text()
    (folder / "trees.txt").write_text(text.replace("num_leaves=", "num_leaves= ", 1))
    with pytest.raises(BadInputError, match=r"trees\.txt has changed"):
        load_member(workspace, "trees-2")
    (folder / "trees.txt").unlink()
    with pytest.raises(BadInputError, match=r"trees\.txt is missing"):
        load_member(workspace, "trees-2")
    manifest = (folder / "manifest.json").read_text()
    (folder / "manifest.json").write_text(manifest[:50])
    with pytest.raises(BadInputError, match="damaged"):
        load_member(workspace, "trees-2")
    (folder / "manifest.json").write_text(
        json.dumps({**json.loads(manifest), "files": {"../../triage.sqlite": "0"}})
    )
    with pytest.raises(BadInputError, match="outside its folder"):
        load_member(workspace, "trees-2")
