"""Rows of the database from matches."""

from __future__ import annotations

import numpy as np
import pytest

from lensing_core.crossmatch.matching import Status, crossmatch
from lensing_core.crossmatch.records import Setting, describe_reference, pair_entries
from lensing_core.crossmatch.reference import Reference
from lensing_core.store.crossmatches import CatalogPositions

ARCSEC_DEG = 1 / 3600
CANDIDATES = CatalogPositions(
    np.array([11, 12, 13]), np.array([10.0, 20.0, np.nan]), np.array([0.0, 0.0, np.nan])
)
SETTING = Setting(1, "mine", CANDIDATES, 5.0, 0.3, 0.4, 3.0)
KNOWN = Reference(
    "known", "Known", "lens", "1", ["near", "far"], np.array([10 + ARCSEC_DEG, 40.0]),
    np.zeros(2), np.full(2, np.nan), {"z": [0.5, None]},
)  # fmt: skip


@pytest.fixture
def matches():
    return crossmatch(SETTING.positions(), KNOWN.positions(0.4), SETTING.radius_arcsec)


def test_a_cross_match_counts_its_candidates_by_status(matches):
    row = SETTING.record("run", matches, reference="known")
    assert (row.n_candidates, row.n_unplaced, row.n_matched, row.n_review) == (2, 1, 1, 0)
    assert (row.catalog_id, row.run_id, row.reference) == (1, "run", "known")


def test_a_pair_names_candidate_and_counterpart_with_its_separation_in_errors(matches):
    (pair,) = pair_entries(matches, CANDIDATES.id, describe_reference(KNOWN))
    assert (pair["candidate_id"], pair["counterpart_name"]) == (11, "near")
    assert pair["status"] == Status.MATCHED.code
    assert pair["separation_arcsec"] == pytest.approx(1.0, rel=1e-6)
    assert pair["normalized"] == pytest.approx(1.0 / 0.5, rel=1e-6)  # 0.3 and 0.4 in quadrature
    assert pair["counterpart"] == {"z": 0.5}
