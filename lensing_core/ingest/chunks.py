"""Chunks of rows on their way through the decoding processes or threads.

Helper processes put pixels into a scratch file that all of them map, so that none are sent through
pipes; threads share the memory of this process.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from math import prod
from pathlib import Path

from lensing_core.cutouts import CutoutWriter
from lensing_core.disk import reserve
from lensing_core.ingest.catalog_writer import Rejected
from lensing_core.ingest.decoding import CutoutFacts, Decoded, decode_together, uniform_reader
from lensing_core.ingest.images import RowRequest
from lensing_core.ingest.isolation import IsolatedDecoder, reading_helpers
from lensing_core.ingest.pixel_buffers import PixelBuffer, Pixels, opened
from lensing_core.ingest.planning import ImportPlan
from lensing_core.ingest.rejection import RowRejected
from lensing_core.ingest.rows import ParsedRow, RowReader
from lensing_core.processes import available_cores
from lensing_core.supervised import Helpers

ROWS_PER_TASK = 64
AHEAD = 2  # chunks decoded while another is collected: the processes never wait for the disk
SLOTS = AHEAD + 2  # chunks alive at a time: one being written, one collected, those ahead
# Starting processes takes longer than decoding less than this.
_POOL_FROM_ROWS = 2000
_POOL_FROM_PIXELS = 100_000_000
_ROWS_TO_LOOK_AT = 16


@dataclass
class Decoder:
    """Decodes rows, in threads or in helper processes.

    Where files are read together nearly all time goes to system calls, hashes and copies, during
    which other threads run: threads then do what processes do, and need no start and no hand-over.
    Rows that need a library to be read are always left to helper processes.
    """

    plan: ImportPlan
    buffer: PixelBuffer
    helpers: Helpers
    apart: IsolatedDecoder
    threads: ThreadPoolExecutor | None = None
    _slots: dict[int, Pixels] = field(default_factory=dict)
    _next_slot: int = 0

    @classmethod
    @contextmanager
    def open(
        cls, plan: ImportPlan, scratch: Path, capacity: int, n_rows: int, workers: int
    ) -> Iterator[Decoder]:
        """A decoder for chunks of up to ``capacity`` rows.

        Parameters
        ----------
        scratch : Path
            File to make for the pixels; removed at the end.
        n_rows : int
            Rows to come.
        workers : int
            Processes or threads; 0: one a core, or one where more would not pay.
        """
        limits = plan.request.limits
        buffer = PixelBuffer.of(plan.grid, len(plan.source.bands), capacity, slots=SLOTS)
        small = n_rows < _POOL_FROM_ROWS and n_rows * prod(plan.geometry.shape) < _POOL_FROM_PIXELS
        count = workers or (1 if small else available_cores())
        with reading_helpers(count, limits) as helpers:
            apart = IsolatedDecoder(helpers, plan.source, plan.grid, limits)
            if _read_together(plan):
                with ThreadPoolExecutor(count, "decoder") as threads:
                    yield cls(plan, buffer, helpers, apart, threads)
                return
            scratch.parent.mkdir(parents=True, exist_ok=True)
            try:
                reserve(scratch, SLOTS * buffer.bytes_per_slot)
                yield cls(plan, replace(buffer, path=scratch), helpers, apart)
            finally:
                helpers.close()
                scratch.unlink(missing_ok=True)

    def save(self, cutouts: CutoutWriter, number: int, chunk: Chunk, places: Sequence[int]) -> None:
        """Write the rows of a chunk at ``places`` as a shard: by a process, if rows go to those.

        Writing takes a good part of the time of decoding, and must not wait in one thread.
        """
        if self.threads is not None:
            save_shard(cutouts, number, chunk.pixels, places)
        else:
            self.helpers.submit(
                _save_from_buffer, cutouts, number, self.buffer, chunk.slot, places
            ).result()

    def begin(
        self, rows: list[RowRequest], slot: int, pixels: Pixels, first: int
    ) -> Future[Decoded]:
        """Hand over rows whose pixels go to a slot, from place ``first`` on."""
        if self.threads is not None:
            return self.threads.submit(self._decode, rows, pixels, first)
        return self.helpers.supervise(self.apart.into_buffer, rows, self.buffer, slot, first)

    def _decode(self, rows: list[RowRequest], pixels: Pixels, first: int) -> Decoded:
        """Read together what can be, and the rest in helper processes."""
        facts = decode_together(self.plan.source, self.plan.grid, rows, pixels, first)
        left = [k for k in range(len(rows)) if k not in facts]
        if not left:
            return Decoded(facts, {})
        alone = self.apart.into_memory(
            {k: rows[k] for k in left}, pixels, {k: first + k for k in left}
        )
        return Decoded(facts | alone.facts, alone.rejected)

    def next_slot(self) -> tuple[int, Pixels]:
        """The slot that has been free for longest, and its pixels."""
        slot = self._next_slot
        self._next_slot = (slot + 1) % SLOTS
        if slot not in self._slots:
            self._slots[slot] = self.buffer.open(slot)
        return slot, self._slots[slot]


def _read_together(plan: ImportPlan) -> bool:
    """Return whether files are read together, by the first rows of the table."""
    first = plan.reader().read(0, min(_ROWS_TO_LOOK_AT, len(plan.table)))
    rows = [row.request for row in first if isinstance(row, ParsedRow)]
    return uniform_reader(plan.source, rows) is not None


@dataclass
class Chunk:
    """Rows ``start`` to ``stop`` of the table, which make one shard.

    Attributes
    ----------
    parsed : list of ParsedRow
        Rows whose images are looked for; their pixels stand in ``pixels`` at the same places.
    rejected : list of Rejected
        Rows that cannot even be read.
    unclear_cells : Counter
        As in :class:`RowReader`, of these rows.
    """

    start: int
    stop: int
    parsed: list[ParsedRow]
    rejected: list[Rejected]
    unclear_cells: Counter[str]
    slot: int
    pixels: Pixels
    _tasks: list[Future[Decoded]]

    @classmethod
    def begin(cls, decoder: Decoder, reader: RowReader, start: int, stop: int) -> Chunk:
        """Read rows and hand them to the decoder."""
        before = reader.unclear_cells.copy()
        parsed: list[ParsedRow] = []
        rejected: list[Rejected] = []
        for row in reader.read(start, stop):
            if isinstance(row, ParsedRow):
                parsed.append(row)
            else:
                rejected.append(row)
        slot, pixels = decoder.next_slot()
        tasks: list[Future[Decoded]] = []
        for first in range(0, len(parsed), ROWS_PER_TASK):
            rows = [row.request for row in parsed[first : first + ROWS_PER_TASK]]
            tasks.append(decoder.begin(rows, slot, pixels, first))
        return cls(
            start, stop, parsed, rejected, reader.unclear_cells - before, slot, pixels, tasks
        )

    def results(
        self, progress: Callable[[int], None]
    ) -> Iterator[tuple[int, ParsedRow, CutoutFacts | RowRejected]]:
        """Place, row and outcome, in the order of rows."""
        for k, task in enumerate(self._tasks):
            decoded = task.result()
            first = k * ROWS_PER_TASK
            for offset, row in enumerate(self.parsed[first : first + ROWS_PER_TASK]):
                outcome = decoded.facts.get(offset) or decoded.rejected[offset]
                yield first + offset, row, outcome
            progress(self.start + min(first + ROWS_PER_TASK, len(self.parsed)))


def save_shard(cutouts: CutoutWriter, number: int, pixels: Pixels, places: Sequence[int]) -> None:
    """Write the objects at ``places`` as a shard."""
    kept = pixels.rows(places)
    cutouts.write_shard(number, kept.flux, variance=kept.variance, psf=kept.psf)


def _save_from_buffer(
    cutouts: CutoutWriter, number: int, buffer: PixelBuffer, slot: int, places: Sequence[int]
) -> None:
    save_shard(cutouts, number, opened(buffer, slot), places)
