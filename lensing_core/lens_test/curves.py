"""Critical curve, caustic and images of an SIE with external shear."""

from __future__ import annotations

import math

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from lensing_core.lens_test.shapes import deflection

Doubles = NDArray[np.float64]
_STEP_ARCSEC = 1e-3
_ANGLES = 180
_RADII = 240
_HALVINGS = 25
_FAINTEST = 0.05  # of the source: images at the very center are not seen
_SAME_ARCSEC = 0.02


def inverse_magnification(lens: Tensor, x: Tensor, y: Tensor) -> Tensor:
    """det A with A = 1 − ∂α/∂θ by central differences; negative inside the critical curve."""
    h = _STEP_ARCSEC
    right, left = deflection(lens, x + h, y), deflection(lens, x - h, y)
    up, down = deflection(lens, x, y + h), deflection(lens, x, y - h)
    xx, yx = ((a - b) / (2 * h) for a, b in zip(right, left, strict=True))
    xy, yy = ((a - b) / (2 * h) for a, b in zip(up, down, strict=True))
    return (1 - xx) * (1 - yy) - xy * yx


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
    """Images (n, 3) of a point of the source plane: x, y, signed magnification; brightest first.

    Cells of a grid whose corners enclose the source when mapped back hold an image; Newton's method
    finishes. Images at the singular center, fainter than a twentieth of the source, are left out.
    """
    lens = parameters.double()
    theta = math.exp(float(lens[0]))
    half, n = 2.6 * theta, 121
    axis = torch.linspace(-half, half, n, dtype=torch.float64)
    grid_x, grid_y = torch.meshgrid(axis + lens[3], axis + lens[4], indexing="xy")
    ax, ay = deflection(lens, grid_x, grid_y)
    beta = torch.stack([grid_x - ax - x, grid_y - ay - y], dim=-1)
    corners = beta[:-1, :-1], beta[:-1, 1:], beta[1:, 1:], beta[1:, :-1]
    holds = _around_origin(*(corners[k] for k in (0, 1, 2)))
    holds |= _around_origin(*(corners[k] for k in (0, 2, 3)))
    rows, columns = torch.nonzero(holds).T
    step = float(axis[1] - axis[0])
    points = torch.stack([axis[columns] + lens[3], axis[rows] + lens[4]], dim=1) + step / 2
    source = torch.tensor([x, y], dtype=torch.float64)
    h = 1e-5
    for _ in range(20):
        px, py = points.T
        at = torch.stack(deflection(lens, px, py), dim=1)
        by_x = (torch.stack(deflection(lens, px + h, py), dim=1) - at) / h
        by_y = (torch.stack(deflection(lens, px, py + h), dim=1) - at) / h
        jacobian = torch.eye(2, dtype=torch.float64) - torch.stack([by_x, by_y], dim=2)
        miss = points - at - source
        move = torch.linalg.solve(jacobian + 1e-9 * torch.eye(2, dtype=torch.float64), miss)
        points = points - move.clamp(-step, step)
    px, py = points.T
    mu = 1 / inverse_magnification(lens, px, py)
    miss = points - torch.stack(deflection(lens, px, py), dim=1) - source
    arrived = torch.hypot(*miss.T) < 1e-4
    found: list[list[float]] = []
    for u, v, m in torch.stack([px, py, mu], dim=1)[arrived].tolist():
        near = any(math.hypot(u - a, v - b) < _SAME_ARCSEC for a, b, _ in found)
        if abs(m) >= _FAINTEST and not near:
            found.append([u, v, m])
    found.sort(key=lambda image: -abs(image[2]))
    return np.asarray(found, dtype=np.float64).reshape(-1, 3)


def _around_origin(a: Tensor, b: Tensor, c: Tensor) -> Tensor:
    def cross(p: Tensor, q: Tensor) -> Tensor:
        return p[..., 0] * q[..., 1] - p[..., 1] * q[..., 0]

    signs = torch.stack([cross(a, b), cross(b, c), cross(c, a)])
    return (signs > 0).all(dim=0) | (signs < 0).all(dim=0)
