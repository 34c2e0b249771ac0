"""Likelihood of lens models with the amplitudes of light integrated out, for many at once.

The data d of a band are a f + F c + noise of covariance W⁻¹, with f the blurred picture of the
lensed source of unit amplitude and F the pictures of the galaxy's light (profile, its derivatives,
a constant), whose amplitudes c have a Gaussian prior of precision Λ (0 where they are free). With
M = FᵀWF + Λ, and u = g / s from g = fᵀWd − fᵀWF M⁻¹ FᵀWd and s² = fᵀWf − fᵀWF M⁻¹ FᵀWf, the
integral over c and over a ≥ 0 (Hogg, Price-Whelan & Leistedt 2020, arXiv:2005.14199, products of
Gaussians) is, up to what does not depend on the model,

    ln L = −(dᵀWd − dᵀWF M⁻¹ FᵀWd) / 2 + u² / 2 + ln Φ(u),

if the prior of a is Jeffreys', p(a) ∝ s, which prefers no size of the source over another. The
first two terms are −χ²/2 of variable projection (:mod:`lensing_core.lens_test.fitting`); Φ, the
normal distribution, is 1 wherever the source is seen at all.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from lensing_core.lens_test import shapes
from lensing_core.lens_test.fitting import Problem

_AT_ONCE = 24  # models: their pictures stay in the cache
_RIDGE = 1e-9


class LensLikelihood:
    """Likelihood of parameters of a lens.

    Parameters
    ----------
    problem : Problem
        Of one start; its first part is a lens with its source, see
        :func:`~lensing_core.lens_test.shapes.lensed_source`. Its priors are not asked.
    """

    def __init__(self, problem: Problem) -> None:
        self._grid = problem.grid
        self.x, self.y = problem.grid.points()
        self._transfer = problem.grid.transfer()
        self._weight = problem.weight[0, :, None].double()  # (band, 1, y, x)
        fixed = (problem.fixed[0].double() * self._weight).flatten(2)
        target = (problem.data[0] * problem.weight[0]).double().flatten(1)
        sigma = problem.fixed_sigma[0].double()
        precision = torch.where(
            torch.isfinite(sigma), sigma**-2, torch.zeros((), dtype=sigma.dtype)
        )
        normal = fixed @ fixed.transpose(-1, -2)
        diagonal = torch.diagonal(normal, dim1=-2, dim2=-1)
        normal = normal + torch.diag_embed(precision + _RIDGE * diagonal + 1e-12)
        self._inverse = torch.linalg.inv(normal)
        right = (fixed @ target[..., None])[..., 0]
        self._amplitudes = (self._inverse @ right[..., None])[..., 0]
        self.chi2_alone = float((target**2).sum() - (right * self._amplitudes).sum())
        self._fixed, self._target = fixed, target

    def __call__(self, parameters: NDArray[np.float64]) -> NDArray[np.float64]:
        """ln L of parameters (n, parameter); shape (n,)."""
        _, g, s2 = self._projected(parameters)
        u = g / torch.sqrt(s2)
        log_l = (u**2 / 2 + torch.special.log_ndtr(u)).sum(dim=1) - self.chi2_alone / 2
        return np.asarray(torch.nan_to_num(log_l, nan=-1e30).numpy())

    def chi2(self, parameters: NDArray[np.float64]) -> NDArray[np.float64]:
        """χ² at the best amplitudes, with what their priors add; shape (n,)."""
        _, g, s2 = self._projected(parameters)
        gain = torch.where(g > 0, g**2 / s2, torch.zeros(()).double()).sum(dim=1)
        return np.asarray(self.chi2_alone - gain.numpy())

    def amplitudes(
        self, parameters: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Best amplitudes of the source (n, band) and of the galaxy's pictures (n, band, k)."""
        along, g, s2 = self._projected(parameters)
        source = (g / s2).clamp_min(0)
        others = self._amplitudes - source[..., None] * torch.einsum(
            "nbk,bkj->nbj", along, self._inverse
        )
        return source.numpy(), others.numpy()

    def lensed_flux(self, parameters: NDArray[np.float64]) -> NDArray[np.float64]:
        """Flux of the lensed source of unit amplitude on all points, amplitude times arcsec²."""
        step = float(self.x[0, 1] - self.x[0, 0])
        flux = [self._shapes(part).double().sum(dim=(1, 2)) for part in _parts(parameters)]
        return np.asarray(torch.cat(flux).numpy() * step**2)

    def _shapes(self, parameters: Tensor) -> Tensor:
        return shapes.lensed_source(parameters.T[..., None, None], self.x, self.y)

    def _projected(self, parameters: NDArray[np.float64]) -> tuple[Tensor, Tensor, Tensor]:
        """FᵀWf (n, band, k), and g and s² (n, band) of the module's docstring."""
        along, g, s2 = [], [], []
        for part in _parts(parameters):
            seen = self._grid.observe(self._shapes(part), self._transfer)
            source = (seen.double() * self._weight[:, 0]).flatten(2)  # (n, band, pixel)
            mixed = torch.einsum("nbp,bkp->nbk", source, self._fixed)
            along.append(mixed)
            g.append(
                torch.einsum("nbp,bp->nb", source, self._target)
                - torch.einsum("nbk,bk->nb", mixed, self._amplitudes)
            )
            held = torch.einsum("nbk,bkj,nbj->nb", mixed, self._inverse, mixed)
            s2.append(((source**2).sum(dim=2) - held).clamp_min(1e-300))
        return torch.cat(along), torch.cat(g), torch.cat(s2)


def _parts(parameters: NDArray[np.float64]) -> tuple[Tensor, ...]:
    whole = torch.from_numpy(np.ascontiguousarray(parameters, dtype=np.float32))
    return torch.split(whole, _AT_ONCE)
