"""The fit of a mass model to families of images: in the source plane, then in the image plane."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from scipy.optimize import OptimizeResult, least_squares
from torch import Tensor

from lensing_core.arrays import Float64Array
from lensing_core.cluster_model.families import Constraints, Family
from lensing_core.cluster_model.mass import FixedModel, Lens, MassModel, ModelLens
from lensing_core.errors import BadInputError
from lensing_core.physics.point_images import Deflection

_STEP_ARCSEC = 1e-3
_DAMPING = 0.05  # of A, so that magnifications count up to 1/(2 · 0.05)
_ITERATIONS = 6
_LONGEST_STEP_ARCSEC = 3.0
_FARTHEST_ARCSEC = 20.0
_PARAMETER_STEP = 1e-5
_TRIES, _TRIES_AT_ONCE = 96, 16
_SCATTER = 0.8
_EVALUATIONS = 100
_IMAGE_STARTS = 2


@dataclass(frozen=True)
class Fit:
    """A mass model fitted to families.

    Attributes
    ----------
    lens : Lens
        The best mass.
    model : MassModel
    values : ndarray of shape (p,)
        Its parameters.
    families : tuple of Family
    ratios : ndarray of shape (f,)
        D_ls / D_s of each family.
    sources : ndarray of shape (f, 2)
        Places of the sources, arcsec.
    normalized : ndarray of shape (d,)
        Best parameters as the priors normalize them: those of the mass, then of the free ratios.
    covariance : ndarray of shape (d, d)
        Of the normalized parameters, from the Hessian of χ² and priors, times the reduced χ² where
        that is above 1.
    chi2, prior_chi2 : float
        Of the images, and of the priors.
    constraints, n_parameters : int
        Coordinates of images less those of sources; free parameters.
    """

    lens: Lens
    model: MassModel
    values: Float64Array
    families: tuple[Family, ...]
    ratios: Float64Array
    sources: Float64Array
    normalized: Float64Array
    covariance: Float64Array
    chi2: float
    prior_chi2: float
    constraints: int
    n_parameters: int

    @property
    def errors(self) -> Float64Array:
        """Standard deviations (d,) of the mass's parameters, in their own units."""
        d = len(self.model.parameters)
        spread = np.sqrt(np.diag(self.covariance)[:d])
        width = np.array([p.width for p in self.model.parameters])
        scale = np.where([p.logarithmic for p in self.model.parameters], self.values, 1.0)
        return np.asarray(spread * width * scale)

    def draws(self, n: int, seed: int) -> tuple[list[ModelLens], Float64Array]:
        """Masses of the normal approximation of the posterior, and their ratios (n, f)."""
        rng = np.random.default_rng(seed)
        drawn = rng.multivariate_normal(self.normalized, self.covariance, size=n, method="eigh")
        d = len(self.model.parameters)
        z = torch.from_numpy(drawn)
        lenses = [ModelLens(self.model, row.numpy()) for row in self.model.values(z[:, :d])]
        ratios = Constraints(self.families, self.model.plane).ratios(z[:, d:])
        return lenses, ratios.numpy()


def fit(model: MassModel, families: Sequence[Family], *, starts: int = 8, seed: int = 1) -> Fit:
    """Fit a mass model.

    Of some tens of draws from the priors the best begin. The source plane comes first (distances
    in the source plane times the magnification tensor: Oguri 2010, PASJ 62, 1017); the best go on
    in the image plane, where the images of the source are found by Newton's method from the
    observed ones on. Sources are where χ² is least, for every mass. Minimized by the trust region
    method of scipy's ``least_squares``.

    Raises
    ------
    BadInputError
        If the families do not constrain a mass.
    """
    problem = _Problem(model, Constraints(families, model.plane))
    if problem.size == 0:
        return problem.result(np.empty(0))
    rng = np.random.default_rng(seed)
    tries = torch.from_numpy(_SCATTER * rng.standard_normal((_TRIES, problem.size)))
    tries[0] = 0
    cost = torch.cat(
        [_half_square(problem.in_source_plane(t)) for t in tries.split(_TRIES_AT_ONCE)]
    )
    begun = [tries[k].numpy() for k in torch.argsort(cost)[:starts]]
    near = sorted((problem.solve(problem.in_source_plane, z) for z in begun), key=_cost)
    best = min(
        (problem.solve(problem.in_image_plane, found.x) for found in near[:_IMAGE_STARTS]),
        key=_cost,
    )
    return problem.result(np.asarray(best.x))


def _cost(found: OptimizeResult) -> float:
    return float(found.cost)


def _half_square(residuals: Tensor) -> Tensor:
    return 0.5 * (residuals**2).sum(dim=1)


class _Problem:
    """Residuals of images and priors for many sets of normalized parameters at once."""

    def __init__(self, model: MassModel, constraints: Constraints) -> None:
        self.model, self.data = model, constraints
        self.size = len(model.parameters) + len(constraints.free)

    def solve(self, residuals: Callable[[Tensor], Tensor], z: Float64Array) -> OptimizeResult:
        """The minimum of the sum of squares near ``z``."""
        found = least_squares(
            lambda at: residuals(torch.from_numpy(at)[None])[0].numpy(),
            z,
            jac=lambda at: self.slopes(residuals, at),
            max_nfev=_EVALUATIONS,
            xtol=1e-8,
            ftol=1e-8,
        )
        if not np.isfinite(found.cost):
            raise BadInputError("The fit has no finite χ²: check positions, members and halos.")
        return found

    def slopes(self, residuals: Callable[[Tensor], Tensor], z: Float64Array) -> Float64Array:
        """Derivatives (residual, parameter) by central differences, all at once."""
        steps = _PARAMETER_STEP * torch.eye(self.size, dtype=torch.float64)
        at = torch.from_numpy(np.asarray(z, dtype=np.float64))
        ahead, behind = residuals(torch.cat([at + steps, at - steps])).split(self.size)
        return np.asarray(((ahead - behind) / (2 * _PARAMETER_STEP)).T.numpy())

    def in_source_plane(self, z: Tensor) -> Tensor:
        """Residuals (k, …): images where the source's mean sends them to first order."""
        field, ratios = self._split(z)
        beta, inverse = self._rays(field, ratios, *self._observed(z))
        step, _ = self._towards_source(beta, inverse, torch.zeros_like(beta))
        return self._residuals(step, z)

    def in_image_plane(self, z: Tensor) -> Tensor:
        """Residuals (k, …): images of the sources, each found from the observed one on."""
        return self._residuals(self._images(z)[0], z)

    def _images(self, z: Tensor) -> tuple[Tensor, Tensor]:
        """Offsets (k, n, 2) of the model's images from the observed; sources (k, f, 2)."""
        field, ratios = self._split(z)
        x, y = self._observed(z)
        moved = torch.zeros(*x.shape, 2, dtype=torch.float64)
        for _ in range(_ITERATIONS):
            beta, inverse = self._rays(field, ratios, x + moved[..., 0], y + moved[..., 1])
            step, source = self._towards_source(beta, inverse, moved)
            length = step.norm(dim=-1, keepdim=True).clamp(min=1e-12)
            moved = moved + step * (_LONGEST_STEP_ARCSEC / length).clamp(max=1)
        return moved.clamp(-_FARTHEST_ARCSEC, _FARTHEST_ARCSEC), source

    def _split(self, z: Tensor) -> tuple[Deflection, Tensor]:
        d = len(self.model.parameters)
        ratios = self.data.ratios(z[:, d:])
        return self.model.field(self.model.values(z[:, :d])), ratios[:, self.data.family]

    def _observed(self, z: Tensor) -> tuple[Tensor, Tensor]:
        return self.data.x.expand(len(z), -1), self.data.y.expand(len(z), -1)

    def _rays(
        self, field: Deflection, ratios: Tensor, x: Tensor, y: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Places (k, n, 2) in the source plane, and damped inverses (k, n, 2, 2) of A."""
        h, n = _STEP_ARCSEC, x.shape[1]
        ax, ay = field(
            torch.cat([x, x + h, x - h, x, x], dim=1),
            torch.cat([y, y, y, y + h, y - h], dim=1),
        )
        alpha = torch.stack([ax, ay], dim=-1).reshape(len(x), 5, n, 2) * ratios[:, None, :, None]
        by_x = (alpha[:, 1] - alpha[:, 2]) / (2 * h)
        by_y = (alpha[:, 3] - alpha[:, 4]) / (2 * h)
        eye = torch.eye(2, dtype=torch.float64)
        a = eye - torch.stack([by_x, by_y], dim=-1)
        turned = a.transpose(-1, -2)
        inverse = torch.linalg.solve(turned @ a + _DAMPING**2 * eye, turned)
        return torch.stack([x, y], dim=-1) - alpha[:, 0], inverse

    def _towards_source(
        self, beta: Tensor, inverse: Tensor, moved: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Steps (k, n, 2) of images to their sources' images, and the best sources (k, f, 2)."""
        weight = inverse / self.data.error[:, None, None]
        goal = (inverse @ beta[..., None])[..., 0] - moved
        goal = goal / self.data.error[:, None]
        normal = weight.transpose(-1, -2) @ weight
        right = (weight.transpose(-1, -2) @ goal[..., None])[..., 0]
        left = torch.einsum("fn,knij->kfij", self.data.member_of, normal)
        source = torch.linalg.solve(left, torch.einsum("fn,kni->kfi", self.data.member_of, right))
        miss = source[:, self.data.family] - beta
        return (inverse @ miss[..., None])[..., 0], source

    def _residuals(self, moved: Tensor, z: Tensor) -> Tensor:
        return torch.cat([(moved / self.data.error[:, None]).flatten(1), z], dim=1)

    def result(self, z: Float64Array) -> Fit:
        """Fit with the parameters in their units."""
        at = torch.from_numpy(z)[None]
        moved, sources = self._images(at)
        chi2 = float(((moved / self.data.error[:, None]) ** 2).sum())
        slopes = self.slopes(self.in_image_plane, z) if self.size else np.empty((1, 0))
        excess = max(1.0, chi2 / max(1, self.data.count))
        d = len(self.model.parameters)
        values = self.model.values(at[:, :d])[0].numpy()
        lens: Lens = ModelLens(self.model, values)
        return Fit(
            lens=self.model.lens if isinstance(self.model, FixedModel) else lens,
            model=self.model,
            values=values,
            families=self.data.families,
            ratios=self.data.ratios(at[:, d:])[0].numpy(),
            sources=sources[0].numpy(),
            normalized=z,
            covariance=np.asarray(np.linalg.inv(slopes.T @ slopes) * excess),
            chi2=chi2,
            prior_chi2=float((z**2).sum()),
            constraints=self.data.count,
            n_parameters=self.size,
        )


def degrees_of_freedom(fitted: Fit) -> int:
    """Constraints less parameters; below 1, priors decide."""
    return fitted.constraints - fitted.n_parameters


def reduced_chi2(fitted: Fit) -> float:
    """χ² of images and priors over the constraints: each parameter's prior is a datum."""
    return (
        (fitted.chi2 + fitted.prior_chi2) / fitted.constraints if fitted.constraints else math.nan
    )
