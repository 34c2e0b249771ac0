"""What is known to be true of simulated objects, from the database."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select

from lensing_core.store import open_database
from lensing_core.store.tables import Observation
from lensing_core.workspace import Workspace

_AT_ONCE = 500


def fetch_truth(
    workspace: Workspace, candidate_ids: NDArray[np.int64], names: Sequence[str]
) -> NDArray[np.float32]:
    """Values (n, len(names)) of a simulation's truth; NaN for what is observed or not known."""
    out = np.full((len(candidate_ids), len(names)), np.nan, dtype=np.float32)
    row = {candidate_id: k for k, candidate_id in enumerate(candidate_ids.tolist())}
    with open_database(workspace).session() as session:
        for first in range(0, len(candidate_ids), _AT_ONCE):
            found = session.execute(
                select(Observation.candidate_id, Observation.truth).where(
                    Observation.candidate_id.in_(candidate_ids[first : first + _AT_ONCE].tolist()),
                    Observation.truth.is_not(None),
                )
            )
            for candidate_id, truth in found:
                out[row[candidate_id]] = [_number(truth.get(name)) for name in names]
    return out


def _number(value: Any) -> float:
    return math.nan if value is None else float(value)
