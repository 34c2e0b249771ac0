"""Mass models of a cluster: parameters with priors, and a deflection."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from lensing_core.arrays import Float64Array
from lensing_core.cluster_model.planes import LensPlane
from lensing_core.cluster_model.profiles import SIS_ARCSEC, Pair, dpie_deflection
from lensing_core.errors import BadInputError
from lensing_core.physics.point_images import Deflection

_AT_ONCE = 100_000  # places times components


@dataclass(frozen=True)
class Parameter:
    """A parameter with its prior.

    Attributes
    ----------
    name : str
    unit : str
    middle, width : float
        Of the normal prior; of a logarithmic parameter ``width`` is that of ln(value / middle).
    logarithmic : bool
    """

    name: str
    unit: str
    middle: float
    width: float
    logarithmic: bool = False


SHEAR = (Parameter("shear 1", "", 0.0, 0.05), Parameter("shear 2", "", 0.0, 0.05))
"""External shear, for D_ls / D_s = 1."""


@dataclass(frozen=True)
class Member:
    """A galaxy of the cluster.

    Attributes
    ----------
    name : str
    x, y : float
        Arcsec from the plane's origin.
    magnitude : float
    axis_ratio : float
        Of the mass: minor to major axis.
    angle : float
        Direction of the major axis, radians from x (west) towards y (north).
    free : bool
        Whether its own weight is fitted.
    """

    name: str
    x: float
    y: float
    magnitude: float
    axis_ratio: float = 1.0
    angle: float = 0.0
    free: bool = False


class Lens(Protocol):
    """A mass in one plane, whose deflection is known for D_ls / D_s = 1."""

    @property
    def plane(self) -> LensPlane:
        """Plane of the lens."""
        ...

    def deflection(self, x: Tensor, y: Tensor) -> Pair:
        """Deflection (arcsec) at places of any shape (arcsec)."""
        ...


class MassModel(ABC):
    """A family of masses, one for each set of parameters.

    Attributes
    ----------
    kind : str
        What it is called in files.
    plane : LensPlane
    parameters : tuple of Parameter
    components : int
        Profiles that are summed, for the size of pieces in memory.
    """

    kind: str
    plane: LensPlane
    parameters: tuple[Parameter, ...]
    components: int

    @abstractmethod
    def field(self, values: Tensor) -> Deflection:
        """Deflections (k, n) for D_ls / D_s = 1 at places (k, n), of k sets of values (k, d)."""

    def values(self, z: Tensor) -> Tensor:
        """Parameters (…, d) of their normalized forms, which the priors make standard normal."""
        middle, width, logarithmic = self._priors
        return torch.where(logarithmic, middle * torch.exp(width * z), middle + width * z)

    @property
    def _priors(self) -> tuple[Tensor, Tensor, Tensor]:
        columns = [(p.middle, p.width, p.logarithmic) for p in self.parameters]
        middle, width, logarithmic = zip(*columns, strict=True)
        return (
            torch.tensor(middle, dtype=torch.float64),
            torch.tensor(width, dtype=torch.float64),
            torch.tensor(logarithmic),
        )


@dataclass(frozen=True)
class ModelLens:
    """One mass of a model, as a :class:`Lens`."""

    model: MassModel
    values: Float64Array

    @property
    def plane(self) -> LensPlane:
        return self.model.plane

    @cached_property
    def _field(self) -> Deflection:
        return self.model.field(torch.from_numpy(self.values)[None])

    def deflection(self, x: Tensor, y: Tensor) -> Pair:
        """Deflection (arcsec) at places of any shape, computed piece by piece."""
        size = max(1, _AT_ONCE // self.model.components)
        pieces = [
            self._field(px[None], py[None])
            for px, py in zip(x.reshape(-1).split(size), y.reshape(-1).split(size), strict=True)
        ]
        ax, ay = (torch.cat([piece[k][0] for piece in pieces]) for k in (0, 1))
        return ax.reshape(x.shape), ay.reshape(x.shape)


class FixedModel(MassModel):
    """A mass without parameters: of its fit only sources and unknown distances are found."""

    kind = "fixed"
    parameters = ()
    components = 1

    def __init__(self, lens: Lens) -> None:
        self.lens, self.plane = lens, lens.plane

    def field(self, values: Tensor) -> Deflection:
        """The deflection of the one mass."""
        return self.lens.deflection

    def values(self, z: Tensor) -> Tensor:
        """No parameters (…, 0)."""
        return z


@dataclass(frozen=True)
class MeanLens:
    """The weighted mean of masses: as κ is linear in the deflection, that of all their maps."""

    lenses: tuple[Lens, ...]
    weights: tuple[float, ...]

    @property
    def plane(self) -> LensPlane:
        return self.lenses[0].plane

    def deflection(self, x: Tensor, y: Tensor) -> Pair:
        """Deflection (arcsec) at places of any shape."""
        ax, ay = torch.zeros_like(x), torch.zeros_like(y)
        for lens, weight in zip(self.lenses, self.weights, strict=True):
            part = lens.deflection(x, y)
            ax, ay = ax + weight * part[0], ay + weight * part[1]
        return ax, ay


@dataclass(frozen=True)
class Profiles:
    """dPIE profiles with their scaling, summed.

    Attributes
    ----------
    x, y, axis_ratio, angle : Tensor of shape (m,)
    """

    x: Tensor
    y: Tensor
    axis_ratio: Tensor
    angle: Tensor

    @classmethod
    def of_members(cls, members: Sequence[Member]) -> Profiles:
        """Places and shapes of galaxies."""
        rows = [(m.x, m.y, m.axis_ratio, m.angle) for m in members]
        return cls(*torch.tensor(rows, dtype=torch.float64).reshape(-1, 4).T)

    def deflection(self, x: Tensor, y: Tensor, b: Tensor, core: Tensor, cut: Tensor) -> Pair:
        """Sum of the deflections (k, n) at (k, n); b, core and cut have the shape (k, m)."""
        ax, ay = dpie_deflection(
            x[..., None] - self.x,
            y[..., None] - self.y,
            b[:, None, :],
            core[:, None, :],
            cut[:, None, :],
            self.axis_ratio,
            self.angle,
        )
        return ax.sum(dim=-1), ay.sum(dim=-1)


def luminosities(members: Sequence[Member], reference_mag: float) -> Float64Array:
    """Luminosities (m,) over that of the reference magnitude."""
    return 10 ** (-0.4 * (np.array([m.magnitude for m in members]) - reference_mag))


def default_reference_mag(members: Sequence[Member]) -> float:
    """1.5 mag below the brightest member, about an L* galaxy where that is the central one."""
    if not members:
        raise BadInputError("There are no members: name a table of them, or give [[halo]].")
    return min(m.magnitude for m in members) + 1.5


def einstein_arcsec(sigma_km_s: Tensor) -> Tensor:
    """4π (σ/c)² in arcsec."""
    return SIS_ARCSEC * sigma_km_s**2
