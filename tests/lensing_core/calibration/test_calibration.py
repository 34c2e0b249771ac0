from __future__ import annotations

import json

import numpy as np
import pytest
from scipy.special import expit, logit

from lensing_core.calibration import Calibration, calibrate, reliability, shift_prior
from lensing_core.errors import BadInputError


def draw(n, *, slope=1.0, intercept=0.0, seed=0):
    """True log-odds z; what a model would report is (z − intercept) / slope."""
    rng = np.random.default_rng(seed)
    z = rng.normal(-1, 2, n)
    labels = (rng.random(n) < expit(z)).astype(int)
    return (z - intercept) / slope, labels, z


def test_temperature_recovers_over_confidence():
    raw, labels, z = draw(50_000, slope=1 / 3)
    fitted = calibrate(raw, labels, "temperature")
    assert fitted.slope == pytest.approx(1 / 3, rel=0.03)
    np.testing.assert_allclose(fitted(raw), z, atol=0.4)


def test_platt_recovers_slope_and_intercept():
    raw, labels, _ = draw(50_000, slope=0.5, intercept=-1.0)
    fitted = calibrate(raw, labels, "platt")
    assert (fitted.slope, fitted.intercept) == (
        pytest.approx(0.5, rel=0.03),
        pytest.approx(-1.0, abs=0.05),
    )


def test_isotonic_calibrates_what_no_line_can_and_keeps_the_order():
    rng = np.random.default_rng(3)
    raw = rng.uniform(-3, 3, 60_000)
    labels = (rng.random(60_000) < expit(raw**3)).astype(int)
    fit, test = slice(0, 30_000), slice(30_000, None)
    curve, line = (calibrate(raw[fit], labels[fit], m) for m in ("isotonic", "platt"))
    before = reliability(line(raw[test]), labels[test])
    after = reliability(curve(raw[test]), labels[test])
    assert after.ece_equal_mass < 0.012 < before.ece_equal_mass
    ordered = np.linspace(-10, 10, 1001)
    assert (np.diff(curve(ordered)) > 0).all()


def test_auto_needs_a_thousand_for_isotonic():
    raw, labels, _ = draw(999)
    assert calibrate(raw, labels).method == "platt"
    raw, labels, _ = draw(1000)
    assert calibrate(raw, labels).method == "isotonic"
    with pytest.raises(BadInputError, match="needs 1000"):
        calibrate(raw[:500], labels[:500], "isotonic")


def test_a_perfect_split_stays_finite():
    fitted = calibrate(np.array([-2.0, -1, 1, 2]), np.array([0, 0, 1, 1]))
    assert np.isfinite(fitted(np.array([-100.0, 100.0]))).all()
    assert fitted.slope > 0


def test_prior_shift_is_bayes():
    """A model calibrated at 50 % and moved to 1 % is calibrated at 1 %."""
    rng = np.random.default_rng(1)
    n = 400_000
    labels = (rng.random(n) < 0.01).astype(int)
    x = rng.normal(size=n) + 2 * labels
    at_half = 2 * x - 2  # log N(x; 2, 1) / N(x; 0, 1)
    moved = shift_prior(at_half, 0.5, 0.01)
    assert expit(moved).sum() == pytest.approx(labels.sum(), rel=0.05)
    assert reliability(moved, labels).slope == pytest.approx(1, abs=0.05)
    np.testing.assert_allclose(shift_prior(moved, 0.01, 0.5), at_half)
    assert shift_prior(0.0, 0.5, 0.1) == pytest.approx(logit(0.1))


def test_reliability_of_the_truth_and_of_a_constant():
    _, labels, z = draw(60_000)
    true = reliability(z, labels)
    assert true.ece_equal_mass < 0.012
    assert (true.slope, true.intercept) == (pytest.approx(1, abs=0.03), pytest.approx(0, abs=0.03))
    assert true.skill > 0.3
    constant = reliability(np.full(len(labels), logit(labels.mean())), labels)
    assert constant.ece_equal_width < 1e-9
    assert constant.skill == pytest.approx(0, abs=1e-9)
    inside = [b["low"] <= b["probability"] <= b["high"] for b in true.bins]
    assert sum(inside) >= 6  # 68 % of 15, less three sigma


def test_json_round_trip_and_bad_input():
    raw, labels, _ = draw(2000)
    for method in ("temperature", "platt", "isotonic"):
        fitted = calibrate(raw, labels, method)
        again = Calibration.from_json(json.loads(json.dumps(fitted.to_json())))
        np.testing.assert_array_equal(again(raw), fitted(raw))
    with pytest.raises(BadInputError, match="both classes"):
        calibrate(raw, np.zeros_like(labels))
    with pytest.raises(BadInputError, match="finite"):
        calibrate(np.full(5, np.inf), labels[:5])
    with pytest.raises(BadInputError, match="Class prior"):
        shift_prior(0.0, 0.0, 0.5)
