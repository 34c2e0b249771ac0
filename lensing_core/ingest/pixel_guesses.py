"""Pixel scales that no header gives: of pictures by their names, of bands by their sizes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image

from lensing_core.arrays import ByteArray
from lensing_core.ingest.contents import kind_of_file
from lensing_core.ingest.guard import guarded, opening
from lensing_core.ingest.guesses import Guess
from lensing_core.ingest.images import BandImage
from lensing_core.ingest.limits import check_pixels
from lensing_core.ingest.pictures import FORMATS
from lensing_core.ingest.rejection import RowRejected
from lensing_core.ingest.request import ImportRequest

_SIDE = re.compile(r"(?<![0-9.A-Za-z])(\d+(?:\.\d+)?)[ _-]?(?:asec|arcsecs?)(?![A-Za-z])", re.I)
_PICTURES = 5  # compared for their frame
_MOST_FRAME = 0.2  # of the side
_SAME_FIELD = 0.02  # relative difference of sides that are one field of the sky
_DIGITS = 6


def scale_of_pictures(
    request: ImportRequest, paths: Sequence[Path]
) -> tuple[ImportRequest, list[Guess]]:
    """The request with the pixel scale of pictures whose names give their side: ``_30arcsec_``.

    A frame of one color around the first pictures is cut off, for the side is that within it.
    """
    if request.pixel_scale_arcsec or not paths:
        return request, []
    sides = {match.group(1) for path in paths for match in [_SIDE.search(path.name)] if match}
    if len(sides) != 1 or not all(_SIDE.search(path.name) for path in paths):
        return request, []
    pictures = _first_pictures(paths)
    if not pictures:
        return request, []
    (text,) = sides
    guesses = []
    frame = 4 * (request.frame_crop_px,)
    if not request.frame_crop_px and any(frame := frame_px(pictures)):
        request = replace(request, frame_crop_px=max(frame))
        sentence = f"The first pictures have a frame of {max(frame)} px, which is cut off."
        guesses.append(Guess("frame_crop_px", max(frame), sentence, is_doubtful=True))
    height, width = pictures[0].shape[:2]
    top, right, bottom, left = frame
    side_px = min(height - top - bottom, width - left - right)
    scale = round(float(text) / side_px, _DIGITS)
    sentence = f'Pictures are {text}" wide by their names, in {side_px} px: {scale:g}" per pixel.'
    guesses.append(Guess("pixel_scale_arcsec", scale, sentence, is_doubtful=True))
    return replace(request, pixel_scale_arcsec=scale), guesses


def _first_pictures(paths: Sequence[Path]) -> list[ByteArray]:
    pictures = []
    for path in paths[:_PICTURES]:
        with suppress(RowRejected):  # which is told when its row is imported
            if kind_of_file(path) != "picture":
                return []
            opening(path)
            with guarded(str(path)), Image.open(path, formats=FORMATS) as picture:
                check_pixels(picture.size, path, "a picture")
                pictures.append(np.asarray(picture.convert("RGB")))
    return pictures


def frame_px(pictures: Sequence[ByteArray]) -> tuple[int, int, int, int]:
    """Width of a frame that all pictures have at the top, right, bottom and left; 0 without one.

    Parameters
    ----------
    pictures : sequence of ndarray of shape (y, x, 3)
    """
    none = (0, 0, 0, 0)
    if len(pictures) < 2:  # of one alone a blank sky may look like a frame
        return none
    top, right, bottom, left = (
        min(_lines(np.rot90(picture, turn)) for picture in pictures) for turn in range(4)
    )
    smallest = min(min(picture.shape[:2]) for picture in pictures)
    sides = (top, right, bottom, left)
    return sides if min(sides) > 0 and max(sides) <= _MOST_FRAME * smallest else none


def _lines(picture: ByteArray) -> int:
    """Number of lines from the top that have mostly one color each.

    Lines across the frame's sides have its color at both ends, and text may be written on it.
    """
    middle = picture[:, picture.shape[1] // 4 : -(picture.shape[1] // 4) or None]
    is_plain = (middle == middle[:, :1]).all(axis=(1, 2))
    return int(np.argmin(is_plain)) if not is_plain.all() else 0


def scales_by_size(
    request: ImportRequest, bands: Sequence[str], images: Sequence[BandImage | RowRejected]
) -> tuple[ImportRequest, list[Guess]]:
    """The request with pixel scales of bands that show one field in different numbers of pixels.

    Where no header and no setting gives a scale, the finest band has the survey's, and a coarser
    one a whole multiple of it.
    """
    present = [
        (band, image)
        for band, image in zip(bands, images, strict=True)
        if isinstance(image, BandImage)
    ]
    if len(present) < 2 or any(image.pixel_scale_from != "survey" for _, image in present):
        return request, []
    sides = {band: min(image.data.shape) for band, image in present}
    most = max(sides.values())
    factors = {band: round(most / side) for band, side in sides.items()}
    fits = all(
        abs(factors[band] * side - most) <= max(_SAME_FIELD * most, factors[band])
        for band, side in sides.items()
    )
    if set(factors.values()) == {1} or not fits:
        return request, []
    finest = present[0][1].pixel_scale_arcsec
    scales = {band: f"{factor * finest:g}" for band, factor in factors.items()}
    coarse = [band for band, factor in factors.items() if factor > 1]
    listing = ", ".join(f"{band} {scales[band]}" for band in coarse)
    sentence = (
        f"Headers give no pixel scale; the bands have {most} and "
        f"{', '.join(str(n) for n in sorted({sides[b] for b in coarse}, reverse=True))} pixels a "
        f"side and are taken to show one field: {listing} arcsec per pixel, the others {finest:g}."
    )
    guess = Guess("pixel_scales", scales, sentence, is_doubtful=True)
    return replace(request, pixel_scales=scales), [guess]
