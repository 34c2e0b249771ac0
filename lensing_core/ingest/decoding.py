"""Cutouts on the catalog's grid from the images of a row. Runs in worker processes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from math import isfinite

import numpy as np

from lensing_core.arrays import BoolArray, Float32Array
from lensing_core.cutouts import cutout_sha256
from lensing_core.ingest.anchors import (
    SkyFrame,
    anchors_of,
    center_in_copy,
    sky_frame,
)
from lensing_core.ingest.geometry import (
    crop_or_pad,
    same_scale,
)
from lensing_core.ingest.guard import guarded, load_row
from lensing_core.ingest.headers import WARNINGS_LOCK
from lensing_core.ingest.images import (
    BandImage,
    ImageSource,
    RowRequest,
    UniformImages,
    UniformReader,
    UniformSource,
)
from lensing_core.ingest.pixel_buffers import Grid, Pixels
from lensing_core.ingest.placing import (
    MIN_SIDE_PX,
    check_shape,
    flux_factor,
    place_band,
    place_psfs,
    place_variance,
    zero_point_factor,
)
from lensing_core.ingest.rejection import RowRejected
from lensing_core.ingest.sky import rotation_against
from lensing_core.supervised import mark

_NO_DATA = ("all_nan", "No pixel of the band has data.")
_MODEL_ROWS = 3  # the first may be bad


@dataclass(frozen=True)
class CutoutFacts:
    """Outcome of reading a row's images.

    Attributes
    ----------
    band_flags : list of int
        1 where the band has data.
    nan_fraction : float
        Of the pixels of the bands that have data.
    source : str
        The first file.
    source_scale_arcsec : float
        Pixel scale before regridding, of the first band that has data.
    regridded : bool
        Whether any band was brought to another pixel scale.
    scaled_zero_points_mag : dict or None
        Zero points that the images had, by band number, where any differs from the catalog's.
    has_variance : bool
    sky_deg : (ra, dec) or None
        Position by the WCS, where the table has none.
    frame : SkyFrame
    sha256 : str
        Of the cutout.
    missing : dict of int to (str, str)
        Why a band has no data, by its number: reason and message.
    """

    band_flags: list[int]
    nan_fraction: float
    source: str
    source_scale_arcsec: float
    regridded: bool
    scaled_zero_points_mag: dict[int, float] | None
    has_variance: bool
    sky_deg: tuple[float, float] | None
    frame: SkyFrame
    sha256: str
    missing: Mapping[int, tuple[str, str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Decoded:
    """The outcome of some rows.

    Attributes
    ----------
    facts : dict of int to CutoutFacts
        Of the good rows, by their place among those given.
    rejected : dict of int to RowRejected
    """

    facts: dict[int, CutoutFacts]
    rejected: dict[int, RowRejected]


def decode_rows(
    source: ImageSource, grid: Grid, rows: Sequence[RowRequest], pixels: Pixels, first: int = 0
) -> Decoded:
    """Read, cut and calibrate the images of ``rows`` into ``pixels`` from place ``first`` on.

    Threads may do this at the same time, for different rows.
    """
    together = decode_together(source, grid, rows, pixels, first)
    left = [k for k in range(len(rows)) if k not in together]
    alone = decode_each(
        source, grid, {k: rows[k] for k in left}, pixels, {k: first + k for k in left}
    )
    return Decoded(together | alone.facts, alone.rejected)


def decode_together(
    source: ImageSource, grid: Grid, rows: Sequence[RowRequest], pixels: Pixels, first: int
) -> dict[int, CutoutFacts]:
    """Those of ``rows`` that can be read together, without any library for files."""
    facts: dict[int, CutoutFacts] = {}
    reader = uniform_reader(source, rows)
    if reader is None:
        return facts
    for at in range(0, len(rows), reader.rows_at_once):
        # What a damaged row raises, it raises again when it is loaded by itself.
        with suppress(RowRejected), guarded("rows read together"):
            images = reader.load(rows[at : at + reader.rows_at_once])
            facts |= {at + k: f for k, f in assemble_uniform(images, grid, pixels, first + at)}
    return facts


def decode_each(
    source: ImageSource,
    grid: Grid,
    rows: Mapping[int, RowRequest],
    pixels: Pixels,
    places: Mapping[int, int],
) -> Decoded:
    """Rows by their numbers, one after the other; pixels of row ``k`` go to ``places[k]``."""
    facts: dict[int, CutoutFacts] = {}
    rejected: dict[int, RowRejected] = {}
    for k, row in rows.items():
        mark(str(k))
        try:
            with WARNINGS_LOCK:  # the libraries that may be needed are not made for threads
                images = load_row(source, row)
                with guarded(row.file or row.object_id):
                    facts[k] = assemble(images, grid, pixels, places[k])
        except RowRejected as problem:
            rejected[k] = problem
    return Decoded(facts, rejected)


def uniform_reader(source: ImageSource, rows: Sequence[RowRequest]) -> UniformReader | None:
    """A reader of many rows together, if the files of the first rows allow it."""
    if not isinstance(source, UniformSource):
        return None
    for row in rows[:_MODEL_ROWS]:
        with suppress(RowRejected), guarded(row.file or row.object_id):
            if (reader := source.uniform_reader(row)) is not None:
                return reader
    return None


def assemble(
    images: Sequence[BandImage | RowRejected], grid: Grid, pixels: Pixels, place: int
) -> CutoutFacts:
    """Bring a row's images to the catalog's grid and zero points, into ``pixels`` at ``place``.

    Raises
    ------
    RowRejected
        If a band is missing and that is not allowed, no band is there, an image is too small,
        bands are turned against each other, or no pixel has data.
    """
    present = {k: image for k, image in enumerate(images) if isinstance(image, BandImage)}
    missing = {k: image for k, image in enumerate(images) if isinstance(image, RowRejected)}
    if missing and (grid.missing_bands == "quarantine" or not present):
        raise next(iter(missing.values()))
    _check_orientation(list(present.values()))
    flux = pixels.flux[place]
    anchors = anchors_of(present, grid)
    for k in range(len(images)):
        if k not in present:
            flux[k] = np.nan
            continue
        image = present[k]
        check_shape(image)
        place_band(flux[k], image.data, image, grid, anchors[k], flux_factor(image, grid, k))
    has_variance = False
    if pixels.variance is not None:
        has_variance = place_variance(pixels.variance[place], present, grid, anchors)
    if pixels.psf is not None:
        place_psfs(pixels.psf[place], present, grid)
    first = next(iter(present.values()))
    has_data, nan_fraction = _mask_missing(flux, grid, first.source)
    reasons = {k: (problem.reason, problem.message) for k, problem in missing.items()}
    reasons |= {k: _NO_DATA for k in present if not has_data[k]}
    return CutoutFacts(
        band_flags=has_data.astype(int).tolist(),
        nan_fraction=nan_fraction,
        source=first.source,
        source_scale_arcsec=first.pixel_scale_arcsec,
        regridded=any(
            not same_scale(image.pixel_scale_arcsec, grid.pixel_scale_arcsec)
            for image in present.values()
        ),
        scaled_zero_points_mag={
            k: image.zero_point_mag
            for k, image in present.items()
            if not grid.is_rendered and flux_factor(image, grid, k) != 1
        }
        or None,
        has_variance=has_variance,
        sky_deg=next((image.sky_deg for image in present.values() if image.sky_deg), None),
        frame=sky_frame(present, anchors, grid),
        sha256=cutout_sha256(flux),
        missing=reasons,
    )


def assemble_uniform(
    images: UniformImages, grid: Grid, pixels: Pixels, first: int
) -> list[tuple[int, CutoutFacts]]:
    """:func:`assemble` for many rows, from place ``first`` on.

    Returns
    -------
    list of (int, CutoutFacts)
        The rows that are good, by number; all others must be loaded by themselves.
    """
    scales = images.pixel_scales_arcsec
    shapes = [data.shape[1:] for data in images.data]
    if not all(same_scale(scale, grid.pixel_scale_arcsec) for scale in scales) or any(
        min(shape) < MIN_SIDE_PX for shape in shapes
    ):
        return []
    n, n_bands = len(images.known), len(images.data)
    flux = pixels.flux[first : first + n]
    factors = np.array(
        [
            [zero_point_factor(value, grid, k) for value in values]
            for k, values in enumerate(images.zero_points_mag)
        ]
    )
    middle = grid.size_px // 2
    with np.errstate(all="ignore"):  # of rows that are not known, and of what is found below
        for k, data in enumerate(images.data):
            flux[:, k] = crop_or_pad(data, grid.size_px)
            if (factors[k] != 1).any():
                flux[:, k] *= factors[k].astype(np.float32)[:, None, None]
        whole = np.isfinite(flux.reshape(n, -1).sum(axis=1))
    whole &= flux[:, :, middle, middle].all(axis=1)
    for companion in (pixels.variance, pixels.psf):
        if companion is not None:
            companion[first : first + n] = np.nan
    good = []
    for k in np.flatnonzero(images.known).tolist():
        flags, nan_fraction = [1] * n_bands, 0.0
        if not whole[k]:
            try:
                has_data, nan_fraction = _mask_missing(flux[k], grid, images.sources[k])
            except RowRejected:
                continue  # and rejected when it is loaded by itself
            flags = has_data.astype(int).tolist()
        scaled = {
            b: images.zero_points_mag[b][k] for b in np.flatnonzero(factors[:, k] != 1).tolist()
        }
        band, shown = images.shown[k]
        center = center_in_copy(shapes[band], grid, shown.center)
        facts = CutoutFacts(
            band_flags=flags,
            nan_fraction=nan_fraction,
            source=images.sources[k],
            source_scale_arcsec=scales[0],
            regridded=False,
            scaled_zero_points_mag=scaled or None,
            has_variance=False,
            sky_deg=None,
            frame=SkyFrame.of(center, shown.matrix_arcsec, grid),
            sha256=cutout_sha256(flux[k]),
            missing={b: _NO_DATA for b in range(n_bands) if not flags[b]},
        )
        good.append((k, facts))
    return good


def _mask_missing(flux: Float32Array, grid: Grid, source: str) -> tuple[BoolArray, float]:
    """Turn all that is no data into NaN; which bands have data, and the NaN part of those.

    Raises
    ------
    RowRejected
        all_nan
    """
    middle = grid.size_px // 2
    if isfinite(flux.sum()) and flux[:, middle, middle].all():  # what is not finite stays in a sum
        return np.ones(len(flux), dtype=bool), 0.0
    known = np.isfinite(flux)
    # Pipelines fill what they never observed with zeros, which is no flux.
    seen = known if grid.is_rendered else known & (flux != 0)
    has_data = np.asarray(seen.any(axis=(1, 2)))
    if not has_data.any():
        raise RowRejected("all_nan", f"{source}: no pixel of the cutout has data.", source)
    flux[~known] = np.nan
    flux[~has_data] = np.nan
    return has_data, 1 - float(known[has_data].mean())


def _check_orientation(images: Sequence[BandImage]) -> None:
    """Raise RowRejected where bands are turned against each other: pixels would not match."""
    oriented = [(image, image.matrix_arcsec) for image in images if image.matrix_arcsec]
    for image, matrix in oriented[1:]:
        first, matrix_of_first = oriented[0]
        if how := rotation_against(matrix_of_first, matrix):
            raise RowRejected(
                "turned_bands",
                f"{image.source} is {how} against {first.source}; bring the bands to one "
                "orientation first, for instance with the package reproject.",
                image.source,
            )
