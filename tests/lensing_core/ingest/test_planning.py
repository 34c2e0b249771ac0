"""Plans of imports: which kind images are, which bands they hold, and what must be stated."""

from __future__ import annotations

import numpy as np
import pytest
from astropy.io import fits
from astropy.wcs import WCS
from imports_of_files import header
from PIL import Image

from lens_triage.training.jobs.ingest import request_of
from lens_triage.training.settings import IngestSettings
from lensing_core.errors import BadInputError, NotFoundError
from lensing_core.ingest.object_tables import open_objects, open_positions
from lensing_core.ingest.planning import ImportPlan, make_plan

SIZE = 20


def settings_of(folder, **changes) -> IngestSettings:
    values = {"catalog": "c", "table": str(folder / "t.csv"), "survey": "hsc", **changes}
    return IngestSettings(**values)


def plan_of(folder, **changes) -> ImportPlan:
    return make_plan(request_of(settings_of(folder, **changes)))


def table(folder, *rows: str, columns: str = "id,ra,dec") -> None:
    (folder / "t.csv").write_text("\n".join((columns, *rows)) + "\n")


def hdu(data, name: str = "", **cards) -> fits.ImageHDU:
    made = fits.ImageHDU(np.asarray(data, "f4"), name=name or None)
    made.header.update(header(**cards))
    return made


def write(path, *hdus) -> None:
    fits.HDUList([fits.PrimaryHDU(), *hdus]).writeto(path)


def ones(*shape: int) -> np.ndarray:
    return np.ones(shape or (SIZE, SIZE), "f4")


def test_hdus_that_name_bands_with_their_noise_and_psf(tmp_path):
    table(tmp_path, "a,10,0")
    bands = [hdu(ones(), b) for b in ("G", "R")]
    write(tmp_path / "a.fits", *bands, hdu(ones(), "G_VAR"), hdu(ones(5, 5), "G_PSF"))
    plan = plan_of(tmp_path)
    assert plan.notes["image_kind"] == "fits_hdus"
    assert plan.notes["pattern"] == "{id}.fits"
    assert plan.source.bands == plan.geometry.bands == ("g", "r")
    first = plan.notes["bands_of_first_image"]["g"]
    assert (first["variance"], first["psf"], first["zero_point_from"]) == (True, True, "MAGZERO")
    assert (plan.grid.with_variance, plan.grid.psf_size_px, plan.grid.size_px) == (True, 5, SIZE)
    assert (plan.sample.object_id, plan.sample.pixels.flux.shape) == ("a", (1, 2, SIZE, SIZE))


def test_hdus_are_taken_by_filter_keywords_or_in_their_order(tmp_path):
    table(tmp_path, "a,10,0")
    write(tmp_path / "a.fits", hdu(ones(), FILTER="HSC-I"), hdu(ones(), FILTER="g"))
    assert plan_of(tmp_path).source.bands == ("i", "g")
    with pytest.raises(BadInputError, match=r"image HDUs 1: no name, 2: no name; none is called"):
        plan_of(tmp_path, band_keys={"g": "SCI"})
    (tmp_path / "a.fits").unlink()
    write(tmp_path / "a.fits", hdu(ones()), hdu(ones()))
    plan = plan_of(tmp_path, bands=["r", "z"])
    assert "HDUs do not name their bands: taken in their order as r, z." in plan.warnings


def test_a_file_for_each_band(tmp_path):
    table(tmp_path, "a,10,0")
    for band, scale in (("g", 0.336), ("i", 0.168)):
        cards = {"CD1_1": -scale / 3600, "CD2_2": scale / 3600}
        write(tmp_path / f"a_{band}.fits", hdu(ones(), **cards))
        write(tmp_path / f"var_{band}.fits", hdu(ones()))
    pattern = {"pattern": "{id}_{band}.fits", "variance_pattern": "var_{band}.fits"}
    plan = plan_of(tmp_path, **pattern)
    assert (plan.notes["image_kind"], plan.source.bands) == ("fits_per_band", ("g", "i"))
    assert plan.grid.pixel_scale_arcsec == pytest.approx(0.168)  # of the finest
    assert plan.grid.with_variance
    regridded = {b: n["regridded"] for b, n in plan.notes["bands_of_first_image"].items()}
    assert regridded == {"g": True, "i": False}
    coarse = plan_of(tmp_path, **pattern, grid_scale_arcsec=0.4)
    assert coarse.grid.size_px == int(SIZE * 0.168 / 0.4)
    named = plan_of(tmp_path, **pattern, bands=["r"], band_keys={"r": "g"})
    assert named.source.bands == ("r",)


def test_columns_may_name_the_file_of_each_band(tmp_path):
    table(tmp_path, "a,x.fits,y.fits", columns="id,blue,red")
    for name in ("x.fits", "y.fits"):
        write(tmp_path / name, hdu(ones()))
    plan = plan_of(tmp_path, columns={"file:g": "blue", "file:r": "red"})
    assert (plan.notes["image_kind"], plan.source.bands) == ("fits_per_band", ("g", "r"))
    assert plan.notes["pattern"] == ""


@pytest.mark.parametrize(
    ("shape", "changes", "bands"),
    [
        ((3, SIZE, SIZE), {"bands": ["g", "r", "i"]}, ("g", "r", "i")),
        ((SIZE, SIZE, 3), {"bands": ["g", "r", "i"]}, ("g", "r", "i")),
        ((4, SIZE, SIZE), {"bands": ["g", "z"], "band_keys": {"g": "0", "z": "3"}}, ("g", "z")),
        ((2, SIZE, SIZE), {"bands": ["g", "r"], "band_axis": "first"}, ("g", "r")),
    ],
)
def test_a_cube(tmp_path, shape, changes, bands):
    table(tmp_path, "a,10,0")
    write(tmp_path / "a.fits", hdu(ones(*shape)))
    plan = plan_of(tmp_path, **changes)
    assert (plan.notes["image_kind"], plan.source.bands) == ("fits_cube", bands)
    assert plan.grid.size_px == SIZE


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"bands": ["g"]}, BadInputError, r"a\.fits has 3 planes for 1 bands \(g\)"),
        ({"bands": ["g"], "band_keys": {"g": "one"}}, BadInputError, "plane numbers.*g=one"),
        ({"bands": ["g", "r", "Q"]}, NotFoundError, "has no band 'Q'"),
        ({"bands": ["g", "r", "i"], "zero_points": {"y": "27"}}, BadInputError, "speaks of y"),
        ({"survey": "sloan"}, NotFoundError, "'sloan' is not defined"),
        ({"survey": ""}, BadInputError, "do not say which survey they are from"),
    ],
)
def test_what_a_cube_does_not_say_must_be_stated(tmp_path, changes, error, message):
    table(tmp_path, "a,10,0")
    write(tmp_path / "a.fits", hdu(ones(3, SIZE, SIZE)))
    with pytest.raises(error, match=message):
        plan_of(tmp_path, **changes)


def test_most_images_decide_among_files_of_several_layouts(tmp_path):
    table(tmp_path, "a,10,0", "b,10,0", "c,10,0")
    write(tmp_path / "a.fits", hdu(ones(), "G"))
    for name in "bc":
        write(tmp_path / f"{name}.fits", *(hdu(ones(), b) for b in ("G", "R", "I")))
    plan = plan_of(tmp_path)
    assert plan.source.bands == ("g", "r", "i")
    assert plan.sample.object_id == "b"  # the first with all of them


def test_the_first_objects_may_be_bad_but_not_all(tmp_path):
    table(tmp_path, "a,10,0", "b,10,0")
    write(tmp_path / "a.fits", hdu(np.full((SIZE, SIZE), np.nan), "G"))
    with pytest.raises(BadInputError, match="None of the first 2 images can be used"):
        plan_of(tmp_path)
    write(tmp_path / "b.fits", hdu(ones(), "G"))
    assert plan_of(tmp_path).sample.object_id == "b"


def test_no_row_that_can_be_used(tmp_path):
    table(tmp_path, ",10,0", "b,500,0")
    write(tmp_path / "b.fits", hdu(ones(), "G"))
    with pytest.raises(BadInputError, match="None of the first 2 rows can be used"):
        plan_of(tmp_path)


def picture(path, size: int = SIZE) -> None:
    Image.fromarray(np.full((size, size, 3), 90, "u1")).save(path)


def test_pictures_have_a_stated_scale_and_three_colors(tmp_path):
    picture(tmp_path / "a.png", SIZE + 2)
    folder = {"table": "", "images": str(tmp_path)}
    plan = plan_of(tmp_path, **folder, pixel_scale_arcsec=0.2, frame_crop_px=1)
    assert (plan.notes["image_kind"], plan.geometry.pixel_kind) == ("picture", "rendered")
    assert (plan.source.bands, plan.grid.size_px) == (("R", "G", "B"), SIZE)
    assert "Pictures hold no fluxes: no magnitudes can be measured on them." in plan.warnings
    assert plan.notes["bands_of_first_image"]["R"]["zero_point_mag"] is None
    with pytest.raises(BadInputError, match="does not say its pixel scale"):
        plan_of(tmp_path, **folder)
    with pytest.raises(BadInputError, match="not the bands g, r"):
        plan_of(tmp_path, **folder, pixel_scale_arcsec=0.2, bands=["g", "r"])


def test_arrays_of_bytes_are_pictures_and_of_numbers_are_fluxes(tmp_path):
    table(tmp_path, "a,10,0", "b,10,0")
    np.save(tmp_path / "bytes.npy", np.full((2, SIZE, SIZE, 3), 90, "u1"))
    pictures = plan_of(tmp_path, images=str(tmp_path / "bytes.npy"), pixel_scale_arcsec=0.2)
    assert pictures.geometry.pixel_kind == "rendered"
    np.save(tmp_path / "s.npy", ones(2, 3, SIZE, SIZE))
    images = {"images": str(tmp_path / "s.npy")}
    plan = plan_of(tmp_path, **images, bands=["g", "r", "i"], zero_points={"r": "26"})
    assert plan.geometry.pixel_kind == "flux"
    told = " ".join(plan.warnings)
    assert "Arrays have no pixel scale of g, r, i; the survey's was taken." in told
    assert "Arrays have no zero point of g, i; that of hsc (27.00) was taken" in told
    with pytest.raises(BadInputError, match=r"s\.npy has 3 planes for 5 bands"):
        plan_of(tmp_path, **images)


def test_the_one_array_of_a_folder_is_found(tmp_path):
    table(tmp_path, "a,a.png", columns="id,file")
    stack = {"image_kind": "stack", "images": str(tmp_path), "bands": ["g"]}
    with pytest.raises(BadInputError, match="has none; name its file"):
        plan_of(tmp_path, **stack)
    np.save(tmp_path / "s.npy", ones(1, 1, SIZE, SIZE))
    assert plan_of(tmp_path, **stack).request.images == str(tmp_path / "s.npy")
    np.save(tmp_path / "more.npy", ones(1, 1, SIZE, SIZE))
    with pytest.raises(BadInputError, match=r"has more\.npy, s\.npy"):
        plan_of(tmp_path, **stack)


@pytest.fixture
def mosaic(tmp_path):
    """Two bands of a field at 10, 0 degrees, of different pixel scales."""
    for band, scale in (("g", 0.168), ("r", 0.336)):
        wcs = WCS(naxis=2)
        wcs.wcs.ctype, wcs.wcs.crval = ["RA---TAN", "DEC--TAN"], [10.0, 0.0]
        wcs.wcs.crpix, wcs.wcs.cdelt = [20.5, 20.5], [-scale / 3600, scale / 3600]
        made = fits.PrimaryHDU(ones(40, 40), wcs.to_header())
        made.header["MAGZERO"] = 27.0
        made.writeto(tmp_path / f"field_{band}.fits")
    table(tmp_path, "a,10,0")
    return tmp_path


def test_a_mosaic_is_cut_on_the_grid_of_its_finest_band(mosaic):
    plan = plan_of(mosaic, pattern="field_{band}.fits", size_px=SIZE)
    assert (plan.notes["image_kind"], plan.source.bands) == ("mosaic", ("g", "r"))
    assert plan.grid.pixel_scale_arcsec == pytest.approx(0.168)
    one = plan_of(mosaic, images=str(mosaic / "field_r.fits"), size_px=SIZE, bands=["r"])
    assert (one.notes["image_kind"], one.source.bands) == ("mosaic", ("r",))
    assert one.grid.pixel_scale_arcsec == pytest.approx(0.336)
    with pytest.raises(BadInputError, match="needs the size of the cutouts"):
        plan_of(mosaic, pattern="field_{band}.fits")
    table(mosaic, "a,1", columns="id,field")
    with pytest.raises(BadInputError, match="needs positions"):
        plan_of(mosaic, pattern="field_{band}.fits", size_px=SIZE)


def test_the_survey_is_read_from_headers(tmp_path):
    table(tmp_path, "a,10,0")
    made = fits.PrimaryHDU(ones())
    made.header.update(header(TELESCOP="Subaru", FILTER="g"))
    made.writeto(tmp_path / "a.fits")
    assert plan_of(tmp_path, survey="").survey.name == "hsc"


@pytest.mark.parametrize(
    ("ra", "second", "message"),
    [
        (10.0, 10.0, ""),
        (10.01, 10.0, "The image of a is centered 36.0 arcsec from the position in the table"),
        (10.0, 10.0002, "bands g and r are centered 0.72 arcsec apart"),
    ],
)
def test_images_of_another_place_than_the_tables_are_warned_of(tmp_path, ra, second, message):
    table(tmp_path, f"a,{ra},0")
    center = {"CRVAL2": 0.0, "CRPIX1": 10.5, "CRPIX2": 10.5}
    hdus = [hdu(ones(), b, CRVAL1=at, **center) for b, at in (("G", 10.0), ("R", second))]
    write(tmp_path / "a.fits", *hdus)
    told = [warning for warning in plan_of(tmp_path).warnings if "centered" in warning]
    assert len(told) == bool(message)
    assert not message or message in told[0]


def test_where_images_are_must_be_said_or_be_plain(tmp_path):
    table(tmp_path, "J01,10,0")
    with pytest.raises(BadInputError, match=r"names image files, and .* has no images"):
        plan_of(tmp_path)
    with pytest.raises(BadInputError, match=r"the first would be .*xJ01\.fits"):
        plan_of(tmp_path, pattern="x{id}.fits")
    (tmp_path / "J01.fits").write_text("junk")
    with pytest.raises(BadInputError, match="None of the first image files can be used"):
        plan_of(tmp_path)


def test_a_table_of_positions_needs_their_columns_alone(tmp_path):
    table(tmp_path, "a,10,0", "b,11,1")
    objects, reader, _ = open_positions(request_of(settings_of(tmp_path)))
    assert len(objects) == 2
    assert [row.request.position_deg for row in reader.read(0, 2)] == [(10, 0), (11, 1)]
    table(tmp_path, "a,10", columns="id,flux")
    with pytest.raises(BadInputError, match=r"no columns of positions.*it has id, flux"):
        open_positions(request_of(settings_of(tmp_path)))


def test_without_a_table_the_files_of_a_folder_are_the_objects(tmp_path):
    for name in ("b.fits", "a.fits"):
        write(tmp_path / name, hdu(ones(), "G"))
    request = request_of(settings_of(tmp_path, table="", images=str(tmp_path)))
    assert list(open_objects(request).cells("id", 0, 2)) == ["a", "b"]
    with pytest.raises(BadInputError, match="is a single file"):
        open_objects(request_of(settings_of(tmp_path, table="", images=str(tmp_path / "a.fits"))))
