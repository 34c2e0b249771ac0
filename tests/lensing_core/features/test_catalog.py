"""Catalog features: what is known is there, what is not stays missing."""

from __future__ import annotations

import numpy as np
import pytest

from lensing_core.features import CatalogFeatures
from lensing_core.features.catalog import einstein_radius_proxy_arcsec
from lensing_core.physics.cosmology import sis_einstein_radius_arcsec

FLUX = np.zeros((3, 3, 60, 60), dtype=np.float32)


def test_known_values_pass_and_unknown_ones_stay_missing(geometry):
    features = CatalogFeatures(geometry)
    metadata = {
        "psf_fwhm_arcsec": [0.6, None, 0.8],
        "richness": [50.0, None, float("nan")],
        "x_ray_luminosity_erg_s": [1e44, None, 0.0],
        "survey": ["hsc", None, "mine"],
    }
    found = dict(zip(features.schema.names, features(FLUX, metadata).T, strict=True))
    np.testing.assert_allclose(found["psf_fwhm_arcsec"], [0.6, np.nan, 0.8], rtol=1e-6)
    np.testing.assert_allclose(found["theta_e_proxy_arcsec"], [10, np.nan, np.nan])
    np.testing.assert_allclose(found["theta_e_proxy_error_arcsec"], [3, np.nan, np.nan])
    np.testing.assert_allclose(found["x_ray_luminosity_erg_s"], [44, np.nan, np.nan])
    np.testing.assert_array_equal(found["survey_hsc"], [1, np.nan, 0])
    np.testing.assert_array_equal(found["survey_ps1"], [0, np.nan, 0])
    assert np.isnan(found["redshift"]).all()
    assert np.isnan(features(FLUX)).all()
    assert features(FLUX).shape == (3, len(features.schema))
    assert set(features.metadata_names) >= set(metadata)


def test_the_proxy_follows_richness_then_dispersion_then_mass():
    nan = np.full(4, np.nan)
    richness = np.array([50.0, 100.0, np.nan, 0.0])
    sigma, z = np.array([900.0, 900.0, 900.0, np.nan]), np.full(4, 0.4)
    found = einstein_radius_proxy_arcsec(richness, sigma, nan, z)
    expected = [10, 10 * 2**0.4, sis_einstein_radius_arcsec(900.0, 0.4, 1.2), np.nan]
    np.testing.assert_allclose(found, expected)
    # Evrard et al. 2008: 1082.9 km/s at h(z) M = 1e15 M_sun.
    from lensing_core.physics.cosmology import COSMOLOGY

    mass = 1e15 / (COSMOLOGY.H(0.4).value / 100)
    found = einstein_radius_proxy_arcsec(nan, nan, np.full(4, mass), z)
    np.testing.assert_allclose(found, sis_einstein_radius_arcsec(1082.9, 0.4, 1.2), rtol=1e-6)
    assert np.isnan(einstein_radius_proxy_arcsec(nan, sigma, nan, nan)).all()


def test_the_proxy_of_a_dispersion_falls_with_the_redshift_of_the_lens():
    nan, z = np.full(5, np.nan), np.linspace(0.2, 1.0, 5)
    found = einstein_radius_proxy_arcsec(nan, np.full(5, 1000.0), nan, z)
    assert (np.diff(found) < 0).all()
    behind = einstein_radius_proxy_arcsec(nan[:1], np.array([1000.0]), nan[:1], np.array([1.5]))
    assert np.isnan(behind).all()


def test_pixels_do_not_matter(geometry):
    features = CatalogFeatures(geometry)
    metadata = {"redshift": [0.3, 0.4, None]}
    np.testing.assert_array_equal(features(FLUX, metadata), features(FLUX + np.nan, metadata))
    assert features.monotone["psf_fwhm_arcsec"] == -1
    assert features(FLUX, metadata)[0, 3] == pytest.approx(0.3)
