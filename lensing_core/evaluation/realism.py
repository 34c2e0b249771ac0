"""Realism gate: separability of painted from real objects, which a network could learn instead."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from lensing_core.arrays import Float32Array
from lensing_core.datasets.uses import LENS, OTHER
from lensing_core.errors import BadInputError
from lensing_core.evaluation.separation import judge_separation
from lensing_core.pu.probes import ColumnBlock, ProbeData, ProbeInput, cross_fitted_scores

LIMIT = 0.8
"""AUROC above which a training set is warned of."""
FEWEST = 20


@dataclass(frozen=True)
class RealismGate:
    """Separation of painted from real objects by one kind of columns.

    Attributes
    ----------
    columns : str
    auroc, low_95, high_95 : float
        Cross-fitted in whole groups; 0.5 where they cannot be told apart.
    painted, real : int
    giveaways : tuple of int
        Rows of the painted objects that are told apart most surely.
    """

    columns: str
    auroc: float
    low_95: float
    high_95: float
    painted: int
    real: int
    giveaways: tuple[int, ...]

    @property
    def passed(self) -> bool:
        """Return whether the AUROC is at most :data:`LIMIT`."""
        return self.auroc <= LIMIT

    def to_json(self) -> dict[str, Any]:
        """Plain JSON."""
        return {
            **vars(self),
            "giveaways": list(self.giveaways),
            "limit": LIMIT,
            "passed": self.passed,
        }

    @property
    def sentence(self) -> str:
        """One line for people."""
        what = (
            "painted and real objects are indistinguishable"
            if self.passed
            else f"above the limit of {LIMIT}: networks may learn to recognize painting"
        )
        return (
            f"Realism by {self.columns}: AUROC {self.auroc:.3f} [{self.low_95:.3f}, "
            f"{self.high_95:.3f}] of {self.painted} painted against {self.real} real; {what}."
        )


def realism_gate(
    columns: Mapping[str, Float32Array],
    painted: ArrayLike,
    groups: ArrayLike,
    *,
    examples: int = 12,
    seed: int = 0,
) -> list[RealismGate]:
    """Tell painted from real by each kind of columns (embedding, features).

    Parameters
    ----------
    columns : mapping of str to ndarray of shape (n, d)
    painted : array_like of shape (n,), bool
    groups : array_like of shape (n,)
        All pictures of one host belong to one group.
    examples : int
        Giveaways to name.

    Raises
    ------
    BadInputError
        If there are fewer than :data:`FEWEST` of either.
    """
    truth, group = np.asarray(painted, dtype=bool), np.asarray(groups)
    n = int(truth.sum()), int((~truth).sum())
    if min(n) < FEWEST:
        raise BadInputError(
            f"{n[0]} painted and {n[1]} real objects: the realism gate needs {FEWEST} of each."
        )
    gates = []
    for name, values in columns.items():
        data = ProbeData(
            np.asarray(values, dtype=np.float32),
            np.where(truth, LENS, OTHER).astype(np.int8),
            np.ones(len(truth)),
            group,
        )
        given = ProbeInput(name, (ColumnBlock(name, name, 0, values.shape[1]),))
        scores = cross_fitted_scores(data, given, seed=seed)
        found = judge_separation(scores, truth, group, examples=examples, seed=seed)
        interval = (found.auroc, found.low_95, found.high_95)
        gates.append(RealismGate(name, *interval, *n, found.giveaways))
    return gates
