"""Injected lenses with a known response, for tests of the selection function."""

from __future__ import annotations

import numpy as np
from scipy.special import expit

from lensing_core.selection import Grid, Injections

GRID = Grid.logarithmic((0.5, 3.0), (5.0, 100.0), (5, 5))
MACHINE = (-1.0, 2.0, 2.5)
"""Intercept and slopes in ln θ_E and ln (S/N / 20)."""
GRADER = (0.5, 3.0, 1.0)


def response(parameters, theta_e, snr):
    """The known completeness."""
    a, b, c = parameters
    return expit(a + b * np.log(theta_e) + c * np.log(np.asarray(snr) / 20))


def draw(rng, n, **steps):
    """``n`` lenses; each step is asked about those that passed the steps before it."""
    theta = np.exp(rng.uniform(np.log(0.5), np.log(3.0), n))
    snr = np.exp(rng.uniform(np.log(5.0), np.log(100.0), n))
    outcomes, alive = {}, np.ones(n, dtype=bool)
    for name, parameters in steps.items():
        passed = rng.random(n) < response(parameters, theta, snr)
        outcomes[name] = np.where(alive, passed.astype(np.int64), -1)
        alive &= passed
    return Injections(theta, snr, outcomes)
