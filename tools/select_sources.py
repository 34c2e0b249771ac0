"""Make the bundled selection of real sources from cutouts of HST galaxies.

    python tools/select_sources.py FOLDER

``FOLDER`` holds ``cosmos_f814w_120.npz`` (array ``flux``, (n, 120, 120), 0.03 arcsec a pixel) and
``hdf_pictures_rgb_32.npz`` (array ``rgb``, (n, 32, 32, 3), 8 bit, 0.138 arcsec a pixel). Kept are
galaxies that stand alone and well above the noise; what lies outside their light is set to 0.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from lensing_core.arrays import Float32Array
from lensing_core.simulation.source_images import BUNDLED_FOLDER, SourceSet, isolate

PICTURE_GAMMA = 2.2
"""8-bit levels of a press picture to light: the display's gamma; the picture's own stretch is not
known, so colors are contrasts within a galaxy, not photometry."""


def main(folder: Path) -> None:
    """Write both sets and say what they hold."""
    flux = np.load(folder / "cosmos_f814w_120.npz")["flux"][:, None]
    cosmos = selection(flux, 0.03, (814.0,), least_snr=12.0, side_px=96, blur_px=2.0)
    rgb = np.load(folder / "hdf_pictures_rgb_32.npz")["rgb"].transpose(0, 3, 1, 2)
    light = (rgb / np.float32(255)) ** PICTURE_GAMMA
    # Red, green and blue stand for near infrared, red optical and blue optical bands.
    deep = selection(light, 0.138, (1250.0, 800.0, 520.0), least_snr=8.0, side_px=32, blur_px=0.6)
    for name, sources in (("cosmos_f814w", cosmos), ("hubble_deep_field", deep)):
        path = BUNDLED_FOLDER / f"{name}.npz"
        sources.write(path)
        sys.stdout.write(
            f"{name}: {len(sources)} of the cutouts, {path.stat().st_size / 1e6:.2f} MB\n"
        )


def selection(
    cutouts: Float32Array,
    pixel_scale_arcsec: float,
    wavelengths_nm: tuple[float, ...],
    *,
    least_snr: float,
    side_px: int,
    blur_px: float,
) -> SourceSet:
    """The isolated galaxies of cutouts (n, channel, y, x), on ``side_px`` pixels."""
    found = (
        isolate(cutout, least_snr=least_snr, side_px=side_px, blur_px=blur_px) for cutout in cutouts
    )
    images = np.stack([image for image in found if image is not None])
    return SourceSet(images, pixel_scale_arcsec, wavelengths_nm)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
