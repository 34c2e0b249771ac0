"""One cutout as a picture: 8-bit red, green, blue and opacity.

A pixel without data is fully transparent, so that whatever shows the picture draws its own sign
for "no data" behind it (the pages draw hatching). Flux images have north or +y of the array up:
row 0 is the bottom row, as in FITS. Rendered pictures keep their row order and their values.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from io import BytesIO
from typing import Literal

import numpy as np
from PIL import Image

from lensing_core.arrays import BoolArray, ByteArray, Float32Array
from lensing_core.cutouts import CutoutGeometry
from lensing_core.errors import BadInputError
from lensing_core.imaging.detail import DetailPlanes, detail_planes, detail_rgb
from lensing_core.imaging.looks import Look, check_look, flux_scale, hsc_rgb, legacy_rgb
from lensing_core.imaging.noise import SkyNoise
from lensing_core.imaging.rgb import auto_stretch, choose_rgb_bands, lupton_rgb
from lensing_core.imaging.stretch import AsinhStretch, Pixels, StretchKind, stretch_band

_GRAY_SKY_BELOW = -0.7
ImageFormat = Literal["webp", "png"]
"""Array of shape (y, x, 4)."""


def rgb_channels(
    cutout: Float32Array,
    geometry: CutoutGeometry,
    noise: SkyNoise,
    bands: Sequence[str] | None = None,
) -> Pixels:
    """The red, green and blue channels, (3, y, x), in units of sky noise above the sky.

    Raises
    ------
    BadInputError
        If ``bands`` names a band that the catalog does not have.
    """
    names = _three(geometry, bands)
    red, blue = (noise.scaled(cutout, band_index(geometry, names[k])) for k in (0, 2))
    middle = names[1]
    green = noise.scaled(cutout, band_index(geometry, middle)) if middle else (red + blue) / 2
    return np.stack([red, green, blue])


def band_index(geometry: CutoutGeometry, name: str) -> int:
    """Place of a band; raises BadInputError naming the known ones."""
    if name not in geometry.bands:
        raise BadInputError(
            f"There is no band {name!r} in this catalog; it has {', '.join(geometry.bands)}."
        )
    return geometry.bands.index(name)


def render_rgb(
    cutout: Float32Array,
    geometry: CutoutGeometry,
    noise: SkyNoise,
    *,
    bands: Sequence[str] | None = None,
    parameters: AsinhStretch | None = None,
    look: Look = "detail",
    gains: Sequence[float] | None = None,
) -> ByteArray:
    """The color picture; ``parameters`` None suits them to this object.

    Rendered catalogs give their picture as it is.

    Parameters
    ----------
    look : str
        One of :data:`~lensing_core.imaging.looks.LOOKS`.
    gains : sequence of float, optional
        Of :func:`~lensing_core.imaging.detail.color_gains`, by which ``detail`` tells colors;
        without, by the noise of each band.
    """
    if geometry.pixel_kind == "rendered":
        return _rendered(cutout, [min(k, len(geometry.bands) - 1) for k in range(3)])
    check_look(look, geometry)
    names = _three(geometry, bands)
    if look == "legacy":
        return _picture(*legacy_rgb(_flux(cutout, geometry, noise, names, look), names))
    if look == "hsc":
        return _picture(*hsc_rgb(_flux(cutout, geometry, noise, names, look)))
    channels = rgb_channels(cutout, geometry, noise, names)
    if look == "lupton":
        return _picture(*lupton_rgb(channels, parameters or auto_stretch(channels)))
    planes = _planes(channels, geometry, noise, names, gains)
    return _picture(*detail_rgb(planes, parameters or _suited(planes)))


def suited_stretch(
    cutout: Float32Array,
    geometry: CutoutGeometry,
    noise: SkyNoise,
    *,
    bands: Sequence[str] | None = None,
    look: Look = "detail",
    gains: Sequence[float] | None = None,
) -> AsinhStretch:
    """Return the parameters that :func:`render_rgb` chooses for an object."""
    names = _three(geometry, bands)
    channels = rgb_channels(cutout, geometry, noise, names)
    if look == "detail":
        return _suited(_planes(channels, geometry, noise, names, gains))
    return auto_stretch(channels)


def _suited(planes: DetailPlanes) -> AsinhStretch:
    """Darker than that of a picture with colored grain: a gray sky does not distract."""
    return auto_stretch(planes.intensity[None], black_below_sky=_GRAY_SKY_BELOW)


def _three(geometry: CutoutGeometry, bands: Sequence[str] | None) -> tuple[str, ...]:
    """Names of three bands that there are, the middle one '' for a mean."""
    names = choose_rgb_bands(geometry.bands) if bands is None else tuple(bands)
    if len(names) != 3 or not names[0] or not names[2]:
        raise BadInputError(f"Bands {','.join(names)}: name three, red to blue.")
    for name in filter(None, names):
        band_index(geometry, name)
    return names


def _planes(
    channels: Pixels,
    geometry: CutoutGeometry,
    noise: SkyNoise,
    names: Sequence[str],
    gains: Sequence[float] | None,
) -> DetailPlanes:
    """Brightness and colors of three channels, the colors by flux where ``gains`` are known."""
    is_band = [bool(name) and name not in names[:k] for k, name in enumerate(names)]
    places = [geometry.bands.index(name) if name else None for name in names]
    widths = [
        math.nan if k is None else geometry.psf_fwhm_arcsec[k] / geometry.pixel_scale_arcsec
        for k in places
    ]
    if places[1] is None:
        widths[1] = max(widths[0], widths[2])
    colors, limits = channels, None
    if gains is not None:
        factors = [0.0 if k is None else noise.sigma[k] * gains[k] for k in places]
        colors = channels * np.reshape(factors, (3, 1, 1))
        limits = [factor * width for factor, width in zip(factors, widths, strict=True)]
        if places[1] is None:
            colors[1] = (colors[0] + colors[2]) / 2
    return detail_planes(channels, colors, widths, is_band, limits)


def _flux(
    cutout: Float32Array,
    geometry: CutoutGeometry,
    noise: SkyNoise,
    names: Sequence[str],
    look: Look,
) -> Pixels:
    """Three channels above the sky in the unit of a look."""

    def channel(name: str) -> Pixels:
        k = geometry.bands.index(name)
        scale = flux_scale(look, geometry.zero_points_mag[k], geometry.pixel_scale_arcsec)
        return np.asarray((cutout[k] - noise.level[k]) * scale)

    red, blue = channel(names[0]), channel(names[2])
    return np.stack([red, channel(names[1]) if names[1] else (red + blue) / 2, blue])


def render_band(
    cutout: Float32Array,
    geometry: CutoutGeometry,
    noise: SkyNoise,
    band: str,
    *,
    kind: StretchKind = "asinh",
    parameters: AsinhStretch | None = None,
) -> ByteArray:
    """One band in gray; ``parameters`` None suits them to this object."""
    index = band_index(geometry, band)
    if geometry.pixel_kind == "rendered":
        return _rendered(cutout, [index] * 3)
    pixels = noise.scaled(cutout, index)
    level = stretch_band(pixels, kind, parameters or auto_stretch(pixels[None]))
    known = np.isfinite(level)
    gray = np.where(known, level, 0.0)
    return _picture(np.repeat(gray[..., None], 3, axis=2), known)


def _picture(levels: Pixels, known: BoolArray) -> ByteArray:
    out = np.empty((*known.shape, 4), dtype=np.uint8)
    out[..., :3] = (levels * 255 + 0.5).astype(np.uint8)
    out[..., 3] = np.where(known, 255, 0)
    return out[::-1]


def _rendered(cutout: Float32Array, indices: Sequence[int]) -> ByteArray:
    planes = cutout[list(indices)].transpose(1, 2, 0)
    known = np.asarray(np.isfinite(planes).all(axis=2))
    out = np.empty((*known.shape, 4), dtype=np.uint8)
    out[..., :3] = np.clip(np.where(known[..., None], planes, 0) + 0.5, 0, 255).astype(np.uint8)
    out[..., 3] = np.where(known, 255, 0)
    return out


def encode(picture: ByteArray, image_format: ImageFormat = "webp", size_px: int = 0) -> bytes:
    """Compress a picture without loss; ``size_px`` > 0 shrinks a larger one to that side.

    Lossless WebP at its fastest setting takes less time than lossy WebP or PNG, and lossy color
    subsampling would smear the hues of single pixels.
    """
    image = Image.fromarray(np.ascontiguousarray(picture))
    if 0 < size_px < max(image.size):
        image = image.resize((size_px, size_px), Image.Resampling.BOX)
    stream = BytesIO()
    if image_format == "webp":
        image.save(stream, "WEBP", lossless=True, method=0, quality=0)
    else:
        image.save(stream, "PNG", compress_level=1)
    return stream.getvalue()
