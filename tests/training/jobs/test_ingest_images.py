"""Imports of every kind of image: files, stacks, mosaics, pictures, noise maps, PSFs."""

from __future__ import annotations

import h5py
import numpy as np
import pytest
from astropy.io import fits
from astropy.table import Table
from astropy.wcs import WCS
from imports_of_files import BANDS, SIZE, candidates, ingest, settings_of, write_fits
from PIL import Image

from lens_triage.training.settings import IngestSettings
from lensing_core.cutouts import CutoutStore
from lensing_core.errors import BadInputError


def test_sizes_are_cropped_and_padded_about_the_center(workspace, tmp_path):
    folder = tmp_path / "sizes"
    planes = np.random.default_rng(0).normal(size=(3, 24, 24)).astype("f4")
    write_fits(folder / "a.fits", planes)
    write_fits(folder / "b.fits", planes[:, 4:-4, 4:-4])
    (folder / "objects.csv").write_text("id\na\nb\n")
    ingest(workspace, settings_of(folder, size_px=20))
    a, b = CutoutStore(workspace.catalog_cutouts("mine")).read_many([0, 1])
    np.testing.assert_array_equal(a, planes[:, 2:-2, 2:-2])
    np.testing.assert_array_equal(b[:, 2:-2, 2:-2], planes[:, 4:-4, 4:-4])
    assert np.isnan(b).sum() == 3 * (400 - 256)
    assert candidates(workspace)[1].observation.properties["ingest"]["nan_fraction"] == 0.36


def test_an_image_of_another_pixel_scale_is_regridded_and_recorded(workspace, survey):
    folder, _ = survey
    planes = np.ones((3, 24, 24))
    cards = {"CD1_1": -0.084 / 3600, "CD2_2": 0.084 / 3600}
    write_fits(folder / "fine.fits", planes, **cards)
    (folder / "objects.csv").write_text("id\nobj000\nfine\n")
    ingest(workspace, settings_of(folder))
    fine = candidates(workspace)[1]
    assert fine.observation.source_pixel_scale_arcsec == pytest.approx(0.084)
    assert fine.observation.properties["ingest"]["regridded"] is True
    store = CutoutStore(workspace.catalog_cutouts("mine"))
    np.testing.assert_allclose(store.read(1), 4, rtol=1e-6)


def stack_file(folder, kind, pixels):
    if kind == "h5":
        with h5py.File(folder / "stack.h5", "w") as file:
            file["images"] = pixels
    elif kind == "npz":
        np.savez(folder / "stack.npz", images=pixels)
    else:
        np.save(folder / "stack.npy", np.moveaxis(pixels, 1, -1))
    return folder / f"stack.{kind}"


@pytest.mark.parametrize("kind", ["npy", "npz", "h5"])
def test_a_stack(workspace, survey, kind):
    folder, pixels = survey
    path = stack_file(folder, kind, pixels)
    settings = settings_of(folder, images=str(path), bands=["g", "r", "i"], zero_points={"g": "26"})
    report = ingest(workspace, settings)
    assert report["ingested"] == 60
    store = CutoutStore(workspace.catalog_cutouts("mine"))
    np.testing.assert_array_equal(store.read(11)[1:], pixels[11, 1:])
    np.testing.assert_allclose(store.read(11)[0], pixels[11, 0] * 10**0.4, rtol=1e-5)
    assert "Arrays have no zero point of r, i; that of hsc (27.00) was taken" in " ".join(
        report["warnings"]
    )


def test_a_mosaic(workspace, tmp_path):
    folder = tmp_path / "mosaic"
    folder.mkdir()
    rng = np.random.default_rng(2)
    wcs = WCS(naxis=2)
    wcs.wcs.ctype, wcs.wcs.crval = ["RA---TAN", "DEC--TAN"], [150.0, 2.0]
    wcs.wcs.crpix, wcs.wcs.cdelt = [100.0, 100.0], [-0.168 / 3600, 0.168 / 3600]
    pixels = rng.normal(size=(3, 200, 200)).astype("f4")
    for band, plane in zip(BANDS, pixels, strict=True):
        hdu = fits.PrimaryHDU(plane, wcs.to_header())
        hdu.header["MAGZERO"] = 27.0
        hdu.writeto(folder / f"field_{band}.fits")
    x, y = rng.integers(20, 180, (2, 10))
    ra, dec = wcs.pixel_to_world_values(x, y)
    table = Table({"id": np.arange(12), "ra": [*ra, 151.0, 150.0], "dec": [*dec, 2.0, -88.0]})
    table.write(folder / "objects.csv")
    settings = settings_of(folder, pattern="field_{band}.fits", size_px=16)
    with pytest.raises(BadInputError, match="needs the size of the cutouts"):
        ingest(workspace, settings_of(folder, pattern="field_{band}.fits"))
    report = ingest(workspace, settings)
    assert report["reasons"] == {"outside_mosaic": 2}
    store = CutoutStore(workspace.catalog_cutouts("mine"))
    for k in range(10):
        wanted = pixels[:, y[k] - 8 : y[k] + 8, x[k] - 8 : x[k] + 8]
        np.testing.assert_array_equal(store.read(k), wanted)


def test_pictures(workspace, tmp_path):
    folder = tmp_path / "pictures"
    folder.mkdir()
    rng = np.random.default_rng(2)
    for k in range(3):
        Image.fromarray(rng.integers(0, 256, (34, 36, 3), dtype="u1")).save(folder / f"{k}.png")
    Image.fromarray(np.full((34, 36), 1000, "u2")).save(folder / "3.png")
    settings = IngestSettings(
        catalog="mine", images=str(folder), survey="cfhtls", frame_crop_px=2, pixel_scale_arcsec=0.2
    )
    with pytest.raises(BadInputError, match="does not say its pixel scale"):
        ingest(workspace, IngestSettings(catalog="no", images=str(folder), survey="cfhtls"))
    report = ingest(workspace, settings)
    assert report["reasons"] == {"unsupported_format": 1}
    store = CutoutStore(workspace.catalog_cutouts("mine"))
    assert store.geometry.pixel_kind == "rendered"
    assert store.geometry.bands == ("R", "G", "B")
    assert store.geometry.size_px == 30
    assert np.isnan(store.geometry.zero_points_mag).all()
    with Image.open(folder / "1.png") as picture:
        whole = np.asarray(picture)
    np.testing.assert_array_equal(store.read(1)[0], whole[2:32, 3:33, 0])


@pytest.mark.parametrize("axis", [1, -1])
def test_pictures_in_one_array(workspace, survey, tmp_path, axis):
    """A column of the table holds names of pictures: with an array they are ids, not files."""
    pictures = np.random.default_rng(3).integers(0, 256, (3, 20, 20, 3), dtype="u1")
    folder = tmp_path / "arrays"
    folder.mkdir()
    np.save(folder / "all.npy", np.moveaxis(pictures, -1, axis))
    Table({"name": ["a", "b", "c"], "cutout": ["a.png", "b.png", "c.png"]}).write(folder / "t.csv")
    settings = {"table": str(folder / "t.csv"), "survey": "cfhtls", "pixel_scale_arcsec": 0.2}
    for name, where in (("file", folder / "all.npy"), ("folder", folder)):
        report = ingest(
            workspace,
            IngestSettings(catalog=name, images=str(where), image_kind="stack", **settings),
        )
        assert (report["ingested"], report["quarantined"]) == (3, 0)
        assert report["warnings"][-1].startswith("Pictures hold no fluxes")
        store = CutoutStore(workspace.catalog_cutouts(name))
        assert (store.geometry.pixel_kind, store.geometry.bands) == ("rendered", ("R", "G", "B"))
        np.testing.assert_array_equal(store.read(2), np.moveaxis(pictures[2], -1, 0))
    np.save(folder / "more.npy", pictures)
    with pytest.raises(BadInputError, match=r"has all\.npy, more\.npy; name its file"):
        ingest(
            workspace,
            IngestSettings(catalog="x", images=str(folder), image_kind="stack", **settings),
        )


def test_a_folder_of_images_without_a_table(workspace, survey):
    folder, pixels = survey
    (folder / "objects.csv").unlink()
    for path in folder.glob("*.fits"):
        with fits.open(path, mode="update") as hdus:
            for hdu in hdus[1:]:
                hdu.header.update({"CRVAL1": 10.0, "CRVAL2": -5.0, "CRPIX1": 6.5, "CRPIX2": 6.5})
    ingest(workspace, IngestSettings(catalog="mine", images=str(folder), survey="hsc"))
    row = candidates(workspace)[3]
    assert row.object_id == "obj003"
    assert (row.ra_deg, row.dec_deg) == pytest.approx((10.0, -5.0))
    assert row.healpix is not None
    assert row.observation.properties["ingest"]["position_from"] == "WCS"
    store = CutoutStore(workspace.catalog_cutouts("mine"))
    np.testing.assert_array_equal(store.read_many(range(60)), pixels)


def test_noise_maps_and_psfs_are_stored(workspace, tmp_path):
    folder = tmp_path / "noise"
    rng = np.random.default_rng(2)
    flux, rms = rng.normal(size=(2, SIZE, SIZE)), rng.uniform(1, 2, (2, SIZE, SIZE))
    psf = np.outer(np.hanning(9), np.hanning(9))
    names = ("VIS_FLUX", "VIS_RMS", "VIS_PSF", "NIR_Y_FLUX", "NIR_Y_RMS", "NIR_Y_PSF")
    planes = (flux[0], rms[0], psf, flux[1], rms[1], psf[2:-2, 2:-2])
    cards = {"CD1_1": -0.1 / 3600, "CD2_2": 0.1 / 3600, "MAGZERO": 24.6}
    write_fits(folder / "a.fits", planes, names, **cards)
    write_fits(folder / "b.fits", planes[::3], names[::3], **cards)
    (folder / "objects.csv").write_text("id\na\nb\n")
    ingest(workspace, settings_of(folder, survey="euclid"))
    store = CutoutStore(workspace.catalog_cutouts("mine"))
    assert store.geometry.bands == ("VIS", "Y")
    factor = 10 ** (0.4 * (29.8 - 24.6))
    np.testing.assert_allclose(store.read(0)[1], flux[1] * factor, rtol=1e-5)
    np.testing.assert_allclose(store.read_variance(0)[0], rms[0] ** 2, rtol=1e-5)
    np.testing.assert_allclose(store.read_variance(0)[1], (rms[1] * factor) ** 2, rtol=1e-5)
    assert store.read_psf(0).shape == (2, 9, 9)
    np.testing.assert_allclose(store.read_psf(0).sum(axis=(1, 2)), 1, rtol=1e-5)
    assert np.isnan(store.read_variance(1)).all()
    assert [c.observation.variance_available for c in candidates(workspace)] == [True, False]
