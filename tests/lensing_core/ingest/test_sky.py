"""Where objects lie in images and how the sky lies around them, against astropy's WCS."""

from __future__ import annotations

import astropy.units as u
import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.io import fits
from astropy.wcs import WCS
from hypothesis import assume, given
from hypothesis import strategies as st

from lensing_core.ingest.headers import relevant_cards
from lensing_core.ingest.sky import orientation, sky_of_cards, sky_of_header

FRAMES = {
    "icrs": {"RADESYS": "ICRS"},
    "silent": {},
    "fk5": {"RADESYS": "FK5", "EQUINOX": 2000.0},
    "fk5-1975": {"RADESYS": "FK5", "EQUINOX": 1975.0},
    "equinox alone": {"EQUINOX": 2000.0},
    "fk4": {"RADESYS": "FK4", "EQUINOX": 1950.0},
    "fk4 by its equinox": {"EQUINOX": 1950.0},
    "galactic": {},
    "galactic beside a RADESYS": {"RADESYS": "FK5", "EQUINOX": 2000.0},
}
ABOUT_EQUATOR = ("CAR", "SFL", "CEA", "MOL", "AIT")
PROJECTIONS = ("TAN", "SIN", "ARC", "STG", "ZEA", *ABOUT_EQUATOR)


def header_of(
    projection, frame, reference, reference_px, turn_deg, *, mirrored, swapped
) -> fits.Header:
    names = ("GLON", "GLAT") if frame.startswith("galactic") else ("RA--", "DEC-")
    lon, lat = (2, 1) if swapped else (1, 2)
    header = fits.Header(FRAMES[frame])
    header[f"CTYPE{lon}"], header[f"CTYPE{lat}"] = (f"{name}-{projection}" for name in names)
    header[f"CRVAL{lon}"], header[f"CRVAL{lat}"] = reference
    header["CRPIX1"], header["CRPIX2"] = reference_px
    c, s = np.cos(np.deg2rad(turn_deg)), np.sin(np.deg2rad(turn_deg))
    side = 1 if mirrored else -1
    matrix = np.array([[side * c, -side * s], [s, c]]) * 0.25 / 3600
    for x in (1, 2):
        header[f"CD{lon}_{x}"], header[f"CD{lat}_{x}"] = matrix[:, x - 1]
    return header


def plain(header) -> WCS:
    """The judge: astropy's WCS, which takes RADESYS for that of Galactic axes too."""
    judged = header.copy()
    if header["CTYPE1"].startswith("GL"):
        for key in ("RADESYS", "EQUINOX"):
            judged.remove(key, ignore_missing=True)
    return WCS(judged)


def sky_of(header):
    return sky_of_cards(relevant_cards(header.tostring(sep="", padding=False).encode()))


@st.composite
def headers(draw):
    projection = draw(st.sampled_from(PROJECTIONS))
    latitude = 0.0 if projection in ABOUT_EQUATOR else draw(st.floats(-85, 85))
    return header_of(
        projection,
        draw(st.sampled_from(list(FRAMES))),
        (draw(st.floats(0, 359)), latitude),
        (draw(st.floats(-60_000, 60_000)), draw(st.floats(-60_000, 60_000))),
        draw(st.floats(-180, 180)),
        mirrored=draw(st.booleans()),
        swapped=draw(st.booleans()),
    )


@given(headers(), st.floats(0, 63), st.floats(0, 63))
def test_agrees_with_astropy_in_any_projection_frame_and_orientation(header, x, y):
    wcs = plain(header)
    position = wcs.pixel_to_world(x, y).icrs
    assume(abs(position.dec.deg) < 89.9)
    shown = sky_of(header).shown((float(position.ra.deg), float(position.dec.deg)), (64, 64))
    assert shown.center == pytest.approx((y, x), abs=1e-4)
    # What a reader of the exported WCS will find for another pixel.
    dx, dy = 11.0, -7.0
    other = wcs.pixel_to_world(x + dx, y + dy).icrs.transform_to(position.skyoffset_frame())
    east, north = np.array(shown.matrix_arcsec) @ [dx, dy]
    assert np.hypot(other.lon.arcsec - east, other.lat.arcsec - north) < 0.02


@given(headers())
def test_without_a_position_the_object_is_in_the_middle(header):
    middle = plain(header).pixel_to_world(31.5, 19.5).icrs
    shown = sky_of(header).shown(None, (40, 64))
    assert shown.center == (19.5, 31.5)
    found = SkyCoord(*shown.sky_deg, unit="deg")
    assert found.separation(middle).to_value(u.arcsec) < 1e-5


def test_north_at_the_object_is_not_that_at_a_far_tangent_point():
    """10 degrees of right ascension from the reference at declination 82: 9.9 degrees of turn."""
    header = header_of("TAN", "icrs", (190.0, 82.0), (1.0, 1.0), 0.0, mirrored=False, swapped=False)
    north_deg, is_mirrored = orientation(sky_of(header).place(200.0, 82.0).matrix_arcsec)
    assert abs(north_deg) == pytest.approx(9.9, abs=0.05)
    assert not is_mirrored


@pytest.mark.parametrize("turn_deg", [0.0, 30.0, -120.0])
@pytest.mark.parametrize("mirrored", [False, True])
def test_orientation(turn_deg, mirrored):
    header = header_of("TAN", "icrs", (5, 5), (9, 9), turn_deg, mirrored=mirrored, swapped=False)
    found, is_mirrored = orientation(sky_of(header).place(5.0, 5.0).matrix_arcsec)
    assert found == pytest.approx(turn_deg, abs=1e-6)
    assert is_mirrored is mirrored


def test_a_header_without_a_reference_tells_the_orientation_alone():
    header = header_of("TAN", "icrs", (5, 5), (9, 9), 25.0, mirrored=False, swapped=False)
    for key in ("CRVAL1", "CRVAL2", "CRPIX1", "CRPIX2"):
        del header[key]
    shown = sky_of(header).shown((5.0, 5.0), (16, 16))
    assert (shown.center, shown.sky_deg) == (None, None)
    assert orientation(shown.matrix_arcsec)[0] == pytest.approx(25.0)


def test_the_other_half_of_the_sky_is_not_shown():
    header = header_of("TAN", "icrs", (10, 0), (9, 9), 0.0, mirrored=False, swapped=False)
    assert sky_of(header).place(190.0, 0.0) is None
    assert sky_of(header).shown((190.0, 0.0), (16, 16)).center is None


def test_headers_that_share_all_but_their_reference_share_one_parsed_wcs():
    headers = [
        header_of("TAN", "icrs", (ra, 20.0), (8.0 + ra, 9.0), 15.0, mirrored=False, swapped=False)
        for ra in (10.0, 11.5, 10.0)
    ]
    for header in headers:
        wanted = WCS(header).all_world2pix([[header["CRVAL1"], 20.001]], 0)[0]
        place = sky_of(header).place(header["CRVAL1"], 20.001)
        assert (place.x, place.y) == pytest.approx(tuple(wanted), abs=1e-7)
    assert sky_of(headers[0]) is sky_of(headers[1])


def test_distortions_and_further_axes():
    header = header_of("TAN", "icrs", (10, 20), (30, 30), 40.0, mirrored=False, swapped=False)
    header["CTYPE1"], header["CTYPE2"] = "RA---TAN-SIP", "DEC--TAN-SIP"
    header.update({"A_ORDER": 2, "B_ORDER": 2, "A_2_0": 3e-5, "B_0_2": -2e-5, "A_1_1": 1e-5})
    wcs = WCS(header)
    at = wcs.pixel_to_world(50.0, 44.0)
    place = sky_of(header).place(float(at.ra.deg), float(at.dec.deg))
    assert (place.x, place.y) == pytest.approx((50.0, 44.0), abs=1e-4)
    radio = header_of("SIN", "fk5", (10, 20), (30, 30), 0.0, mirrored=False, swapped=False)
    radio.update({"CTYPE3": "FREQ", "CRVAL3": 1.4e9, "CRPIX3": 1.0, "CDELT3": 1e6, "CUNIT3": "Hz"})
    radio.update({"CTYPE4": "STOKES", "CRVAL4": 1.0, "CRPIX4": 1.0, "CDELT4": 1.0})
    at = WCS(radio).celestial.pixel_to_world(12.0, 14.0).icrs
    place = sky_of(radio).place(float(at.ra.deg), float(at.dec.deg))
    assert (place.x, place.y) == pytest.approx((12.0, 14.0), abs=1e-5)


def test_what_is_no_sky_is_none():
    assert sky_of(fits.Header({"CTYPE1": "LINEAR", "CTYPE2": "LINEAR", "CRVAL1": 1.0})) is None
    assert sky_of(fits.Header()) is None
    ecliptic = header_of("TAN", "icrs", (5, 5), (9, 9), 0.0, mirrored=False, swapped=False)
    ecliptic["CTYPE1"], ecliptic["CTYPE2"] = "ELON-TAN", "ELAT-TAN"
    assert sky_of_header(ecliptic) is None


@pytest.mark.parametrize("with_reference", [(True, False), (False, True)])
def test_images_with_and_without_a_reference_are_told_apart_in_either_order(with_reference):
    header = header_of("TAN", "icrs", (10, 2), (5, 5), 30, mirrored=False, swapped=False)
    header["CDELT1"] = float(with_reference[0])  # other cards than those of the other order
    without = header.copy()
    for key in ("CRVAL1", "CRVAL2", "CRPIX1", "CRPIX2"):
        del without[key]
    skies = [sky_of(header if given else without).has_reference for given in with_reference]
    assert skies == list(with_reference)
