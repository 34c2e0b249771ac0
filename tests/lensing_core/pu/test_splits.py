from __future__ import annotations

import numpy as np
import pytest

from lensing_core.errors import BadInputError
from lensing_core.pu import group_folds, object_groups

ARCSEC = 1 / 3600


def same(groups):
    """Pairs that share a group."""
    return {(i, j) for i in range(len(groups)) for j in range(i) if groups[i] == groups[j]}


def test_without_keys_and_places_each_stands_alone():
    assert len(np.unique(object_groups(5))) == 5


def test_names_join_and_missing_names_do_not():
    groups = object_groups(
        7, keys=[["a", "b", "a", None, None, "", ""], [1, 2, np.nan, np.nan, 2, 8, 9]]
    )
    assert same(groups) == {(2, 0), (4, 1)}


def test_chains_join():
    groups = object_groups(4, keys=[["a", "a", "", ""], ["", "b", "b", ""], ["", "", "c", "c"]])
    assert len(np.unique(groups)) == 1


def test_duplicates_within_two_arcsec_across_zero_hours_and_the_pole():
    ra = [359.9998, 0.0002, 10.0, 10.0, 0.0, 180.0, np.nan, np.nan]
    dec = [0.0, 0.0, 20.0, 20.0 + 2.1 * ARCSEC, 90 - 0.5 * ARCSEC, 90 - 0.5 * ARCSEC, 1, 1]
    assert same(object_groups(8, ra_deg=ra, dec_deg=dec, block_nside=None)) == {(1, 0), (5, 4)}
    wider = object_groups(8, ra_deg=ra, dec_deg=dec, block_nside=None, duplicate_radius_arcsec=2.2)
    assert (3, 2) in same(wider)


def test_blocks_keep_neighbours_together():
    rng = np.random.default_rng(0)
    ra, dec = rng.uniform(150, 151, 400), rng.uniform(2, 3, 400)
    blocks = object_groups(400, ra_deg=ra, dec_deg=dec)
    assert 1 <= len(np.unique(blocks)) <= 8  # a block of NSIDE 64 spans 0.9 degrees
    fine = object_groups(400, ra_deg=ra, dec_deg=dec, block_nside=1024)
    assert len(np.unique(fine)) > 50


def test_mistakes_are_said():
    with pytest.raises(BadInputError, match="right ascension and declination together"):
        object_groups(2, ra_deg=[1, 2])
    with pytest.raises(BadInputError, match="coordinates for 3 objects"):
        object_groups(3, ra_deg=[1, 2], dec_deg=[1, 2])
    with pytest.raises(BadInputError, match="Key 0 has 1 names for 2 objects"):
        object_groups(2, keys=[["a"]])
    with pytest.raises(BadInputError, match="5 folds need as many groups"):
        group_folds(np.arange(100), np.arange(100) < 4, 5)


def test_folds_hold_whole_groups_and_their_share_of_the_labeled():
    rng = np.random.default_rng(1)
    groups = rng.integers(0, 300, 2000)
    s = np.isin(groups, np.arange(50)) & (rng.random(2000) < 0.7)
    fold = group_folds(groups, s, 5, seed=3)
    assert all(len(np.unique(fold[groups == g])) == 1 for g in np.unique(groups))
    assert np.ptp([len(np.unique(groups[(fold == k) & s])) for k in range(5)]) <= 1
    assert np.bincount(fold).min() > 0.9 * 400
    np.testing.assert_array_equal(fold, group_folds(groups, s, 5, seed=3))
    assert (fold != group_folds(groups, s, 5, seed=4)).any()
