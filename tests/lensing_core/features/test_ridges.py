"""Steerable filters: their noise, their directions, their invariance."""

from __future__ import annotations

import numpy as np
import pytest

from lensing_core.features import RidgeFeatures
from lensing_core.features.ridges import RINGS


@pytest.fixture(scope="module")
def features(geometry) -> RidgeFeatures:
    return RidgeFeatures(geometry)


def columns(features: RidgeFeatures, flux: np.ndarray) -> dict[str, np.ndarray]:
    return dict(zip(features.schema.names, features(flux).T, strict=True))


def test_white_noise_gives_a_response_of_one(features):
    rng = np.random.default_rng(0)
    noise = rng.standard_normal((40, 60, 60)).astype(np.float32)
    spectrum = np.fft.rfft2(noise)
    for kernels in features._kernels:
        xx, yy, xy = (np.fft.irfft2(spectrum * k, s=(60, 60)) for k in kernels)
        for angle in (0, 0.4, 1.1, 2.5):
            c, s = np.cos(angle), np.sin(angle)
            response = c * c * xx + 2 * c * s * xy + s * s * yy
            assert response.std() == pytest.approx(1, rel=0.03)


def test_arcs_answer_along_the_tangent_and_spokes_along_the_radius(features, arc, galaxy):
    rng = np.random.default_rng(1)
    noise = rng.standard_normal((6, 3, 60, 60))
    radius = 0.5 * (RINGS[3] + RINGS[4]) * 30 * 0.168
    found = columns(features, (galaxy(20) + arc(radius, 2.0, 1.0, 8) + noise).astype("f4"))
    assert (found["ridge0_ring3_tangential_peak"] > 2 * found["ridge0_ring3_radial_peak"]).all()
    assert (found["ridge0_ring3_tangential_peak"] > 10).all()
    assert (found["ridge0_ring3_coverage"] > 3 * found["ridge0_ring1_coverage"]).all()
    axis = np.arange(60) - 29.5
    spoke = 8 * np.exp(-(axis[:, None] ** 2) / 6) * (np.abs(axis) > 8)
    found = columns(features, (galaxy(20) + spoke + noise).astype("f4"))
    assert (found["ridge0_ring3_radial_peak"] > 2 * found["ridge0_ring3_tangential_peak"]).all()


def test_coverage_tells_a_ring_from_an_arc(features, arc):
    rng = np.random.default_rng(2)
    noise = rng.standard_normal((6, 3, 60, 60))
    part, whole = (
        columns(features, (arc(1.9, o, 0.0, 10) + noise).astype("f4"))["ridge0_ring2_coverage"]
        for o in (1.0, 7.3)
    )
    assert (whole > 2 * part).all()


def test_quarter_turns_mirrors_and_units_change_nothing(features, lens):
    plain = features(lens)
    for other in (np.rot90(lens, axes=(2, 3)), lens[:, :, ::-1], lens * 50):
        np.testing.assert_allclose(features(other), plain, rtol=2e-3, atol=2e-2)


def test_a_batch_is_its_cutouts_and_missing_data_stays_missing(features, lens):
    gap = lens.copy()
    gap[0], gap[1, 2] = np.nan, np.nan
    table = features(gap)
    assert np.isnan(table[0]).all()
    assert np.isfinite(table[1:]).all()
    alone = np.concatenate([features(gap[k : k + 1]) for k in range(8)])
    np.testing.assert_allclose(alone, table, rtol=1e-4, atol=1e-4)
    assert table.shape == (8, len(features.schema))
    assert features(lens[:0]).shape == (0, len(features.schema))
    assert len(set(features.schema.names)) == len(features.schema.units) == len(features.schema)
