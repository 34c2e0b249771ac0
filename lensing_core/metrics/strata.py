"""Recall of lenses by their properties, at one threshold for all."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lensing_core.arrays import BoolArray, Float64Array
from lensing_core.errors import BadInputError
from lensing_core.proportions import Proportion

EDGES = {
    "theta_e_arcsec": (0.5, 0.8, 1.2, 1.8, 3.0, 10.0, 20.0, 50.0),
    "arc_snr": (0.0, 10.0, 20.0, 50.0, 100.0, 200.0, math.inf),
    "magnification": (0.0, 3.0, 5.0, 8.0, 15.0, math.inf),
    "magnitude": (-math.inf, 18.0, 19.5, 21.0, 22.5, math.inf),
    "source_mag": (-math.inf, 22.0, 23.0, 24.0, math.inf),
}
"""Edges of the bins of each property; a bin includes its lower edge."""


def threshold_at_fpr(non_lenses: Float64Array, rate: float) -> float:
    """The lowest score that at most ``rate`` of the non-lenses reach; ties count as passing."""
    if not 0 <= rate < 1:
        raise BadInputError(f"False-positive rate {rate}: give a number from 0 to below 1.")
    descending = np.sort(non_lenses)[::-1]
    allowed = math.floor(rate * len(descending))
    return float(np.nextafter(descending[allowed], np.inf)) if len(descending) else -math.inf


def recall_by(
    scores: Float64Array,
    labels: NDArray[np.integer],
    properties: Mapping[str, Sequence[float | None]],
    *,
    kinds: Mapping[str, Sequence[str]] | None = None,
    fpr: float = 1e-2,
) -> dict[str, list[dict[str, Any]]]:
    """Recall of the lenses in each bin of :data:`EDGES`, at the threshold of one FPR.

    Parameters
    ----------
    scores, labels : ndarray of shape (n,)
    properties : of all n objects, by name; None where unknown (of non-lenses nothing is used)
    kinds : of all n objects, by name
        Properties that are names, such as the survey; left out where all lenses have one.

    Returns
    -------
    dict
        For each property, one entry a bin that has lenses: ``low``, ``high`` (None: open), or
        ``name`` for a property of ``kinds``;
        ``found``, ``lenses``, ``recall`` and its 95 % interval ``low_95``, ``high_95``.
    """
    threshold = threshold_at_fpr(scores[labels == 0], fpr)
    lenses = labels == 1
    passed = scores >= threshold
    result: dict[str, list[dict[str, Any]]] = {}
    for name, values in properties.items():
        column = np.array([math.nan if v is None else v for v in values], dtype=np.float64)
        bins = []
        for low, high in zip(EDGES[name][:-1], EDGES[name][1:], strict=True):
            inside = lenses & (column >= low) & (column < high)
            if inside.any():
                edges = {
                    "low": low if math.isfinite(low) else None,
                    "high": high if math.isfinite(high) else None,
                }
                bins.append({**edges, **_recall(inside, passed)})
        if bins:
            result[name] = bins
    for name, names in (kinds or {}).items():
        of = np.asarray(names)
        present = np.unique(of[lenses])
        if len(present) > 1:
            result[name] = [
                {"name": str(kind), **_recall(lenses & (of == kind), passed)} for kind in present
            ]
    return result


def _recall(inside: BoolArray, passed: BoolArray) -> dict[str, float]:
    total, n_passed = int(inside.sum()), int((inside & passed).sum())
    low_95, high_95 = Proportion(n_passed, total).interval
    return {
        "found": n_passed,
        "lenses": total,
        "recall": n_passed / total,
        "low_95": low_95,
        "high_95": high_95,
    }
