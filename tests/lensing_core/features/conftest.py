"""Painted cutouts: noise, a central galaxy, and arcs of known radius."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from lensing_core.cutouts import CutoutGeometry

SIDE, SCALE = 60, 0.168
GEOMETRY = CutoutGeometry("hsc", ("g", "r", "i"), SIDE, SCALE, "flux", (27.0,) * 3, (0.7,) * 3)
PSF_PX = 0.7 / SCALE / 2.3548


def paint_arc(
    radius_arcsec: float, opening: float, towards: float, peak: float, around=(0.0, 0.0)
) -> np.ndarray:
    """An arc (y, x) of PSF width about a point, its middle in the direction ``towards``."""
    axis = np.arange(SIDE) - (SIDE - 1) / 2
    x, y = axis[None, :] - around[0] / SCALE, axis[:, None] - around[1] / SCALE
    from_middle = np.angle(np.exp(1j * (np.arctan2(y, x) - towards)))
    across = np.hypot(x, y) - radius_arcsec / SCALE
    soft = 1 / (1 + np.exp((np.abs(from_middle) - opening / 2) * 20))
    return peak * np.exp(-(across**2) / (2 * PSF_PX**2)) * soft


def paint_galaxy(peak: float, axis_ratio: float = 0.8, angle: float = 0.3) -> np.ndarray:
    """A centered elliptical galaxy with an exponential profile, (y, x)."""
    axis = np.arange(SIDE) - (SIDE - 1) / 2
    x, y = axis[None, :], axis[:, None]
    u, v = x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)
    return peak * np.exp(-np.sqrt(axis_ratio * u**2 + v**2 / axis_ratio) / 3)


@pytest.fixture(scope="session")
def geometry() -> CutoutGeometry:
    return GEOMETRY


@pytest.fixture(scope="session")
def arc() -> Callable[..., np.ndarray]:
    return paint_arc


@pytest.fixture(scope="session")
def galaxy() -> Callable[..., np.ndarray]:
    return paint_galaxy


@pytest.fixture(scope="session")
def lens(arc, galaxy) -> np.ndarray:
    """(8, 3, y, x): a galaxy, an arc of radius 2″ and a counter-image at 1.5″, noise of 1."""
    light = galaxy(60) + arc(2.0, 1.5, 0.2, 12) + arc(1.5, 0.5, 0.2 + np.pi, 10)
    rng = np.random.default_rng(0)
    noise = rng.standard_normal((8, 3, SIDE, SIDE))
    return (light + noise).astype(np.float32)
