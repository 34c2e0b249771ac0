"""What each service is asked, as its documentation has it, and which orders are refused."""

from __future__ import annotations

import pytest

from lensing_core.errors import BadInputError
from lensing_core.fetching.services import CUTOUT_SERVICES, check_address, make_order


def order(key: str, **values):
    return make_order(CUTOUT_SERVICES[key], **{"size_arcsec": 12.0, **values})


def test_hips2fits_is_asked_for_a_map_a_band():
    made = order("hips2fits", bands=("g", "r"), scale_arcsec=0.2)
    asked = made.service.ask(made, 150.0, -2.5, "r", "")
    assert asked.url == "https://alasky.cds.unistra.fr/hips-image-services/hips2fits"
    assert asked.parameters == {
        "hips": "CDS/P/PanSTARRS/DR1/r",
        "ra": "150.000000",
        "dec": "-2.500000",
        "width": "60",
        "height": "60",
        "fov": "0.00333333",
        "projection": "TAN",
        "coordsys": "icrs",
        "rotation_angle": "0",
        "format": "fits",
    }
    assert made.requests_per_object == 2


def test_legacy_surveys_are_asked_for_all_bands_at_once():
    made = order("legacy", layer="ls-dr9-north")
    asked = made.service.ask(made, 150.0, 2.0, "g", "")
    assert asked.url == "https://www.legacysurvey.org/viewer/fits-cutout"
    assert asked.parameters == {
        "ra": "150.000000",
        "dec": "2.000000",
        "layer": "ls-dr9-north",
        "pixscale": "0.262",
        "size": "46",
        "bands": "grz",
    }
    assert made.requests_per_object == 1


def test_pan_starrs_is_asked_for_files_then_for_their_cutouts():
    made = order("panstarrs", bands=("g", "i"))
    assert made.service.find(made, 150.0, 2.0) == (
        "https://ps1images.stsci.edu/cgi-bin/ps1filenames.py",
        {"ra": "150.000000", "dec": "2.000000", "filters": "gi", "type": "stack"},
    )
    files = made.service.read_files(
        "projcell subcell ra dec filter mjd type filename shortname badflag\n"
        "1 2 150 2 g 0 stack /rings.v3/a.g.unconv.fits a.g.unconv.fits 0\n"
        "1 3 150 2 g 0 stack /rings.v3/b.g.unconv.fits b.g.unconv.fits 0\n"
        "1 2 150 2 i 0 stack http://elsewhere/?x=.fits c 0\n"
    )
    assert files == {"g": "/rings.v3/a.g.unconv.fits"}
    assert made.service.ask(made, 150.0, 2.0, "g", files["g"]) == (
        "https://ps1images.stsci.edu/cgi-bin/fitscut.cgi",
        {
            "red": "/rings.v3/a.g.unconv.fits",
            "ra": "150.000000",
            "dec": "2.000000",
            "size": "48",
            "format": "fits",
        },
    )
    assert made.requests_per_object == 3


def test_skyview_is_asked_by_plain_urls():
    made = order("skyview", bands=("i",))
    url, parameters = made.service.ask(made, 150.0, 2.0, "i", "")
    assert url == "https://skyview.gsfc.nasa.gov/current/cgi/runquery.pl"
    assert parameters["Position"] == "150.000000,2.000000"
    assert parameters["Survey"] == "SDSSi"
    assert (parameters["Pixels"], parameters["Return"]) == ("31", "FITS")
    assert float(parameters["Size"]) == pytest.approx(31 * 0.396 / 3600, abs=1e-8)


@pytest.mark.parametrize(
    ("key", "values", "message"),
    [
        ("panstarrs", {"scale_arcsec": 0.2}, "0.25 arcsec a pixel only"),
        ("panstarrs", {"layer": "warp"}, "no layers"),
        ("hips2fits", {"layer": "CDS/P/DSS2/red"}, "one map for 3 bands"),
        ("hips2fits", {"layer": "x&format=jpg"}, "cannot be the name"),
        ("legacy", {"bands": ("g", "g")}, "named twice"),
        ("legacy", {"bands": ("g&size=9",)}, "cannot be a band"),
        ("legacy", {"bands": ("g", "W1")}, "one letter each"),
        ("legacy", {"size_arcsec": 500.0}, "8 to 1,024"),
        ("legacy", {"size_arcsec": 1.0}, "8 to 1,024"),
    ],
)
def test_what_cannot_be_asked_for_is_refused(key, values, message):
    with pytest.raises(BadInputError, match=message):
        order(key, **values)


@pytest.mark.parametrize(
    "address",
    [
        "http://www.legacysurvey.org/viewer",
        "ftp://ps1images.stsci.edu",
        "file:///etc",
        "https://",
        "https://user:word@host/path",
        "https://host/path?x=1",
        "http://10.0.0.1/x",
        "https://host:port/",
        "legacysurvey.org",
    ],
)
def test_addresses_are_https_or_of_this_machine(address):
    with pytest.raises(BadInputError, match="no address"):
        check_address(address)


def test_mirrors_are_taken():
    assert check_address("https://mirror.example.org/cutouts/") == (
        "https://mirror.example.org/cutouts"
    )
    for here in ("http://127.0.0.1:8080/x", "http://localhost/x", "http://[::1]:9/x"):
        assert check_address(here) == here


def test_only_layers_in_nanomaggies_have_their_zero_point():
    legacy = CUTOUT_SERVICES["legacy"]
    assert [legacy.zero_point_of(layer) for layer in ("ls-dr10", "dr8-south", "unwise-neo7")] == [
        22.5,
        22.5,
        None,
    ]
    assert CUTOUT_SERVICES["hips2fits"].zero_point_of("CDS/P/PanSTARRS/DR1/g") is None
