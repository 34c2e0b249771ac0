"""What is said before an import: settings, what must be mended, the preview, doubts."""

from __future__ import annotations

import numpy as np
import pytest
from astropy.io import fits
from imports_of_files import BANDS, SIZE, catalog_of, header, ingest, settings_of, write_fits
from sqlalchemy import select

from lens_triage.training.jobs.ingest import preview
from lensing_core.errors import BadInputError, NotFoundError
from lensing_core.store import open_database
from lensing_core.store.tables import Catalog


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"catalog": "My catalog"}, "Catalog name 'My catalog'"),
        ({"table": "", "images": ""}, "Name a table, or a folder of images"),
        ({"table": "nowhere.csv"}, r"Table .*nowhere\.csv does not exist"),
        ({"images": "nowhere"}, r"Images .*nowhere does not exist"),
        (
            {"label_source": "pretrain:galaxiesml", "label_policy": "all"},
            "must be pretraining_only",
        ),
        ({"lens_from": 1, "nonlens_below": 2}, "must not exceed"),
        ({"size_px": -1}, "size_px"),
        ({"image_kind": "jpeg2000"}, "image_kind"),
    ],
)
def test_settings_that_cannot_be(survey, changes, message):
    folder, _ = survey
    with pytest.raises(BadInputError, match=message):
        settings_of(folder, **changes).check()


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"survey": ""}, BadInputError, "do not say which survey"),
        ({"survey": "sloan"}, NotFoundError, "'sloan' is not defined; known: cfhtls"),
        ({"pattern": "{name}.fits"}, BadInputError, "there is no column 'name'"),
        ({"pattern": "x{id}.fits"}, BadInputError, "None of the first image files exists"),
        ({"bands": ["g", "Q"]}, NotFoundError, "has no band 'Q'"),
        ({"bands": ["z", "y"]}, BadInputError, "has the image HDUs 1: G, 2: R, 3: I; none is"),
        ({"columns": {"ra": "nope"}}, BadInputError, "no column 'nope'"),
        ({"zero_points": {"g": "high"}}, BadInputError, "'high' for band g is not a number"),
        ({"pixel_scales": {"y": "0.1"}}, BadInputError, "pixel_scales speaks of y"),
    ],
)
def test_what_must_be_mended_before_an_import(workspace, survey, changes, error, message):
    folder, _ = survey
    with pytest.raises(error, match=message):
        ingest(workspace, settings_of(folder, **changes))
    shown = preview(settings_of(folder, **changes), workspace)
    assert message.split("'")[0].split(";")[0] in shown.error
    assert shown.n_rows == 60
    assert len(shown.rows) == 5
    with open_database(workspace).session() as session:
        assert session.scalars(select(Catalog)).all() == []


def test_no_image_says_where_images_were_looked_for(workspace, tmp_path):
    (tmp_path / "objects.csv").write_text("id,ra,dec\nJ01,1,2\n")
    with pytest.raises(BadInputError, match="has no images; name the folder"):
        ingest(workspace, settings_of(tmp_path))
    for name in ("J02_g.fits", "J03_g.fits"):
        (tmp_path / name).touch()
    with pytest.raises(BadInputError, match=r"id is J01\); files are called J02_g\.fits, J03"):
        ingest(workspace, settings_of(tmp_path))


def test_the_survey_may_stand_in_the_header(workspace, survey):
    folder, _ = survey
    for path in folder.glob("*.fits"):
        with fits.open(path, mode="update") as hdus:
            hdus[0].header["TELESCOP"] = "Subaru"
    ingest(workspace, settings_of(folder, survey=""))
    assert catalog_of(workspace).survey.name == "hsc"


def test_preview_shows_what_will_happen_and_writes_nothing(workspace, survey):
    folder, pixels = survey
    shown = preview(settings_of(folder), workspace)
    assert shown.error == ""
    assert {c.name: c.role for c in shown.columns} == {
        "id": "id",
        "ra": "ra",
        "dec": "dec",
        "mag_i": "mag:i",
        "field": "",
    }
    assert shown.n_rows == 60
    assert shown.position_units == ("degrees", "degrees")
    assert (shown.survey, shown.image_kind) == ("hsc", "fits_hdus")
    assert [b.name for b in shown.bands] == list(BANDS)
    assert shown.bands[1].shape == (SIZE, SIZE)
    assert shown.bands[1].pixel_scale_arcsec == pytest.approx(0.168)
    assert (shown.bands[1].zero_point_mag, shown.bands[1].zero_point_from) == (27.0, "MAGZERO")
    assert shown.geometry["size_px"] == SIZE
    np.testing.assert_array_equal(shown.cutout, pixels[0])
    assert list(workspace.cutouts.iterdir()) == []


def test_preview_of_a_table_that_cannot_be_read(workspace, tmp_path):
    (tmp_path / "objects.csv").write_text("id,ra\n")
    shown = preview(settings_of(tmp_path), workspace)
    assert "has no rows" in shown.error
    assert (shown.n_rows, shown.columns, shown.cutout) == (0, [], None)


def test_conflicts_and_missing_bands_are_warned_of(workspace, survey):
    folder, _ = survey
    write_fits(folder / "odd.fits", np.ones((2, SIZE, SIZE)), ("G", "R"), PIXSCALE=0.3)
    (folder / "objects.csv").write_text("id\nodd\n")
    shown = preview(settings_of(folder, bands=["g", "r", "i"]), workspace)
    warnings = " ".join(shown.warnings)
    assert "PIXSCALE says 0.3000; the WCS was taken" in warnings
    assert "Band i is missing in the first image" in warnings
    assert shown.bands[2].problem


@pytest.mark.parametrize(
    ("cards", "how"),
    [
        ({"CD1_1": 0.0, "CD1_2": 4e-5, "CD2_1": 4e-5, "CD2_2": 0.0}, r"turned by (-)?90\.0 deg"),
        ({"CD1_1": 4e-5}, "mirrored"),
    ],
)
def test_bands_that_are_turned_against_each_other_are_refused(workspace, tmp_path, cards, how):
    for band, more in zip(BANDS, ({}, cards, {}), strict=True):
        hdu = fits.PrimaryHDU(np.ones((SIZE, SIZE), "f4"))
        hdu.header.update(header(**more))
        hdu.writeto(tmp_path / f"a_{band}.fits")
    (tmp_path / "objects.csv").write_text("id\na\n")
    with pytest.raises(BadInputError, match=rf"a_r.fits is {how} against .*a_g.fits"):
        ingest(workspace, settings_of(tmp_path, pattern="{id}_{band}.fits"))


@pytest.mark.parametrize(("ra", "doubt"), [(10.0, False), (10.01, True), (10 / 15, True)])
def test_an_image_of_another_place_is_doubted(workspace, tmp_path, ra, doubt):
    cards = {"CRVAL1": 10.0, "CRVAL2": 0.0, "CRPIX1": 6.5, "CRPIX2": 6.5}
    write_fits(tmp_path / "a.fits", np.ones((3, SIZE, SIZE)), **cards)
    (tmp_path / "objects.csv").write_text(f"id,ra,dec\na,{ra},0\n")
    warnings = " ".join(preview(settings_of(tmp_path), workspace).warnings)
    assert ("check the position columns and their unit" in warnings) is doubt
