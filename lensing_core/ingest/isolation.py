"""Reading in helper processes, so that a file that ends or stalls its reader costs one row.

Files that need no library (see :mod:`lensing_core.ingest.simple_fits`) are read by threads of the
importing process; all others only here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from lensing_core.errors import BadInputError, LensTriageError, with_traceback
from lensing_core.ingest.decoding import CutoutFacts, Decoded, decode_each, decode_rows
from lensing_core.ingest.guard import leaving_out, lost_file
from lensing_core.ingest.images import ImageSource, RowRequest
from lensing_core.ingest.limits import Limits, limited
from lensing_core.ingest.object_tables import TABLE
from lensing_core.ingest.pixel_buffers import Grid, PixelBuffer, Pixels, opened
from lensing_core.ingest.rejection import RowRejected
from lensing_core.supervised import HelperLost, Helpers, mark

_MOST_LOST = 20  # of the first files; more are no accident
_READERS = ("decoding", "fits_sources", "mosaics", "stacks", "pictures", "planning")
_BYTES_AT_ONCE = 16 * 2**20  # of pixels that are sent through a pipe

Result = TypeVar("Result")


def reading_helpers(count: int, limits: Limits) -> Helpers:
    """Helper processes that have what reading needs."""
    preload = [f"lensing_core.ingest.{name}" for name in _READERS]
    return Helpers(count, preload, limits.memory_bytes)


@dataclass(frozen=True)
class IsolatedDecoder:
    """Decodes rows in helper processes."""

    helpers: Helpers
    source: ImageSource
    grid: Grid
    limits: Limits

    def into_buffer(
        self, rows: Sequence[RowRequest], buffer: PixelBuffer, slot: int, first: int
    ) -> Decoded:
        """Decode rows into a slot of a scratch file, from place ``first`` on."""

        def attempt(part: list[int], *, is_first: bool) -> Decoded:
            chosen = {k: rows[k] for k in part}
            places = {k: first + k for k in part}
            return self._call(_decode_into_buffer, chosen, buffer, slot, places, is_first)

        return self._decode(range(len(rows)), attempt)

    def into_memory(
        self, rows: Mapping[int, RowRequest], pixels: Pixels, places: Mapping[int, int]
    ) -> Decoded:
        """Decode rows by their numbers; pixels of row ``k`` go to ``pixels`` at ``places[k]``."""

        def attempt(part: list[int], *, is_first: bool) -> Decoded:
            decoded, theirs = self._call(_decode_and_send, {k: rows[k] for k in part})
            for at, k in enumerate(part):
                if k in decoded.facts:
                    pixels.put(places[k], theirs, at)
            return decoded

        n_bands = len(self.source.bands)
        size = PixelBuffer.of(self.grid, n_bands, 1).bytes_per_slot
        at_once = max(1, _BYTES_AT_ONCE // size)
        numbers = list(rows)
        facts: dict[int, CutoutFacts] = {}
        rejected: dict[int, RowRejected] = {}
        for at in range(0, len(numbers), at_once):
            decoded = self._decode(numbers[at : at + at_once], attempt)
            facts |= decoded.facts
            rejected |= decoded.rejected
        return Decoded(facts, rejected)

    def _call(self, function: Callable[..., Any], *arguments: Any) -> Any:
        return self.helpers.call(
            function,
            self.limits,
            self.source,
            self.grid,
            *arguments,
            seconds=lambda _: self.limits.file_seconds,
        )

    def _decode(self, numbers: Iterable[int], attempt: Callable[..., Decoded]) -> Decoded:
        """Decode rows; where a helper is lost, find the row and go on with the others."""
        facts: dict[int, CutoutFacts] = {}
        rejected: dict[int, RowRejected] = {}
        waiting = [list(numbers)]
        suspects: set[int] = set()
        is_first = True
        while waiting:
            part = waiting.pop()
            if not part:
                continue
            try:
                decoded = attempt(part, is_first=is_first)
            except HelperLost as lost:
                at = part.index(int(lost.item)) if lost.item.isdecimal() else 0
                row, rest = part[at], [k for k in part if k != part[at]]
                if lost.why == "time" or row in suspects:
                    rejected[row] = lost_file(lost, lost.file or f"row {row}")
                    waiting.append(rest)
                else:  # a process may also be killed from outside: once more, by itself
                    suspects.add(row)
                    waiting += [rest, [row]]
            else:
                facts |= decoded.facts
                rejected |= decoded.rejected
            is_first = False
        return Decoded(facts, rejected)


def _decode_into_buffer(
    limits: Limits,
    source: ImageSource,
    grid: Grid,
    rows: Mapping[int, RowRequest],
    buffer: PixelBuffer,
    slot: int,
    places: Mapping[int, int],
    together: bool,
) -> Decoded:
    pixels = opened(buffer, slot)
    with limited(limits):
        if together:
            first = min(places.values())
            return decode_rows(source, grid, list(rows.values()), pixels, first)
        return decode_each(source, grid, rows, pixels, places)


def _decode_and_send(
    limits: Limits, source: ImageSource, grid: Grid, rows: Mapping[int, RowRequest]
) -> tuple[Decoded, Pixels]:
    pixels = PixelBuffer.of(grid, len(source.bands), len(rows)).open()
    places = {k: at for at, k in enumerate(rows)}
    with limited(limits):
        return decode_each(source, grid, rows, pixels, places), pixels


def look_apart(
    function: Callable[..., Result],
    *arguments: Any,
    limits: Limits,
    table: str,
    table_seconds: float | None = None,
) -> Result:
    """The result of a function that looks at a table and the first images, in a helper process.

    A file that ends the process or takes too long is left out, and the function called again.

    Parameters
    ----------
    table : str
        The table, for messages.
    table_seconds : float, optional
        How long reading it may take; default: as the limits say.

    Raises
    ------
    BadInputError
        If it is the table that cannot be read so.
    LensTriageError
        As the function raised it.
    """
    for_table = limits.table_seconds if table_seconds is None else table_seconds
    bad: dict[str, RowRejected] = {}
    with reading_helpers(1, limits) as helpers:
        while True:
            try:
                found: Result = helpers.call(
                    _look,
                    limits,
                    bad,
                    function,
                    arguments,
                    seconds=lambda item: for_table if item == TABLE else limits.file_seconds,
                )
            except HelperLost as lost:
                if not lost.file or lost.item == TABLE or len(bad) == _MOST_LOST:
                    raise _unreadable(lost, table, limits, for_table) from lost
                bad[lost.file] = lost_file(lost, lost.file)
            else:
                return found


def _look(
    limits: Limits,
    bad: Mapping[str, RowRejected],
    function: Callable[..., Result],
    arguments: tuple[Any, ...],
) -> Result:
    with limited(limits), leaving_out(bad):
        try:
            found = function(*arguments)
            mark(TABLE)  # which is sent now
            return found
        except LensTriageError:
            raise
        except MemoryError as error:
            raise BadInputError(
                f"Looking at the table and the first images needs more than the "
                f"{limits.memory_gb:g} GiB of the setting memory_gb; raise it, or give the table "
                "as Parquet or FITS."
            ) from error
        except Exception as error:
            failure = BadInputError(
                f"The table or the first images cannot be used: {type(error).__name__}: {error}. "
                "The log has the details."
            )
            raise with_traceback(failure, error) from error


def _unreadable(lost: HelperLost, table: str, limits: Limits, seconds: float) -> BadInputError:
    if not lost.item and not lost.file:
        return BadInputError(
            "The process that reads the table and the first images was lost at its start "
            f"({lost.detail}); the machine may be busy or out of memory: try again."
        )
    what = lost.file if lost.item != TABLE and lost.file else table
    if lost.why == "time":
        return BadInputError(
            f"{what}: looking at it took more than {seconds:g} s and was stopped; check the file "
            "and its format, or raise the setting table_seconds."
        )
    return BadInputError(
        f"{what}: looking at it ended the process that did so ({lost.detail}); the file may be "
        f"damaged, or need more than the {limits.memory_gb:g} GiB of the setting memory_gb."
    )
