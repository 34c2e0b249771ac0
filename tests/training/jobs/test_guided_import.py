"""Imports without a pattern: what names, headers and sizes say; what is unclear is offered."""

from __future__ import annotations

import numpy as np
import pytest
from astropy.io import fits
from imports_of_files import SIZE, header, ingest, write_fits
from PIL import Image

from lens_triage.training.jobs.ingest import request_of
from lens_triage.training.settings import IngestSettings
from lensing_core.errors import LensTriageError
from lensing_core.ingest.pixel_guesses import frame_px
from lensing_core.ingest.planning import ImportPlan, make_plan

ONES = np.ones((SIZE, SIZE), "f4")


def plan(folder, table: str = "", **settings) -> ImportPlan:
    if table:
        (folder / "objects.csv").write_text(table)
        settings["table"] = str(folder / "objects.csv")
    else:
        settings.setdefault("images", str(folder))
    return make_plan(request_of(IngestSettings(catalog="c", **settings)))


def problem_of(folder, table: str = "", **settings) -> LensTriageError:
    with pytest.raises(LensTriageError) as caught:
        plan(folder, table, **settings)
    return caught.value


def write(path, pixels=ONES, **cards) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    hdu = fits.PrimaryHDU(np.asarray(pixels, "f4"))
    hdu.header.update(cards or header())
    hdu.writeto(path)


def guessed(made: ImportPlan) -> dict:
    return {guess.setting: guess.value for guess in made.guesses}


def test_a_file_a_band_with_noise_maps_and_psfs(workspace, tmp_path):
    folder = tmp_path / "files"  # beside the workspace
    for name in ("J1", "J2"):
        for band in "GR":
            write(folder / name / f"{name}_{band}.fits", TELESCOP="Subaru")
            write(folder / name / f"{name}_{band}_var.fits", 4 * ONES)
        write(folder / name / "psf.fits", np.ones((5, 5)))
        write(folder / name / "mask.fits")
    settings = IngestSettings(catalog="mine", images=str(folder))
    report = ingest(workspace, settings)
    assert report["ingested"] == 2
    made = make_plan(request_of(settings))
    assert (made.survey.name, made.geometry.bands) == ("hsc", ("g", "r"))
    assert made.grid.with_variance
    assert made.sample.pixels.variance[0, 0, 0, 0] == 4.0
    found = guessed(made)
    assert found["pattern"] == "{id}/{id}_{band}.fits"
    assert found["variance_pattern"] == "{id}/{id}_{band}_var.fits"
    assert (found["variance_kind"], found["psf_pattern"]) == ("variance", "{id}/psf.fits")
    assert made.notes["guessed"][0]["setting"] == "pattern"


def test_the_column_that_names_files_has_the_ids(tmp_path):
    for k in (7, 12):
        write_fits(tmp_path / f"cut_{k}.fits", 3 * [ONES])
    made = plan(tmp_path, "Target_X,flux\n7,1.0\n12,12.0\n", survey="hsc")
    assert guessed(made)["columns"] == {"id": "Target_X"}
    assert made.notes["pattern"] == "cut_{id}.fits"
    assert [row.request.object_id for row in made.reader().read(0, 2)] == ["7", "12"]


def test_what_is_unclear_is_offered_and_an_offer_settles_it(tmp_path):
    for part in ("raw", "clean"):
        write_fits(tmp_path / part / "J1.fits", 3 * [ONES])
    table = "id\nJ1\n"
    problem = problem_of(tmp_path, table, survey="hsc")
    assert problem.setting == "pattern"
    assert "can be read in 2 ways" in str(problem)
    assert {offer.settings["pattern"] for offer in problem.offers} == {
        "raw/{id}.fits",
        "clean/{id}.fits",
    }
    for offer in problem.offers:
        assert plan(tmp_path, table, survey="hsc", **offer.settings).notes["pattern"]


def test_the_survey_by_its_bands_or_the_folder_or_it_is_asked_for(tmp_path):
    for band in ("F115W", "F444W"):
        write(tmp_path / "a" / f"J1_{band}.fits")
    made = plan(tmp_path / "a")
    assert made.survey.name == "jwst_nircam"
    assert any("jwst_nircam alone has the bands" in text for text in made.warnings)
    for folder in ("mine", "my_kids_cutouts"):
        for band in "gr":
            write(tmp_path / folder / f"J1_{band}.fits")
    assert plan(tmp_path / "my_kids_cutouts").survey.name == "kids"
    problem = problem_of(tmp_path / "mine")
    assert problem.setting == "survey"
    assert "with the bands g, r; state it: cfhtls, decals, des" in str(problem)
    assert {offer.settings["survey"] for offer in problem.offers} >= {"hsc", "des"}
    assert "euclid" not in str(problem)


def test_bands_of_one_field_in_different_numbers_of_pixels(tmp_path):
    write(tmp_path / "J1_F115W.fits", np.ones((41, 41)), SIMPLE=True)
    write(tmp_path / "J1_F444W.fits", np.ones((20, 20)), SIMPLE=True)
    made = plan(tmp_path)
    assert guessed(made)["pixel_scales"] == {"F115W": "0.03", "F444W": "0.06"}
    assert [image.pixel_scale_arcsec for image in made.sample.images] == [0.03, 0.06]
    stated = plan(tmp_path, pixel_scale_arcsec=0.03)
    assert "pixel_scales" not in guessed(stated)


def pictures(folder, n=3, name="{k}_12asec.png") -> None:
    rng = np.random.default_rng(2)
    folder.mkdir(exist_ok=True)
    for k in range(n):
        pixels = rng.integers(0, 255, (24, 26, 3), dtype="u1")
        for side in (pixels[:2], pixels[-2:], pixels[:, :3], pixels[:, -3:]):
            side[:] = 255
        Image.fromarray(pixels).save(folder / name.format(k=k))


def test_pictures_whose_names_give_their_side(tmp_path):
    pictures(tmp_path)
    made = plan(tmp_path, survey="cfhtls")
    assert guessed(made)["frame_crop_px"] == 3
    assert made.geometry.pixel_scale_arcsec == pytest.approx(12 / 20)
    assert made.geometry.size_px == 18
    pictures(tmp_path / "else", name="{k}.png")
    assert problem_of(tmp_path / "else", survey="cfhtls").setting == "pixel_scale_arcsec"


def test_a_blank_sky_is_no_frame():
    blank = np.zeros((20, 20, 3), "u1")
    assert frame_px([blank]) == frame_px([blank, blank]) == (0, 0, 0, 0)


def test_pictures_one_a_band_are_refused(tmp_path):
    pictures(tmp_path, 1, "J{k}_g.png")
    pictures(tmp_path, 1, "J{k}_r.png")
    problem = problem_of(tmp_path, survey="hsc")
    assert "seem to be one a band" in str(problem)
    assert [offer.settings["pattern"] for offer in problem.offers] == ["{id}_g.png", "{id}_r.png"]


def test_files_that_a_column_names_in_a_folder_below(tmp_path):
    pictures(tmp_path / "stamps")
    made = plan(tmp_path, "id,file\na,0_12asec.png\nb,1_12asec.png\n", survey="cfhtls")
    assert guessed(made)["images"] == str(tmp_path / "stamps")
    pictures(tmp_path / "copies")
    problem = problem_of(tmp_path, "id,file\na,0_12asec.png\n", survey="cfhtls")
    assert len(problem.offers) == 2


def test_one_array_or_one_mosaic_for_all_rows(tmp_path):
    table = "id,ra,dec\na,10,0\nb,10.0001,0\n"
    (tmp_path / "array").mkdir()
    np.save(tmp_path / "array" / "all.npy", np.ones((2, 3, SIZE, SIZE), "f4"))
    made = plan(tmp_path / "array", table, survey="hsc", bands=["g", "r", "i"])
    assert made.notes["image_kind"] == "stack"
    cards = {"CRVAL1": 10.0, "CRVAL2": 0.0, "CRPIX1": 50.5, "CRPIX2": 50.5}
    for band in "gr":
        write(tmp_path / "field" / f"field_{band}.fits", np.ones((100, 100)), **header(**cards))
    problem = problem_of(tmp_path / "field", table, survey="hsc")
    assert problem.setting == "size_px"
    made = plan(tmp_path / "field", table, survey="hsc", size_px=16)
    assert (made.notes["image_kind"], made.notes["pattern"]) == ("mosaic", "field_{band}.fits")


@pytest.mark.parametrize(
    ("settings", "name"),
    [
        ({"catalog": "My catalog"}, "catalog"),
        ({"table": "nowhere.csv"}, "table"),
        ({"images": "nowhere"}, "images"),
        ({"label_source": "pretrain:x", "label_policy": "all"}, "label_policy"),
        ({"lens_from": 1, "nonlens_below": 2}, "lens_from"),
    ],
)
def test_errors_of_settings_name_the_setting(tmp_path, settings, name):
    values = {"catalog": "c", "images": str(tmp_path), **settings}
    with pytest.raises(LensTriageError) as caught:
        IngestSettings(**values).check()
    assert caught.value.setting == name
