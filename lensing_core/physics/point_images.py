"""Images of a point behind any deflection field, in torch: det A, and the images themselves."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from lensing_core.arrays import Float64Array

Deflection = Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]
"""Places (…) in arcsec → reduced deflection angles (…) in arcsec."""
_STEP_ARCSEC = 1e-3
_NEWTON_STEP_ARCSEC = 1e-5
_ITERATIONS = 20
_ARRIVED_ARCSEC = 1e-4
_FAINTEST = 0.05  # of the source: images at the very center are not seen
_SAME_ARCSEC = 0.02


def jacobian(
    deflection: Deflection, x: Tensor, y: Tensor, h: float = _STEP_ARCSEC
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """∂α_x/∂x, ∂α_x/∂y, ∂α_y/∂x, ∂α_y/∂y by central differences of ``h`` arcsec."""
    right, left = deflection(x + h, y), deflection(x - h, y)
    up, down = deflection(x, y + h), deflection(x, y - h)
    xx, yx = ((a - b) / (2 * h) for a, b in zip(right, left, strict=True))
    xy, yy = ((a - b) / (2 * h) for a, b in zip(up, down, strict=True))
    return xx, xy, yx, yy


def inverse_magnification(deflection: Deflection, x: Tensor, y: Tensor) -> Tensor:
    """det A with A = 1 − ∂α/∂θ; negative between the critical curves."""
    xx, xy, yx, yy = jacobian(deflection, x, y)
    return (1 - xx) * (1 - yy) - xy * yx


def search_grid(center: tuple[float, float], half_arcsec: float, n: int) -> tuple[Tensor, Tensor]:
    """Places x and y (n, n) of the square grid on which images are looked for, arcsec."""
    axis = torch.linspace(-half_arcsec, half_arcsec, n, dtype=torch.float64)
    x, y = torch.meshgrid(axis + center[0], axis + center[1], indexing="xy")
    return x, y


def images_of_point(
    deflection: Deflection,
    source: tuple[float, float],
    *,
    center: tuple[float, float],
    half_arcsec: float,
    n: int,
    on_grid: tuple[Tensor, Tensor] | None = None,
) -> Float64Array:
    """Images (n, 3) of a point of the source plane: x, y, signed magnification; brightest first.

    Cells of a grid whose corners enclose the source when mapped back hold an image; Newton's method
    finishes. Images at the singular center, fainter than a twentieth of the source, are left out.

    Parameters
    ----------
    source, center : (float, float)
        Of the point in the source plane, and of the grid, arcsec.
    half_arcsec, n : half the side of the grid, and its points along a side
    on_grid : (Tensor, Tensor), optional
        The deflection on that :func:`search_grid`, where it is known.
    """
    x, y = source
    grid_x, grid_y = search_grid(center, half_arcsec, n)
    ax, ay = on_grid or deflection(grid_x, grid_y)
    beta = torch.stack([grid_x - ax - x, grid_y - ay - y], dim=-1)
    corners = beta[:-1, :-1], beta[:-1, 1:], beta[1:, 1:], beta[1:, :-1]
    holds = _around_origin(*(corners[k] for k in (0, 1, 2)))
    holds |= _around_origin(*(corners[k] for k in (0, 2, 3)))
    rows, columns = torch.nonzero(holds).T
    step = 2 * half_arcsec / (n - 1)
    points = torch.stack([grid_x[0, columns], grid_y[rows, 0]], dim=1) + step / 2
    target = torch.tensor([x, y], dtype=torch.float64)
    h = _NEWTON_STEP_ARCSEC
    for _ in range(_ITERATIONS):
        px, py = points.T
        at = torch.stack(deflection(px, py), dim=1)
        by_x = (torch.stack(deflection(px + h, py), dim=1) - at) / h
        by_y = (torch.stack(deflection(px, py + h), dim=1) - at) / h
        matrix = torch.eye(2, dtype=torch.float64) - torch.stack([by_x, by_y], dim=2)
        miss = points - at - target
        move = torch.linalg.solve(matrix + 1e-9 * torch.eye(2, dtype=torch.float64), miss)
        points = points - move.clamp(-step, step)
    px, py = points.T
    mu = 1 / inverse_magnification(deflection, px, py)
    miss = points - torch.stack(deflection(px, py), dim=1) - target
    arrived = torch.hypot(*miss.T) < _ARRIVED_ARCSEC
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
