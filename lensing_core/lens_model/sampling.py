"""Importance nested sampling of a density, beginning around a guess of it; it goes on after a kill.

The unit cube of ``nautilus`` (Lange 2023, MNRAS 525, 3181) is mapped by a wide density g around a
guess, and the likelihood is L π / g: posterior and evidence are those of L with the prior π, at a
fraction of the cost of beginning in all of π (posterior repartitioning: Chen, Hobson, Das &
Gelderblom 2019, Stat. Comput. 29, 835).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from nautilus import Sampler
from numpy.typing import NDArray
from scipy.special import gammaln, stdtrit

Doubles = NDArray[np.float64]
LogDensity = Callable[[Doubles], Doubles]
"""Points (n, d) → logarithms (n,)."""

_BATCH = 96
_AT_ONCE = 10 * _BATCH  # evaluations between two looks at the clock
_NETWORKS = 1
_EDGE = 1e-13
MOST_CALLS = 400_000


@dataclass(frozen=True)
class Guess:
    """A product of Student's t distributions along the axes of a guessed covariance.

    Attributes
    ----------
    mean : ndarray of shape (d,)
    axes : ndarray of shape (d, d)
        Lower triangular; its columns span one unit of t.
    freedom : float
        Degrees of freedom: the fewer, the wider the tails.
    """

    mean: Doubles
    axes: Doubles
    freedom: float = 6.0

    @classmethod
    def around(cls, mean: Doubles, covariance: Doubles, widening: float = 1.2) -> Guess:
        """A guess that is ``widening`` times as wide as a normal distribution."""
        return cls(
            np.asarray(mean), np.asarray(widening * np.linalg.cholesky(covariance), np.float64)
        )

    def from_cube(self, cube: Doubles) -> Doubles:
        """Points (n, d) of a unit cube's (n, d)."""
        z = stdtrit(self.freedom, np.clip(cube, _EDGE, 1 - _EDGE))
        return np.asarray(self.mean + z @ self.axes.T)

    def log_density(self, points: Doubles) -> Doubles:
        """Its logarithm at points (n, d)."""
        z = np.linalg.solve(self.axes, (points - self.mean).T)
        nu = self.freedom
        one = gammaln((nu + 1) / 2) - gammaln(nu / 2) - 0.5 * math.log(nu * math.pi)
        each = one - (nu + 1) / 2 * np.log1p(z**2 / nu)
        return np.asarray(each.sum(axis=0) - np.log(np.diag(self.axes)).sum())


@dataclass(frozen=True)
class Progress:
    """Progress of a sampling.

    Attributes
    ----------
    calls : int
        Points at which the density was computed.
    live_share : float
        Of the evidence in the live points; at 0.01 exploring ends.
    effective : float
        Samples, effectively; counted when exploring has ended.
    explored : bool
    """

    calls: int
    live_share: float
    effective: float
    explored: bool


@dataclass(frozen=True)
class Sample:
    """Weighted points of a posterior.

    Attributes
    ----------
    points : ndarray of shape (n, d)
    log_weight : ndarray of shape (n,)
        The weights' sum is 1.
    log_density : ndarray of shape (n,)
        Likelihood times prior, not normalized.
    log_evidence : float
    calls : int
    effective : float
        Effective size of the sample.
    complete : bool
        Whether that is as large as was wanted.
    """

    points: Doubles
    log_weight: Doubles
    log_density: Doubles
    log_evidence: float
    calls: int
    effective: float
    complete: bool

    @property
    def weight(self) -> Doubles:
        """Weights (n,) of sum 1."""
        return np.asarray(np.exp(self.log_weight))

    def draw(self, n: int, seed: int) -> Doubles:
        """Points (n, d) of equal weight, by systematic resampling, in random order."""
        rng = np.random.default_rng(seed)
        edges = np.cumsum(self.weight)
        places = (np.arange(n) + rng.random()) / n * edges[-1]
        chosen = np.minimum(np.searchsorted(edges, places), len(edges) - 1)
        return np.asarray(self.points[rng.permutation(chosen)])


def sample(
    log_posterior: LogDensity,
    guess: Guess,
    *,
    effective: int,
    live_points: int,
    seed: int,
    checkpoint: Path | None = None,
    look: Callable[[Progress], None] | None = None,
    most_calls: int = MOST_CALLS,
) -> Sample:
    """Draw from a posterior.

    Parameters
    ----------
    log_posterior : LogDensity
        Likelihood times prior, not normalized.
    guess : Guess
    effective : int
        Effective size of the sample that is wanted.
    live_points, seed : int
    checkpoint : Path, optional
        File (``.hdf5``) from which it goes on, written now and then in one piece.
    look : callable, optional
        Called every thousand evaluations or so; what it raises ends the sampling, which goes on
        from the checkpoint when it is called again.
    most_calls : int, optional
        At which it gives up; the sample then is not ``complete``.
    """
    d = len(guess.mean)

    def modified(points: Doubles) -> Doubles:
        return np.maximum(log_posterior(points) - guess.log_density(points), -1e30)

    sampler = Sampler(
        guess.from_cube,
        modified,
        n_dim=d,
        n_live=live_points,
        n_networks=_NETWORKS,
        n_batch=_BATCH,
        vectorized=True,
        pass_dict=False,
        seed=seed,
        filepath=checkpoint if checkpoint is not None and checkpoint.exists() else None,
    )
    sampler.filepath = None  # it would be rewritten in place: a kill in between would damage it
    complete = False
    while not complete and sampler.n_like < most_calls:
        complete = sampler.run(
            n_eff=effective,
            n_like_max=min(sampler.n_like + _AT_ONCE, most_calls),
            discard_exploration=True,
        )
        if checkpoint is not None and not complete:
            written = checkpoint.with_name(f"next-{checkpoint.name}")
            sampler.write(written, overwrite=True)
            written.replace(checkpoint)
        if look is not None:
            live = sampler.f_live
            look(
                Progress(
                    int(sampler.n_like),
                    1.0 if live is None else float(live),
                    float(sampler.n_eff),
                    bool(sampler.explored),
                )
            )
    points, log_weight, log_modified = sampler.posterior()
    return Sample(
        np.asarray(points),
        np.asarray(log_weight),
        np.asarray(log_modified + guess.log_density(points)),
        float(sampler.log_z),
        int(sampler.n_like),
        float(sampler.n_eff),
        bool(complete),
    )
