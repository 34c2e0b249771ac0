"""Layers of the viewer besides the pixels: the residual without the galaxy, and S/N."""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np

from lensing_core.arrays import Float32Array
from lensing_core.cutouts import CutoutGeometry
from lensing_core.errors import BadInputError
from lensing_core.imaging.galaxy_light import fit_galaxy_light
from lensing_core.imaging.noise import SkyNoise

Layer = Literal["image", "residual", "snr", "residual-snr"]
LAYERS: tuple[Layer, ...] = get_args(Layer)
NoiseSource = Literal["variance", "sky"]


def check_layer(layer: Layer, geometry: CutoutGeometry) -> None:
    """Raise BadInputError where a catalog has no such layer."""
    if layer != "image" and geometry.pixel_kind == "rendered":
        raise BadInputError(
            f"Layer {layer}: this catalog holds 8-bit pictures, which are no flux; use layer=image."
        )


def light_residual(cutout: Float32Array, geometry: CutoutGeometry, noise: SkyNoise) -> Float32Array:
    """The cutout (band, y, x) without the light of its central galaxy and its local sky.

    In the flux unit of the cutout; see :mod:`lensing_core.imaging.galaxy_light`.
    """
    level, sigma = noise.level[:, None, None], noise.sigma[:, None, None]
    widest = np.nanmax([*geometry.psf_fwhm_arcsec, -np.inf]) / geometry.pixel_scale_arcsec
    scaled = (cutout - level) / sigma
    light = fit_galaxy_light(scaled, widest if widest > 0 else np.nan)
    return np.asarray((scaled - light.model) * sigma, dtype=np.float32)


def signal_to_noise(
    flux: Float32Array, noise: SkyNoise, variance: Float32Array | None
) -> Float32Array:
    """Pixels in units of their own noise.

    Parameters
    ----------
    flux : ndarray of shape (band, y, x)
        Above the sky.
    variance : ndarray of the same shape, or None
        A band without any (all NaN) takes the sky noise; a pixel without is NaN.
    """
    sigma = np.broadcast_to(noise.sigma[:, None, None], flux.shape)
    if variance is not None:
        positive = np.where(variance > 0, variance, np.nan)  # NaN fails too
        mapped = np.isfinite(positive).any(axis=(1, 2), keepdims=True)
        sigma = np.where(mapped, np.sqrt(positive), sigma)
    return np.asarray(flux / sigma, dtype=np.float32)


def above_sky(cutout: Float32Array, noise: SkyNoise) -> Float32Array:
    """Pixels less the catalog's sky level."""
    return np.asarray(cutout - noise.level[:, None, None], dtype=np.float32)


def layer_noise(layer: Layer, noise: SkyNoise) -> SkyNoise:
    """Sky level and noise of a layer's pixels, for the stretch that draws them."""
    if layer == "image":
        return noise
    zero = np.zeros_like(noise.level)
    return SkyNoise(zero, noise.sigma if layer == "residual" else np.ones_like(noise.sigma))
