from __future__ import annotations

import json
import math

import numpy as np
import pytest
from lenstronomy.SimulationAPI.ObservationConfig import DES, LSST, Euclid

from lensing_core.errors import BadInputError, NotFoundError
from lensing_core.surveys import get_survey, load_surveys, read_surveys

BANDS = {
    "sdss": "u g r i z",
    "des": "g r i z Y",
    "decals": "g r i z",
    "kids": "u g r i",
    "hsc": "g r i z y",
    "ps1": "g r i z y",
    "lsst": "u g r i z y",
    "euclid": "VIS Y J H",
    "hst_acs": "F435W F475W F606W F775W F814W F850LP",
    "jwst_nircam": "F090W F115W F150W F200W F277W F356W F410M F444W",
    "cfhtls": "u g r i z",
}

MINIMAL = """
[mine]
title = "My telescope"
pixel_scale_arcsec = 0.4
reference = "measured"

[[mine.bands]]
name = "V"
zero_point_mag = 25.0
psf_fwhm_arcsec = 1.2
"""


def electron_zero_point_mag(band) -> float:
    return band.zero_point_mag + 2.5 * math.log10(band.gain_e_per_unit / band.exposure_s)


def test_every_survey_with_its_bands_in_order_of_wavelength():
    surveys = load_surveys()
    assert {name: " ".join(survey.band_names) for name, survey in surveys.items()} == BANDS
    for survey in surveys.values():
        wavelengths = [band.wavelength_nm for band in survey.bands]
        assert wavelengths == sorted(wavelengths)
        red, green, blue = (survey.band(name).wavelength_nm for name in survey.rgb_bands)
        assert red > green > blue
        assert len(survey.reference) > 40
        survey.check_noise_known(survey.band_names)
        json.dumps(survey.to_json(), allow_nan=False)


@pytest.mark.parametrize(
    ("survey", "band", "zero_point_mag"),
    [
        ("sdss", "r", 22.5),  # nanomaggies
        ("decals", "g", 22.5),
        ("hsc", "i", 27.0),
        ("lsst", "i", -2.5 * math.log10(1e-9 / 3631)),  # nJy
        ("hst_acs", "F814W", 25.95),
        ("euclid", "VIS", 24.6),
        ("ps1", "g", 25 + 2.5 * math.log10(516)),
    ],
)
def test_zero_points(survey, band, zero_point_mag):
    assert get_survey(survey).band(band).zero_point_mag == pytest.approx(zero_point_mag, abs=0.02)


@pytest.mark.parametrize("scale_arcsec", [0.03, 0.06])
def test_the_zero_point_of_a_surface_brightness_goes_with_the_pixel(scale_arcsec):
    pixel_sr = np.deg2rad(scale_arcsec / 3600) ** 2
    flux_jy = 1e6 * pixel_sr  # of a pixel of 1 MJy/sr
    survey = get_survey("jwst_nircam")
    assert survey.zero_point_mag("F277W", scale_arcsec) == pytest.approx(
        -2.5 * math.log10(flux_jy / 3631), abs=0.01
    )
    assert get_survey("hsc").zero_point_mag("g", scale_arcsec) == 27.0


@pytest.mark.parametrize(
    ("name", "config"), [("des", DES.DES), ("lsst", LSST.LSST), ("euclid", Euclid.Euclid)]
)
def test_agrees_with_the_observation_settings_of_lenstronomy(name, config):
    survey = get_survey(name)
    for band in survey.bands:
        options = {"coadd_years": 10 if name == "lsst" else 6}
        theirs = config(band=band.name, psf_type="GAUSSIAN", **options).kwargs_single_band()
        assert electron_zero_point_mag(band) == pytest.approx(
            theirs["magnitude_zero_point"], abs=0.4
        )
        assert band.sky_mag_arcsec2 == pytest.approx(theirs["sky_brightness"], abs=0.1)
        assert band.psf_fwhm_arcsec == pytest.approx(theirs["seeing"], abs=0.03)


@pytest.mark.parametrize("name", ["sdss", "des", "decals", "kids", "hsc", "ps1", "lsst"])
def test_the_noise_model_reaches_the_published_depth(name):
    """Depth of a Gaussian PSF over sky and read noise (King 1983): effective area 4 pi sigma²."""
    survey = get_survey(name)
    for band in survey.bands:
        pixel_arcsec2 = survey.pixel_scale_arcsec**2
        zero_point = electron_zero_point_mag(band)
        sky_e = 10 ** (0.4 * (zero_point - band.sky_mag_arcsec2)) * band.exposure_s * pixel_arcsec2
        area_px = 4 * math.pi * (band.psf_fwhm_arcsec / 2.3548) ** 2 / pixel_arcsec2
        variance = area_px * (sky_e + band.read_noise_e**2)
        five_sigma_e = (25 + math.sqrt(625 + 100 * variance)) / 2
        depth = zero_point - 2.5 * math.log10(five_sigma_e / band.exposure_s)
        assert depth == pytest.approx(band.depth_mag, abs=0.7), band.name


def test_an_unknown_survey_or_band_lists_the_known():
    with pytest.raises(NotFoundError, match="'sloan' is not defined; known: cfhtls, decals, des"):
        get_survey("sloan")
    with pytest.raises(NotFoundError, match=r"no band 'G'; it has g, r, i, z, y"):
        get_survey("hsc").band("G")


def test_a_users_survey(workspace):
    (workspace.surveys / "mine.toml").write_text(MINIMAL)
    survey = get_survey("mine", workspace)
    assert survey.rgb_bands == ("V", "V", "V")
    assert math.isnan(survey.band("V").sky_mag_arcsec2)
    assert survey.to_json()["bands"][0]["depth_mag"] is None
    with pytest.raises(BadInputError, match=r"band V: sky_mag_arcsec2, exposure_s, gain.* cannot"):
        survey.check_noise_known(["V"])
    assert "mine" not in load_surveys()
    (workspace.surveys / "over.toml").write_text(MINIMAL.replace("mine", "hsc"))
    assert get_survey("hsc", workspace).title == "My telescope"


def test_gain_from_the_electron_zero_point(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(MINIMAL + "exposure_s = 100.0\nelectron_zero_point_mag = 27.5\n")
    band = read_surveys(path)["mine"].band("V")
    # A star of 25 mag: 100 s at 10 electrons a second, and a flux of one.
    assert band.gain_e_per_unit == pytest.approx(1000)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("[mine]", "[mine", "not valid TOML"),
        ("[mine]", "[Mine]", "use 1 to 63 characters"),
        ("[mine]", "color = 1\n[mine]", "'color' stands outside a survey"),
        ('title = "My telescope"', "", r"\[mine\]: title is missing"),
        ("pixel_scale_arcsec = 0.4", "pixel_scale_arcsec = -1", "pixel_scale_arcsec is -1"),
        ("psf_fwhm_arcsec = 1.2", 'psf_fwhm_arcsec = "1.2"', r"band 1 \(V\): psf_fwhm_arcsec is '"),
        ("psf_fwhm_arcsec = 1.2", "", r"band 1 \(V\): psf_fwhm_arcsec is missing"),
        ("psf_fwhm_arcsec = 1.2", "psf_fwhm_arcsec = nan", "psf_fwhm_arcsec is nan"),
        ("psf_fwhm_arcsec = 1.2", "psf_fwhm_arcsec = 1.2\nseeing = 1", "unknown seeing; the keys"),
        ("pixel_scale_arcsec", 'rgb_bands = ["R"]\npixel_scale_arcsec', "rgb_bands is"),
        ("pixel_scale_arcsec", "surface_brightness = 1\npixel_scale_arcsec", "give true or false"),
        (
            "psf_fwhm_arcsec",
            "gain_e_per_unit = 1\nelectron_zero_point_mag = 25\npsf_fwhm_arcsec",
            "not both",
        ),
        ("zero_point_mag = 25.0", 'zero_point_mag = 25.0\n[[mine.bands]]\nname = "V"', "band 1"),
    ],
)
def test_a_wrong_definition_is_said(tmp_path, old, new, message):
    path = tmp_path / "mine.toml"
    path.write_text(MINIMAL.replace(old, new, 1))
    with pytest.raises(BadInputError, match=message) as caught:
        read_surveys(path)
    assert "mine.toml" in str(caught.value)


def test_no_bands(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(MINIMAL.partition("[[mine.bands]]")[0])
    with pytest.raises(BadInputError, match="at least one band"):
        read_surveys(path)
