"""Units of pixels, in every spelling, against astropy."""

from __future__ import annotations

import math

import astropy.units as u
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lensing_core.ingest.pixel_units import read_unit

NAMES = {
    "n": ("nJy", "NJy", "nJansky", "nanoJy", "nanoJansky", "NANOJANSKY", "nano Jansky"),
    "u": ("uJy", "µJy", "UJY", "microJy", "microJansky", "micro-Jansky", "uJansky"),
    "m": ("mJy", "milliJansky", "MILLIJANSKY", "mJansky"),
    "M": ("MJy", "megaJansky", "megaJy"),
    "": ("Jy", "JY", "jy", "Jansky", "janskys"),
}
SPELLED = [(text, prefix) for prefix, texts in NAMES.items() for text in texts]
POWERS = {"n": 1e-9, "u": 1e-6, "m": 1e-3, "M": 1e6, "": 1.0}
FACTORS = st.sampled_from(
    [
        *((text, 1.0) for text in ("", "1 ", "1.0*")),
        *(("10 ", 10.0), ("10*", 10.0), ("10.0*", 10.0), ("10", 10.0), ("10. ", 10.0)),
        *(("1e-9 ", 1e-9), ("1.0E-08 ", 1e-8), ("1.0E-08*", 1e-8), ("3.63E+1 ", 36.3)),
        *(("10**-9 ", 1e-9), ("10^-9 ", 1e-9), ("10**(-9) ", 1e-9), ("0.01 * ", 0.01)),
    ]
)
ANGLES = st.sampled_from(
    [
        *(("", None), ("/pix", None), ("/pixel", None), (" pixel-1", None)),
        *(("/sr", u.sr), (".sr-1", u.sr), (" sr-1", u.sr), (" / SR", u.sr), ("sr-1", u.sr)),
        *(("/arcsec2", u.arcsec**2), ("/arcsec^2", u.arcsec**2), ("/arcsec**2", u.arcsec**2)),
    ]
)
PIXEL_SR = (0.2 * u.arcsec).to_value(u.rad) ** 2


@given(FACTORS, st.sampled_from(SPELLED), ANGLES)
def test_jansky_in_any_spelling(factor, name, angle):
    found = read_unit(factor[0] + name[0] + angle[0])
    pixel = 1.0 if angle[1] is None else PIXEL_SR / (1 * angle[1]).to_value(u.sr)
    wanted = factor[1] * POWERS[name[1]] * pixel
    assert found.kind == "flux"
    assert found.flux_jy(pixel_sr=PIXEL_SR) == pytest.approx(wanted, rel=1e-9)


@given(
    FACTORS,
    st.sampled_from(
        [
            *((t, 1e-9) for t in ("nanomaggy", "nanomaggies", "nMgy", "nmgy", "NANOMAGGIES")),
            *((t, 1.0) for t in ("maggy", "maggies", "mgy", "MGY")),
        ]
    ),
)
def test_maggies_in_any_spelling(factor, name):
    assert read_unit(factor[0] + name[0]).flux_jy() == pytest.approx(
        3631 * factor[1] * name[1], rel=1e-9
    )


@given(
    st.sampled_from(
        [
            *((t, "adu") for t in ("ADU", "adu", "ADUs")),
            *((t, "DN") for t in ("DN", "dn")),
            *((t, "ct") for t in ("COUNTS", "count", "counts", "ct", "cts")),
            *((t, "electron") for t in ("ELECTRONS", "electron", "e-", "E-", "electron(s)", "e")),
            ("photons", "ph"),
        ]
    ),
    st.sampled_from(["", "/s", "/S", "/sec", "/second", " s-1", ".s**-1", " per second"]),
    st.sampled_from(["", "/pixel"]),
)
def test_counts_and_their_rates(name, rate, pixel):
    found = read_unit(name[0] + rate + pixel)
    assert found.kind == "counts"
    assert found.is_per_second is bool(rate)
    assert u.Unit(name[1]) in found.unit.bases
    assert found.flux_jy(pixel_sr=PIXEL_SR) is None


@pytest.mark.parametrize(
    ("text", "jy"),
    [
        ("erg/s/cm2/Hz", 1e23),
        ("1e-29 erg s-1 cm-2 Hz-1", 1e-6),
        ("ERG/S/CM**2/HZ", 1e23),
        ("W m-2 Hz-1", 1e26),
    ],
)
def test_flux_densities_in_other_units(text, jy):
    assert read_unit(text).flux_jy() == pytest.approx(jy, rel=1e-9)


@pytest.mark.parametrize("text", ["erg/s/cm2/A", "erg s-1 cm-2 Angstrom-1", "ERG/CM2/S/ANGSTROM"])
def test_per_wavelength_needs_the_pivot(text):
    found = read_unit(f"1e-20 {text}")
    wanted = (1e-20 * u.erg / u.s / u.cm**2 / u.AA).to_value(u.Jy, u.spectral_density(8060 * u.AA))
    assert found.flux_jy(pivot_angstrom=8060.0) == pytest.approx(wanted)
    assert found.flux_jy() is None


def test_a_beam_counts_by_its_solid_angle():
    found = read_unit("JY/BEAM")
    assert found.flux_jy(pixel_sr=2.0, beam_sr=8.0) == pytest.approx(0.25)
    assert found.flux_jy(pixel_sr=2.0) is None
    assert read_unit("mJy/beam").flux_jy(pixel_sr=1.0, beam_sr=1.0) == pytest.approx(1e-3)


def test_surface_brightness_needs_the_pixel():
    assert read_unit("MJy/sr").flux_jy() is None
    assert read_unit("nMgy/arcsec^2").flux_jy() is None


@pytest.mark.parametrize("text", ["MJY", "foo", "K", "m/s", "electron/Jy", "ADU2", "km/s", "10"])
def test_what_is_not_known_is_said_to_be(text):
    """MJY alone could be milli or mega: 22.5 mag apart."""
    found = read_unit(text)
    assert (found.kind, found.flux_jy(pixel_sr=1.0)) == ("unknown", None)


@pytest.mark.parametrize("text", ["mag", "MAG", "mag/arcsec2", "ABmag", "mag(AB)", "magnitudes"])
def test_magnitudes_are_no_flux(text):
    assert read_unit(text).kind == "magnitude"


@pytest.mark.parametrize("text", ["", "  ", "[]"])
def test_silence_is_no_unit(text):
    assert read_unit(text).kind == "none"


@pytest.mark.parametrize(("text", "exponent"), [("MJY/SR", 6), ("mjy/sr", 6), ("mJy/sr", -3)])
def test_the_case_of_a_prefix_counts_where_a_text_has_both(text, exponent):
    assert math.log10(read_unit(text).flux_jy(pixel_sr=1.0)) == pytest.approx(exponent)
