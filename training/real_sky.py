"""Catalogs of real sky from which the bundled ensembles are made.

Folders of a data directory (`ps1_real_sky`, `cfhtls_real_sky`, `legacy_pictures`, `des_lrgs`)
become catalogs of a workspace. Where a survey's own objects are too few or too faint to be lens
galaxies, luminous red galaxies of DES stand on the survey's real blank sky: resampled to its
pixels, dimmed, with the faint outskirts smoothed so that DES noise does not add to the survey's.
"""

from __future__ import annotations

import csv
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from astropy.io import fits
from scipy import ndimage

from lensing_core.arrays import BoolArray, Float32Array, Float64Array
from lensing_core.cutouts import CutoutGeometry
from lensing_core.errors import BadInputError
from lensing_core.imaging.unstretch import PictureStretch
from lensing_core.ingest.catalog_writer import CatalogSpec, CatalogWriter, NewCandidate
from lensing_core.simulation.hosts import (
    MIN_EXTENT,
    MIN_SNR,
    measure_objects,
    red_and_extended,
)
from lensing_core.store import open_database
from lensing_core.store.catalogs import catalog_named
from lensing_core.surveys import get_survey
from lensing_core.workspace import Workspace

LRG_SCALE_ARCSEC = 0.263
LRG_ZERO_POINT_MAG = 30.0
LRG_PLACES_DEG = (10.0, -80.0)
"""Made-up place of the first transplanted galaxy: copies of one share a place, and so a group."""
CHANNELS = ("R", "G", "B")
SATURATED, LEAST_REDDENING, WIDEST_HOST_ARCSEC = 254, 10, 2.5
"""Of hosts in pictures: level of the core below it, red above blue where they are to be red,
half-light radius at most."""
CFHTLS_PEDESTAL = 0.25
"""Of the pictures' sky above black, in σ."""
CFHTLS_Q, CFHTLS_ALPHA, CFHTLS_SCALES = 3.5, 0.09, (0.4, 0.6, 1.7)
"""HumVI's parameters for CFHTLS pictures: with scales and α of its documentation two linear fields
have the noise of the pictures in all three channels; with this Q as many saturated pixels."""


@dataclass(frozen=True)
class SkyObjects:
    """Objects to be written as one catalog.

    Attributes
    ----------
    pixels : ndarray of shape (n, band, y, x)
    names : list of str
    places : ndarray of shape (n, 2)
        J2000 degrees; NaN where unknown.
    hosts : ndarray of shape (n,), bool
        Whether arcs may be painted around them.
    """

    pixels: Float32Array
    names: list[str]
    places: Float64Array
    hosts: BoolArray

    @classmethod
    def concatenate(cls, parts: list[SkyObjects]) -> SkyObjects:
        """Those of several sources, one after the other."""
        return cls(
            np.concatenate([part.pixels for part in parts]),
            [name for part in parts for name in part.names],
            np.concatenate([part.places for part in parts]),
            np.concatenate([part.hosts for part in parts]),
        )


def read_lrgs(data: Path, bands: str, *, sharp_snr: float = 8.0) -> Float32Array:
    """Luminous red galaxies of DES in some bands, (n, band, y, x), at AB zero point 30.

    The sky at the edge is taken off, and what is fainter than ``sharp_snr`` is smoothed.
    """
    stacks = [fits.getdata(data / "des_lrgs" / f"{band}.fits") for band in bands]
    light = np.stack(stacks, axis=1).astype(np.float64)
    edge = np.concatenate(
        [light[..., 0, :], light[..., -1, :], light[..., :, 0], light[..., :, -1]], axis=-1
    )
    sky = np.median(edge, axis=-1)[..., None, None]
    noise = 1.4826 * np.median(np.abs(edge - sky[..., 0]), axis=-1)[..., None, None]
    return smooth_outskirts(light - sky, noise, sharp_snr).astype(np.float32)


def smooth_outskirts(light: Float64Array, noise: Float64Array, sharp_snr: float) -> Float64Array:
    """Images whose faint parts are blurred and whose bright parts are kept, step by step."""
    out = light
    for width in (1.5, 4.0):
        blurred = ndimage.gaussian_filter(light, (0,) * (light.ndim - 2) + (width, width))
        # Noise of the mean over a Gaussian of this width.
        kept = np.clip(blurred / (noise / (2 * np.sqrt(np.pi) * width)) / sharp_snr - 0.5, 0, 1)
        out = kept * out + (1 - kept) * blurred
    side = light.shape[-1]
    axis = np.arange(side) - (side - 1) / 2
    radius = np.hypot(axis[:, None], axis[None, :]) / (side / 2)
    return out * np.clip((1.0 - radius) / 0.25, 0, 1)


def on_grid(image: Float32Array, scale_arcsec: float, size_px: int) -> Float64Array:
    """Images (band, y, x) of 0.263″ on another pixel grid, with the flux of each kept."""
    axis = (np.arange(size_px) - (size_px - 1) / 2) * scale_arcsec / LRG_SCALE_ARCSEC
    axis = axis + (image.shape[-1] - 1) / 2
    y, x = np.meshgrid(axis, axis, indexing="ij")
    bands = [ndimage.map_coordinates(band, [y, x], order=3, cval=0.0) for band in image]
    return np.stack(bands) * (scale_arcsec / LRG_SCALE_ARCSEC) ** 2


def dihedral_view(image: Float64Array, view: int) -> Float64Array:
    """One of eight orientations."""
    image = image[..., ::-1] if view >= 4 else image
    return np.rot90(image, view % 4, (-2, -1))


def sky_of_ps1(data: Path, *, copies: int, seed: int) -> tuple[CutoutGeometry, SkyObjects]:
    """98 real objects of Pan-STARRS1, blank sky of it, and red galaxies of DES on blank sky."""
    folder = data / "ps1_real_sky"
    own = np.load(folder / "objects_grizy_48.npz")["flux"][:, :3]
    table = read_table(folder / "objects.csv")
    blank = np.load(folder / "backgrounds_gri_48.npz")["flux"]
    survey = get_survey("ps1")
    fwhm = tuple(survey.band(name).psf_fwhm_arcsec for name in "gri")
    geometry = CutoutGeometry("ps1", ("g", "r", "i"), 48, 0.25, "flux", (25.0,) * 3, fwhm)
    rng = np.random.default_rng(seed)
    lrgs = read_lrgs(data, "gri")
    widths = [_blur_px(fwhm[k], ("des", "gri"[k]), 0.25) for k in range(3)]
    pixels, names, places = [], [], []
    for copy in range(copies):
        for number, lrg in enumerate(lrgs):
            light = dihedral_view(on_grid(lrg, 0.25, 48), int(rng.integers(8)))
            light = np.stack(
                [ndimage.gaussian_filter(b, w) for b, w in zip(light, widths, strict=True)]
            )
            light *= 10 ** (-0.4 * (LRG_ZERO_POINT_MAG - 25.0)) * _dimming(rng)
            sky = blank[int(rng.integers(len(blank)))]
            pixels.append(sky - np.median(sky, axis=(1, 2), keepdims=True) + light)
            names.append(f"lrg{number}-{copy}")
            places.append(_place(number))
    transplanted = SkyObjects(
        np.stack(pixels).astype(np.float32), names, np.array(places), np.ones(len(names), bool)
    )
    measured = measure_objects(own, 0.25)
    real = SkyObjects(
        own.astype(np.float32),
        [f"o{k}" for k in range(len(own))],
        np.array([(float(row["ra"]), float(row["dec"])) for row in table]),
        red_and_extended(measured, float(np.median(fwhm))),
    )
    return geometry, SkyObjects.concatenate([real, transplanted])


def sky_of_cfhtls(data: Path, *, copies: int, seed: int) -> tuple[CutoutGeometry, SkyObjects]:
    """Real color pictures of CFHTLS objects, and red galaxies of DES on its real sky."""
    folder = data / "cfhtls_real_sky"
    table = read_table(folder / "pictures.csv")
    safe = np.array([row["safe"] == "1" for row in table])
    rgb = np.load(folder / "pictures_rgb_65.npz")["rgb"].transpose(0, 3, 1, 2).astype(np.float32)
    own = rgb[safe]
    real = _real_pictures(own, 0.186, "cfhtls", "p", any_color=False)
    stretch = PictureStretch.of_recipe("humvi", CFHTLS_Q)
    fields = [
        np.stack([read_field(folder / name.format(band)) for band in "irg"])
        for name in ("CFHTLS-test_{}.fits", "CFHTLS_27_{}_sci.fits")
    ]
    noise = [1.4826 * np.median(np.abs(field), axis=(1, 2)) for field in fields]
    unit = (CFHTLS_ALPHA * CFHTLS_Q * np.array(CFHTLS_SCALES))[:, None, None]
    rng = np.random.default_rng(seed)
    pixels, names, places = [], [], []
    for copy in range(copies):
        for number, lrg in enumerate(read_lrgs(data, "irg", sharp_snr=40.0)):
            light = dihedral_view(on_grid(lrg, 0.186, 65), int(rng.integers(8))) * _dimming(
                rng, -1.2, 2.2
            )
            which = int(rng.integers(len(fields)))
            above = CFHTLS_PEDESTAL * noise[which][:, None, None]
            sky = dihedral_view(_blank_window(rng, fields[which], 65), int(rng.integers(8)))
            pixels.append(stretch.picture((sky + above + light) * unit))
            names.append(f"lrg{number}-{copy}")
            places.append(_place(number))
    transplanted = SkyObjects(
        np.stack(pixels).astype(np.float32), names, np.array(places), np.ones(len(names), bool)
    )
    return _picture_geometry("cfhtls", 65, 0.186), SkyObjects.concatenate([real, transplanted])


def sky_of_legacy(data: Path, *, copies: int, seed: int) -> tuple[CutoutGeometry, SkyObjects]:
    """Real DECaLS color pictures; their own extended objects of all colors are hosts."""
    del copies, seed
    stored = np.load(data / "legacy_pictures" / "pictures_rgb_64.npz")
    rgb = stored[next(iter(stored.files))].transpose(0, 3, 1, 2).astype(np.float32)
    return _picture_geometry("decals", 64, 0.262), _real_pictures(
        rgb, 0.262, "decals", "d", any_color=True
    )


SKIES: dict[str, Callable[..., tuple[CutoutGeometry, SkyObjects]]] = {
    "ps1": sky_of_ps1,
    "cfhtls": sky_of_cfhtls,
    "decals": sky_of_legacy,
}


def write_sky(
    workspace: Workspace, catalog: str, survey: str, data: Path, *, copies: int = 8, seed: int = 3
) -> int:
    """Make a catalog of a survey's real sky, unless it is there; return its number of objects.

    Raises
    ------
    BadInputError
        If there is no real sky of that survey.
    """
    if survey not in SKIES:
        raise BadInputError(f"No real sky of {survey}; there is that of {', '.join(SKIES)}.")
    with open_database(workspace).session() as session:
        there = catalog_named(session, catalog)
        if there is not None and there.complete:
            return there.n_candidates
    geometry, objects = SKIES[survey](data, copies=copies, seed=seed)
    return write_objects(workspace, catalog, geometry, objects)


def write_objects(
    workspace: Workspace, catalog: str, geometry: CutoutGeometry, objects: SkyObjects
) -> int:
    """Write objects as a new catalog, hosts with the flag LRG; return their number."""
    spec = CatalogSpec(catalog, geometry, get_survey(geometry.survey).to_json())
    writer = CatalogWriter(workspace, spec)
    rows = [
        NewCandidate(
            name,
            None if np.isnan(ra) else float(ra),
            None if np.isnan(dec) else float(dec),
            observation={"properties": {"LRG": int(host)}},
        )
        for name, (ra, dec), host in zip(objects.names, objects.places, objects.hosts, strict=True)
    ]
    writer.append(objects.pixels, rows, rows_read=len(rows))
    writer.finish()
    return len(rows)


def read_table(path: Path) -> list[dict[str, str]]:
    """Rows of a CSV file."""
    with path.open(encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def _real_pictures(
    rgb: Float32Array, scale: float, survey: str, letter: str, *, any_color: bool
) -> SkyObjects:
    seeing = np.median([band.psf_fwhm_arcsec for band in get_survey(survey).bands])
    measured = measure_objects(rgb, scale, blue_first=False)
    radius = measured.half_light_radius_arcsec
    hosts = (measured.snr > MIN_SNR) & (radius > MIN_EXTENT * float(seeing) / 2)
    if not any_color:
        hosts = red_and_extended(measured, float(seeing))
    # Saturated stars and blends are extended, and red, too.
    middle = rgb.shape[-1] // 2
    core = rgb[..., middle - 2 : middle + 3, middle - 2 : middle + 3]
    hosts &= (core.max(axis=(1, 2, 3)) < SATURATED) & (radius < WIDEST_HOST_ARCSEC)
    if not any_color:
        hosts &= core[:, 0].mean(axis=(1, 2)) > core[:, 2].mean(axis=(1, 2)) + LEAST_REDDENING
    names = [f"{letter}{k}" for k in range(len(rgb))]
    return SkyObjects(rgb, names, np.full((len(rgb), 2), np.nan), hosts)


def _picture_geometry(survey: str, size_px: int, scale: float) -> CutoutGeometry:
    nothing = (float("nan"),) * 3
    return CutoutGeometry(survey, CHANNELS, size_px, scale, "rendered", nothing, nothing)


def read_field(path: Path) -> Float64Array:
    """A plane of a CFHTLS field without its sky, at zero point 30 and 0.187″."""
    with fits.open(path) as hdus:
        pixels = next(hdu.data for hdu in hdus if hdu.data is not None)
    values = np.asarray(pixels, dtype=np.float64)
    return values - np.median(values)


def _blank_window(rng: np.random.Generator, field: Float64Array, size_px: int) -> Float64Array:
    """A window of a field with as little light at its center as the darkest of ten."""
    best: tuple[float, Float64Array] | None = None
    for _ in range(10):
        y, x = rng.integers(0, field.shape[1] - size_px, 2)
        window = field[:, y : y + size_px, x : x + size_px]
        middle = slice(size_px // 2 - 12, size_px // 2 + 13)
        light = float(window[:, middle, middle].mean())
        if best is None or light < best[0]:
            best = light, window
    assert best is not None  # noqa: S101 - ten were drawn
    return best[1]


def _blur_px(fwhm_arcsec: float, of: tuple[str, str], scale_arcsec: float) -> float:
    """Width in pixels of the Gaussian that takes one survey's seeing to another's."""
    own = get_survey(of[0]).band(of[1]).psf_fwhm_arcsec
    return float(np.sqrt(max(fwhm_arcsec**2 - own**2, 0.0)) / 2.355 / scale_arcsec)


def _dimming(
    rng: np.random.Generator, brightest_mag: float = -2.0, faintest_mag: float = 0.8
) -> float:
    return float(10 ** (-0.4 * rng.uniform(brightest_mag, faintest_mag)))


def _place(number: int) -> tuple[float, float]:
    return LRG_PLACES_DEG[0] + 5.0 * number, LRG_PLACES_DEG[1] + 0.5 * (number % 20)
