"""The model of the central galaxy: what it takes out, and what it leaves."""

from __future__ import annotations

import numpy as np
import pytest

from lensing_core.features.light import model_light


def residual(image: np.ndarray) -> np.ndarray:
    return image - model_light(image, np.isfinite(image)).model


def test_an_elliptical_galaxy_is_taken_out(galaxy):
    image = galaxy(100, 0.6, 0.7)[None, None].astype(np.float32)
    light = model_light(image, np.ones(image.shape, dtype=bool))
    assert light.axis_ratio[0] == pytest.approx(0.6, abs=0.08)
    outside = light.radius_px[0] > 3
    left = np.abs(image - light.model)[0, 0][outside]
    assert left.max() < 2.5  # of 37 there
    assert left.sum() < 0.1 * image[0, 0][outside].sum()


def test_the_sky_is_taken_out_too(lens):
    moved = lens + 25
    np.testing.assert_allclose(residual(moved), residual(lens), atol=0.05)


def test_arcs_and_closed_rings_stay(arc, galaxy):
    for opening in (1.5, 2 * np.pi + 1):
        ring = arc(2.2, opening, 0.0, 10)
        with_it = residual((galaxy(60) + ring)[None, None].astype(np.float32))[0, 0]
        without = residual(galaxy(60)[None, None].astype(np.float32))[0, 0]
        kept = (with_it - without)[ring > 5].sum() / ring[ring > 5].sum()
        # A closed ring loses what its own wings add in the gap inside it.
        assert kept == pytest.approx(1, abs=0.05) if opening < 3 else 0.55 < kept < 0.9


def test_a_quarter_turn_turns_the_model(lens):
    np.testing.assert_allclose(
        residual(np.rot90(lens, axes=(2, 3))), np.rot90(residual(lens), axes=(2, 3)), atol=1e-3
    )


def test_pixels_without_data_do_not_pull_the_model(lens):
    gap = lens.copy()
    gap[:, :, 40:50, :20] = 0
    valid = np.ones(lens.shape, dtype=bool)
    valid[:, :, 40:50, :20] = False
    with_gap, whole = model_light(gap, valid).model, model_light(lens, valid | True).model
    # Medians of fewer pixels move by their noise.
    np.testing.assert_allclose(with_gap[..., 5:35, 25:55], whole[..., 5:35, 25:55], atol=1.0)
    empty = model_light(np.zeros_like(lens), np.zeros(lens.shape, dtype=bool))
    assert not empty.model.any()
