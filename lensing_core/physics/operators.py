"""Finite-difference operators on lensing maps, in torch, for losses and checks.

Maps are (…, y, x). The grid spacing is in arcsec throughout, so that the potential ψ is in arcsec²,
the deflection α = ∇ψ in arcsec and the convergence κ = ∇²ψ / 2 without unit. The outermost pixels,
where central differences would need values that are not there, are left out of the result rather
than made up.
"""

from __future__ import annotations

from torch import Tensor

from lensing_core.errors import BadInputError


def _check(map_: Tensor, spacing_arcsec: float) -> None:
    if map_.ndim < 2 or min(map_.shape[-2:]) < 3:
        raise BadInputError(f"A map of shape {tuple(map_.shape)} is too small to differentiate.")
    if spacing_arcsec <= 0:
        raise BadInputError(f"Grid spacing {spacing_arcsec} arcsec: it must be positive.")


def gradient(map_: Tensor, spacing_arcsec: float) -> tuple[Tensor, Tensor]:
    """(∂/∂x, ∂/∂y) by central differences; shape (…, y − 2, x − 2)."""
    _check(map_, spacing_arcsec)
    step = 2 * spacing_arcsec
    along_x = (map_[..., 1:-1, 2:] - map_[..., 1:-1, :-2]) / step
    along_y = (map_[..., 2:, 1:-1] - map_[..., :-2, 1:-1]) / step
    return along_x, along_y


def laplacian(map_: Tensor, spacing_arcsec: float) -> Tensor:
    """∇² by the five-point formula; shape (…, y − 2, x − 2)."""
    _check(map_, spacing_arcsec)
    center = map_[..., 1:-1, 1:-1]
    around = map_[..., 1:-1, 2:] + map_[..., 1:-1, :-2] + map_[..., 2:, 1:-1] + map_[..., :-2, 1:-1]
    return (around - 4 * center) / spacing_arcsec**2


def poisson_residual(potential: Tensor, convergence: Tensor, spacing_arcsec: float) -> Tensor:
    """∇²ψ − 2κ on the inner pixels, shape (…, y − 2, x − 2); zero for a consistent pair.

    Parameters
    ----------
    potential : Tensor of shape (…, y, x), arcsec²
    convergence : Tensor of shape (…, y, x)
    """
    if potential.shape != convergence.shape:
        raise BadInputError(
            f"Potential {tuple(potential.shape)} and convergence {tuple(convergence.shape)}: "
            "give maps of one shape."
        )
    return laplacian(potential, spacing_arcsec) - 2 * convergence[..., 1:-1, 1:-1]


def magnification(potential: Tensor, spacing_arcsec: float) -> Tensor:
    """1 / det A with A = 1 − ∂²ψ, on the inner pixels; critical curves are where det A = 0."""
    _check(potential, spacing_arcsec)
    h2 = spacing_arcsec**2
    center = potential[..., 1:-1, 1:-1]
    xx = (potential[..., 1:-1, 2:] - 2 * center + potential[..., 1:-1, :-2]) / h2
    yy = (potential[..., 2:, 1:-1] - 2 * center + potential[..., :-2, 1:-1]) / h2
    xy = (
        potential[..., 2:, 2:]
        - potential[..., 2:, :-2]
        - potential[..., :-2, 2:]
        + potential[..., :-2, :-2]
    ) / (4 * h2)
    return 1 / ((1 - xx) * (1 - yy) - xy**2)


def area_pool(map_: Tensor, factor: int) -> Tensor:
    """Mean over blocks of ``factor`` × ``factor`` pixels: mass κ · area is conserved.

    Raises
    ------
    BadInputError
        If the map's sides are no multiples of ``factor``.
    """
    height, width = map_.shape[-2:]
    if factor < 1 or height % factor or width % factor:
        raise BadInputError(f"A map of {height} x {width} cannot be pooled by {factor}.")
    blocks = map_.reshape(*map_.shape[:-2], height // factor, factor, width // factor, factor)
    return blocks.mean(dim=(-3, -1))
