"""Cutouts with a part of what is in them taken away: what does a ranking live on?

A probe changes pixels, not labels. A ranking that stays as good where no arc can be seen has
learned something else; one that falls to chance without colors or without a band hangs on that.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.ndimage import gaussian_filter

from lensing_core.arrays import BoolArray, Float32Array
from lensing_core.cutouts import CutoutGeometry
from lensing_core.evaluation.appearance import CENTER_ARCSEC
from lensing_core.imaging.noise import frame_mask
from lensing_core.models.contract import flux_scale

Kind = Literal["center", "outside", "band", "gray", "blurred", "turned"]
_FWHM_PER_SIGMA = 2.3548200450309493
_MAD_TO_SIGMA = 1.482602218505602


@dataclass(frozen=True)
class PixelProbe:
    """A change of cutouts (n, band, y, x) of one geometry.

    Attributes
    ----------
    name, title : str
        For files, and for people.
    change : callable
        From cutouts to cutouts of the same shape; the second argument seeds what is drawn.
    """

    name: str
    title: str
    kind: Kind
    change: Callable[[Float32Array, int], Float32Array]

    def __call__(self, flux: Float32Array, seed: int = 0) -> Float32Array:
        """Changed copies of cutouts (n, band, y, x)."""
        return np.asarray(self.change(flux.copy(), seed), dtype=np.float32)


def core_radius_arcsec(geometry: CutoutGeometry) -> float:
    """Radius of the core: the FWHM of the widest PSF, at least a pixel; 0.75″ where it is unknown.

    The image of an arc of a larger Einstein radius lies outside of it.
    """
    known = [fwhm for fwhm in geometry.psf_fwhm_arcsec if fwhm == fwhm and fwhm > 0]
    return max(max(known, default=CENTER_ARCSEC), geometry.pixel_scale_arcsec)


def pixel_probes(geometry: CutoutGeometry) -> tuple[list[PixelProbe], list[str]]:
    """All probes that make sense for a geometry, and sentences on those that do not."""
    inside, core = _core(geometry), core_radius_arcsec(geometry)
    probes = [
        PixelProbe(
            "center_only",
            f"Only the central {core:.2g}″",
            "center",
            lambda flux, seed: _with_sky(flux, ~inside, seed),
        ),
        PixelProbe(
            "outside_only",
            f"Without the central {core:.2g}″",
            "outside",
            lambda flux, seed: _with_sky(flux, inside, seed),
        ),
    ]
    notes = []
    if len(geometry.bands) > 1:
        probes += [
            PixelProbe(f"without_{band}", f"Without band {band}", "band", _without(k))
            for k, band in enumerate(geometry.bands)
        ]
        probes.append(PixelProbe("gray", "Gray: one color for all", "gray", _gray(geometry)))
    else:
        notes.append("One band: there is no color to take away.")
    widths = _kernel_sigmas_px(geometry)
    if widths is None:
        notes.append("The PSF of a band is unknown: nothing is blurred to the widest.")
    elif max(widths) > 0:
        title = f"Blurred to a PSF of {max(geometry.psf_fwhm_arcsec):.2f}″"
        probes.append(
            PixelProbe("blurred", title, "blurred", lambda flux, _: _blurred(flux, widths))
        )
    else:
        notes.append("All bands have the same PSF: nothing is blurred.")
    probes += [
        PixelProbe(
            "turned_90", "Turned by 90°", "turned", lambda flux, _: np.rot90(flux, 1, (-2, -1))
        ),
        PixelProbe(
            "turned_180", "Turned by 180°", "turned", lambda flux, _: np.rot90(flux, 2, (-2, -1))
        ),
        PixelProbe("mirrored", "Mirrored", "turned", lambda flux, _: flux[..., ::-1]),
    ]
    return probes, notes


def _core(geometry: CutoutGeometry) -> BoolArray:
    """Pixels of the core, (y, x)."""
    axis = np.arange(geometry.size_px) - (geometry.size_px - 1) / 2
    radius = np.hypot(axis[:, None], axis[None, :]) * geometry.pixel_scale_arcsec
    inside: BoolArray = radius <= core_radius_arcsec(geometry)
    return inside


def _with_sky(flux: Float32Array, hidden: BoolArray, seed: int) -> Float32Array:
    """Sky noise of each cutout and band in place of ``hidden`` pixels; no data stays no data."""
    frame = flux[..., frame_mask(flux.shape[-1])]
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "All-NaN")  # a band without data has no sky
        level = np.nanmedian(frame, axis=-1)[..., None, None]
        spread = np.abs(frame - level[..., 0])
        sigma = _MAD_TO_SIGMA * np.nanmedian(spread, axis=-1)[..., None, None]
    drawn = np.random.default_rng(seed).standard_normal(flux.shape, dtype=np.float32)
    sky = level + sigma * drawn
    return np.where(hidden & np.isfinite(flux), sky, flux).astype(np.float32)


def _without(band: int) -> Callable[[Float32Array, int], Float32Array]:
    def change(flux: Float32Array, seed: int) -> Float32Array:
        flux[:, band] = np.nan
        return flux

    return change


def _gray(geometry: CutoutGeometry) -> Callable[[Float32Array, int], Float32Array]:
    """Every band the mean of all, at the brightness that the band has on average."""
    scale = flux_scale(geometry)[:, None, None]
    inside = _core(geometry)

    def change(flux: Float32Array, seed: int) -> Float32Array:
        calibrated = flux * scale
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Mean of empty slice")
            mean = np.nanmean(calibrated, axis=1, keepdims=True)
            light = np.nan_to_num(np.nanmean(calibrated[..., inside], axis=(0, 2)))
        share = light / light.mean() if (light > 0).all() else np.ones_like(light)
        gray = mean * share[:, None, None] / scale
        return np.where(np.isfinite(flux), gray, flux).astype(np.float32)

    return change


def _kernel_sigmas_px(geometry: CutoutGeometry) -> list[float] | None:
    """Widths of the Gaussians that bring each band to the widest PSF; None where one is unknown."""
    fwhm = np.array(geometry.psf_fwhm_arcsec)
    if not (fwhm > 0).all():
        return None
    extra = np.sqrt(np.maximum(fwhm.max() ** 2 - fwhm**2, 0))
    return [float(v) for v in extra / _FWHM_PER_SIGMA / geometry.pixel_scale_arcsec]


def _blurred(flux: Float32Array, sigmas_px: list[float]) -> Float32Array:
    known = np.isfinite(flux)
    filled = np.where(known, flux, 0)
    for band, sigma in enumerate(sigmas_px):
        if sigma > 0:
            filled[:, band] = gaussian_filter(
                filled[:, band], (0, sigma, sigma), mode="nearest", truncate=4
            )
    return np.where(known, filled, flux).astype(np.float32)
