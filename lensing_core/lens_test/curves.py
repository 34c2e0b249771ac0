"""Critical curve, caustic and images of an SIE with external shear."""

from __future__ import annotations

import math
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from lensing_core.lens_test.shapes import deflection
from lensing_core.physics import point_images
from lensing_core.physics.point_images import images_of_point

Doubles = NDArray[np.float64]
_ANGLES = 180
_RADII = 240
_HALVINGS = 25


def inverse_magnification(lens: Tensor, x: Tensor, y: Tensor) -> Tensor:
    """det A of a lens; negative inside the critical curve."""
    return point_images.inverse_magnification(partial(deflection, lens), x, y)


def critical_curve(parameters: Tensor) -> Doubles:
    """Points (n, 2) where det A = 0, in order around the lens, and closed.

    Found on rays from the lens's center: of an SIE with the shear of a galaxy's surroundings each
    crosses the curve once, or the outermost crossing is taken.
    """
    lens = parameters.double()
    theta = math.exp(float(lens[0]))
    turn = torch.linspace(0, 2 * math.pi, _ANGLES + 1, dtype=torch.float64)
    radii = torch.linspace(0.05 * theta, 4 * theta, _RADII, dtype=torch.float64)

    def det(radius: Tensor, angle: Tensor) -> Tensor:
        x, y = lens[3] + radius * torch.cos(angle), lens[4] + radius * torch.sin(angle)
        return inverse_magnification(lens, x, y)

    inside = det(radii[:, None], turn[None, :]) < 0
    last = torch.where(inside, torch.arange(_RADII)[:, None], -1).amax(dim=0)
    crossed = (last >= 0) & (last < _RADII - 1)
    last = last.clamp(0, _RADII - 2)
    low, high = radii[last], radii[last + 1]
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        within = det(middle, turn) < 0
        low, high = torch.where(within, middle, low), torch.where(within, high, middle)
    radius = (low + high) / 2
    points = torch.stack([lens[3] + radius * torch.cos(turn), lens[4] + radius * torch.sin(turn)])
    return np.asarray(points.T[crossed].numpy())


def to_source(parameters: Tensor, points: Doubles) -> Doubles:
    """Map points (n, 2) of the sky to the source plane; a critical curve becomes the caustic."""
    lens = parameters.double()
    x, y = torch.from_numpy(points).T
    ax, ay = deflection(lens, x, y)
    return np.asarray(torch.stack([x - ax, y - ay], dim=1).numpy())


def cut(parameters: Tensor) -> Doubles:
    """Points (n, 2) of the source plane within which an SIE makes a second image, closed."""
    lens = parameters.double()
    turn = np.linspace(0, 2 * math.pi, _ANGLES + 1)
    middle = lens[3:5].numpy()
    ring = middle + 5e-3 * np.stack([np.cos(turn), np.sin(turn)], axis=1)
    return to_source(parameters, ring)


def images_of(parameters: Tensor, x: float, y: float) -> Doubles:
    """Images (n, 3) of a point of the source plane: x, y, signed magnification; brightest first."""
    lens = parameters.double()
    return images_of_point(
        partial(deflection, lens),
        (x, y),
        center=(float(lens[3]), float(lens[4])),
        half_arcsec=2.6 * math.exp(float(lens[0])),
        n=121,
    )
