"""From image files through an import to the exported FITS: every star stays where it is."""

from __future__ import annotations

import astropy.units as u
import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.io import fits
from astropy.table import Table
from astropy.wcs import WCS
from PIL import Image

from lens_triage.training.jobs.ingest import run
from lens_triage.training.runner.context import JobContext
from lens_triage.training.settings import IngestSettings
from lensing_core.export.pictures import CutoutSource, cutout_fits
from lensing_core.store import open_database
from lensing_core.store.export_rows import export_rows
from lensing_core.store.ranking import RankingQuery
from lensing_core.store.tables import Run

SIDE = 48


def wcs_header(projection, reference, reference_px, turn_deg=0.0, frame="RA"):
    names = ("GLON-", "GLAT-") if frame == "galactic" else ("RA---", "DEC--")
    c, s = np.cos(np.deg2rad(turn_deg)), np.sin(np.deg2rad(turn_deg))
    header = fits.Header()
    for axis in (1, 2):
        header[f"CTYPE{axis}"] = names[axis - 1] + projection
        header[f"CRVAL{axis}"], header[f"CRPIX{axis}"] = reference[axis - 1], reference_px[axis - 1]
    if frame in ("FK4", "FK5"):
        header["RADESYS"], header["EQUINOX"] = frame, 1950.0 if frame == "FK4" else 1975.0
    matrix = np.array([[-c, s], [s, c]]) * 0.25 / 3600
    for i in (1, 2):
        for j in (1, 2):
            header[f"CD{i}_{j}"] = matrix[i - 1, j - 1]
    return header


def star_at(x0, y0, shape=(SIDE, SIDE)):
    y, x = np.mgrid[: shape[0], : shape[1]]
    return np.exp(-((x - x0) ** 2 + (y - y0) ** 2) / (2 * 1.5**2)).astype("f4")


def ingested(workspace, **settings) -> tuple[dict, CutoutSource]:
    chosen = IngestSettings(catalog="mine", **settings)
    with open_database(workspace).session() as session:
        session.add(Run(id="run", kind="ingest", title="", settings=chosen.to_json()))
    return run(JobContext(workspace, "run"), chosen), CutoutSource(workspace, {})


def exported(workspace, source) -> dict[str, fits.HDUList]:
    rows = export_rows(open_database(workspace), RankingQuery(sort="object_id"))
    return {row.name: cutout_fits(row, source) for row in rows}


def star_of(hdu) -> SkyCoord:
    """Where a reader of the exported file finds the star."""
    light = np.nan_to_num(hdu.data)
    y, x = np.mgrid[: light.shape[0], : light.shape[1]]
    centroid = (light * x).sum() / light.sum(), (light * y).sum() / light.sum()
    return WCS(hdu.header).pixel_to_world(*centroid).icrs


WCSES = {
    "a tangent point in the middle": wcs_header("TAN", (150.0, 2.0), (24.5, 24.5)),
    "turned": wcs_header("TAN", (150.0, 2.0), (24.5, 24.5), 130.0),
    "a far tangent point": wcs_header("TAN", (190.0, 82.0), (-20000.0, 900.0)),
    "a far reference of CAR": wcs_header("CAR", (150.0, 0.0), (24.5, -400_000.0), 0.0),
    "a far reference of SFL": wcs_header("SFL", (140.0, 0.0), (-60_000.0, -400_000.0), 0.0),
    "a far reference of ZEA": wcs_header("ZEA", (150.0, 30.0), (50_000.0, 90_000.0), 20.0),
    "galactic": wcs_header("TAN", (150.0, 50.0), (24.5, 24.5), 10.0, "galactic"),
    "FK5 of 1975": wcs_header("TAN", (150.0, 2.0), (24.5, 24.5), 0.0, "FK5"),
    "FK4": wcs_header("TAN", (150.0, 2.0), (24.5, 24.5), 0.0, "FK4"),
}


@pytest.mark.parametrize("size_px", [0, 31])
def test_stars_stay_where_they_are(workspace, tmp_path, size_px):
    """Objects of the table lie off the middle of their images; stars lie elsewhere still."""
    rows, stars = [], {}
    for name, header in WCSES.items():
        wcs = WCS(header)
        stars[name], target = (wcs.pixel_to_world(*at).icrs for at in ((28.3, 20.6), (18.0, 27.0)))
        file = f"{len(rows)}.fits"
        fits.PrimaryHDU(star_at(28.3, 20.6), header).writeto(tmp_path / file)
        rows.append((name, target.ra.deg, target.dec.deg, file))
    Table(rows=rows, names=("id", "ra", "dec", "file")).write(tmp_path / "t.csv")
    report, source = ingested(
        workspace, table=str(tmp_path / "t.csv"), survey="hsc", bands=["r"], size_px=size_px
    )
    assert report["ingested"] == len(WCSES)
    found = exported(workspace, source)
    for name, star in stars.items():
        hdu = found[name]["R"]
        assert hdu.header["ORIENT"] == "known"
        assert star_of(hdu).separation(star).to_value(u.arcsec) < 0.05, name


def test_a_star_of_a_regridded_band_stays_where_it_is(workspace, tmp_path):
    header = wcs_header("TAN", (150.0, 2.0), (24.5, 24.5), 25.0)
    wcs = WCS(header)
    star, target = wcs.pixel_to_world(27.3, 22.6).icrs, wcs.pixel_to_world(24.0, 24.6).icrs
    fits.PrimaryHDU(star_at(27.3, 22.6), header).writeto(tmp_path / "a.fits")
    Table({"id": ["a"], "ra": [target.ra.deg], "dec": [target.dec.deg]}).write(tmp_path / "t.csv")
    _, source = ingested(
        workspace,
        table=str(tmp_path / "t.csv"),
        survey="hsc",
        bands=["r"],
        grid_scale_arcsec=0.2,
        size_px=48,
    )
    assert star_of(exported(workspace, source)["a"]["R"]).separation(star).to_value(u.arcsec) < 0.05


def test_a_position_elsewhere_is_counted(workspace, tmp_path):
    header = wcs_header("TAN", (150.0, 2.0), (24.5, 24.5))
    fits.PrimaryHDU(star_at(20, 20), header).writeto(tmp_path / "a.fits")
    Table({"id": ["a"], "ra": [150.01], "dec": [2.0]}).write(tmp_path / "t.csv")
    report, _ = ingested(workspace, table=str(tmp_path / "t.csv"), survey="hsc", bands=["r"])
    assert report["outside_cutout"] == 1
    assert any("centered 36.0 arcsec from the position" in text for text in report["warnings"])


@pytest.mark.parametrize(("side", "suffix"), [(40, ".png"), (41, ".webp"), (40, ".tiff")])
def test_the_top_of_a_picture_is_the_top_of_the_exported_file(workspace, tmp_path, suffix, side):
    """Rows of pictures run down, those of FITS up."""
    picture = np.zeros((side, side, 3), "u1")
    picture[:10, :, 0] = 200
    picture[10:, :, 2] = 200
    Image.fromarray(picture).save(tmp_path / f"a{suffix}", lossless=True)
    Table({"id": ["a"], "ra": [150.0], "dec": [2.0], "file": [f"a{suffix}"]}).write(
        tmp_path / "t.csv"
    )
    _, source = ingested(
        workspace,
        table=str(tmp_path / "t.csv"),
        images=str(tmp_path),
        survey="cfhtls",
        pixel_scale_arcsec=0.2,
    )
    hdus = exported(workspace, source)["a"]
    rows = np.flatnonzero(hdus["R"].data[:, side // 2] == 200)
    assert (rows.min(), rows.max()) == (side - 10, side - 1)
    wcs = WCS(hdus["R"].header)
    top, bottom = (wcs.pixel_to_world(0, y).dec.arcsec for y in (side - 1, 0))
    assert top - bottom == pytest.approx((side - 1) * 0.2, abs=1e-3)
    assert hdus["R"].header["ORIENT"] == "assumed"


@pytest.mark.parametrize(
    ("primary", "extensions", "bands"),
    [
        ({"FILTER": "HSC-I"}, [{}], ["i"]),
        ({}, [{"FILTER": "r DECam SDSS c0002 6415.0"}, {"FILTER": "g.MP9401"}], ["r", "g"]),
        ({"FILTER1": "CLEAR", "FILTER2": "z"}, [{}], ["z"]),
    ],
)
def test_bands_by_the_keywords_of_filters(workspace, tmp_path, primary, extensions, bands):
    header = wcs_header("TAN", (150.0, 2.0), (24.5, 24.5))
    hdus = [fits.PrimaryHDU(header=fits.Header(primary))]
    for cards in extensions:
        hdus.append(fits.ImageHDU(star_at(24, 24), header, name="SCI"))
        hdus[-1].header.update(cards)
    (tmp_path / "images").mkdir()
    fits.HDUList(hdus).writeto(tmp_path / "images" / "a.fits")
    report, source = ingested(workspace, images=str(tmp_path / "images"), survey="hsc")
    assert report["ingested"] == 1
    assert list(source.catalog("mine").store.geometry.bands) == bands
