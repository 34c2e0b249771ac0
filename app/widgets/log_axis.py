"""Ranges of logarithmic axes, set from the data here: Bokeh's own cannot be empty."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from bokeh.models import Range1d
from numpy.typing import ArrayLike

_MARGIN = 0.04  # of the length of the axis, at each end


def log_range() -> Range1d:
    """Return a range for a plot that has no data yet."""
    return Range1d(start=0.1, end=1.0)


def fit_log_range(
    axis: Range1d, values: Sequence[ArrayLike], *, start: float | None = None, end: float = 0.0
) -> None:
    """Make a range hold all positive numbers of ``values``; without one it stays as it is.

    Parameters
    ----------
    axis : Range1d
        As made by :func:`log_range`.
    values : sequence of array_like
    start : float, optional
        Where the axis begins, whatever the values.
    end : float, optional
        At least where it ends.
    """
    found = np.concatenate([np.ravel(np.asarray(one, dtype=float)) for one in values])
    found = found[np.isfinite(found) & (found > 0)]
    if not found.size:
        return
    low, high = np.log10(found.min()), np.log10(max(found.max(), end))
    margin = _MARGIN * (high - low) or _MARGIN
    axis.update(
        start=10.0 ** (low - margin) if start is None else start, end=float(10 ** (high + margin))
    )
