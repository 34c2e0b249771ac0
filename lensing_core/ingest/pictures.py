"""Color pictures (PNG, JPEG, WebP): rendered pixels, which are no flux."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import nan

import numpy as np
from PIL import Image

from lensing_core.arrays import ByteArray
from lensing_core.ingest.guard import guarded, opening
from lensing_core.ingest.images import BandImage, RowRequest
from lensing_core.ingest.limits import check_pixels
from lensing_core.ingest.locators import Locator
from lensing_core.ingest.rejection import RowRejected

PICTURE_SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp", ".tif", ".tiff")
# Pillow knows many more, some of which start other programs.
FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF")
_EIGHT_BIT = ("1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "YCbCr")


def is_picture(name: str) -> bool:
    """Return whether a file name is that of a picture."""
    return name.lower().endswith(PICTURE_SUFFIXES)


@dataclass(frozen=True)
class Pictures:
    """One picture an object; bands R, G, B with values 0 to 255, the top row first.

    Attributes
    ----------
    frame_px : int
        Border to cut off on each side.
    """

    locator: Locator
    pixel_scale_arcsec: float
    frame_px: int = 0
    bands: tuple[str, ...] = ("R", "G", "B")

    def load(self, row: RowRequest) -> Sequence[BandImage | RowRejected]:
        path = self.locator.find(row)
        opening(path)
        with guarded(str(path)), Image.open(path, formats=FORMATS) as picture:
            check_pixels(picture.size, path, "a picture")
            if picture.mode not in _EIGHT_BIT:
                raise RowRejected(
                    "unsupported_format",
                    f"{path} is a picture of mode {picture.mode}; values above 255 would be "
                    "lost. Give it as FITS or .npy.",
                    str(path),
                )
            pixels = np.asarray(picture.convert("RGBA"))
        return picture_bands(pixels, self.frame_px, self.pixel_scale_arcsec, str(path))


def picture_bands(
    pixels: ByteArray, frame_px: int, pixel_scale_arcsec: float, source: str
) -> list[BandImage | RowRejected]:
    """The bands R, G, B of a picture of shape (y, x, 3 or 4), without its frame.

    Raises
    ------
    RowRejected
        wrong_shape, if nothing is left.
    """
    height, width = (n - 2 * frame_px for n in pixels.shape[:2])
    if min(height, width) < 1:
        raise RowRejected(
            "wrong_shape",
            f"{source} has {pixels.shape[1]} by {pixels.shape[0]} pixels; nothing is left without "
            f"a frame of {frame_px}.",
            source,
        )
    inner = pixels[frame_px:, frame_px:][:height, :width]
    is_seen = inner[..., 3] > 0 if inner.shape[-1] == 4 else np.True_
    return [
        BandImage(
            np.where(is_seen, inner[..., k], np.float32(np.nan)).astype(np.float32, copy=False),
            pixel_scale_arcsec,
            nan,
            source,
            pixel_scale_from="settings",
            zero_point_from="none",
        )
        for k in range(3)
    ]
