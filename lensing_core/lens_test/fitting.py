"""Least squares by variable projection, for many starts in one tensor program.

The model of band b is Σ_c a_cb (P_b * S_c(p)) + Σ_k f_kb F_kb: shapes S_c of nonlinear parameters p
blurred by the PSF P_b, and fixed pictures F. Amplitudes a and f are linear and solved exactly at
every step, so that the search runs over p alone (Golub & Pereyra 1973, SIAM J. Numer. Anal. 10,
413; the Jacobian is Kaufman's 1975, BIT 15, 49, which leaves out the derivative of the projector's
second part). The steps are Levenberg-Marquardt's, with a damping of its own for every start.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from scipy.fft import next_fast_len
from torch import Tensor

Shape = Callable[[Tensor, Tensor, Tensor], Tensor]
"""(parameters (n, start, 1, 1), x, y) → brightness (start, y, x)."""

_DAMPING = (1e-2, 1e-7, 1e7)
_RIDGE = 1e-6
_CORRIDOR = 1.5  # standard deviations of the prior, the longest step


@dataclass(frozen=True)
class Grid:
    """Points at which shapes are computed: ``oversampling`` × ``oversampling`` in a pixel.

    ``margin_px`` around the picture is computed and cut off, so that what stands outside is blurred
    in.
    """

    size_px: int
    scale_arcsec: float
    margin_px: int
    oversampling: int
    kernels: Tensor
    """(band, py, px), odd-sized, of sum 1."""

    def points(self) -> tuple[Tensor, Tensor]:
        """x and y of all points, arcsec from the picture's center."""
        n = (self.size_px + 2 * self.margin_px) * self.oversampling
        step = self.scale_arcsec / self.oversampling
        axis = (torch.arange(n, dtype=torch.float32) - (n - 1) / 2) * step
        x, y = torch.meshgrid(axis, axis, indexing="xy")
        return x, y

    def transfer(self) -> Tensor:
        """Fourier transforms of the kernels, centered."""
        n = self._fast
        height, width = self.kernels.shape[-2:]
        padded = torch.zeros(len(self.kernels), n, n)
        padded[:, :height, :width] = self.kernels
        return torch.fft.rfft2(torch.roll(padded, (-(height // 2), -(width // 2)), dims=(-2, -1)))

    @property
    def _fast(self) -> int:
        side = self.size_px + 2 * self.margin_px
        return int(next_fast_len(side + self.kernels.shape[-1] // 2, real=True))

    def observe(self, shapes: Tensor, transfer: Tensor) -> Tensor:
        """Pixels (…, band, y, x) of brightness at points (…, y, x), blurred."""
        lead = shapes.shape[:-2]
        flat = shapes.reshape(-1, 1, *shapes.shape[-2:])
        if self.oversampling > 1:
            flat = torch.nn.functional.avg_pool2d(flat, self.oversampling)
        n, keep = self._fast, slice(self.margin_px, self.margin_px + self.size_px)
        blurred = torch.fft.irfft2(torch.fft.rfft2(flat, s=(n, n)) * transfer, s=(n, n))
        blurred = blurred[..., keep, keep]
        return blurred.reshape(*lead, *blurred.shape[1:])


@dataclass(frozen=True)
class Part:
    """A shape with parameters and amplitudes of its own.

    Attributes
    ----------
    shape : Shape
    n : int
        How many parameters it takes.
    """

    shape: Shape
    n: int


@dataclass(frozen=True)
class Problem:
    """Model and data of a fit.

    Attributes
    ----------
    data, weight : Tensor of shape (1 or start, band, y, x)
        Flux and 1 / σ, 0 where a pixel does not count.
    grid : Grid
    parts : tuple of Part
        Their parameters follow each other in the vector.
    prior_mean, prior_sigma : Tensor of shape (1 or start, parameter)
        Gaussian.
    fixed : Tensor of shape (1 or start, band, k, y, x)
        Pictures with free amplitudes.
    fixed_sigma : Tensor of shape (1 or start, band, k)
        Of a Gaussian prior around 0 of those amplitudes; infinite where there is none.
    """

    data: Tensor
    weight: Tensor
    grid: Grid
    parts: tuple[Part, ...]
    prior_mean: Tensor
    prior_sigma: Tensor
    fixed: Tensor
    fixed_sigma: Tensor


@dataclass(frozen=True)
class State:
    """Starts (n) somewhere on their way.

    Attributes
    ----------
    parameters : Tensor of shape (start, parameter)
    cost : Tensor of shape (start,)
        χ² with what the priors of parameters and amplitudes add.
    amplitudes : Tensor of shape (start, band, part)
    others : Tensor of shape (start, band, k)
        Amplitudes of the fixed pictures.
    pictures : Tensor of shape (start, band, part, y, x)
        Of unit amplitude, blurred.
    """

    parameters: Tensor
    cost: Tensor
    amplitudes: Tensor
    others: Tensor
    pictures: Tensor

    def best(self) -> State:
        """The start of least cost, alone."""
        return self.only(torch.argmin(self.cost)[None])

    def only(self, which: Tensor) -> State:
        """Some of the starts."""
        return State(
            self.parameters[which],
            self.cost[which],
            self.amplitudes[which],
            self.others[which],
            self.pictures[which],
        )

    def light(self) -> Tensor:
        """Light of the parts together, (start, band, y, x)."""
        return torch.einsum("sbc,sbcyx->sbyx", self.amplitudes, self.pictures)


class Fitter:
    """A :class:`Problem` with what is computed once."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.x, self.y = problem.grid.points()
        self.transfer = problem.grid.transfer()
        self.fixed = problem.fixed * problem.weight[:, :, None]
        self.target = problem.data * problem.weight
        sigma = problem.fixed_sigma
        self.ridge = torch.where(torch.isfinite(sigma), sigma**-2, torch.zeros(()))

    def evaluate(self, parameters: Tensor) -> State:
        """Amplitudes and cost at given parameters (start, parameter)."""
        return self._solve(parameters, self._pictures(self._shapes(parameters)))[0]

    def solve(self, parameters: Tensor, pictures: Tensor) -> State:
        """Amplitudes and cost of given pictures (start, band, part, y, x)."""
        return self._solve(parameters, pictures)[0]

    def minimize(self, parameters: Tensor, steps: int, tolerance: float = 1e-4) -> State:
        """Levenberg-Marquardt from each start, until no cost falls by more than ``tolerance``."""
        state, normal, gradient = self._linearize(parameters)
        damping = torch.full_like(state.cost, _DAMPING[0])
        calm = 0
        for _ in range(steps):
            diagonal = torch.diagonal(normal, dim1=-2, dim2=-1)
            damped = normal + torch.diag_embed(diagonal * damping[:, None] + 1e-9)
            step = torch.linalg.solve(damped, -gradient)
            longest = _CORRIDOR * self.problem.prior_sigma
            step = step * (longest / step.abs().clamp_min(1e-12)).amin(dim=-1).clamp_max(1)[:, None]
            there, its_normal, its_gradient = self._linearize(state.parameters + step.float())
            better = there.cost < state.cost
            gain = torch.where(better, state.cost - there.cost, 0.0)
            state = _where(better, there, state)
            normal = torch.where(better[:, None, None], its_normal, normal)
            gradient = torch.where(better[:, None], its_gradient, gradient)
            damping = torch.where(better, damping * 0.2, damping * 6).clamp(*_DAMPING[1:])
            moved = bool((gain > tolerance * (1 + state.cost)).any())
            calm = 0 if moved else calm + 1
            if calm >= 3:
                break
        return state

    def covariance(self, parameters: Tensor) -> Tensor:
        """Inverse of the Fisher matrix at parameters (start, parameter), priors included."""
        _, normal, _ = self._linearize(parameters)
        return torch.linalg.inv(normal)

    def derivatives(self, parameters: Tensor) -> Tensor:
        """Blurred pictures of what a change of each parameter adds to unit amplitude.

        Shape (start, band, parameter, y, x).
        """
        _, slopes = self._slopes(parameters)
        seen = [self.problem.grid.observe(slope, self.transfer) for slope in slopes]
        return torch.cat(seen, dim=1).transpose(1, 2)

    # --- the parts of a step ------------------------------------------------------------------

    def _shapes(self, parameters: Tensor) -> list[Tensor]:
        found, first = [], 0
        for part in self.problem.parts:
            own = parameters[:, first : first + part.n].T[..., None, None]
            found.append(part.shape(own, self.x, self.y))
            first += part.n
        return found

    def _pictures(self, shapes: list[Tensor]) -> Tensor:
        """(start, band, part, y, x)."""
        return self.problem.grid.observe(torch.stack(shapes, dim=1), self.transfer).transpose(1, 2)

    def _solve(self, parameters: Tensor, pictures: Tensor) -> tuple[State, Tensor, Tensor, Tensor]:
        """The state, weighted columns, the inverse of their normal matrix and the residual."""
        problem, n = self.problem, len(parameters)
        k = pictures.shape[2]
        columns = pictures * problem.weight[:, :, None]
        fixed = self.fixed.expand(n, *self.fixed.shape[1:])
        columns = torch.cat([columns, fixed], dim=2).flatten(3)
        target = self.target.expand(n, *self.target.shape[1:]).flatten(2)
        normal = (columns @ columns.transpose(-1, -2)).double()
        right = (columns @ target[..., None])[..., 0].double()
        diagonal = torch.diagonal(normal, dim1=-2, dim2=-1)
        ridge = _RIDGE * diagonal + 1e-12
        ridge[..., k:] += self.ridge
        normal = normal + torch.diag_embed(ridge)
        inverse = torch.linalg.inv(normal)
        amplitudes = (inverse @ right[..., None])[..., 0]
        negative = amplitudes[..., :k] < 0
        if bool(negative.any()):  # light does not take away: what would is left out
            off = torch.zeros_like(amplitudes)
            off[..., :k] = negative * (1e6 * diagonal[..., :k] + 1e6)
            inverse = torch.linalg.inv(normal + torch.diag_embed(off))
            amplitudes = (inverse @ right[..., None])[..., 0]
        solved = amplitudes.float()
        residual = target - (solved[..., None, :] @ columns)[..., 0, :]
        pull = (parameters - problem.prior_mean) / problem.prior_sigma
        held = (self.ridge * amplitudes[..., k:] ** 2).sum(dim=(1, 2))
        cost = (residual.double() ** 2).sum(dim=(1, 2)) + held + (pull.double() ** 2).sum(dim=1)
        cost = torch.nan_to_num(cost, nan=float("inf"))
        state = State(parameters, cost, solved[..., :k], solved[..., k:], pictures)
        return state, columns, inverse, residual

    def _slopes(self, parameters: Tensor) -> tuple[list[Tensor], list[Tensor]]:
        """Shapes (start, y, x) of all parts and their derivatives (start, parameter, y, x)."""
        shapes, slopes, first = [], [], 0
        for part in self.problem.parts:
            own = parameters[:, first : first + part.n].T[..., None, None]
            # Shapes map points one by one: the gradient of their sum by parameters that stand at
            # each point is the derivative at that point.
            spread = own.expand(part.n, len(parameters), *self.x.shape).detach().requires_grad_()
            shape = part.shape(spread, self.x, self.y)
            (slope,) = torch.autograd.grad(shape.sum(), spread)
            shapes.append(shape.detach())
            slopes.append(slope.transpose(0, 1))
            first += part.n
        return shapes, slopes

    def _linearize(self, parameters: Tensor) -> tuple[State, Tensor, Tensor]:
        """State, JᵀJ and Jᵀr with the priors, at parameters (start, parameter)."""
        shapes, slopes = self._slopes(parameters)
        state, columns, inverse, residual = self._solve(parameters, self._pictures(shapes))
        problem, rows = self.problem, []
        for c, slope in enumerate(slopes):
            seen = problem.grid.observe(slope, self.transfer)
            rows.append(
                seen * (state.amplitudes[:, None, :, c, None, None] * problem.weight[:, None])
            )
        jacobian = -torch.cat(rows, dim=1).flatten(3).transpose(1, 2)  # (start, band, p, pixel)
        along = (columns @ jacobian.transpose(-1, -2)).double()
        # Kaufman: what the linear amplitudes take up is no direction any more.
        normal = (jacobian @ jacobian.transpose(-1, -2)).double()
        normal = (normal - along.transpose(-1, -2) @ (inverse @ along)).sum(dim=1)
        gradient = (jacobian @ residual[..., None])[..., 0].double()
        gradient = gradient.sum(dim=1)
        stiffness = problem.prior_sigma.double() ** -2
        pull = (parameters - problem.prior_mean).double() * stiffness
        normal = normal + torch.diag_embed(stiffness.expand_as(pull))
        return state, normal, gradient + pull


def _where(better: Tensor, one: State, other: State) -> State:
    def pick(a: Tensor, b: Tensor) -> Tensor:
        return torch.where(better.reshape(-1, *[1] * (a.ndim - 1)), a, b)

    return State(
        pick(one.parameters, other.parameters),
        pick(one.cost, other.cost),
        pick(one.amplitudes, other.amplitudes),
        pick(one.others, other.others),
        pick(one.pictures, other.pictures),
    )
