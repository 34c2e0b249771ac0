from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.distance import mahalanobis
from scipy.stats import chi2, kstest
from sklearn.covariance import LedoitWolf

from lensing_core.anomaly import ClassDistance, IsolationDepth
from lensing_core.errors import BadInputError
from lensing_core.metrics import ranking_figures


def labeled(n=400, d=8, *, seed=0):
    """Two classes of one covariance, and their means."""
    rng = np.random.default_rng(seed)
    mixing = rng.normal(size=(d, d))
    classes = rng.integers(0, 2, n) * 3
    means = np.stack([np.zeros(d), np.full(d, 4.0)])
    return rng.normal(size=(n, d)) @ mixing + means[classes // 3], classes, mixing


def test_distance_is_that_of_mahalanobis_to_the_nearest_class():
    z, classes, _ = labeled()
    fitted = ClassDistance.fit(z, classes)
    means = [z[classes == c].mean(axis=0) for c in (0, 3)]
    residual = z - np.where(classes[:, None] == 0, means[0], means[1])
    covariance = LedoitWolf(assume_centered=True).fit(residual).covariance_ * 400 / 398
    inverse = np.linalg.inv(covariance)
    some = z[:20] + 5
    expected = [[mahalanobis(row, mean, inverse) for mean in means] for row in some]
    np.testing.assert_allclose(fitted.by_class(some), expected, rtol=1e-8)
    np.testing.assert_allclose(fitted(some), np.min(expected, axis=1), rtol=1e-8)
    np.testing.assert_array_equal(fitted.nearest(some), np.array([0, 3])[np.argmin(expected, 1)])


def test_squared_distance_of_more_of_the_same_follows_chi_squared():
    z, classes, mixing = labeled(20_000)
    fitted = ClassDistance.fit(z, classes)
    fresh = np.random.default_rng(1).normal(size=(500, 8)) @ mixing
    assert kstest(fitted.by_class(fresh)[:, 0] ** 2, chi2(8).cdf).pvalue > 1e-3
    assert fitted.shrinkage < 0.05


def test_distance_does_not_depend_on_units_or_rotation():
    z, classes, _ = labeled(50)
    rng = np.random.default_rng(2)
    turn = np.linalg.qr(rng.normal(size=(8, 8)))[0] * 3.0
    one = ClassDistance.fit(z, classes)(z)
    other = ClassDistance.fit(z @ turn + 7, classes)(z @ turn + 7)
    np.testing.assert_allclose(one, other, rtol=1e-8)


def test_a_third_class_comes_first():
    """Close in every single coordinate, far from the correlation within classes."""
    rng = np.random.default_rng(3)
    n, d = 600, 16
    common = rng.normal(size=(n, 1))
    known = 2 * common + 0.3 * rng.normal(size=(n, d))
    strange = rng.choice([-2, 2], (60, d)) * rng.uniform(0.7, 1.0, (60, 1))
    half = np.arange(n) < 300
    classes = (known[half].mean(axis=1) > 0).astype(int)
    objects = np.concatenate([known[~half], strange])
    truth = np.repeat([0, 1], [300, 60])
    auroc = ranking_figures(ClassDistance.fit(known[half], classes)(objects), truth)["auroc"]
    forest = ranking_figures(IsolationDepth.fit(known[half], seed=0)(objects), truth)["auroc"]
    assert auroc > 0.99
    assert 0.5 < forest < auroc


def test_fewer_objects_than_dimensions_still_give_a_distance():
    rng = np.random.default_rng(4)
    fitted = ClassDistance.fit(rng.normal(size=(30, 384)), np.arange(30) % 2)
    assert 0 < fitted.shrinkage <= 1
    far, near = fitted(np.vstack([np.full(384, 5.0), np.zeros(384)]))
    assert np.isfinite(far)
    assert far > 2 * near


def test_round_trip(tmp_path):
    z, classes, _ = labeled()
    fitted = ClassDistance.fit(z, classes)
    fitted.save(tmp_path / "anomaly.safetensors")
    again = ClassDistance.load(tmp_path / "anomaly.safetensors")
    np.testing.assert_array_equal(again(z), fitted(z))
    np.testing.assert_array_equal(again.nearest(z), fitted.nearest(z))
    assert again.shrinkage == fitted.shrinkage
    (tmp_path / "anomaly.safetensors").write_bytes(b"x")
    for name in ("anomaly.safetensors", "gone.safetensors"):
        with pytest.raises(BadInputError, match="cannot be read"):
            ClassDistance.load(tmp_path / name)


def test_one_seed_one_forest():
    z, _, _ = labeled()
    one, two = (IsolationDepth.fit(z, trees=20, seed=1)(z) for _ in range(2))
    np.testing.assert_array_equal(one, two)
    assert ((one > 0) & (one < 1)).all()


def test_mistakes_are_said():
    z, classes, _ = labeled(20)
    fitted = ClassDistance.fit(z, classes)
    with pytest.raises(BadInputError, match="1 embeddings are not finite, the first in row 4"):
        ClassDistance.fit(np.where(np.arange(20)[:, None] == 4, np.nan, z), classes)
    with pytest.raises(BadInputError, match="not finite"):
        IsolationDepth.fit(np.full((3, 2), np.inf))
    with pytest.raises(BadInputError, match="20 embeddings and classes of shape"):
        ClassDistance.fit(z, classes[:3])
    with pytest.raises(BadInputError, match="type float64: give one whole number"):
        ClassDistance.fit(z, classes * 1.0)
    with pytest.raises(BadInputError, match="3 labeled objects in 2 classes"):
        ClassDistance.fit(z[:3], [0, 1, 1])
    with pytest.raises(BadInputError, match="do not vary"):
        ClassDistance.fit(np.ones((9, 3)), np.zeros(9, dtype=int))
    with pytest.raises(BadInputError, match="of 3 dimensions; the labeled ones have 8"):
        fitted(z[:, :3])
    with pytest.raises(BadInputError, match="give rows and dimensions"):
        fitted(z[0])
