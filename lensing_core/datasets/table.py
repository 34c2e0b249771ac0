"""Candidates of some catalogs with their labels: lens, non-lens or unlabeled."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lensing_core.arrays import BoolArray, Float32Array, Float64Array, IntArray
from lensing_core.consensus import REJECT_REASONS
from lensing_core.datasets.groups import BLOCK_NSIDE, host_name, named_by_block, object_groups
from lensing_core.datasets.uses import LENS, OTHER, UNLABELED

__all__ = [
    "LENS",
    "NO_REASON",
    "OTHER",
    "REASONS",
    "UNLABELED",
    "CandidateLabels",
    "TrainingLabels",
]
REASONS = tuple(REJECT_REASONS)
NO_REASON = -1
_ARRAYS = {
    **dict.fromkeys(("candidate_id", "catalog_id", "row"), np.int64),
    **dict.fromkeys(("ra_deg", "dec_deg"), np.float64),
    **dict.fromkeys(("state", "reason"), np.int8),
    **dict.fromkeys(("imported", "graded"), np.bool_),
    "weight": np.float32,
}


@dataclass(frozen=True)
class CandidateLabels:
    """Candidates of some catalogs, in order of catalog and cutout, and what is known of them.

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
        Empty for one catalog without painted arcs, in which names are unique.
    catalogs : dict of int to str
    weight : ndarray of shape (n,), float32
        Of a label: |2p − 1| of its posterior, or 2c − 1 of an imported one of confidence c, at
        least 0.05; 1 where there is no label.
    reason : ndarray of shape (n,), int8
        Kind of a rejected object, an index into :data:`REASONS`; -1 where none was given.
    graded : ndarray of shape (n,), bool
        The state comes from grades.
    left_out : dict of str to int
        Labels that do not count, by reason; their objects are unlabeled.
    """

    candidate_id: IntArray
    catalog_id: IntArray
    row: IntArray
    ra_deg: Float64Array
    dec_deg: Float64Array
    state: NDArray[np.int8]
    imported: BoolArray
    object_id: list[str]
    catalogs: dict[int, str]
    weight: Float32Array
    reason: NDArray[np.int8]
    graded: BoolArray
    left_out: dict[str, int] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.candidate_id)

    @classmethod
    def concatenate(
        cls, parts: Sequence[CandidateLabels], catalogs: dict[int, str]
    ) -> CandidateLabels:
        """Those of several catalogs, one after the other."""
        arrays: dict[str, Any] = {
            name: np.concatenate([np.empty(0, kind), *(getattr(part, name) for part in parts)])
            for name, kind in _ARRAYS.items()
        }
        object_id = [name for part in parts for name in part.object_id]
        labels = cls(**arrays, object_id=object_id, catalogs=catalogs)
        for part in parts:
            for reason, n in part.left_out.items():
                labels.leave_out(reason, n)
        return labels

    def part(self, rows: IntArray) -> CandidateLabels:
        """Some of the candidates."""
        arrays: dict[str, Any] = {name: getattr(self, name)[rows] for name in _ARRAYS}
        object_id = [self.object_id[k] for k in rows.tolist()] if self.object_id else []
        return replace(self, **arrays, object_id=object_id)

    def groups(self, block_nside: int | None = BLOCK_NSIDE) -> IntArray:
        """Number of each candidate's group: objects that belong on one side of every split.

        Those within :data:`~lensing_core.datasets.groups.DUPLICATE_RADIUS_ARCSEC` whatever catalog
        they are from, those of one sky block, and without positions a galaxy with its painted arcs;
        see
        :func:`~lensing_core.datasets.groups.object_groups`.
        """
        return object_groups(
            len(self),
            names=[host_name(name) for name in self.object_id],
            ra_deg=self.ra_deg,
            dec_deg=self.dec_deg,
            block_nside=block_nside,
        )

    def count(self, state: int) -> int:
        """Return how many candidates are in a state."""
        return int((self.state == state).sum())

    def leave_out(self, reason: str, n: int = 1) -> None:
        """Count labels that do not count."""
        self.left_out[reason] = self.left_out.get(reason, 0) + n


@dataclass(frozen=True)
class TrainingLabels:
    """Labeled objects from which a classifier learns, one entry an object.

    Attributes
    ----------
    candidate_id, cutout_index, catalog_id : ndarray of shape (n,), int64
    label : ndarray of shape (n,), int8
        1 lens, 0 not (or not known to be one, where a loss for unlabeled objects is used).
    group : ndarray of shape (n,), int64
        Objects of one group belong on one side of every split.
    catalogs : dict of int to str
        Name by catalog id.
    left_out : dict of str to int
        What was not taken, by reason.
    weight : ndarray of shape (n,), float32, or None
        Of each label in the loss of training; None: all weigh the same.
    """

    candidate_id: IntArray
    cutout_index: IntArray
    catalog_id: IntArray
    label: NDArray[np.int8]
    group: IntArray
    catalogs: dict[int, str]
    left_out: dict[str, int] = field(default_factory=dict)
    weight: Float32Array | None = None

    @classmethod
    def of(cls, labels: CandidateLabels) -> TrainingLabels:
        """Make them from labels whose states are all known."""
        return cls(
            labels.candidate_id,
            labels.row,
            labels.catalog_id,
            labels.state,
            named_by_block(labels.groups(), labels.ra_deg, labels.dec_deg),
            labels.catalogs,
            labels.left_out,
            labels.weight if (labels.weight < 1).any() else None,
        )

    def weights(self, rows: IntArray) -> Float32Array:
        """Weights of some objects."""
        if self.weight is None:
            return np.ones(len(rows), dtype=np.float32)
        return np.asarray(self.weight[rows])

    def __len__(self) -> int:
        return len(self.label)
