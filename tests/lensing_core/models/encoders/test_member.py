"""The encoder as a member: its embedding, its files, its invariances."""

from __future__ import annotations

import copy
import json
from dataclasses import replace

import numpy as np
import pytest
import timm
import torch
from safetensors.torch import save_file

from lensing_core.cutouts import CutoutGeometry
from lensing_core.errors import BadInputError, ContractError
from lensing_core.models.encoders import EncoderMember, default_crops, make_encoder
from lensing_core.models.encoders.layers import LayeredEncoder, middle_layer
from lensing_core.models.encoders.member import EncoderPredictor
from lensing_core.models.encoders.spec import crop_px
from lensing_core.models.files import load_member, save_member
from lensing_core.models.manifest import ENCODER
from lensing_core.models.networks.timm_encoder import TimmEncoder
from lensing_core.models.ood import OODDistance
from lensing_core.pu.learners import LogisticLearner

GEOMETRY = CutoutGeometry("hsc", ("g", "i"), 32, 0.168, "flux", (27.0,) * 2, (0.7,) * 2)


@pytest.fixture(autouse=True)
def _one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def flux() -> np.ndarray:
    return np.random.default_rng(0).standard_normal((7, 2, 32, 32)).astype(np.float32) * 20


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    """Random weights of a small network: a file as users have it."""
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("weights") / "tiny.safetensors"
    save_file(timm.create_model("test_efficientnet").state_dict(), path)
    return path


@pytest.fixture(scope="module")
def member(flux, weights) -> EncoderMember:
    return make_encoder("test_efficientnet", flux, GEOMETRY, weights_file=weights, input_px=48)


@pytest.fixture(scope="module")
def predict(member) -> EncoderPredictor:
    return member.predictor(GEOMETRY, "x")


def test_the_embedding_is_the_mean_over_rotations_of_each_crop(member, predict, flux):
    output = predict(flux)
    assert output.embedding.shape == (7, sum(block["columns"] for block in member.blocks))
    assert (output.logit == 0).all()
    levels = predict.pictures(flux)
    with torch.inference_mode():
        parts = []
        for crop in member.spec.crops_arcsec:
            image = predict._crop(levels, crop)
            for layers in ("middle", "last"):
                network = LayeredEncoder(copy.deepcopy(member.network), layers)
                views = [network(torch.rot90(image, k, (2, 3))) for k in range(4)]
                parts.append(torch.stack(views).mean(0))
    np.testing.assert_allclose(output.embedding, torch.cat(parts, 1).numpy(), atol=1e-5)


def test_a_turned_cutout_and_another_batch_give_the_same(predict, flux):
    whole = predict(flux).embedding
    turned = predict(np.ascontiguousarray(np.rot90(flux, 1, (2, 3)))).embedding
    np.testing.assert_allclose(turned, whole, atol=2e-5)
    np.testing.assert_array_equal(predict(flux[2:5]).embedding, whole[2:5])
    assert np.abs(whole[0] - whole[1]).max() > 1e-4


def test_with_reflections_a_mirrored_cutout_gives_the_same(flux, weights):
    member = make_encoder(
        "test_efficientnet", flux, GEOMETRY, weights_file=weights, input_px=48, views=8
    )
    predict = member.predictor(GEOMETRY, "x")
    mirrored = predict(flux[:2, ..., ::-1].copy()).embedding
    np.testing.assert_allclose(mirrored, predict(flux[:2]).embedding, atol=2e-5)


def test_it_comes_back_from_its_files_with_head_and_ood_distance(workspace, member, predict, flux):
    embedding = predict(flux).embedding
    head = LogisticLearner().fit(embedding, np.arange(7) % 2, seed=0)
    whole = member.with_head(head, OODDistance.measure(embedding))
    manifest = save_member(workspace, "tiny", whole, {})
    assert manifest["kind"] == ENCODER
    json.dumps(manifest, allow_nan=False)
    found = load_member(workspace, "tiny").member
    assert found.spec == member.spec
    output = found.predictor(GEOMETRY, "x")(flux)
    np.testing.assert_allclose(output.embedding, embedding, atol=1e-6)
    np.testing.assert_allclose(output.logit, head(embedding), atol=1e-5)
    np.testing.assert_allclose(
        found.ood_distance(embedding), whole.ood_distance(embedding), rtol=1e-5
    )


def test_what_it_cannot_do_is_said(member):
    with pytest.raises(ContractError, match="no variance"):
        member.predictor(GEOMETRY, "x", with_variance=True)
    with pytest.raises(BadInputError, match="3 views"):
        type(member.spec)(**{**vars(member.spec), "views": 3})


@pytest.mark.parametrize(
    ("size_px", "scale", "expected"),
    [
        (160, "galaxy", (9.0, 18.0)),
        (50, "galaxy", (9.0, 10.0)),
        (30, "galaxy", (3.0, 6.0)),
        (160, "cluster", (16.0, 32.0)),
    ],
)
def test_crops_hold_the_arcs_and_the_surroundings(size_px, scale, expected):
    geometry = CutoutGeometry("hsc", ("g",), size_px, 0.2, "flux", (27.0,), (0.7,))
    found = default_crops(geometry, scale)
    assert len(found) == 2
    assert found[-1] <= geometry.size_arcsec
    if size_px == 160:
        assert found == expected
    assert all((geometry.size_px - crop_px(c, geometry)) % 2 == 0 for c in found)


def test_ood_distance_of_long_embeddings_is_that_of_their_components():
    rng = np.random.default_rng(0)
    low = rng.standard_normal((400, 5)) * [9, 5, 3, 2, 1]
    mixing = np.linalg.qr(rng.standard_normal((1500, 5)))[0].T
    found = OODDistance.measure((low @ mixing).astype("f4"))
    assert found.basis.shape == (1500, 128)
    far = (np.eye(5) * [30, 0, 0, 0, 0])[:1] @ mixing
    assert found(far.astype("f4"))[0] > 3 * np.median(found((low @ mixing).astype("f4"))) / 2


@pytest.mark.parametrize(
    ("name", "expected"),
    [("tf_efficientnet_lite0", "blocks.3"), ("test_resnet", "layer3"), ("test_vit", "blocks.3")],
)
def test_the_middle_is_the_first_stage_of_stride_16_or_the_middle_block(name, expected):
    assert middle_layer(TimmEncoder(name, 3, 64).eval()) == expected


def test_the_middle_alone_is_the_first_part_of_both(member, flux, predict):
    middle = replace(member, spec=replace(member.spec, layers="middle"))
    found = middle.predictor(GEOMETRY, "x")(flux).embedding
    width = member.blocks[0]["columns"]
    np.testing.assert_array_equal(found[:, :width], predict(flux).embedding[:, :width])
    assert [block["layer"] for block in member.blocks] == ["middle", "last"] * 2
