"""The parametric model: halos, members scaled by their luminosity, external shear."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal, get_args

import torch
from torch import Tensor

from lensing_core.cluster_model.mass import (
    SHEAR,
    MassModel,
    Member,
    Parameter,
    Profiles,
    einstein_arcsec,
    luminosities,
)
from lensing_core.cluster_model.planes import OVERDENSITY, LensPlane
from lensing_core.cluster_model.profiles import (
    Pair,
    dpie_deflection,
    nfw_deflection,
    nfw_scales,
    shear_deflection,
)
from lensing_core.errors import BadInputError
from lensing_core.physics.point_images import Deflection

HaloProfile = Literal["piemd", "nfw"]
MEMBER_CORE_KPC = 0.15
"""Core of a member at the reference magnitude; it scales as the cut radius does."""
_ELLIPTICITY_WIDTH = 0.15
_MOST_ELLIPTICITY = 0.6


@dataclass(frozen=True)
class Halo:
    """A halo of the cluster, with the middles of its priors.

    Attributes
    ----------
    name : str
    x, y : float
        Arcsec.
    profile : {'piemd', 'nfw'}
    position_width_arcsec : float
        Of the prior of its center.
    sigma_km_s, core_kpc, cut_kpc : float
        Of a PIEMD; the cut radius is fixed, as images of strong lensing do not know it.
    mass_msun, concentration : float
        M_200 and c_200 of an NFW halo.
    """

    name: str
    x: float
    y: float
    profile: HaloProfile = "piemd"
    position_width_arcsec: float = 3.0
    sigma_km_s: float = 800.0
    core_kpc: float = 50.0
    cut_kpc: float = 1000.0
    mass_msun: float = 8e14
    concentration: float = 5.0

    def __post_init__(self) -> None:
        if self.profile not in get_args(HaloProfile):
            raise BadInputError(
                f"Halo {self.name}: profile {self.profile!r} is not known; use piemd or nfw."
            )
        for name in ("position_width_arcsec", "sigma_km_s", "core_kpc", "cut_kpc", "mass_msun",
                     "concentration"):  # fmt: skip
            if not getattr(self, name) > 0:
                raise BadInputError(
                    f"Halo {self.name}: {name} is {getattr(self, name)}; give a number above 0."
                )
        if self.cut_kpc <= self.core_kpc:
            raise BadInputError(
                f"Halo {self.name}: cut_kpc {self.cut_kpc:g} is not above core_kpc "
                f"{self.core_kpc:g}."
            )

    def parameters(self) -> tuple[Parameter, ...]:
        """Position, ellipticity, and two of the profile."""
        name, width = self.name, self.position_width_arcsec
        sizes = (
            (
                Parameter(f"{name}: sigma", "km/s", self.sigma_km_s, 0.5, True),
                Parameter(f"{name}: core", "kpc", self.core_kpc, 0.6, True),
            )
            if self.profile == "piemd"
            else (
                Parameter(f"{name}: M200", "Msun", self.mass_msun, 1.0, True),
                # Scatter of concentrations at fixed mass (Duffy et al. 2008, MNRAS 390, L64).
                Parameter(f"{name}: c200", "", self.concentration, 0.4, True),
            )
        )
        return (
            Parameter(f"{name}: x", "arcsec", self.x, width),
            Parameter(f"{name}: y", "arcsec", self.y, width),
            Parameter(f"{name}: e1", "", 0.0, _ELLIPTICITY_WIDTH),
            Parameter(f"{name}: e2", "", 0.0, _ELLIPTICITY_WIDTH),
            *sizes,
        )


class ParametricModel(MassModel):
    """PIEMD or NFW halos, members with σ ∝ L^(1/4) and r_cut ∝ L^(1/2), external shear.

    The scaling of the members is that of a constant mass-to-light ratio (Brainerd, Blandford &
    Smail 1996, ApJ 466, 623; Jullo et al. 2007, New J. Phys. 9, 447). Ellipticities are
    e = (1−q)/(1+q) with components along 2φ, pressed below 0.6.

    Parameters
    ----------
    members : sequence of Member
    reference_mag : float
        Of the galaxy whose σ and r_cut are fitted.
    shear : bool, optional
    """

    kind = "parametric"

    def __init__(
        self,
        plane: LensPlane,
        halos: Sequence[Halo],
        members: Sequence[Member] = (),
        *,
        reference_mag: float = 0.0,
        shear: bool = True,
    ) -> None:
        if not (halos or members):
            raise BadInputError("A mass model needs a halo or a member.")
        self.plane, self.halos = plane, tuple(halos)
        self.members, self.shear = tuple(members), shear
        self._profiles = Profiles.of_members(members)
        self._light = torch.from_numpy(luminosities(members, reference_mag))
        self._free = [k for k, member in enumerate(members) if member.free]
        self.components = max(1, len(members)) + 32 * len(self.halos)
        scaled = (
            Parameter("members: sigma", "km/s", 180.0, 0.25, True),
            Parameter("members: cut", "kpc", 40.0, 0.5, True),
        )
        self.parameters = (
            *(parameter for halo in self.halos for parameter in halo.parameters()),
            *(scaled if self.members else ()),
            *(Parameter(f"{members[k].name}: weight", "", 1.0, 0.5, True) for k in self._free),
            *(SHEAR if shear else ()),
        )

    def field(self, values: Tensor) -> Deflection:
        """The deflections; see :class:`~lensing_core.cluster_model.mass.MassModel`."""
        return partial(self._deflection, values)

    def _deflection(self, values: Tensor, x: Tensor, y: Tensor) -> Pair:
        columns = iter(values.T)
        ax, ay = torch.zeros_like(x), torch.zeros_like(y)
        for halo in self.halos:
            part = self._halo(halo, [next(columns)[:, None] for _ in range(6)], x, y)
            ax, ay = ax + part[0], ay + part[1]
        if self.members:
            sigma, cut = next(columns)[:, None], next(columns)[:, None]
            weight = self._light.expand(len(values), -1)
            b = einstein_arcsec(sigma) * torch.sqrt(weight)
            if self._free:
                own = torch.ones_like(b)
                own[:, self._free] = torch.stack([next(columns) for _ in self._free], dim=1)
                b = b * own
            size = torch.sqrt(weight) / self.plane.kpc_per_arcsec
            core = MEMBER_CORE_KPC * size
            part = self._profiles.deflection(x, y, b, core, cut * size + core)
            ax, ay = ax + part[0], ay + part[1]
        if self.shear:
            part = shear_deflection(x, y, next(columns)[:, None], next(columns)[:, None])
            ax, ay = ax + part[0], ay + part[1]
        return ax, ay

    def _halo(self, halo: Halo, values: Sequence[Tensor], x: Tensor, y: Tensor) -> Pair:
        x0, y0, e1, e2, first, second = values
        q, angle = axis_ratio(e1, e2)
        if halo.profile == "piemd":
            cut = torch.full_like(first, halo.cut_kpc / self.plane.kpc_per_arcsec)
            core = second / self.plane.kpc_per_arcsec
            return dpie_deflection(x - x0, y - y0, einstein_arcsec(first), core, cut, q, angle)
        kappa_s, scale = nfw_scales(
            first,
            second,
            distance_mpc=self.plane.distance_mpc,
            critical_density=self.plane.critical_density,
            critical_surface_density=self.plane.critical_surface_density,
            overdensity=OVERDENSITY,
        )
        return nfw_deflection(x - x0, y - y0, kappa_s, scale, q, angle)


def axis_ratio(e1: Tensor, e2: Tensor) -> Pair:
    """q and the major axis' direction of components of e = (1−q)/(1+q), pressed below 0.6."""
    e = torch.sqrt(e1**2 + e2**2 + 1e-12)
    pressed = _MOST_ELLIPTICITY * torch.tanh(e / _MOST_ELLIPTICITY)
    return (1 - pressed) / (1 + pressed), torch.atan2(e2, e1) / 2
