"""Colour pictures (PNG, JPEG, WebP): rendered pixels, which are no flux."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import nan

import numpy as np
from PIL import Image, UnidentifiedImageError

from lensing_core.ingest.images import BandImage, Locator, RowRequest
from lensing_core.ingest.rejection import RowRejected

PICTURE_SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp", ".tif", ".tiff")
_EIGHT_BIT = ("1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "YCbCr")


def is_picture(name: str) -> bool:
    """Whether a file name is that of a picture."""
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
        if not path.is_file():
            raise RowRejected("missing_file", f"{path} does not exist.", str(path))
        try:
            with Image.open(path) as picture:
                if picture.mode not in _EIGHT_BIT:
                    raise RowRejected(
                        "unsupported_format",
                        f"{path} is a picture of mode {picture.mode}; values above 255 would be "
                        "lost. Give it as FITS or .npy.",
                        str(path),
                    )
                pixels = np.asarray(picture.convert("RGBA"), dtype=np.float32)
        except (
            UnidentifiedImageError,
            OSError,
            SyntaxError,
            ValueError,
            Image.DecompressionBombError,
        ) as error:
            raise RowRejected(
                "unreadable_file", f"{path} cannot be read: {str(error)[:200]}.", str(path)
            ) from error
        height, width = (n - 2 * self.frame_px for n in pixels.shape[:2])
        if min(height, width) < 1:
            raise RowRejected(
                "wrong_shape",
                f"{path} has {pixels.shape[1]} by {pixels.shape[0]} pixels; nothing is left "
                f"without a frame of {self.frame_px}.",
                str(path),
            )
        inner = pixels[self.frame_px :, self.frame_px :][:height, :width]
        colours = np.where(inner[..., 3:] > 0, inner[..., :3], np.float32(np.nan))
        return [
            BandImage(
                np.ascontiguousarray(colours[..., k]),
                self.pixel_scale_arcsec,
                nan,
                str(path),
                pixel_scale_from="settings",
                zero_point_from="none",
            )
            for k in range(3)
        ]
