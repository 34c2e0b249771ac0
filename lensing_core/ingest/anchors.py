"""Position of the object in a cutout, and orientation of the sky around it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import hypot

from lensing_core.ingest.geometry import center_of_copy, same_scale
from lensing_core.ingest.images import BandImage, Matrix
from lensing_core.ingest.pixel_buffers import Grid

_SAME_PX = 5e-4
_FAR_ARCSEC = 3600.0  # from there on a plane about the object says nothing of the cutout


@dataclass(frozen=True)
class SkyFrame:
    """Sky coordinates of a cutout.

    Attributes
    ----------
    matrix_arcsec : ((float, float), (float, float)) or None
        East and north (rows) of a step of a pixel in x and y (columns), at the object, by the first
        WCS.
    center_px : (x, y) or None
        Where the object lies, from the middle of the first pixel, y upwards; None: in the middle.
    is_outside : bool
        Whether the WCS puts the object outside of the cutout.
    """

    matrix_arcsec: Matrix | None = None
    center_px: tuple[float, float] | None = None
    is_outside: bool = False

    @classmethod
    def of(cls, center: tuple[float, float], matrix: Matrix | None, grid: Grid) -> SkyFrame:
        """Make a frame from the object's place (y, x) in the rows of the cutout as stored."""
        y, x = center
        if grid.is_rendered:  # whose rows run down
            y = grid.size_px - 1 - y
        middle = (grid.size_px - 1) / 2
        away = max(abs(x - middle), abs(y - middle))
        is_outside = matrix is not None and away > grid.size_px / 2
        if is_outside and hypot(x - middle, y - middle) * grid.pixel_scale_arcsec > _FAR_ARCSEC:
            return cls(is_outside=True)
        return cls(matrix, None if away < _SAME_PX else (x, y), is_outside)


@dataclass(frozen=True)
class Anchor:
    """One point, (y, x), in an image and in the cutout."""

    of_image: tuple[float, float]
    of_cutout: tuple[float, float]


def anchors_of(present: Mapping[int, BandImage], grid: Grid) -> dict[int, Anchor]:
    """Return what is brought to one place when bands of different pixel scales meet.

    That is the object, where the WCS of every band tells its place, else the middles of images.
    Pixels that are copied stay where they are; others are regridded about the point.
    """
    images = list(present.values())
    by_sky = all(image.center is not None for image in images)
    points = {
        k: image.center if by_sky and image.center is not None else middle_of(image.data.shape)
        for k, image in present.items()
    }
    first = next((k for k, image in present.items() if is_copied(image, grid)), None)
    if first is not None:
        common = center_in_copy(present[first].data.shape, grid, points[first])
    else:
        common = _in_the_middle(images[0], next(iter(points.values())), grid)
    return {
        k: Anchor(
            points[k],
            center_in_copy(image.data.shape, grid, points[k]) if is_copied(image, grid) else common,
        )
        for k, image in present.items()
    }


def _in_the_middle(image: BandImage, point: tuple[float, float], grid: Grid) -> tuple[float, float]:
    """Place of a point of an image after everything is regridded.

    A point near the middle goes there; an image of an object off its middle stays where it is.
    """
    middle = (grid.size_px - 1) / 2
    off = [at - m for at, m in zip(point, middle_of(image.data.shape), strict=True)]
    if max(map(abs, off)) <= 1:
        return middle, middle
    zoom = image.pixel_scale_arcsec / grid.pixel_scale_arcsec
    return middle + off[0] * zoom, middle + off[1] * zoom


def sky_frame(
    present: Mapping[int, BandImage], anchors: Mapping[int, Anchor], grid: Grid
) -> SkyFrame:
    """Return how a cutout lies on the sky by the first of its images that has a WCS."""
    k = next((k for k, image in present.items() if image.matrix_arcsec is not None), None)
    if k is None:
        return SkyFrame.of(next(iter(anchors.values())).of_cutout, None, grid)
    image, anchor = present[k], anchors[k]
    zoom = 1.0 if is_copied(image, grid) else image.pixel_scale_arcsec / grid.pixel_scale_arcsec
    at = image.center or middle_of(image.data.shape)
    y, x = (
        out + (own - of_image) * zoom
        for out, own, of_image in zip(anchor.of_cutout, at, anchor.of_image, strict=True)
    )
    (xe, ye), (xn, yn) = image.matrix_arcsec or ((0.0, 0.0), (0.0, 0.0))
    return SkyFrame.of((y, x), ((xe / zoom, ye / zoom), (xn / zoom, yn / zoom)), grid)


def is_copied(image: BandImage, grid: Grid) -> bool:
    """Return whether pixels are taken as they are."""
    return same_scale(image.pixel_scale_arcsec, grid.pixel_scale_arcsec)


def middle_of(shape: tuple[int, ...]) -> tuple[float, float]:
    """(y, x) of the middle of an image."""
    return (shape[0] - 1) / 2, (shape[1] - 1) / 2


def center_in_copy(
    shape: tuple[int, ...], grid: Grid, point: tuple[float, float] | None = None
) -> tuple[float, float]:
    """Place of a point of an image after copying, (y, x); None: its middle."""
    y, x = middle_of(shape)
    at_y, at_x = point or (y, x)
    return (
        center_of_copy(shape[0], grid.size_px) + at_y - y,
        center_of_copy(shape[1], grid.size_px) + at_x - x,
    )
