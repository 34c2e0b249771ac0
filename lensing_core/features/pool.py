"""Features of many cutouts, in the calling thread or in processes of their own.

A batch takes hundreds of short calls to numpy, whose threads would wait for the interpreter's lock
more than they would compute: cores are shared out to processes, of one thread each.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures.process import BrokenProcessPool
from contextlib import AbstractContextManager
from functools import cache, partial
from types import TracebackType

import numpy as np
from threadpoolctl import ThreadpoolController

from lensing_core.arrays import Float32Array
from lensing_core.errors import LensTriageError
from lensing_core.features.block import Metadata
from lensing_core.features.composition import ClassicFeatures
from lensing_core.processes import start_processes

ROWS = 64
"""Cutouts whose features are computed together: few enough to stay in a core's cache."""
PARTS_AT_LEAST = 4
"""Parts of the batches that callers hand over; fewer and a core would wait."""
FROM_ROWS = 2000
"""Starting processes takes longer than the features of fewer cutouts."""


def compute_features(
    compute: ClassicFeatures, flux: Float32Array, metadata: Metadata | None = None
) -> Float32Array:
    """Features (n, columns) of cutouts (n, band, y, x), in the calling thread.

    Parameters
    ----------
    metadata : mapping of str to sequence of n values, optional
        What the catalog block needs; None where unknown.
    """
    with _one_thread():
        parts = [compute(*part) for part in _parts(flux, metadata)]
    return np.concatenate(parts)


class FeaturePool:
    """Computes features in processes while the caller does something else.

    Parameters
    ----------
    compute : ClassicFeatures
    processes : int
        0: the calling thread computes, when it asks for a result.
    """

    def __init__(self, compute: ClassicFeatures, processes: int) -> None:
        self.compute = compute
        self.ahead = max(1, 2 * processes // PARTS_AT_LEAST)
        self._pool = start_processes(processes, [__name__]) if processes else None

    def __enter__(self) -> FeaturePool:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._pool is not None:  # after a failure, what is queued is not waited for
            self._pool.shutdown(wait=error is None, cancel_futures=True)

    def submit(
        self, flux: Float32Array, metadata: Metadata | None = None
    ) -> Callable[[], Float32Array]:
        """Begin with cutouts (n, band, y, x).

        Returns
        -------
        callable
            Waits for and gives what :func:`compute_features` would; raises LensTriageError if a
            process has been killed.
        """
        if self._pool is None:
            return partial(compute_features, self.compute, flux, metadata)
        try:
            parts = [
                self._pool.submit(_compute, self.compute, *part) for part in _parts(flux, metadata)
            ]
        except BrokenProcessPool as error:
            raise _ended() from error
        return partial(_joined, parts)


def _joined(parts: list[Future[Float32Array]]) -> Float32Array:
    try:
        return np.concatenate([part.result() for part in parts])
    except BrokenProcessPool as error:
        raise _ended() from error


def _compute(
    compute: ClassicFeatures, flux: Float32Array, metadata: Metadata | None
) -> Float32Array:
    with _one_thread():
        return compute(flux, metadata)


def _parts(
    flux: Float32Array, metadata: Metadata | None
) -> list[tuple[Float32Array, Metadata | None]]:
    """Cutouts and what is known of them, :data:`ROWS` at a time; one part of none for none."""
    cuts = [slice(first, first + ROWS) for first in range(0, max(1, len(flux)), ROWS)]
    return [
        (flux[cut], None if metadata is None else {k: v[cut] for k, v in metadata.items()})
        for cut in cuts
    ]


def _one_thread() -> AbstractContextManager[object]:
    """Products of small matrices in one thread: others would be woken for microseconds of work."""
    return _linear_algebra().limit(limits=1)


@cache
def _linear_algebra() -> ThreadpoolController:
    return ThreadpoolController().select(internal_api="openblas")


def _ended() -> LensTriageError:
    return LensTriageError(
        "A process that computes features was ended from outside (memory?); resume the run, with "
        "a smaller batch size if it happens again."
    )
