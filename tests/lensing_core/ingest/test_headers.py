from __future__ import annotations

import math

import numpy as np
import pytest
from astropy.io import fits

from lensing_core.ingest.headers import read_calibration, relevant_cards


def calibration(**cards):
    header = fits.Header()
    for key, value in cards.items():
        header[key.replace("__", "-")] = value
    return read_calibration(relevant_cards(header.tostring(sep="").encode()).common)


TAN = {"CTYPE1": "RA---TAN", "CTYPE2": "DEC--TAN"}


def test_pixel_scale_of_a_rotated_cd_matrix():
    angle, scale = math.radians(30), 0.262 / 3600
    found = calibration(
        **TAN,
        CD1_1=-scale * math.cos(angle),
        CD1_2=scale * math.sin(angle),
        CD2_1=scale * math.sin(angle),
        CD2_2=scale * math.cos(angle),
    )
    assert found.pixel_scale_arcsec == pytest.approx(0.262)
    assert found.pixel_scale_from == "WCS"


def test_pixel_scale_of_cdelt_and_pc():
    found = calibration(**TAN, CDELT1=0.25 / 3600, CDELT2=0.25 / 3600, PC1_1=-1.0, PC2_2=1.0)
    assert found.pixel_scale_arcsec == pytest.approx(0.25)
    old = calibration(
        **TAN, CDELT1=0.25 / 3600, CDELT2=0.25 / 3600, PC001001=-1.0, PC002002=1.0, PC001002=0.0
    )
    assert old.pixel_scale_arcsec == pytest.approx(0.25)


def test_cd_beside_cdelt_of_one():
    """Some cutout services leave CDELT = 1 beside the CD matrix, which counts alone."""
    scale = 0.1 / 3600
    found = calibration(**TAN, CD1_1=-scale, CD1_2=0.0, CD2_1=0.0, CD2_2=scale, CDELT1=1.0)
    assert found.pixel_scale_arcsec == pytest.approx(0.1)


def test_a_keyword_serves_without_a_wcs():
    found = calibration(PIXSCALE=0.05)
    assert (found.pixel_scale_arcsec, found.pixel_scale_from) == (0.05, "PIXSCALE")
    assert calibration(PIXSCALE=0).pixel_scale_arcsec is None
    assert calibration().pixel_scale_arcsec is None


def test_the_wcs_wins_over_a_keyword_and_it_is_said():
    scale = 0.1 / 3600
    found = calibration(**TAN, CD1_1=-scale, CD2_2=scale, PIXSCALE=0.2)
    assert found.pixel_scale_arcsec == pytest.approx(0.1)
    assert "PIXSCALE says 0.2000; the WCS was taken" in found.conflicts[0]
    agreeing = calibration(**TAN, CD1_1=-scale, CD2_2=scale, PIXSCALE=0.1)
    assert not agreeing.conflicts


def test_pixels_that_are_not_square_are_said():
    found = calibration(**TAN, CD1_1=-0.1 / 3600, CD2_2=0.2 / 3600)
    assert "not square" in found.conflicts[0]


@pytest.mark.parametrize("key", ["MAGZERO", "MAGZPT", "MAGZP", "ZEROPNT"])
def test_zero_point_keywords(key):
    found = calibration(**{key: 24.6})
    assert (found.zero_point_mag, found.zero_point_from) == (24.6, key)


def test_hst_zero_point_from_photflam():
    # ACS/WFC F814W: header values of 2006, for which STScI gives an AB zero point of 25.95.
    found = calibration(PHOTFLAM=7.0723600e-20, PHOTPLAM=8.059904e3, BUNIT="ELECTRONS/S")
    assert found.zero_point_mag == pytest.approx(25.94, abs=0.02)
    counts = calibration(
        PHOTFLAM=7.0723600e-20, PHOTPLAM=8.059904e3, BUNIT="ELECTRONS", EXPTIME=1000.0
    )
    assert counts.zero_point_mag - found.zero_point_mag == pytest.approx(7.5)


@pytest.mark.parametrize(
    ("unit", "jy"), [("nJy", 1e-9), ("uJy", 1e-6), ("Jy", 1.0), ("nanomaggy", 3631e-9)]
)
def test_zero_point_of_a_flux_unit(unit, jy):
    assert calibration(BUNIT=unit).zero_point_mag == pytest.approx(
        -2.5 * math.log10(jy / 3631), abs=1e-6
    )


def test_surface_brightness_needs_the_pixel():
    pixel_sr = np.deg2rad(0.03 / 3600) ** 2
    wanted = -2.5 * math.log10(1e6 * pixel_sr / 3631)
    assert calibration(BUNIT="MJy/sr", PIXAR_SR=pixel_sr).zero_point_mag == pytest.approx(wanted)
    assert calibration(BUNIT="MJy/sr", PIXSCALE=0.03).zero_point_mag == pytest.approx(wanted)
    assert calibration(BUNIT="MJy/sr").zero_point_mag is None


def test_two_zero_points_that_disagree_are_said():
    found = calibration(MAGZERO=30.0, BUNIT="nJy")
    assert found.zero_point_mag == 30.0
    assert "MAGZERO gives a zero point of 30.000, BUNIT nJy gives 31.400" in found.conflicts[0]
    assert not calibration(MAGZERO=31.4, BUNIT="nJy").conflicts


def test_nonsense_is_no_number():
    found = calibration(MAGZERO="unknown", EXPTIME="NaN", PIXSCALE=-1.0, CTYPE1="LINEAR")
    assert found.zero_point_mag is None
    assert found.exposure_s is None
    assert found.pixel_scale_arcsec is None
