"""Check that the images of an object show the position in its table."""

from __future__ import annotations

from collections.abc import Sequence
from math import hypot

from lensing_core.ingest.anchors import middle_of
from lensing_core.ingest.images import BandImage, ImageSource, RowRequest
from lensing_core.ingest.mosaics import Mosaic
from lensing_core.ingest.pixel_buffers import Grid
from lensing_core.ingest.rejection import RowRejected


def misplaced(
    source: ImageSource,
    row: RowRequest,
    grid: Grid,
    images: Sequence[BandImage | RowRejected],
) -> list[str]:
    """Doubts where the first images do not show the place that the table names, or differ in it."""
    if row.ra_deg is None or isinstance(source, Mosaic):
        return []
    shown: list[tuple[str, float, float]] = []
    for band, image in zip(source.bands, images, strict=True):
        if isinstance(image, BandImage) and image.center is not None:
            middle = middle_of(image.data.shape)
            y, x = (
                (at - m) * image.pixel_scale_arcsec
                for at, m in zip(image.center, middle, strict=True)
            )
            shown.append((band, y, x))
    if not shown:
        return []
    first, *others = shown
    warnings = []
    away_arcsec = hypot(first[1], first[2])
    if away_arcsec > grid.size_px * grid.pixel_scale_arcsec / 4:
        warnings.append(
            f"The image of {row.object_id} is centered {away_arcsec:.1f} arcsec from the position "
            "in the table; check the position columns and their unit, and whether files and rows "
            "belong together."
        )
    for band, y, x in others:
        apart_arcsec = hypot(y - first[1], x - first[2])
        if apart_arcsec > 1.5 * grid.pixel_scale_arcsec:
            warnings.append(
                f"The images of bands {first[0]} and {band} are centered {apart_arcsec:.2f} arcsec "
                "apart by their WCS; cut them around one position, or colors will be wrong."
            )
            break
    return warnings
