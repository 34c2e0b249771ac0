"""Every candidate of some catalogs, with what is known of it: lens, no lens, or neither."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from lensing_core.consensus import REJECT_REASONS

LENS, OTHER, UNLABELED = 1, 0, -1
REASONS = tuple(REJECT_REASONS)
NO_REASON = -1
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class CandidateLabels:
    """All candidates of some catalogs, in order of catalog and cutout, and what is known of them.

    Attributes
    ----------
    candidate_id, catalog_id, row : ndarray of shape (n,), int64
        ``row`` is the place in the catalog's cutouts and stored outputs.
    ra_deg, dec_deg : ndarray of shape (n,), float64
        NaN where unknown.
    state : ndarray of shape (n,), int8
        :data:`LENS`, :data:`OTHER` (vetted) or :data:`UNLABELED`.
    imported : ndarray of shape (n,), bool
        Whether the table that was imported gave a label, usable or not: what an ordinary training
        on the catalog would have seen.
    object_id : list of str
        Empty for one catalog, in which names are unique.
    catalogs : dict of int to str
    weight : ndarray of shape (n,), float32
        Of a label: |2p − 1| of its posterior, 1 where it was imported.
    reason : ndarray of shape (n,), int8
        Kind of a rejected object, an index into :data:`REASONS`; -1 where none was given.
    graded : ndarray of shape (n,), bool
        The state comes from grades.
    left_out : dict of str to int
        Labels that do not count, by reason; their objects are unlabeled.
    """

    candidate_id: Ints
    catalog_id: Ints
    row: Ints
    ra_deg: NDArray[np.float64]
    dec_deg: NDArray[np.float64]
    state: NDArray[np.int8]
    imported: NDArray[np.bool_]
    object_id: list[str]
    catalogs: dict[int, str]
    weight: NDArray[np.float32]
    reason: NDArray[np.int8]
    graded: NDArray[np.bool_]
    left_out: dict[str, int] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.candidate_id)

    def count(self, state: int) -> int:
        """How many candidates are in a state."""
        return int((self.state == state).sum())

    def leave_out(self, reason: str, n: int = 1) -> None:
        """Count labels that do not count."""
        self.left_out[reason] = self.left_out.get(reason, 0) + n
