"""Intervals against a repeated experiment, and what they do with little to go by."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit

from lensing_core.calibration import calibrate, reliability
from lensing_core.uncertainty.interval import CalibrationRecord, score_interval


def record_of(z: np.ndarray, labels: np.ndarray, survey_prior: float = 0.01) -> CalibrationRecord:
    manifest = {
        "reliability": reliability(z, labels).to_json(),
        "rule": {"joint": {"prior": 0.5}, "survey_prior": survey_prior},
        "figures_on": "held-out objects of mine",
    }
    found = CalibrationRecord.of_manifest(manifest)
    assert found is not None
    return found


def draw(seed: int, n: int = 800) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    z = rng.normal(0, 2.5, n)
    return z, (rng.random(n) < expit(z)).astype(int)


def test_sigma_is_the_scatter_of_calibrations_fitted_again() -> None:
    at = 2.0  # at the prior of the held-out objects
    lines = [calibrate(*draw(seed), "platt") for seed in range(200)]
    scatter = np.std([line.slope * at + line.intercept for line in lines])
    record = record_of(*draw(1000), survey_prior=0.5)
    assert record.sigma(at) == pytest.approx(scatter, rel=0.15)
    assert record.n_objects == 800


def test_scores_are_moved_between_priors() -> None:
    record = record_of(*draw(1))
    shift = np.log(0.01 / 0.99)
    assert record.held_out_logit(shift) == pytest.approx(0)
    nearest = record.bin_of(shift + 1.0)
    means = [abs(np.log(b["probability"] / (1 - b["probability"])) - 1.0) for b in record.bins]
    assert nearest == int(np.argmin(means))
    assert record.sigma(shift) == pytest.approx(record_of(*draw(1), survey_prior=0.5).sigma(0))


def test_both_parts_add_in_quadrature() -> None:
    record = record_of(*draw(1), survey_prior=0.5)
    found = score_interval(1.0, [0.0, 2.0], record)
    half = np.hypot(1.0, record.sigma(1.0))
    assert found.sigma_members == 1.0
    assert (found.low, found.high) == pytest.approx((expit(1 - half), expit(1 + half)))
    alone = score_interval(1.0, [0.0, 2.0], None)
    assert (alone.low, alone.high) == pytest.approx((0.5, expit(2)))
    assert alone.sigma_calibration is None
    one = score_interval(1.0, [1.0], record)
    assert one.sigma_members is None
    assert score_interval(1.0, [1.0], None) is None


def test_far_from_all_objects_the_interval_widens() -> None:
    record = record_of(*draw(1), survey_prior=0.5)
    assert record.sigma(12.0) > 4 * record.sigma(1.0)


def test_what_a_manifest_lacks() -> None:
    assert CalibrationRecord.of_manifest({}) is None
    assert CalibrationRecord.of_manifest({"reliability": {"bins": []}, "rule": {}}) is None
    same = {"probability": 0.5, "share": 0.5, "low": 0.4, "high": 0.6, "count": 10.0}
    flat = CalibrationRecord((same, same), 0.5, 0.5, "")
    assert flat.sigma(1.0) is None  # one place fixes no line
