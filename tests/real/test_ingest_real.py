from __future__ import annotations

import json
import math
from collections import Counter

import numpy as np
import pytest
from astropy.io import fits
from PIL import Image
from sqlalchemy import select

from lens_triage.training.jobs.train.data import TrainingData
from lensing_core.cutouts import CutoutStore
from lensing_core.errors import PolicyError
from lensing_core.store import open_database
from lensing_core.store.tables import Candidate, Catalog
from lensing_core.surveys import get_survey

pytestmark = pytest.mark.real


def rows_of(workspace, catalog) -> dict[str, Candidate]:
    query = (
        select(Candidate)
        .join(Catalog, Catalog.id == Candidate.catalog_id)
        .where(Catalog.name == catalog)
    )
    with open_database(workspace).session() as session:
        rows = list(session.scalars(query))
        for row in rows:
            json.dumps(row.observation.properties, allow_nan=False)
        return {row.object_id: row for row in rows}


def test_every_set_is_imported_whole_and_only_once(workspace, real_imports, ingest):
    wanted = {
        "sled-ps1": 55,
        "euclid-q1": 4,
        "cosmos-web-ring": 1,
        "slacs-hst": 1,
        "spacewarps": 210,
    }
    for name, settings in real_imports.items():
        report = ingest(workspace, settings)
        assert (report["ingested"], report["quarantined"]) == (wanted[name], 0), name
        codes = {"z_phot": 1} if name == "spacewarps" else {}  # a redshift of 9.99
        assert report["doubts"] == codes
        again = ingest(workspace, settings)
        assert again["already_complete"]
        assert again["ingested"] == wanted[name]


def test_ps1_fluxes_are_on_one_zero_point(workspace, ps1_settings, ingest, real_data):
    ingest(workspace, ps1_settings)
    store = CutoutStore(workspace.catalog_cutouts("sled-ps1"))
    rows = rows_of(workspace, "sled-ps1")
    assert store.geometry.pixel_scale_arcsec == pytest.approx(0.25, abs=1e-6)
    assert store.geometry.shape == (5, 120, 120)
    row = rows["COSMOSJ095930.94+023427.7"]
    folder = real_data / "sled_ps1/lensed_galaxies/COSMOSJ095930_94_023427_7"
    for k, band in enumerate(store.geometry.bands):
        image, header = fits.getdata(folder / f"{folder.name}_{band}.fits", header=True)
        zero_point = 25 + 2.5 * math.log10(header["EXPTIME"])
        used = row.observation.properties["ingest"]["image_zero_points_mag"][band]
        assert used == pytest.approx(zero_point)
        njy = image * 10 ** (0.4 * (31.4 - zero_point))
        ours = store.read(row.cutout_index)[k] * 10 ** (
            0.4 * (31.4 - store.geometry.zero_points_mag[k])
        )
        np.testing.assert_allclose(ours, njy, rtol=1e-4, atol=1e-3)
    assert (row.ra_deg, row.dec_deg) == (149.8789, 2.5744)


def test_ps1_sharp_edges(workspace, ps1_settings, ingest):
    ingest(workspace, ps1_settings)
    rows = rows_of(workspace, "sled-ps1")
    assert "DESJ0329–2820" in rows  # an en dash, and a folder that an archive had mangled
    flags = {name: row.observation.band_flags for name, row in rows.items()}
    assert Counter(map(sum, flags.values())) == {5: 53, 2: 1, 1: 1}
    assert flags["DECALSJ0446-3102"] == [0, 1, 1, 0, 0]
    assert flags["HAHJ1328-3132"] == [0, 1, 0, 0, 0]  # i has a file, but no data in it
    store = CutoutStore(workspace.catalog_cutouts("sled-ps1"))
    r = store.read(rows["DECALSJ0446-3102"].cutout_index)[1]
    assert np.isnan(r).mean() == pytest.approx(0.0977, abs=1e-4)
    nan_fraction = rows["DECALSJ0446-3102"].observation.properties["ingest"]["nan_fraction"]
    assert nan_fraction == pytest.approx((0.0977 + 0.5853) / 2, abs=1e-3)
    assert (store.read(rows["B1608+656"].cutout_index) < 0).any()  # negative sky stays


def test_ps1_missing_bands_can_be_quarantined(workspace, ps1_settings, ingest):
    ps1_settings.missing_bands = "quarantine"
    report = ingest(workspace, ps1_settings)
    assert report["ingested"] == 53
    assert report["reasons"] == {"missing_file": 2}


def test_ps1_lenses_alone_cannot_train(workspace, ps1_settings, ingest):
    ingest(workspace, ps1_settings)
    with pytest.raises(PolicyError, match=r"sled-ps1 holds known lenses only .*obs:sled"):
        TrainingData.open(workspace, ["sled-ps1"])


def test_euclid_noise_psf_and_positions(workspace, euclid_settings, ingest, real_data):
    ingest(workspace, euclid_settings)
    store = CutoutStore(workspace.catalog_cutouts("euclid-q1"))
    assert store.geometry.bands == ("VIS", "Y", "J", "H")
    assert store.geometry.pixel_scale_arcsec == pytest.approx(0.1)
    rows = rows_of(workspace, "euclid-q1")
    row = rows["EUCLJ174517.55+655612.5"]
    path = real_data / f"euclid_q1_galaxy/{row.object_id}/{row.object_id}.fits"
    with fits.open(path) as hdus:
        np.testing.assert_array_equal(store.read(row.cutout_index)[0], hdus["VIS_FLUX"].data)
        np.testing.assert_allclose(
            store.read_variance(row.cutout_index)[2], hdus["NIR_J_RMS"].data ** 2, rtol=1e-5
        )
    psf = store.read_psf(row.cutout_index)
    assert psf.shape == (4, 33, 33)
    np.testing.assert_allclose(psf.sum(axis=(1, 2)), 1, rtol=1e-5)
    vis, y = (fits.getdata(path, name) for name in ("VIS_PSF", "NIR_Y_PSF"))
    np.testing.assert_allclose(psf[0][6:27, 6:27], vis / vis.sum(), rtol=1e-4, atol=1e-8)
    np.testing.assert_allclose(psf[1], y / y.sum(), rtol=1e-4, atol=1e-8)
    # The group is 300 px wide: its center is kept.
    group = rows["102044185_NEG528176967277992842"]
    image = fits.getdata(real_data / "euclid_q1_galaxy/sample_group/group/group.fits", "VIS_FLUX")
    np.testing.assert_array_equal(store.read(group.cutout_index)[0], image[100:200, 100:200])
    # Its position is not in the table, but in the header.
    walmsley = rows["102018665_NEG570040238507752998"]
    assert walmsley.ra_deg == pytest.approx(57.0040238507753, abs=2e-4)
    assert walmsley.healpix is not None


def test_euclid_noise_is_what_the_survey_definition_predicts(workspace, euclid_settings, ingest):
    ingest(workspace, euclid_settings)
    store = CutoutStore(workspace.catalog_cutouts("euclid-q1"))
    survey = get_survey("euclid")
    for k, band in enumerate(survey.bands):
        measured = np.median([np.sqrt(np.nanmedian(store.read_variance(n)[k])) for n in range(4)])
        zero_point = band.zero_point_mag + 2.5 * math.log10(band.gain_e_per_unit / band.exposure_s)
        sky_e = 10 ** (0.4 * (zero_point - band.sky_mag_arcsec2)) * band.exposure_s * 0.1**2
        predicted = math.sqrt(sky_e + band.read_noise_e**2) / band.gain_e_per_unit
        assert measured == pytest.approx(predicted, rel=0.35), band.name


def test_jwst_bands_share_a_grid_and_keep_their_flux(workspace, jwst_settings, ingest, real_data):
    report = ingest(workspace, jwst_settings)
    assert any("zero point of F115W, F150W, F277W, F444W" in w for w in report["warnings"])
    store = CutoutStore(workspace.catalog_cutouts("cosmos-web-ring"))
    assert store.geometry.pixel_scale_arcsec == 0.03
    assert store.geometry.shape == (4, 419, 419)
    folder = real_data / "hst_jwst_pyautolens/dataset/imaging/cosmos_web_ring/wavebands"
    flux, variance = store.read(0), store.read_variance(0)
    for k, band in enumerate(store.geometry.bands):
        data = fits.getdata(folder / band / "data.fits")
        noise = fits.getdata(folder / band / "noise_map.fits")
        if k < 2:
            np.testing.assert_allclose(flux[k], data, rtol=1e-6)
            continue
        # Surface brightness: a pixel of a quarter of the area keeps its value, and an aperture
        # of whole coarse pixels holds four times as many of them.
        y = np.arange(209) - 104
        weight = np.exp(-(y[:, None] ** 2 + y[None] ** 2) / (2 * 25**2))
        fine = (np.arange(419) - 209) / 2
        fine_weight = np.exp(-(fine[:, None] ** 2 + fine[None] ** 2) / (2 * 25**2))
        known = np.isfinite(flux[k])
        ours = (flux[k][known] * fine_weight[known]).sum() / 4
        assert ours == pytest.approx((data * weight).sum(), rel=1e-3)
        assert np.isnan(flux[k]).sum() == 419**2 - 417**2
        assert known[1:-1, 1:-1].all()
        ratio = np.sqrt(np.nanmedian(variance[k])) / np.median(noise)
        assert 0.5 < ratio <= 1.01
    row = next(iter(rows_of(workspace, "cosmos-web-ring").values()))
    assert row.observation.properties["ingest"]["regridded"] is True
    assert (row.ra_deg, row.object_id) == (None, "cosmos_web_ring")
    with open_database(workspace).session() as session:
        notes = session.scalars(select(Catalog)).one().notes["import"]["bands_of_first_image"]
    assert [notes[band]["regridded"] for band in notes] == [False, False, True, True]
    psf = store.read_psf(0)
    np.testing.assert_allclose(psf.sum(axis=(1, 2)), 1, rtol=1e-4)


def test_hst_without_a_wcs(workspace, hst_settings, ingest, real_data):
    report = ingest(workspace, hst_settings)
    assert any("pixel scale of F814W; the survey's was taken" in w for w in report["warnings"])
    row = rows_of(workspace, "slacs-hst")["J0946+1006"]
    assert row.ra_deg == pytest.approx(15 * (9 + 46 / 60 + 56.68 / 3600))
    assert row.dec_deg == pytest.approx(10 + 6 / 60 + 52.8 / 3600)
    store = CutoutStore(workspace.catalog_cutouts("slacs-hst"))
    folder = real_data / "hst_jwst_pyautolens/dataset/imaging/slacs0946+1006"
    np.testing.assert_allclose(store.read(0)[0], fits.getdata(folder / "data.fits"), rtol=1e-6)
    noise = fits.getdata(folder / "noise_map.fits")
    np.testing.assert_allclose(store.read_variance(0)[0], noise**2, rtol=1e-5)
    assert store.read_psf(0).shape == (1, 21, 21)


def test_cfhtls_pictures_with_grades(workspace, cfhtls_settings, ingest, real_data):
    ingest(workspace, cfhtls_settings)
    rows = rows_of(workspace, "spacewarps")
    assert Counter(row.label for row in rows.values()) == {1: 48, 0: 121, None: 41}
    store = CutoutStore(workspace.catalog_cutouts("spacewarps"))
    assert store.geometry.pixel_kind == "rendered"
    assert store.geometry.size_px == 464
    name = "CFHTLSJ020210.5-110911_SpaceWarps_ASW0000xjl_grade2.7_30asec_gri"
    row = rows[name]
    assert (row.ra_deg, row.dec_deg, row.label) == (30.54376, -11.15326, 1)
    assert row.magnitude == row.observation.magnitudes["i"] == 17.894
    assert row.observation.z_phot == 0.45
    assert row.observation.properties["Expert_Grade"] == 2.7
    assert row.observation.properties["ZooID"] == "ASW0000xjl"
    with Image.open(real_data / f"spacewarps_cfhtls/candidates/{name}.png") as picture:
        pixels = np.asarray(picture.convert("RGB"))
    np.testing.assert_array_equal(
        store.read(row.cutout_index), pixels[10:-10, 10:-10][:464].transpose(2, 0, 1)
    )
    frames = [store.read(k)[:, [0, -1]].min(axis=0).max() for k in range(len(store))]
    assert np.median(frames) < 200  # the white frame is gone
