"""Ids in parts that a statement takes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TypeVar

import numpy as np

AT_ONCE = 5000
"""Values of one IN list: SQLite takes 32,766 parameters in a statement, PostgreSQL 65,535."""

_One = TypeVar("_One")


def in_batches(values: Iterable[_One], size: int = AT_ONCE) -> Iterator[list[_One]]:
    """Values in lists of at most ``size``, in their order; numbers of an array become Python's.

    A database driver takes no number of numpy.
    """
    remaining = iter(values.tolist() if isinstance(values, np.ndarray) else values)
    while part := list(islice(remaining, size)):
        yield part
