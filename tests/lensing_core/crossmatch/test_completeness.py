"""Footprints and recall at k against closed forms."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import beta

from lensing_core.crossmatch.completeness import (
    area_deg2,
    fitting_footprint,
    footprint,
    in_footprint,
    pessimistic_ranks,
    recall_at,
    steps_of,
)
from lensing_core.errors import BadInputError


def test_all_cells_cover_the_sphere():
    assert area_deg2(12 * 64**2, 64) == pytest.approx(41252.96, abs=0.01)


def test_the_footprint_holds_its_own_candidates_and_nothing_far():
    rng = np.random.default_rng(1)
    ra, dec = rng.uniform(150, 152, 500), rng.uniform(1, 3, 500)
    cells = footprint(np.append(ra, np.nan), np.append(dec, np.nan), 64)
    assert in_footprint(ra, dec, cells, 64).all()
    assert not in_footprint(
        np.array([155.0, 150.5, np.nan]), np.array([2.0, -4.0, 2.0]), cells, 64
    ).any()
    assert area_deg2(len(cells), 64) > 4


def test_cells_are_as_fine_as_the_catalog_fills_them():
    rng = np.random.default_rng(2)
    ra, dec = rng.uniform(150, 152, (2, 40_000))
    dec -= 150
    nside, cells = fitting_footprint(ra, dec)
    assert nside == 1024  # 10,000 candidates a square degree, 305 such cells a square degree
    np.testing.assert_array_equal(cells, footprint(ra, dec, nside))
    assert area_deg2(len(cells), nside) == pytest.approx(4, rel=0.1)
    sparse, cells = fitting_footprint(ra[:100], dec[:100])
    assert sparse == 64
    np.testing.assert_array_equal(cells, footprint(ra[:100], dec[:100], 64))
    assert fitting_footprint(np.array([np.nan]), np.array([np.nan]))[0] == 64


def test_ties_rank_last():
    scores = np.array([5.0, 3.0, 3.0, 3.0, 1.0])
    np.testing.assert_array_equal(pessimistic_ranks(scores, np.array([5.0, 3.0, 1.0])), [1, 4, 5])


def test_recall_at_k_with_its_interval():
    found = recall_at(np.array([3, 40, 200]), 5, [10, 100, 1000])
    assert [step.found for step in found] == [1, 2, 3]
    assert found[-1].recall == 0.6  # two of five are not in the catalog at all
    assert found[1].low_95 == pytest.approx(beta.ppf(0.025, 2, 4))
    assert found[1].high_95 == pytest.approx(beta.ppf(0.975, 3, 3))


def test_without_a_known_lens_nothing_is_measured():
    (step,) = recall_at(np.empty(0, dtype=int), 0, [10])
    assert np.isnan(step.recall)
    assert (step.low_95, step.high_95) == (0, 1)


def test_more_ranked_lenses_than_known_is_an_error():
    with pytest.raises(BadInputError, match="only 1"):
        recall_at(np.array([1, 2]), 1, [10])


def test_steps():
    assert steps_of(250) == [10, 30, 100, 250]
    assert steps_of(7) == [7]
    assert steps_of(0) == []
