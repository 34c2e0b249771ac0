"""Patterns guessed from names of files, without and with a table; what is unclear is offered."""

from __future__ import annotations

from itertools import product

import pytest

from lensing_core.ingest.file_names import core_of, image_ending, listing_of, noise_kind_of
from lensing_core.ingest.listings import name_of_folder
from lensing_core.ingest.name_patterns import (
    companion_pattern,
    readings_of_table,
    readings_without_table,
)

BANDS = ("u", "g", "r", "i", "z", "y", "Y", "J", "H", "VIS", "F115W", "F444W", "F814W")
IDS = ("J0959+0234", "J1000.5-0100", "obj_3")


def names(template: str, bands: str = "g r i", ids=IDS) -> list[str]:
    pairs = product(ids, bands.split())
    return list(dict.fromkeys(template.format(id=one, band=band) for one, band in pairs))


def patterns(files, bands=BANDS) -> list[str]:
    listing = listing_of(sorted(files))
    texts = bands if listing.kind == "fits" else ()
    return [reading.pattern for reading in readings_without_table(listing.roles.images, texts)]


@pytest.mark.parametrize(
    ("template", "bands", "pattern"),
    [
        ("{id}_{band}.fits", "g r i", "{id}_{band}.fits"),
        ("{band}/{id}.fits", "g r i", "{band}/{id}.fits"),
        ("{id}/{band}.fits", "g r i", "{id}/{band}.fits"),
        ("{id}/{id}_{band}.fits", "g r i z y", "{id}/{id}_{band}.fits"),
        ("{band}/{id}_{band}.fits.gz", "g r", "{band}/{id}_{band}.fits.gz"),
        ("cutout_{id}_HSC-{band}.fits", "G R I", "cutout_{id}_HSC-{band}.fits"),
        ("{band}_{id}.fits", "g r", "{band}_{id}.fits"),
        ("{id}/wavebands/{band}/data.fits", "F115W F444W", "{id}/wavebands/{band}/data.fits"),
        ("{id}_{band}band.fits", "g r", "{id}_{band}band.fits"),
        ("{id}_f814w_drz.fits", "", "{id}_{band}_drz.fits"),
        ("stamps/{id}-{band}.fits.fz", "g r", "stamps/{id}-{band}.fits.fz"),
        ("{id}_i.fits", "", "{id}_{band}.fits"),  # one band alone
        ("{id}.fits", "", ""),  # each file an object
        ("{id}.png", "", ""),
        ("{id}.npy", "", ""),
        ("{id}/data.fits", "", "{id}/data.fits"),
    ],
)
def test_one_way_to_read_names(template, bands, pattern):
    if "f814w" in template:  # a band within the name is one only beside another
        files = names(template) + names(template.replace("f814w", "F475W"))
        assert patterns(files, (*BANDS, "F475W")) == [pattern]
        return
    assert patterns(names(template, bands or "-")) == [pattern]


def test_a_band_glued_to_a_number():
    assert patterns(names("J09{id}{band}.fits", ids=("1", "22", "3"))) == ["{id}{band}.fits"]


def test_trailing_underscores_of_ids_stay():
    files = names("{id}/{id}_{band}.fits", ids=("J1", "J2__", "J3_01___"))
    (reading,) = readings_without_table(files, BANDS)
    assert (reading.pattern, reading.n_objects) == ("{id}/{id}_{band}.fits", 3)


def test_folders_that_vary_beside_the_id():
    files = names("lenses/{id}_{band}.fits", ids=("a1", "a2"))
    files += names("others/{id}_{band}.fits", ids=("b1", "b2"))
    assert patterns(files) == ["{folder}/{id}_{band}.fits"]


@pytest.mark.parametrize(
    ("files", "offered"),
    [
        (
            [*names("train/{id}_{band}.fits"), *names("test/{id}_{band}.fits")],
            {"train/{id}_{band}.fits", "test/{id}_{band}.fits"},
        ),
        ([*names("{id}/a.fits"), *names("{id}/b.fits")], {"{id}/a.fits", "{id}/b.fits"}),
        (
            [f"{a}_{b}.fits" for a in "gri" for b in "gri" if a != b],
            {"{id}_{band}.fits", "{band}_{id}.fits"},
        ),
    ],
)
def test_names_that_can_be_read_in_several_ways(files, offered):
    assert set(patterns(files)) == offered


def test_pictures_have_no_bands():
    assert patterns(names("{id}_{band}.png")) == [""]


def test_a_single_object_is_called_after_its_folder(tmp_path):
    assert patterns(["wavebands/F115W/data.fits", "wavebands/F444W/data.fits"]) == [
        "wavebands/{band}/data.fits"
    ]
    assert name_of_folder(tmp_path / "ring_1" / "bands" / "data") == "ring_1"


def test_noise_maps_psfs_masks_and_previews_are_no_objects():
    files = [
        *names("{id}/{id}.fits"),
        *names("{id}/{id}_rms.fits"),
        *names("{id}/psf.fits"),
        *names("{id}/mask_extra.fits"),
        *names("{id}/rgb.png"),
    ]
    listing = listing_of(files)
    assert listing.kind == "fits"
    assert list(listing.roles.images) == names("{id}/{id}.fits")
    assert len(listing.left_out) == 12
    (reading,) = readings_without_table(listing.roles.images, BANDS)
    assert reading.pattern == ""
    images, roles = listing.roles.images, listing.roles
    pattern = "{id}/{id}.fits"
    assert companion_pattern(pattern, images, roles.noise) == "{id}/{id}_rms.fits"
    assert companion_pattern(pattern, images, roles.psf) == "{id}/psf.fits"
    assert companion_pattern(pattern, images, ["elsewhere/psf.fits"]) == ""


def test_a_word_that_all_names_have_tells_nothing():
    assert len(listing_of(names("weight_{id}.fits")).roles.images) == 3


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("a/noise_map.fits", "rms"),
        ("a_var.fits", "variance"),
        ("a_weight.fits", "inverse_variance"),
    ],
)
def test_what_a_noise_map_holds(name, kind):
    assert noise_kind_of(name) == kind


ROWS = [{"name": one.replace("_", " "), "key": one, "kind": "lens"} for one in IDS]


@pytest.mark.parametrize(
    ("files", "rows", "pattern"),
    [
        (names("{id}_{band}.fits"), [{"id": one} for one in IDS], "{id}_{band}.fits"),
        (names("{id}/{id}_{band}.fits"), ROWS, "{key}/{key}_{band}.fits"),
        (names("x/cut-{id}.fits"), [{"id": one} for one in IDS], "x/cut-{id}.fits"),
        (
            [f"{n}.fits" for n in (7, 17, 171)],
            [{"id": str(n)} for n in (7, 17, 171)],
            "{id}.fits",
        ),
        (
            ["a/1_g.fits", "a/1_r.fits", "b/1_g.fits", "b/1_r.fits"],
            [{"id": "x", "field": "a", "n": "1"}, {"id": "y", "field": "b", "n": "1"}],
            "{field}/1_{band}.fits",
        ),
        (
            ["lens/1.png", "lens/2.png", "ring/3.png"],
            [{"id": n, "kind": kind} for n, kind in (("1", "lens"), ("2", "lens"), ("3", "ring"))],
            "{kind}/{id}.png",
        ),
    ],
)
def test_columns_that_name_files(files, rows, pattern):
    readings = readings_of_table(files, rows, "id", BANDS if "fits" in files[0] else ())
    assert [reading.pattern for reading in readings] == [pattern]
    assert readings[0].n_objects == len(rows)


def test_files_of_two_folders_fit_a_table():
    rows = [{"id": one} for one in IDS]
    readings = readings_of_table(names("a/{id}.fits") + names("b/{id}.fits"), rows, "id", BANDS)
    assert {reading.pattern for reading in readings} == {"a/{id}.fits", "b/{id}.fits"}


def test_no_column_names_files():
    assert readings_of_table(names("{id}.fits"), [{"id": "7"}], "id", BANDS) == []


def test_parts_of_names():
    assert core_of("cutout_J1_{band}") == "J1"
    assert core_of("data") == ""
    assert image_ending("a.FITS.gz") == ".FITS.gz"
