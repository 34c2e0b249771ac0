"""Pairs against astropy, closed forms, invariance under rotation, and the rules of review."""

from __future__ import annotations

import astropy.units as u
import numpy as np
import pytest
from astropy.coordinates import SkyCoord, search_around_sky

from lensing_core.crossmatch.matching import (
    MAX_NORMALIZED,
    Positions,
    Status,
    crossmatch,
    duplicate_groups,
    self_match,
    unit_vectors,
)
from lensing_core.errors import BadInputError


def positions(ra: object, dec: object, error: float = 0.5) -> Positions:
    return Positions.of(np.atleast_1d(ra), np.atleast_1d(dec), error)


def test_pairs_are_those_of_astropy_at_poles_and_across_zero_hours():
    rng = np.random.default_rng(1)
    ra = np.concatenate([rng.uniform(-0.05, 0.05, 400) % 360, rng.uniform(0, 360, 400)])
    dec = np.concatenate([rng.uniform(-0.05, 0.05, 400), rng.uniform(89.98, 90, 400)])
    other_ra, other_dec = np.roll(ra, 3) + rng.normal(0, 3e-4, 800), dec + rng.normal(0, 3e-4, 800)
    other_dec = np.clip(other_dec, -90, 90)
    found = crossmatch(positions(ra, dec), positions(other_ra % 360, other_dec), 20)
    i, j, separation, _ = search_around_sky(
        SkyCoord(ra, dec, unit="deg"),
        SkyCoord(other_ra % 360, other_dec, unit="deg"),
        20 * u.arcsec,
    )
    order = np.lexsort((j, separation.arcsec, i))
    assert len(i) > 500
    np.testing.assert_array_equal(found.source, i[order])
    np.testing.assert_array_equal(found.reference, j[order])
    np.testing.assert_allclose(found.separation_arcsec, separation.arcsec[order], atol=2e-7)


def test_separation_of_a_hundredth_of_an_arcsec():
    found = crossmatch(positions(150.0, 2.0), positions(150.0, 2.0 + 0.01 / 3600), 1)
    assert found.separation_arcsec[0] == pytest.approx(0.01, rel=1e-6)


def test_one_counterpart_within_its_errors_matches_and_one_beyond_is_for_review():
    sources = positions([10.0, 20.0, 30.0], [0.0, 0.0, 0.0], 0.3)
    references = Positions.of(
        np.array([10.0, 20.0]), np.array([1.7, 1.8]) / 3600, np.array([0.4, 0.4])
    )  # σ = 0.5 arcsec: r/σ = 3.4 and 3.6
    found = crossmatch(sources, references, 5)
    np.testing.assert_allclose(found.normalized, [3.4, 3.6], rtol=1e-6)
    assert [Status(s).code for s in found.source_status] == ["matched", "review", "unmatched"]
    assert found.reason(0) == ""
    assert found.reason(1) == "3.6 position errors apart"


def test_the_limit_loses_the_share_of_true_pairs_that_a_rayleigh_law_says():
    rng = np.random.default_rng(2)
    n, error = 40_000, 0.5
    dec = np.linspace(-60, 60, n)
    ra = rng.uniform(0, 360, n)
    offset = rng.normal(0, np.hypot(error, error), (2, n)) / 3600
    moved = positions(ra + offset[0] / np.cos(np.radians(dec)), dec + offset[1], error)
    found = crossmatch(positions(ra, dec, error), moved, 5, max_normalized=2.0)
    lost = 1 - found.count(Status.MATCHED) / n
    assert lost == pytest.approx(np.exp(-2), abs=4 * np.sqrt(np.exp(-2) / n))


def test_two_counterparts_are_for_review_however_near_one_of_them_is():
    found = crossmatch(positions(10.0, 0.0), positions([10.0, 10.0], [0.0, 4 / 3600]), 5)
    assert found.source_status.tolist() == [Status.REVIEW]
    assert found.status.tolist() == [Status.REVIEW] * 2
    assert found.reason(0) == "2 counterparts within the radius"


def test_two_candidates_for_one_counterpart_are_both_for_review():
    found = crossmatch(positions([10.0, 10.0], [0.0, 4 / 3600]), positions(10.0, 0.0), 5)
    assert found.source_status.tolist() == [Status.REVIEW] * 2
    assert found.reason(1) == "2 candidates claim this counterpart"


def test_without_a_position_nothing_is_said_and_nothing_matches():
    found = crossmatch(positions([np.nan, 10.0], [np.nan, 0.0]), positions([np.nan], [0.0]), 5)
    assert found.source_status.tolist() == [Status.UNPLACED, Status.UNMATCHED]
    assert found.reference_status.tolist() == [Status.UNPLACED]
    assert len(found) == 0


def test_rotating_the_sky_changes_no_status():
    rng = np.random.default_rng(3)
    center = unit_vectors(
        rng.uniform(0, 360, 3000), np.degrees(np.arcsin(rng.uniform(-1, 1, 3000)))
    )
    near = center + rng.normal(0, 8e-6, (3000, 3))
    rotation, _ = np.linalg.qr(rng.normal(size=(3, 3)))

    def place(vectors: np.ndarray) -> Positions:
        x, y, z = (vectors / np.linalg.norm(vectors, axis=1)[:, None]).T
        return positions(np.degrees(np.arctan2(y, x)) % 360, np.degrees(np.arcsin(z)))

    plain = crossmatch(place(center), place(near), 5)
    turned = crossmatch(place(center @ rotation), place(near @ rotation), 5)
    assert (
        0 < plain.count(Status.MATCHED) < plain.count(Status.MATCHED) + plain.count(Status.REVIEW)
    )
    np.testing.assert_array_equal(plain.source_status, turned.source_status)
    np.testing.assert_allclose(plain.separation_arcsec, turned.separation_arcsec, atol=1e-6)


def test_order_of_rows_changes_no_status():
    rng = np.random.default_rng(4)
    ra, dec = rng.uniform(10, 10.02, 500), rng.uniform(0, 0.02, 500)
    order = rng.permutation(500)
    plain = crossmatch(positions(ra, dec), positions(ra[::2], dec[::2] + 2e-4), 3)
    mixed = crossmatch(positions(ra[order], dec[order]), positions(ra[::2], dec[::2] + 2e-4), 3)
    np.testing.assert_array_equal(plain.source_status[order], mixed.source_status)


def test_more_sources_than_fit_into_one_pass_give_the_same(monkeypatch):
    rng = np.random.default_rng(5)
    sources = positions(rng.uniform(0, 1, 1000), rng.uniform(0, 1, 1000))
    references = positions(rng.uniform(0, 1, 700), rng.uniform(0, 1, 700))
    whole = crossmatch(sources, references, 60)
    monkeypatch.setattr("lensing_core.crossmatch.matching._AT_ONCE", 37)
    parts = crossmatch(sources, references, 60)
    assert len(whole) > 300
    for name in ("source", "reference", "separation_arcsec", "status", "source_status"):
        np.testing.assert_array_equal(getattr(whole, name), getattr(parts, name))


def test_duplicates_of_a_catalog_and_their_groups():
    ra = np.array([10.0, 10.0, 50.0, 80.0, 80.0, 80.0])
    dec = np.array([0.0, 0.5, 0.0, 0.0, 3.0, 6.0]) / 3600
    found = self_match(positions(ra, dec), 4)
    assert [Status(s).code for s in found.source_status] == [
        *("matched", "matched", "unmatched"),
        *("review", "review", "review"),
    ]
    group = duplicate_groups(found, 6)
    assert group[0] == group[1]
    assert group[3] == group[4] == group[5]  # linked through the middle one
    assert len(set(group)) == 3


@pytest.mark.parametrize("radius", [0, -1, float("nan"), 4000])
def test_a_radius_out_of_range_is_refused(radius: float):
    with pytest.raises(BadInputError, match="Radius"):
        crossmatch(positions(1.0, 1.0), positions(1.0, 1.0), radius)
    with pytest.raises(BadInputError, match="Radius"):
        self_match(positions(1.0, 1.0), radius)


def test_too_many_pairs_are_refused_before_they_fill_the_memory(monkeypatch):
    monkeypatch.setattr("lensing_core.crossmatch.matching.MAX_PAIRS", 99)
    crowd = positions(np.full(10, 10.0), np.zeros(10))
    with pytest.raises(BadInputError, match="smaller"):
        crossmatch(crowd, crowd, 5)


def test_bad_positions_are_refused():
    with pytest.raises(BadInputError, match="declination"):
        positions(10.0, 91.0)
    with pytest.raises(BadInputError, match="one length"):
        Positions(np.zeros(2), np.zeros(3), np.ones(2))
    with pytest.raises(BadInputError, match="error"):
        Positions(np.zeros(1), np.zeros(1), np.zeros(1))


def test_unknown_errors_take_the_default():
    errors = Positions.of(np.zeros(3), np.zeros(3), np.array([np.nan, 0.2, 0.0]), 1.5).error_arcsec
    np.testing.assert_array_equal(errors, [1.5, 0.2, 1.5])
    assert MAX_NORMALIZED == 3.5
