from __future__ import annotations

import numpy as np
import pytest

from lensing_core.errors import BadInputError
from lensing_core.uncertainty.conformal import ConformalSets


def draw(rng, n, shift):
    labels = rng.integers(0, 2, n)
    return rng.normal(size=n) + shift * labels, labels


@pytest.mark.parametrize("error_rate", [0.05, 0.1, 0.3])
@pytest.mark.parametrize("shift", [0.0, 1.0, 4.0])
def test_coverage_is_what_was_promised_whatever_the_model(error_rate, shift):
    rng = np.random.default_rng(int(100 * error_rate + shift))
    found = []
    for _ in range(200):
        sets = ConformalSets.fit(*draw(rng, 400, shift), error_rate=error_rate)
        covered = sets.coverage(*draw(rng, 400, shift))
        found.append((covered["lens"], covered["other"]))
    mean = np.mean(found, axis=0)
    # marginally 1 - error_rate, exceeded by at most 1/(n + 1) with n about 200 a class
    assert np.all(mean > 1 - error_rate - 0.01)
    assert np.all(mean < 1 - error_rate + 0.016)


def test_sets_get_smaller_as_the_model_gets_better():
    rng = np.random.default_rng(0)
    sizes = []
    for shift in (0.5, 2.0, 4.0):
        sets = ConformalSets.fit(*draw(rng, 4000, shift), error_rate=0.1)
        sizes.append(sets.coverage(*draw(rng, 4000, shift))["mean_size"])
    assert sizes[0] > sizes[1] > sizes[2]


def test_too_few_objects_are_said():
    with pytest.raises(BadInputError, match="needs at least 99"):
        ConformalSets.fit(np.arange(20.0), np.arange(20) % 2, error_rate=0.01)
    with pytest.raises(BadInputError, match="between 0 and 1"):
        ConformalSets.fit(np.arange(20.0), np.arange(20) % 2, error_rate=0.0)
