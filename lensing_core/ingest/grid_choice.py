"""The grid of a catalog's cutouts, chosen by the first object's images."""

from __future__ import annotations

from collections.abc import Sequence
from math import nan

from lensing_core.cutouts import CutoutGeometry
from lensing_core.ingest.geometry import same_scale
from lensing_core.ingest.images import BandImage
from lensing_core.ingest.mosaics import Mosaic
from lensing_core.ingest.pixel_buffers import Grid
from lensing_core.ingest.probing import Probe
from lensing_core.ingest.rejection import RowRejected
from lensing_core.ingest.request import ImportRequest
from lensing_core.surveys import Survey

_SCALE_DIGITS = 6


def grid_of(
    request: ImportRequest,
    survey: Survey,
    found: Probe,
    images: Sequence[BandImage | RowRejected],
) -> Grid:
    """Return the grid as stated; else the size and scale of the finest image."""
    present = [image for image in images if isinstance(image, BandImage)]
    finest = min(present, key=lambda image: image.pixel_scale_arcsec)
    scale = request.grid_scale_arcsec or round(finest.pixel_scale_arcsec, _SCALE_DIGITS)
    if isinstance(found.source, Mosaic):
        scale = found.source.grid_scale_arcsec
    if found.is_rendered:
        zero_points: tuple[float, ...] = (nan, nan, nan)
    else:
        zero_points = tuple(survey.zero_point_mag(band, scale) for band in found.source.bands)
    return Grid(
        size_px=request.size_px or _size(finest, scale),
        pixel_scale_arcsec=scale,
        zero_points_mag=zero_points,
        with_variance=any(image.variance is not None for image in present),
        psf_size_px=max((_psf_size(image, scale) for image in present), default=0),
        missing_bands=request.missing_bands,
    )


def _size(image: BandImage, scale_arcsec: float) -> int:
    side = min(image.data.shape)
    if same_scale(image.pixel_scale_arcsec, scale_arcsec):
        return side
    return int(side * image.pixel_scale_arcsec / scale_arcsec)


def _psf_size(image: BandImage, scale_arcsec: float) -> int:
    """Odd side that holds an image's PSF on the grid; 0 without one."""
    if image.psf is None:
        return 0
    own = image.psf_scale_arcsec or image.pixel_scale_arcsec
    factor = 1.0 if same_scale(own, scale_arcsec) else own / scale_arcsec
    return int(max(image.psf.shape) * factor) // 2 * 2 + 1


def geometry_of(survey: Survey, found: Probe, grid: Grid) -> CutoutGeometry:
    """Return what the catalog says of its cutouts."""
    rendered = found.is_rendered
    shown = survey.rgb_bands if rendered else found.source.bands
    return CutoutGeometry(
        survey=survey.name,
        bands=found.source.bands,
        size_px=grid.size_px,
        pixel_scale_arcsec=grid.pixel_scale_arcsec,
        pixel_kind="rendered" if rendered else "flux",
        zero_points_mag=grid.zero_points_mag,
        psf_fwhm_arcsec=tuple(survey.band(band).psf_fwhm_arcsec for band in shown),
    )
