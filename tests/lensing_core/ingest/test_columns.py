from __future__ import annotations

from pathlib import Path

import pytest
from astropy.table import Table

from lensing_core.errors import BadInputError
from lensing_core.ingest.columns import recognize
from lensing_core.ingest.tables import SourceTable

BANDS = ("g", "r", "i", "z")


def table(**columns) -> SourceTable:
    return SourceTable(Table(columns), Path("table.csv"), "")


def roles_of(names, value="1.0", bands=BANDS, stated=None):
    return recognize(table(**{n: [value, value] for n in names}), bands, stated)


@pytest.mark.parametrize(
    "names",
    [
        *(("ra", "dec"), ("RAJ2000", "DEJ2000"), ("ALPHA_J2000", "DELTA_J2000"), ("RA", "DEC")),
        *(("ra_deg", "dec_deg"), ("Ra(deg)", "Dec(deg)"), ("RA_ICRS", "DE_ICRS"), ("raMean",)),
        ("target_ra", "target_dec"),
    ],
)
def test_position_columns(names):
    found = roles_of(names).roles
    assert [found[role] for role in ("ra", "dec")[: len(names)]] == list(names)


@pytest.mark.parametrize(
    ("name", "role"),
    [
        *(("objID", "id"), ("source_id", "id"), ("Name", "id"), ("is_lens", "label")),
        *(("Z_PHOT", "z_phot"), ("Gal_redshift", "z_phot"), ("zspec", "z_spec")),
        *(("LAMBDA_CHISQ", "richness"), ("psf_fwhm", "psf_fwhm_arcsec"), ("MAG_AUTO", "magnitude")),
    ],
)
def test_names_by_role(name, role):
    assert roles_of([name], value="1").roles[role] == name


def test_z_beside_magnitudes_is_a_band():
    assert roles_of(["z", "ra"]).roles["z_phot"] == "z"
    assert "z_phot" not in roles_of(["g", "r", "i", "z"]).roles


@pytest.mark.parametrize("name", ["mag_i", "i_mag", "imag", "Gal_i_ABmag", "i_cmodel_mag", "MAG_I"])
def test_magnitudes_of_bands(name):
    assert roles_of([name]).magnitudes == {"i": name}


@pytest.mark.parametrize("name", ["e_imag", "magerr_i", "mag_err_i", "image", "sigma_i"])
def test_errors_are_no_magnitudes(name):
    assert "i" not in roles_of([name]).magnitudes or name == "magerr_i"


def test_fluxes_and_files_of_bands():
    found = recognize(
        table(flux_g=[1.0], file_g=["a.fits"], file_r=["b.fits"], image_i=["c.fits"]), BANDS
    )
    assert found.fluxes == {"g": "flux_g"}
    assert found.files == {"g": "file_g", "r": "file_r", "i": "image_i"}


def test_band_names_of_several_letters():
    found = recognize(table(mag_VIS=[1.0], mag_Y=[2.0], F814W_mag=[3.0]), ("VIS", "Y", "F814W"))
    assert found.magnitudes == {"VIS": "mag_VIS", "Y": "mag_Y", "F814W": "F814W_mag"}


def test_a_column_of_file_names_is_seen_by_its_cells():
    found = recognize(table(Name=["a.png", "b.png"], ZooID=["x", "y"]), ())
    assert found.roles["file"] == "Name"
    assert found.role_of("Name") == "id, file"


def test_cells_must_suit_the_role():
    odd = recognize(table(redshift=['[{"value": 1}]', "[]"], lens=["J01", "J02"], file=[1, 2]), ())
    assert not odd.roles
    assert recognize(table(redshift=["0.4", "--"], lens=["1", "0"]), ()).roles == {
        "z_phot": "redshift",
        "label": "lens",
    }


def test_what_the_user_says_wins():
    stated = {"id": "system", "z_phot": "", "mag:r": "total", "file:g": "blue"}
    found = recognize(
        table(name=["a"], system=["b"], redshift=[0.4], total=[20.0], blue=["a.fits"]),
        BANDS,
        stated,
    )
    assert found.roles["id"] == "system"
    assert "z_phot" not in found.roles
    assert found.magnitudes == {"r": "total"}
    assert found.files == {"g": "blue"}


@pytest.mark.parametrize(
    ("stated", "message"),
    [
        ({"position": "ra"}, "no role 'position'"),
        ({"mag:J": "ra"}, "no role 'mag:J'"),
        ({"ra": "alpha"}, "table.csv has no column 'alpha' for ra; it has ra, dec"),
    ],
)
def test_wrong_mappings(stated, message):
    with pytest.raises(BadInputError, match=message):
        roles_of(["ra", "dec"], stated=stated)
