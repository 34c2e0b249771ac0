"""Light of the lens galaxy: an elliptical Sérsic profile in each band, arcs masked.

What stands out of a robust model by isophotes (:mod:`lensing_core.imaging.galaxy_light`) is masked
while the profiles are fitted. Beside the profile stand its derivatives by position, shape, radius
and index, as fixed pictures with small amplitudes: to first order the galaxy is fitted anew with
whatever model of the arcs, at the price of a few linear amplitudes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import sep
import torch
from numpy.typing import NDArray
from scipy.ndimage import binary_dilation, gaussian_filter
from torch import Tensor

from lensing_core.arrays import Float32Array
from lensing_core.errors import BadInputError
from lensing_core.imaging.galaxy_light import fit_galaxy_light
from lensing_core.lens_test import shapes
from lensing_core.lens_test.fitting import Fitter, Grid, Part, Problem
from lensing_core.lens_test.observation import FWHM_OF_SIGMA, Observation, measure_noise

MODEL_ERROR = 0.03
"""Of the galaxy's light, relative: real galaxies are no Sérsic profiles."""
THRESHOLD = 3.5
"""Significance of a pixel, filtered by the PSF, from which it belongs to a segment."""
LEAST_PX = 5
ARC_ERROR = 0.07
"""Of all other light, relative: no source is a Sérsic profile, no mass an ellipsoid."""
MARGIN_PX = 4
_DEBLEND = 5e-4
_STEPS = 18
_OVERSAMPLING = 3
# Standard deviations of what a profile may change beside the arcs: x and y in PSF widths, e1, e2,
# log radius, log index.
_CHANGES = (0.15, 0.15, 0.1, 0.1, 0.3, 0.4)


@dataclass(frozen=True)
class Segment:
    """Light that the galaxy does not explain.

    Attributes
    ----------
    x, y : float
        Of its brightest pixel, arcsec from the middle.
    significance : float
        S/N of all its pixels and bands together.
    pixels : ndarray of shape (y, x)
        Where it is.
    """

    x: float
    y: float
    significance: float
    pixels: NDArray[np.bool_]

    @property
    def radius(self) -> float:
        """Distance from the middle, arcsec."""
        return math.hypot(self.x, self.y)


@dataclass(frozen=True)
class LensLight:
    """The galaxy, and what is left when it is taken away.

    Attributes
    ----------
    observed : Observation
        With its noise measured.
    fixed : Tensor of shape (1, band, k, y, x)
        Pictures: profile, its derivatives, a constant.
    fixed_sigma : Tensor of shape (1, band, k)
        Of their amplitudes: infinite for profile and constant.
    model : ndarray of shape (band, y, x)
        As fitted with the segments masked.
    sigma : ndarray of shape (band, y, x)
        Noise with the error of any smooth model, of the galaxy and of the arcs.
    segments : tuple of Segment
        The most significant first.
    x, y, e1, e2 : float
        Center and shape in all bands together, see :func:`~.shapes.shape_of`.
    radius_arcsec, sersic_index : float
        Half-light radius on the intermediate axis.
    """

    observed: Observation
    fixed: Tensor
    fixed_sigma: Tensor
    model: Float32Array
    sigma: Float32Array
    segments: tuple[Segment, ...]
    x: float
    y: float
    e1: float
    e2: float
    radius_arcsec: float
    sersic_index: float

    @property
    def shape(self) -> tuple[float, float]:
        """Axis ratio, and direction of the major axis in degrees from x towards y."""
        q, angle = shapes.shape_of(torch.tensor(self.e1), torch.tensor(self.e2))
        return float(q), math.degrees(float(angle)) % 180


def grid_of(observed: Observation, oversampling: int, margin_px: int = MARGIN_PX) -> Grid:
    """The points at which models of an observation are computed."""
    return Grid(
        observed.size_px,
        observed.scale_arcsec,
        margin_px,
        oversampling,
        torch.from_numpy(observed.kernels),
    )


def fit_lens_light(observed: Observation) -> LensLight:
    """Fit the galaxy in the middle."""
    image = np.where(observed.valid, observed.flux, np.nan)
    isophotes = fit_galaxy_light(image, observed.fwhm_arcsec / observed.scale_arcsec)
    smooth = np.nan_to_num(isophotes.model)
    # Noise is measured where no light is left, and light is found above the noise: twice.
    outer = _outer(observed)
    observed = measure_noise(observed, observed.flux - smooth, outer)
    sigma = _with_model_error(observed, smooth)
    segments = find_segments(observed, observed.flux - smooth, sigma)
    observed = measure_noise(
        observed, observed.flux - smooth, outer & np.logical_not(_covered(segments, 2))
    )
    sigma = _with_model_error(observed, smooth)
    segments = find_segments(observed, observed.flux - smooth, sigma)
    usable = observed.valid & np.logical_not(_covered(segments, 1))
    start = _start(observed, isophotes.center_px, isophotes.axis_ratio, isophotes.angle_deg)

    # All bands together for center and shape, then each by itself near those.
    data = torch.from_numpy(observed.flux)
    weight = torch.from_numpy(np.where(usable, 1 / sigma, 0).astype(np.float32))
    fwhm = observed.fwhm_arcsec
    wide = torch.tensor([0.5 * fwhm, 0.5 * fwhm, 0.3, 0.3, 1.0, 0.5])
    grid, ones = grid_of(observed, _OVERSAMPLING), torch.ones(observed.flux.shape)
    n = len(data)
    part = (Part(shapes.sersic, len(shapes.SERSIC)),)

    def problem(which: slice, mean: Tensor, spread: Tensor) -> Problem:
        kernels = torch.from_numpy(observed.kernels[which])
        narrowed = Grid(grid.size_px, grid.scale_arcsec, grid.margin_px, grid.oversampling, kernels)
        flat = torch.full((1, len(kernels), 1), math.inf)
        return Problem(
            data[None, which], weight[None, which], narrowed, part, mean[None], spread[None],
            ones[None, which, None], flat,
        )  # fmt: skip

    together = Fitter(problem(slice(0, n), start, wide)).minimize(start[None], _STEPS)
    shared = together.parameters[0]
    narrow = torch.tensor([0.1 * fwhm, 0.1 * fwhm, 0.05, 0.05, 0.4, 0.4])
    model, pictures, amplitudes = [], [], []
    for band in range(n):
        fitter = Fitter(problem(slice(band, band + 1), shared, narrow))
        found = fitter.minimize(shared[None], _STEPS)
        flux = found.light()[0, 0] + found.others[0, 0, 0]
        profile = found.pictures[0, 0, 0]
        slopes = fitter.derivatives(found.parameters)[0, 0]
        model.append(flux)
        pictures.append(torch.cat([profile[None], slopes, torch.ones_like(profile)[None]]))
        amplitudes.append(float(found.amplitudes[0, 0, 0]))
    whole = np.asarray(torch.stack(model).numpy(), dtype=np.float32)
    sigma = _with_model_error(observed, whole)
    changes = np.array(_CHANGES) * np.array([fwhm, fwhm, 1, 1, 1, 1])
    held = torch.tensor(
        [[math.inf, *(max(a, 1e-3) * changes), math.inf] for a in amplitudes], dtype=torch.float32
    )
    segments = find_segments(observed, observed.flux - whole, sigma)
    sigma = _with_arc_error(observed, observed.flux - whole, sigma)
    x, y, e1, e2, log_radius, log_index = shared.tolist()
    return LensLight(
        observed,
        torch.stack(pictures)[None],
        held[None],
        whole,
        sigma,
        segments,
        x, y, e1, e2, math.exp(log_radius), math.exp(log_index),
    )  # fmt: skip


def _outer(observed: Observation) -> NDArray[np.bool_]:
    """Pixels beyond two fifths of half the side, (y, x)."""
    axis = observed.axis_arcsec()
    return np.asarray(np.hypot(axis[:, None], axis[None, :]) > 0.4 * observed.half_arcsec)


def _covered(segments: tuple[Segment, ...], grown_px: int) -> NDArray[np.bool_] | bool:
    """Mask of segments and ``grown_px`` around them; False if there are none."""
    if not segments:
        return False
    every = np.any([segment.pixels for segment in segments], axis=0)
    return np.asarray(binary_dilation(every, iterations=grown_px))


def _start(
    observed: Observation, center_px: tuple[float, float], axis_ratio: float, angle_deg: float
) -> Tensor:
    middle = (observed.size_px - 1) / 2
    x, y = ((value - middle) * observed.scale_arcsec for value in center_px)
    e1, e2 = shapes.free_shape(max(axis_ratio, 0.35), math.radians(angle_deg))
    radius = max(0.8 * observed.fwhm_arcsec, 0.12 * observed.half_arcsec)
    return torch.tensor([x, y, e1, e2, math.log(radius), math.log(2.5)], dtype=torch.float32)


def _with_model_error(observed: Observation, model: Float32Array) -> Float32Array:
    error = MODEL_ERROR * np.maximum(model, 0)
    return np.asarray(np.hypot(observed.sigma, error), dtype=np.float32)


def _with_arc_error(
    observed: Observation, residual: Float32Array, sigma: Float32Array
) -> Float32Array:
    """Noise with a share of what stands out, smoothed so that noise itself counts little."""
    width = observed.fwhm_arcsec / observed.scale_arcsec / FWHM_OF_SIGMA
    known = np.where(observed.valid, residual, 0)
    smooth = gaussian_filter(known, (0, width, width))
    return np.asarray(np.hypot(sigma, ARC_ERROR * np.maximum(smooth, 0)), dtype=np.float32)


def find_segments(
    observed: Observation, residual: Float32Array, sigma: Float32Array
) -> tuple[Segment, ...]:
    """Pieces of light in a residual, by SEP (Barbary 2016), all bands together.

    The core, half a PSF width around the middle, is left out. Long arcs come in several pieces.
    """
    weight = np.where(np.isfinite(sigma), 1 / sigma, 0)
    signal = (residual * weight).sum(axis=0)
    bands = np.maximum((weight > 0).sum(axis=0), 1)
    z = np.ascontiguousarray(signal / np.sqrt(bands) / math.sqrt(observed.correlation))
    axis = observed.axis_arcsec()
    core = np.hypot(axis[:, None], axis[None, :]) < 0.5 * observed.fwhm_arcsec
    z[core] = 0
    width = max(1.0, observed.fwhm_arcsec / observed.scale_arcsec / FWHM_OF_SIGMA)
    half = math.ceil(1.5 * width)
    r2 = np.add.outer(*[np.arange(-half, half + 1.0) ** 2] * 2)
    kernel = np.exp(-r2 / (2 * width**2))
    sep.set_extract_pixstack(max(300_000, z.size))
    try:
        found, labels = sep.extract(
            z.astype(np.float32), THRESHOLD, err=np.ones(z.shape, dtype=np.float32),
            minarea=LEAST_PX, deblend_nthresh=32,
            filter_kernel=kernel, filter_type="matched", deblend_cont=_DEBLEND, clean=False,
            segmentation_map=True,
        )  # fmt: skip
    except MemoryError:
        raise
    except Exception as error:
        raise BadInputError(
            f"The pieces of light in this cutout cannot be told apart ({error}): no lens is fitted."
        ) from error
    segments = [
        Segment(
            float(axis[row["xpeak"]]),
            float(axis[row["ypeak"]]),
            float(z[labels == k + 1].sum() / math.sqrt((labels == k + 1).sum())),
            labels == k + 1,
        )
        for k, row in enumerate(found)
    ]
    return tuple(sorted(segments, key=lambda one: -one.significance))
