"""The convergence of power-law lenses on coarse grids, in torch, for losses and checks."""

from __future__ import annotations

import torch
from torch import Tensor

from lensing_core.physics.operators import area_pool

OVERSAMPLING = 8
"""Points along one side of a cell; even, so that none falls on the cusp at the lens's center."""


def pixel_centers(n: int, spacing_arcsec: float, device: torch.device | str = "cpu") -> Tensor:
    """Coordinates (n,) of the centers of ``n`` cells around 0, in arcsec."""
    return (torch.arange(n, device=device) - (n - 1) / 2) * spacing_arcsec


def power_law_convergence(
    theta_e_arcsec: Tensor,
    axis_ratio: Tensor,
    angle_rad: Tensor,
    slope: Tensor,
    *,
    cells: int,
    spacing_arcsec: float,
) -> Tensor:
    """Mean convergence of centered elliptical power laws in each cell, shape (n, cells, cells).

    κ = (3 − γ)/2 (θ_E / R)^(γ − 1) with R² = q x² + y²/q in the frame of the major axis (Tessore &
    Metcalf 2015, A&A 580, A79), the intermediate-axis convention of lenstronomy; γ = 2 is an SIE.
    Cells hold means, so that the cusp is finite.

    Parameters
    ----------
    theta_e_arcsec, axis_ratio, angle_rad, slope : Tensor of shape (n,)
        Minor to major axis, the angle of the major axis from x towards y, and γ.
    cells, spacing_arcsec : side of the grid in cells, and of a cell
    """
    from caustics.lenses.func import convergence_epl  # two seconds: not for those who only score

    axis = pixel_centers(cells * OVERSAMPLING, spacing_arcsec / OVERSAMPLING, theta_e_arcsec.device)
    x, y = torch.meshgrid(axis, axis, indexing="xy")
    column = (value[:, None, None] for value in (axis_ratio, angle_rad, theta_e_arcsec, slope - 1))
    return area_pool(convergence_epl(0.0, 0.0, *column, x, y), OVERSAMPLING)
