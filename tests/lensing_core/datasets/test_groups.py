"""Groups that stay together, and splits of whole groups."""

from __future__ import annotations

import numpy as np
import pytest
from astropy import units as u
from astropy.coordinates import SkyCoord
from astropy_healpix import HEALPix
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse.csgraph import connected_components

from lensing_core.datasets.groups import (
    DUPLICATE_RADIUS_ARCSEC,
    named_by_block,
    object_groups,
)
from lensing_core.datasets.splits import fold_of_groups, group_folds, split_groups
from lensing_core.errors import BadInputError

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


def test_blocks_keep_neighbors_together():
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


# -- whatever the sky holds, no pair within the radius is parted -----------------------------------

SPLITS = {"train": 0.6, "validation": 0.1, "calibration": 0.15, "test": 0.15}


def border_of_blocks(rng):
    """A place near a corner of a random HEALPix block."""
    grid = HEALPix(64, order="nested")
    lon, lat = grid.boundaries_lonlat([rng.integers(grid.npix)], step=1)
    return lon[0, 0].to_value("deg"), lat[0, 0].to_value("deg")


def some_sky(seed: int, n: int, centers: str) -> tuple[np.ndarray, np.ndarray]:
    """Clumps and chains of objects a few arcseconds apart: at borders, poles, zero hours."""
    rng = np.random.default_rng(seed)
    ra, dec = [], []
    for _ in range(n):
        lon, lat = {
            "borders": lambda: border_of_blocks(rng),
            "north": lambda: (rng.uniform(0, 360), 90 - rng.exponential(2) * ARCSEC),
            "south": lambda: (rng.uniform(0, 360), -90 + rng.exponential(2) * ARCSEC),
            "wrap": lambda: (rng.normal(0, 2) * ARCSEC % 360, rng.normal(0, 2) * ARCSEC),
            "anywhere": lambda: (rng.uniform(0, 360), np.degrees(np.arcsin(rng.uniform(-1, 1)))),
        }[centers]()
        place = SkyCoord(lon * u.deg, lat * u.deg)
        for _ in range(rng.integers(1, 6)):  # a chain: each near the one before
            ra.append(place.ra.deg)
            dec.append(place.dec.deg)
            step = rng.choice([0.0, 1.0, 1.999, 2.001, 5.0]) * u.arcsec
            place = place.directional_offset_by(rng.uniform(0, 360) * u.deg, step)
    return np.array(ra), np.array(dec)


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    n=st.integers(1, 12),
    centers=st.sampled_from(["borders", "north", "south", "wrap", "anywhere"]),
    block_nside=st.sampled_from([None, 64]),
)
def test_no_pair_within_the_radius_is_ever_parted(seed, n, centers, block_nside):
    ra, dec = some_sky(seed, n, centers)
    groups = object_groups(len(ra), ra_deg=ra, dec_deg=dec, block_nside=block_nside)
    sky = SkyCoord(ra * u.deg, dec * u.deg)
    near = sky[:, None].separation(sky[None, :]) <= DUPLICATE_RADIUS_ARCSEC * u.arcsec
    if block_nside is None:  # and nothing else is joined
        alone = connected_components(near, directed=False)[1]
        assert len(np.unique(groups)) == len(np.unique(alone))
    assert (groups[:, None] == groups[None, :])[near].all()
    named = named_by_block(groups, ra, dec) if block_nside else groups
    assert len(np.unique(named)) == len(np.unique(groups))
    side = np.empty((3, len(ra)), dtype=int)
    for k, indices in enumerate(split_groups(named, SPLITS, seed=seed).values()):
        side[0, indices] = k
    side[1] = fold_of_groups(named, 3, seed=seed)
    labeled = np.ones(len(ra), dtype=int)
    n_folds = min(3, len(np.unique(groups)))
    side[2] = group_folds(groups, labeled, n_folds, seed=seed)
    for which in side:
        assert (which[:, None] == which[None, :])[near].all()


def test_a_name_joins_only_where_a_bearer_has_no_place():
    groups = object_groups(
        5, names=["1", "1", "2", "2", ""], ra_deg=[10, 50, 80, np.nan, np.nan], dec_deg=[0] * 5
    )
    assert same(groups) == {(3, 2)}
    with pytest.raises(BadInputError, match="1 names for 2 objects"):
        object_groups(2, names=["a"])


def test_many_objects_at_one_place_cost_no_more_than_others():
    n = 200_000
    groups = object_groups(n, ra_deg=np.full(n, 10.0), dec_deg=np.zeros(n), block_nside=None)
    assert not groups.any()


def test_splits_without_duplicates_at_borders_are_those_of_blocks_alone():
    rng = np.random.default_rng(3)
    ra, dec = rng.uniform(0, 60, 500), rng.uniform(-20, 20, 500)
    ra[:20] = np.nan
    block = -1 - np.arange(500)
    grid = HEALPix(64, order="nested")
    block[20:] = grid.lonlat_to_healpix(ra[20:] * u.deg, dec[20:] * u.deg)
    named = named_by_block(object_groups(500, ra_deg=ra, dec_deg=dec), ra, dec)
    np.testing.assert_array_equal(named, block)
