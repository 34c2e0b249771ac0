"""The light-traces-mass model: mass as the members' light, and the same smoothed, with shear."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from lensing_core.cluster_model.mass import SHEAR, MassModel, Member, Parameter, luminosities
from lensing_core.cluster_model.planes import LensPlane
from lensing_core.cluster_model.profiles import (
    Pair,
    RadialTable,
    gaussians_of_power_law,
    pull_of_gaussians,
    shear_deflection,
    smoothed,
)
from lensing_core.errors import BadInputError
from lensing_core.physics.point_images import Deflection

CUT_KPC = 1000.0
"""Gaussian cut of each galaxy's power law, so that the mass is finite."""
SLOPES = (0.4, 1.8)
_SCALE_ARCSEC = 30.0


class LightTracesMassModel(MassModel):
    """Members as power laws, and the same smoothed by a Gaussian kernel as the dark matter.

    After Broadhurst et al. (2005, ApJ 621, 53) and Zitrin et al. (2009, MNRAS 396, 1985; 2015, ApJ
    801, 44): κ = K Σ_i L_i [g κ_i + (1 − g) κ_i ∗ G(S)] with κ_i ∝ |θ − θ_i|^−n, and an external
    shear. Their smoothing runs on a grid; here the power law is a sum of Gaussians, whose
    convolution and deflection are known, so that no grid and no border enters.

    The strength K is that of θ_E: the radius within which the smoothed and unsmoothed masses
    together, were they all at one place, have a mean κ of 1 for D_ls / D_s = 1.

    Parameters
    ----------
    members : sequence of Member
        Their shapes are not used.
    reference_mag : float
        Only sets the unit of luminosities.
    shear : bool, optional
    """

    kind = "light_traces_mass"

    def __init__(
        self,
        plane: LensPlane,
        members: Sequence[Member],
        *,
        reference_mag: float = 0.0,
        shear: bool = True,
    ) -> None:
        if not members:
            raise BadInputError("Light that traces mass needs members: name a table of them.")
        self.plane, self.members, self.shear = plane, tuple(members), shear
        rows = [(m.x, m.y) for m in members]
        self._x, self._y = torch.tensor(rows, dtype=torch.float64).T
        light = torch.from_numpy(luminosities(members, reference_mag))
        self._light = light / light.sum()
        self._free = [k for k, member in enumerate(members) if member.free]
        self._cut = CUT_KPC / plane.kpc_per_arcsec
        self.components = len(members)
        self.parameters = (
            Parameter("strength", "arcsec", _SCALE_ARCSEC, 0.7, True),
            Parameter("slope", "", 1.1, 0.25),
            Parameter("kernel", "kpc", 60.0, 0.7, True),
            Parameter("galaxies' share", "", 0.1, 0.8, True),
            *(Parameter(f"{members[k].name}: weight", "", 1.0, 0.5, True) for k in self._free),
            *(SHEAR if shear else ()),
        )

    def field(self, values: Tensor) -> Deflection:
        """The deflections; see :class:`~lensing_core.cluster_model.mass.MassModel`."""
        columns = iter(values.T)
        pull = self._pull(*(next(columns) for _ in range(4)))
        light = self._light.expand(len(values), -1)
        if self._free:
            own = torch.ones_like(light)
            own[:, self._free] = torch.stack([next(columns) for _ in self._free], dim=1)
            light = light * own
        shear = [next(columns)[:, None] for _ in SHEAR] if self.shear else []

        def deflection(x: Tensor, y: Tensor) -> Pair:
            dx, dy = x[..., None] - self._x, y[..., None] - self._y
            strength = pull(dx**2 + dy**2) * light[:, None, :]
            ax, ay = (strength * dx).sum(dim=-1), (strength * dy).sum(dim=-1)
            if shear:
                part = shear_deflection(x, y, *shear)
                ax, ay = ax + part[0], ay + part[1]
            return ax, ay

        return deflection

    def _pull(self, strength: Tensor, slope: Tensor, kernel: Tensor, share: Tensor) -> RadialTable:
        """α(r)/r of a galaxy that has all the light."""
        width, amplitude = gaussians_of_power_law(slope.clamp(*SLOPES), self._cut)
        wide = smoothed(width, amplitude, kernel / self.plane.kpc_per_arcsec)
        # A share in (0, 1), equal to the parameter where that is small.
        g = (share / (1 + share))[:, None]
        nodes = torch.exp(RadialTable.nodes())[None, :, None]
        at = (strength**2)[:, None, None]

        def both(r_squared: Tensor) -> Pair:
            own = pull_of_gaussians(r_squared, width[:, None], amplitude[:, None])
            dark = pull_of_gaussians(r_squared, wide[0][:, None], wide[1][:, None])
            return g * own[0] + (1 - g) * dark[0], g * own[1] + (1 - g) * dark[1]

        values, slopes = both(nodes)
        scale = both(at)[0]  # the mean convergence within the strength's radius
        return RadialTable(values / scale, slopes / scale)
