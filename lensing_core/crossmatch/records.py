"""Rows of the database from matches: one a cross-match, one a pair."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lensing_core.arrays import IntArray
from lensing_core.crossmatch.matching import Matches, Positions, Status
from lensing_core.crossmatch.reference import Reference
from lensing_core.store.crossmatches import CatalogPositions
from lensing_core.store.tables import Crossmatch

Describe = Callable[[int], dict[str, Any]]
"""Columns of a counterpart, by its number in the reference."""


@dataclass(frozen=True)
class Setting:
    """Settings that all references of a run share."""

    catalog_id: int
    catalog: str
    candidates: CatalogPositions
    radius_arcsec: float
    candidate_error_arcsec: float
    reference_error_arcsec: float
    max_normalized: float

    def positions(self, part: NDArray[np.intp] | slice = slice(None)) -> Positions:
        """Positions of the candidates, or of some."""
        at = self.candidates
        return Positions.of(at.ra_deg[part], at.dec_deg[part], self.candidate_error_arcsec)

    def record(self, run_id: str, matches: Matches, **values: Any) -> Crossmatch:
        """The row of a cross-match."""
        return Crossmatch(
            **{
                "catalog_id": self.catalog_id,
                "run_id": run_id,
                "radius_arcsec": self.radius_arcsec,
                "max_normalized": self.max_normalized,
                "candidate_error_arcsec": self.candidate_error_arcsec,
                "reference_error_arcsec": self.reference_error_arcsec,
                "state": "complete",
                "message": "",
                "asked_all": True,
                "n_candidates": len(matches.source_status) - matches.count(Status.UNPLACED),
                "n_unplaced": matches.count(Status.UNPLACED),
                "n_matched": matches.count(Status.MATCHED),
                "n_review": matches.count(Status.REVIEW),
                **values,
            }
        )


ALONE: dict[str, Any] = {
    "candidate_id": None,
    "reason": "",
    "separation_arcsec": None,
    "normalized": None,
    "n_counterparts": 0,
    "n_rivals": 0,
}
NOBODY: dict[str, Any] = {
    "counterpart_name": None,
    "counterpart_ra_deg": None,
    "counterpart_dec_deg": None,
    "counterpart": None,
}


def describe_reference(reference: Reference) -> Describe:
    def describe(k: int) -> dict[str, Any]:
        return {
            "counterpart_name": reference.names[k],
            "counterpart_ra_deg": float(reference.ra_deg[k]),
            "counterpart_dec_deg": float(reference.dec_deg[k]),
            "counterpart": reference.row(k),
        }

    return describe


def pair_entries(matches: Matches, ids: IntArray, describe: Describe) -> Iterator[dict[str, Any]]:
    """An entry a pair."""
    for k in range(len(matches)):
        yield {
            "candidate_id": int(ids[matches.source[k]]),
            "status": Status(int(matches.status[k])).code,
            "reason": matches.reason(k),
            "separation_arcsec": float(matches.separation_arcsec[k]),
            "normalized": float(matches.normalized[k]),
            "n_counterparts": int(matches.n_counterparts[k]),
            "n_rivals": int(matches.n_rivals[k]),
            **describe(int(matches.reference[k])),
        }
