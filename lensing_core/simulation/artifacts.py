"""Faults of images: what cameras and pipelines leave in coadds."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from lensing_core.arrays import Float32Array, Float64Array
from lensing_core.simulation.galaxies import Generator


def add_artifacts(
    image: Float32Array, names: Sequence[str], sigma: Float64Array, rng: Generator
) -> None:
    """Lay faults over an image, in place.

    Parameters
    ----------
    image : shape (band, y, x)
    names : of :data:`~lensing_core.simulation.scene.ARTIFACTS`
    sigma : shape (band,), noise of an empty pixel
    """
    for name in names:
        _MAKERS[name](image, sigma, rng)


def _line(shape: tuple[int, int], rng: Generator) -> tuple[Float64Array, Float64Array]:
    """Distance of every pixel across and along a line near the middle."""
    height, width = shape
    y, x = np.indices(shape, dtype=np.float64)
    angle = rng.uniform(0, np.pi)
    x0, y0 = rng.normal((width - 1) / 2, width / 8), rng.normal((height - 1) / 2, height / 8)
    cosine, sine = np.cos(angle), np.sin(angle)
    return (y - y0) * cosine - (x - x0) * sine, (x - x0) * cosine + (y - y0) * sine


def _cosmic_ray(image: Float32Array, sigma: Float64Array, rng: Generator) -> None:
    """One to three sharp tracks in one band."""
    band = int(rng.integers(len(image)))
    for _ in range(int(rng.integers(1, 4))):
        across, along = _line(image.shape[1:], rng)
        track = (np.abs(across) < 0.6) & (np.abs(along) < rng.uniform(1, 7))
        image[band][track] += rng.uniform(20, 200) * sigma[band]


def _satellite_trail(image: Float32Array, sigma: Float64Array, rng: Generator) -> None:
    """A blurred straight line through one band."""
    band = int(rng.integers(len(image)))
    across, _ = _line(image.shape[1:], rng)
    width = rng.uniform(1.5, 3.5)
    image[band] += (rng.uniform(3, 20) * sigma[band] * np.exp(-0.5 * (across / width) ** 2)).astype(
        np.float32
    )


def _bad_column(image: Float32Array, sigma: Float64Array, rng: Generator) -> None:
    """A column of one band that is too bright, too dark, or masked."""
    band, column = int(rng.integers(len(image))), int(rng.integers(image.shape[2]))
    if rng.random() < 0.4:
        image[band][:, column] = np.nan
    else:
        image[band][:, column] += rng.choice([-1, 1]) * rng.uniform(5, 30) * sigma[band]


def _bright_star(image: Float32Array, sigma: Float64Array, rng: Generator) -> None:
    """The wings, spikes and bleeding column of a saturated star near an edge, in all bands."""
    height, width = image.shape[1:]
    y, x = np.indices((height, width), dtype=np.float64)
    side = rng.uniform(0.05, 0.3) * min(width, height)
    x0 = side if rng.random() < 0.5 else width - 1 - side
    y0 = rng.uniform(0.1, 0.9) * height
    r2 = (x - x0) ** 2 + (y - y0) ** 2
    core = rng.uniform(3, 7)
    spikes = np.exp(-((x - x0) ** 2) / 2) + np.exp(-((y - y0) ** 2) / 2)
    for band in range(len(image)):
        peak = rng.uniform(2e3, 1e4) * sigma[band]
        wings = peak * (1 + r2 / core**2) ** -2
        light = wings + 0.02 * peak * spikes / (1 + np.sqrt(r2) / core)
        image[band] += light.astype(np.float32)
        image[band][wings > 0.4 * peak] = np.nan


def _chip_gap(image: Float32Array, sigma: Float64Array, rng: Generator) -> None:
    """A strip without data in one band or all."""
    width = image.shape[2]
    bands = range(len(image)) if rng.random() < 0.3 else [int(rng.integers(len(image)))]
    gap = int(rng.uniform(0.05, 0.25) * width) + 1
    first = int(rng.integers(-gap // 2, width - gap // 2))
    columns = slice(max(first, 0), max(first, 0) + gap)
    for band in bands:
        if rng.random() < 0.5:
            image[band][:, columns] = np.nan
        else:
            image[band][columns, :] = np.nan


_MAKERS: dict[str, Callable[[Float32Array, Float64Array, Generator], None]] = {
    "cosmic_ray": _cosmic_ray,
    "satellite_trail": _satellite_trail,
    "bad_column": _bad_column,
    "bright_star": _bright_star,
    "chip_gap": _chip_gap,
}
