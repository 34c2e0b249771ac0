"""Sampling of densities whose posterior is known."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy import integrate, stats

from lensing_core.lens_model import sampling
from lensing_core.lens_model.sampling import Guess, Progress, sample

MEAN = np.array([0.3, -1.0, 2.0])
COVARIANCE = np.array([[0.04, 0.015, 0.0], [0.015, 0.01, 0.0], [0.0, 0.0, 0.5]])
NORMAL = stats.multivariate_normal(MEAN, COVARIANCE)
SMALL = {"effective": 200, "live_points": 100, "seed": 3}


def log_normal(points: np.ndarray) -> np.ndarray:
    return np.atleast_1d(NORMAL.logpdf(points))


def rough_guess() -> Guess:
    """Off by half a standard deviation, without the correlation."""
    off = 0.5 * np.sqrt(np.diag(COVARIANCE))
    return Guess.around(MEAN + off, np.diag(np.diag(COVARIANCE)))


def test_a_normal_posterior_is_recovered_with_its_evidence() -> None:
    found = sample(log_normal, rough_guess(), **SMALL)
    assert found.complete
    assert found.effective >= 200
    assert found.weight.sum() == pytest.approx(1)
    assert found.log_evidence == pytest.approx(0, abs=0.25)  # the density is normalized
    draws = found.draw(1000, seed=1)
    sigma = np.sqrt(np.diag(COVARIANCE))
    np.testing.assert_allclose((draws.mean(axis=0) - MEAN) / sigma, 0, atol=0.25)
    np.testing.assert_allclose(draws.std(axis=0) / sigma, 1, atol=0.2)
    assert np.corrcoef(draws.T)[0, 1] == pytest.approx(0.75, abs=0.12)
    best = found.points[found.log_density.argmax()]
    np.testing.assert_allclose((best - MEAN) / sigma, 0, atol=1)


def test_it_goes_on_where_it_was_killed(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(sampling, "_NETWORKS", 0)  # ellipsoids alone, which cost nothing
    checkpoint = tmp_path / "sampler.hdf5"
    computed = []

    def counted(points: np.ndarray) -> np.ndarray:
        computed.append(len(points))
        return log_normal(points)

    class Killed(Exception):
        pass

    def kill(progress: Progress) -> None:
        assert progress.calls > 0
        raise Killed

    monkeypatch.setattr(sampling, "_AT_ONCE", 192)
    with pytest.raises(Killed):
        sample(counted, rough_guess(), **SMALL, checkpoint=checkpoint, look=kill)
    before = sum(computed)
    assert before > 0
    assert [path.name for path in tmp_path.iterdir()] == ["sampler.hdf5"]
    found = sample(counted, rough_guess(), **SMALL, checkpoint=checkpoint)
    assert found.complete
    assert found.calls == sum(computed)  # nothing is computed twice
    whole = sample(log_normal, rough_guess(), **SMALL)
    assert found.log_evidence == pytest.approx(whole.log_evidence, abs=0.4)


def test_a_sampling_that_gives_up_says_so(monkeypatch) -> None:
    monkeypatch.setattr(sampling, "_NETWORKS", 0)
    assert not sample(log_normal, rough_guess(), **SMALL, most_calls=300).complete


def test_the_guess_maps_the_cube_to_its_density() -> None:
    guess = Guess.around(MEAN, COVARIANCE, 2.0)
    np.testing.assert_allclose(guess.from_cube(np.full((1, 3), 0.5))[0], MEAN)
    edges = guess.from_cube(np.array([[0.0, 0.5, 1.0]]))
    assert np.isfinite(edges).all()
    one = Guess(np.array([1.0]), np.array([[0.7]]), 4.0)
    known = stats.t(4, loc=1.0, scale=0.7)
    at = np.linspace(-3, 6, 7)[:, None]
    np.testing.assert_allclose(one.log_density(at), known.logpdf(at[:, 0]), rtol=1e-10)
    np.testing.assert_allclose(one.from_cube(np.array([[0.1]]))[0, 0], known.ppf(0.1), rtol=1e-9)
    plane = Guess(np.zeros(2), np.array([[1.0, 0.0], [0.8, 0.5]]), 4.0)
    total, _ = integrate.dblquad(
        lambda y, x: float(np.exp(plane.log_density(np.array([[x, y]]))[0])),
        -12, 12, -12, 12, epsabs=1e-2,
    )  # fmt: skip
    assert total == pytest.approx(1, abs=0.02)
