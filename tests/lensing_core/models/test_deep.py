"""The deep member: scaling, ood_distance and what reaches the network."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from lensing_core.cutouts import CutoutGeometry
from lensing_core.errors import ContractError
from lensing_core.models.contract import InputContract
from lensing_core.models.deep import PASS, DeepMember, ImageScaling
from lensing_core.models.networks import MetadataField, NetworkSpec, build_network
from lensing_core.models.ood import OODDistance

GEOMETRY = CutoutGeometry("hsc", ("g", "r"), 32, 0.168, "flux", (27.0, 27.0), (0.7,) * 2)
TINY = {"dim": 24, "depth": 1, "heads": 2}


@pytest.fixture(autouse=True)
def _one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def build(seed: int = 0, metadata: tuple[MetadataField, ...] = (), **settings) -> DeepMember:
    torch.manual_seed(seed)
    spec = NetworkSpec("arc_aware", 2, 32, metadata=metadata, options=TINY)
    return DeepMember(
        InputContract.of(GEOMETRY), spec, build_network(spec), ImageScaling((0.2, 0.3)),
        **{"precision": "32", **settings},
    )  # fmt: skip


@pytest.fixture(scope="module")
def flux() -> np.ndarray:
    return np.random.default_rng(0).standard_normal((6, 2, 32, 32)).astype(np.float32)


class TestScaling:
    def test_noise_is_measured_at_the_edge_and_not_on_the_galaxy(self):
        rng = np.random.default_rng(1)
        flux = rng.standard_normal((200, 2, 40, 40)) * np.array([0.5, 4.0])[:, None, None] + 7
        flux[..., 10:30, 10:30] *= 1000
        flux[:60] *= 50  # a minority of noisy cutouts
        assert ImageScaling.measure(flux).sigma == pytest.approx((0.5, 4.0), rel=0.05)

    def test_bands_without_noise_or_data_take_one(self):
        flux = np.random.default_rng(2).standard_normal((3, 3, 20, 20)).astype(np.float32)
        flux[:, 1] = 255
        flux[:, 2] = np.nan
        assert ImageScaling.measure(flux).sigma[1:] == (1.0, 1.0)

    def test_scaled_values(self):
        image = torch.tensor([0.0, 0.2, -2.0, math.nan, 3.0]).repeat(2, 1)[None, :, None]
        found = ImageScaling((0.2, 2.0))(image)[0, :, 0]
        expected = [[math.asinh(f / s) for f in (0.0, 0.2, -2.0, 3.0)] for s in (0.2, 2.0)]
        torch.testing.assert_close(found[:, [0, 1, 2, 4]], torch.tensor(expected))
        assert found[:, 3].isnan().all()


class TestOODDistance:
    def test_distance_is_mahalanobis(self):
        ood_distance = OODDistance(
            np.array([1, 2], np.float32), np.diag([4, 0.25]).astype(np.float32)
        )
        points = np.array([[1, 2], [2, 2], [1, 4], [4, 10]], np.float32)
        np.testing.assert_allclose(ood_distance(points), [0, 2, 1, math.sqrt(36 + 16)])

    def test_measured_on_a_gaussian_it_is_that_of_the_gaussian(self):
        rng = np.random.default_rng(3)
        mixing = np.array([[2.0, 0.0], [1.5, 0.5]])
        sample = (rng.standard_normal((20_000, 2)) @ mixing.T + [5, -1]).astype(np.float32)
        probe = np.array([[7.0, 0.5], [5.0, 0.0]], np.float32)
        inverse = np.linalg.inv(mixing @ mixing.T)
        expected = [math.sqrt(d @ inverse @ d) for d in probe - [5, -1]]
        np.testing.assert_allclose(OODDistance.measure(sample)(probe), expected, rtol=0.03)


class TestPrediction:
    def test_it_is_the_network_on_scaled_flux_at_zero_point_25(self, flux):
        member = build()
        output = member.predictor(GEOMETRY, "x")(flux)
        images = np.arcsinh(flux * 10**-0.8 / np.array([0.2, 0.3])[:, None, None])
        with torch.no_grad():
            expected = member.network.eval()(torch.from_numpy(images.astype(np.float32)))
        np.testing.assert_allclose(output.logit, expected.logit, atol=1e-5)
        np.testing.assert_allclose(output.embedding, expected.embedding, atol=1e-5)
        assert output.logit.std() > 1e-3

    def test_zero_points_order_of_bands_and_margins_do_not_matter(self, flux):
        member = build()
        other = replace(GEOMETRY, bands=("r", "g"), size_px=36, zero_points_mag=(29.5, 24.5))
        wide = np.full((6, 2, 36, 36), 1e3, np.float32)
        wide[:, 0, 2:34, 2:34] = flux[:, 1] * 10
        wide[:, 1, 2:34, 2:34] = flux[:, 0] / 10
        found = member.predictor(other, "wide")(wide).logit
        np.testing.assert_allclose(found, member.predictor(GEOMETRY, "x")(flux).logit, atol=1e-5)

    def test_no_data_counts_as_sky(self, flux):
        holes, sky = flux.copy(), flux.copy()
        holes[:, 0, :5], sky[:, 0, :5] = np.nan, 0
        predict = build().predictor(GEOMETRY, "x")
        np.testing.assert_array_equal(predict(holes).logit, predict(sky).logit)
        assert not np.array_equal(predict(sky).logit, predict(flux).logit)

    def test_dropout_is_off_even_for_a_network_left_in_training(self, flux):
        member = build()
        member.network.train()
        predict = member.predictor(GEOMETRY, "x")
        np.testing.assert_array_equal(predict(flux).logit, predict(flux).logit)

    def test_variance_does_not_depend_on_the_batch_or_the_global_seed(self, flux):
        predict = build().predictor(GEOMETRY, "x", with_variance=True)
        whole = predict(flux).variance
        torch.manual_seed(99)
        np.testing.assert_allclose(predict(flux[2:5]).variance, whole[2:5], rtol=1e-3)
        assert np.ptp(whole) > 0

    def test_unknown_zero_points_are_refused_before_scoring(self):
        unknown = replace(GEOMETRY, zero_points_mag=(27.0, math.nan))
        with pytest.raises(ContractError, match="Bands r have no zero point"):
            build().predictor(unknown, "x")


@pytest.mark.parametrize("code", range(1, 8))
def test_the_mean_over_orientations_is_the_same_for_all_eight(flux, code):
    predict = build(dihedral_averaging=True).predictor(GEOMETRY, "x")
    view = np.rot90(flux, code % 4, axes=(2, 3))
    view = np.ascontiguousarray(view[..., ::-1] if code >= 4 else view)
    upright, turned = predict(flux), predict(view)
    np.testing.assert_allclose(turned.logit, upright.logit, atol=1e-5)
    np.testing.assert_allclose(turned.embedding, upright.embedding, atol=1e-4)
    plain = build().predictor(GEOMETRY, "x")
    assert np.abs(plain(view).logit - plain(flux).logit).max() > 1e-3


class TestMetadata:
    FIELDS = (
        MetadataField("psf_fwhm_arcsec", 0.7, 0.1),
        MetadataField("survey", categories=("hsc",)),
    )

    @pytest.fixture
    def predict(self):
        member = build(metadata=self.FIELDS)
        for film in member.network.conditioning.films.values():
            torch.nn.init.normal_(film.scale_and_shift.weight)
        assert member.metadata_names == ("psf_fwhm_arcsec", "survey")
        return member.predictor(GEOMETRY, "x")

    def test_each_row_is_scored_with_its_own(self, predict, flux, monkeypatch):
        monkeypatch.setitem(PASS, "cpu", 4)  # rows of a second pass too
        columns = {"psf_fwhm_arcsec": [0.5, 0.7, 0.9, None, 1.1, 0.6], "survey": ["hsc", None] * 3}
        whole = predict(flux, columns).logit
        for k in range(6):
            row = {name: values[k : k + 1] for name, values in columns.items()}
            np.testing.assert_allclose(predict(flux[k : k + 1], row).logit, whole[k], atol=1e-6)
        changed = np.abs(whole - predict(flux).logit) > 1e-4
        assert changed.tolist() == [True, True, True, False, True, True]  # one knows nothing

    def test_missing_is_the_same_however_it_is_said(self, predict, flux):
        nothing = predict(flux).logit
        for columns in ({}, {"psf_fwhm_arcsec": [None] * 6, "survey": ["unknown"] * 6}):
            np.testing.assert_array_equal(predict(flux, columns).logit, nothing)


def test_what_is_saved_is_what_is_read(tmp_path, flux):
    ood_distance = OODDistance(np.arange(24, dtype=np.float32), np.eye(24, dtype=np.float32) / 4)
    member = build(3, TestMetadata.FIELDS, ood_distance=ood_distance, dihedral_averaging=True)
    manifest = json.loads(json.dumps(member.save(tmp_path)))
    assert [path.name for path in tmp_path.iterdir()] == ["weights.safetensors"]
    torch.manual_seed(11)
    read = DeepMember.load(tmp_path, manifest, precision="32")
    assert (read.contract, read.spec, read.scaling) == (
        member.contract,
        member.spec,
        member.scaling,
    )
    assert (read.dihedral_averaging, read.half) == (True, False)
    first, second = (m.predictor(GEOMETRY, "x")(flux) for m in (member, read))
    np.testing.assert_array_equal(second.logit, first.logit)
    np.testing.assert_array_equal(
        read.ood_distance(second.embedding), ood_distance(first.embedding)
    )


def test_manifests_of_before_orientations_and_half_weights_are_read(tmp_path):
    manifest = build().save(tmp_path)
    del manifest["turned"], manifest["half"]
    read = DeepMember.load(tmp_path, manifest)
    assert (read.dihedral_averaging, read.half, read.ood_distance) == (False, False, None)
