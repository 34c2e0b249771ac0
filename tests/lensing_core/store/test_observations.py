"""Measured and true properties of candidates, in the order asked for."""

from __future__ import annotations

import numpy as np
import pytest
from rows import add_catalog

from lensing_core.store import open_database
from lensing_core.store.observations import (
    fetch_covariates,
    fetch_truth,
    magnitudes_and_surveys,
    observed_for_proxies,
    truths_of,
)
from lensing_core.store.tables import Candidate, Observation


@pytest.fixture
def session(workspace):
    """Three candidates: one simulated, one observed, one of which nothing is known."""
    with open_database(workspace).session() as session:
        first, second, _ = add_catalog(session, "mine", 3)
        session.get_one(Candidate, first).magnitude = 20.5
        session.add(Observation(candidate_id=first, truth={"theta_e_arcsec": 1.5, "class": "lens"}))
        session.add(Observation(candidate_id=second, snr=7.0, richness=30.0))
        session.flush()
        yield session


def test_truth_is_nan_where_it_is_not_known(session):
    names = ("theta_e_arcsec", "arc_snr")
    truth = fetch_truth(session, np.array([2, 1]), names)
    assert truth.dtype == np.float32
    np.testing.assert_array_equal(truth, [[np.nan, np.nan], [1.5, np.nan]])
    assert truths_of(session, [1, 2, 3]) == {1: {"theta_e_arcsec": 1.5, "class": "lens"}}


def test_covariates_are_nan_where_they_are_not_known(session):
    covariates = fetch_covariates(session, np.array([3, 2, 1]))
    np.testing.assert_array_equal(covariates["magnitude"], [np.nan, np.nan, 20.5])
    np.testing.assert_array_equal(covariates["signal to noise"], [np.nan, 7.0, np.nan])


def test_columns_by_candidate(session):
    assert magnitudes_and_surveys(session, [1, 3, 99]) == {1: (20.5, "hsc"), 3: (None, "hsc")}
    rows = observed_for_proxies(session, [3, 2])
    assert rows[0] == {}
    assert rows[1]["richness"] == 30.0
