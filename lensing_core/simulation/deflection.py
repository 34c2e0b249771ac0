"""Deflection angles of many lenses at once, on any torch device."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from caustics.lenses import func
from torch import Tensor

from lensing_core.simulation.scene import Deflector

CORE_ARCSEC = 1e-4
"""Core radius that keeps the isothermal deflection finite at the lens's very center."""

_EPL_TERMS = 12
"""Of the series in (1−q)/(1+q), at most 0.38 for q ≥ 0.45: good to 1e-5 of the deflection."""


def deflection_field(
    deflectors: Sequence[Deflector], x: Tensor, y: Tensor
) -> tuple[Tensor, Tensor]:
    """Reduced deflection angles (arcsec) of all deflectors together, at points (…)."""
    alpha_x, alpha_y = deflection_fields([deflectors], x, y)
    return alpha_x[0], alpha_y[0]


def deflection_fields(
    lenses: Sequence[Sequence[Deflector]], x: Tensor, y: Tensor
) -> tuple[Tensor, Tensor]:
    """Reduced deflection angles (arcsec) of n lenses, each of some deflectors, shape (n, …).

    The first deflectors of all lenses are computed together, then the second ones, and so on.

    Parameters
    ----------
    x, y : shape (…)
        Points at which every lens is wanted.
    """
    total = torch.zeros(2, len(lenses), *x.shape, dtype=x.dtype, device=x.device)
    for slot in range(max(map(len, lenses), default=0)):
        for power_law in (False, True):
            owners = [
                k
                for k, deflectors in enumerate(lenses)
                if slot < len(deflectors) and (deflectors[slot].slope != 2) == power_law
            ]
            if owners:
                chosen = [lenses[k][slot] for k in owners]
                deflections = _power_laws(chosen, x, y) if power_law else _isothermal(chosen, x, y)
                total[:, owners] += torch.stack(deflections)
        sheared = [
            k
            for k, deflectors in enumerate(lenses)
            if slot < len(deflectors) and (deflectors[slot].shear_1 or deflectors[slot].shear_2)
        ]
        if sheared:
            part = _Columns([lenses[k][slot] for k in sheared], x)
            total[:, sheared] += torch.stack(
                func.reduced_deflection_angle_external_shear(
                    part("x"), part("y"), part("shear_1"), part("shear_2"), x, y
                )
            )
    return total[0], total[1]


class _Columns:
    """Attributes of deflectors as tensors that broadcast against points."""

    def __init__(self, deflectors: Sequence[Deflector], points: Tensor) -> None:
        self.deflectors, self.points = deflectors, points

    def __call__(self, name: str) -> Tensor:
        values = [float(getattr(deflector, name)) for deflector in self.deflectors]
        column = torch.tensor(values, dtype=self.points.dtype, device=self.points.device)
        return column.reshape(-1, *[1] * self.points.ndim)


def _isothermal(deflectors: Sequence[Deflector], x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    column = _Columns(deflectors, x)
    shape = [column(name) for name in ("x", "y", "axis_ratio", "angle", "einstein_radius")]
    core = column("core_radius") + CORE_ARCSEC
    total_x, total_y = func.reduced_deflection_angle_sie(*shape, x, y, s=core)
    cut = [k for k, d in enumerate(deflectors) if math.isfinite(d.cut_radius)]
    if cut:
        column = _Columns([deflectors[k] for k in cut], x)
        shape = [value[cut] for value in shape]
        less = func.reduced_deflection_angle_sie(*shape, x, y, s=column("cut_radius"))
        total_x[cut] -= less[0]
        total_y[cut] -= less[1]
    return total_x, total_y


def _power_laws(deflectors: Sequence[Deflector], x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    column = _Columns(deflectors, x)
    shape = [column(name) for name in ("x", "y", "axis_ratio", "angle", "einstein_radius")]
    deflections: tuple[Tensor, Tensor] = func.reduced_deflection_angle_epl(
        *shape, column("slope") - 1, x, y, n_iter=_EPL_TERMS, chunk_size=1
    )
    return deflections
