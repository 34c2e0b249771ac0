"""Carrying out a plan: chunk after chunk is decoded on all cores, then written as one shard.

A chunk is as many source rows as fill a shard, so that memory does not grow with the catalog and a
resumed import writes the same shards as one that was never interrupted.
"""

from __future__ import annotations

import json
import os
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass, replace
from multiprocessing import get_all_start_methods, get_context
from typing import Any

import numpy as np
from sqlalchemy import func, select

from lensing_core.errors import BadInputError, LensTriageError
from lensing_core.ingest.catalog_writer import CatalogSpec, CatalogWriter, NewCandidate, Rejected
from lensing_core.ingest.decoding import CutoutFacts, Decoded, decode_rows
from lensing_core.ingest.planning import ImportPlan
from lensing_core.ingest.rows import ParsedRow, RowReader
from lensing_core.store import open_database
from lensing_core.store.tables import Catalog, Quarantine
from lensing_core.workspace import Workspace

_ROWS_PER_TASK = 64
_POOL_FROM_ROWS = 512  # starting processes takes longer than decoding fewer rows

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class ImportReport:
    """What an import did, over all its attempts.

    Attributes
    ----------
    rows, ingested, quarantined : int
    reasons : dict of str to int
        Quarantined rows by reason.
    doubts : dict of str to int
        Cells that were left empty because they could not be understood, by their role.
    already_complete : bool
        Whether there was nothing left to do.
    """

    catalog: str
    rows: int
    ingested: int
    quarantined: int
    reasons: dict[str, int]
    doubts: dict[str, int]
    warnings: list[str]
    already_complete: bool

    def to_json(self) -> dict[str, Any]:
        """Plain JSON."""
        return dict(vars(self))


def import_catalog(
    workspace: Workspace,
    plan: ImportPlan,
    spec: CatalogSpec,
    *,
    progress: Progress = lambda done, total: None,
    workers: int = 0,
) -> ImportReport:
    """Bring a planned catalog into the workspace, or go on with one.

    Parameters
    ----------
    spec : CatalogSpec
        Name, scale and provenance; its geometry and notes come from the plan.
    progress : callable
        Called with rows done and rows in all; what it raises stops the import between chunks or
        within one, and a later call goes on.
    workers : int
        Processes; 0: one for each core that this process may use.

    Raises
    ------
    BadInputError
        If a catalog of the name was made from another table or with another geometry.
    """
    spec = replace(spec, geometry=plan.geometry, notes={**spec.notes, "import": plan.notes})
    _check_same_import(workspace, spec, plan)
    writer = CatalogWriter(workspace, spec)
    done_before = writer.complete
    if not done_before:
        _run(writer, plan, progress, workers)
        writer.finish()
    return report(workspace, spec.name, plan.warnings, already_complete=done_before)


def report(
    workspace: Workspace, catalog: str, warnings: list[str], *, already_complete: bool = False
) -> ImportReport:
    """The report of a catalog, from the database."""
    with open_database(workspace).session() as session:
        row = session.scalars(select(Catalog).where(Catalog.name == catalog)).one()
        counts = session.execute(
            select(Quarantine.reason, func.count())
            .where(Quarantine.catalog_id == row.id)
            .group_by(Quarantine.reason)
            .order_by(func.count().desc(), Quarantine.reason)
        ).all()
        return ImportReport(
            catalog=catalog,
            rows=row.rows_read,
            ingested=row.n_candidates,
            quarantined=row.n_quarantined,
            reasons=dict(counts),
            doubts=dict(row.notes.get("doubts", {})),
            warnings=list(warnings),
            already_complete=already_complete,
        )


def _check_same_import(workspace: Workspace, spec: CatalogSpec, plan: ImportPlan) -> None:
    """A name stands for one table, read in one way."""
    with open_database(workspace).session() as session:
        existing = session.scalar(select(Catalog).where(Catalog.name == spec.name))
    if existing is None:
        return
    stored = existing.notes.get("import")
    if stored is None:
        raise BadInputError(
            f"There is a catalog {spec.name} already, which was not imported; choose another name."
        )
    fresh = json.loads(json.dumps(plan.notes))
    for key, what in (
        ("table_sha256", "another table (or its file has changed)"),
        ("image_kind", "images of another kind"),
        ("images", "another images folder"),
        ("pattern", "another file-name pattern"),
        ("columns", "another column mapping"),
    ):
        if stored.get(key) != fresh.get(key):
            raise BadInputError(
                f"Catalog {spec.name} was begun with {what}: {stored.get(key)!r}, now "
                f"{fresh.get(key)!r}. Choose another name for this import."
            )


def _run(writer: CatalogWriter, plan: ImportPlan, progress: Progress, workers: int) -> None:
    reader = plan.reader()
    total, size = len(plan.table), writer.rows_per_shard
    starts = iter(range(writer.rows_read, total, size))
    with _pool(plan, total - writer.rows_read, workers) as pool:
        ahead: deque[_Chunk] = deque()

        def begin_next() -> None:
            start = next(starts, None)
            if start is not None:
                ahead.append(_Chunk.begin(pool, plan, reader, start, min(start + size, total)))

        begin_next()
        while ahead:
            chunk = ahead.popleft()
            begin_next()  # the pool is at work on it while this one is written
            try:
                _write(writer, plan, chunk, chunk.results(lambda done: progress(done, total)))
            except BrokenProcessPool as error:
                raise LensTriageError(
                    f"A process that decoded rows {chunk.start} to {chunk.stop - 1} was killed, "
                    "perhaps for want of memory; resume the import, with fewer workers if need be."
                ) from error
            progress(chunk.stop, total)


@contextmanager
def _pool(plan: ImportPlan, n_rows: int, workers: int) -> Iterator[ProcessPoolExecutor | None]:
    """Processes that decode, or None where they would not pay."""
    count = workers or available_cores()
    if count == 1 or (not workers and n_rows < _POOL_FROM_ROWS):
        yield None
        return
    # The job's process has threads: a plain fork could copy a lock that is held.
    method = "forkserver" if "forkserver" in get_all_start_methods() else "spawn"
    context = get_context(method)
    if method == "forkserver":
        context.set_forkserver_preload(["lensing_core.ingest.planning"])
    pool = ProcessPoolExecutor(count, mp_context=context)
    try:
        yield pool
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def available_cores() -> int:
    """Cores that this process may use."""
    affinity = getattr(os, "sched_getaffinity", None)  # Linux
    return len(affinity(0)) if affinity else os.cpu_count() or 1


@dataclass
class _Chunk:
    """Rows that make one shard, being decoded."""

    start: int
    stop: int
    parsed: list[ParsedRow]
    rejected: list[Rejected]
    doubts: Counter[str]
    tasks: list[Future[Decoded] | Callable[[], Decoded]]

    @classmethod
    def begin(
        cls,
        pool: ProcessPoolExecutor | None,
        plan: ImportPlan,
        reader: RowReader,
        start: int,
        stop: int,
    ) -> _Chunk:
        parsed: list[ParsedRow] = []
        rejected: list[Rejected] = []
        before = reader.doubts.copy()
        for row in reader.read(start, stop):
            if isinstance(row, ParsedRow):
                parsed.append(row)
            else:
                rejected.append(row)
        tasks: list[Future[Decoded] | Callable[[], Decoded]] = []
        for first in range(0, len(parsed), _ROWS_PER_TASK):
            requests = [row.request for row in parsed[first : first + _ROWS_PER_TASK]]
            tasks.append(
                _Later(plan, requests)
                if pool is None
                else pool.submit(decode_rows, plan.source, plan.grid, requests)
            )
        return cls(start, stop, parsed, rejected, reader.doubts - before, tasks)

    def results(self, progress: Callable[[int], None]) -> Iterator[tuple[list[ParsedRow], Decoded]]:
        """Outcomes in the order of rows."""
        for k, task in enumerate(self.tasks):
            decoded = task.result() if isinstance(task, Future) else task()
            first = k * _ROWS_PER_TASK
            yield self.parsed[first : first + _ROWS_PER_TASK], decoded
            self.tasks[k] = _nothing  # lets go of the pixels
            progress(self.start + min(first + _ROWS_PER_TASK, len(self.parsed)))


@dataclass(frozen=True)
class _Later:
    """A task of this very process, done when its result is asked for."""

    plan: ImportPlan
    requests: list[Any]

    def __call__(self) -> Decoded:
        return decode_rows(self.plan.source, self.plan.grid, self.requests)


def _nothing() -> Decoded:
    raise RuntimeError("the result was taken already")


def _write(
    writer: CatalogWriter,
    plan: ImportPlan,
    chunk: _Chunk,
    decoded: Iterator[tuple[list[ParsedRow], Decoded]],
) -> None:
    """Write a chunk's good rows as a shard; of rows with one id the first good one is kept."""
    known = writer.known_object_ids([row.request.object_id for row in chunk.parsed])
    size, (bands, side, _) = len(chunk.parsed), plan.geometry.shape
    flux = np.empty((size, bands, side, side), dtype=np.float32)
    variance = np.full_like(flux, np.nan) if plan.grid.with_variance else None
    stamp = (size, bands, plan.grid.psf_size_px, plan.grid.psf_size_px)
    psf = np.full(stamp, np.nan, dtype=np.float32) if plan.grid.psf_size_px else None
    rows: list[NewCandidate] = []
    digests: list[str] = []
    rejected = list(chunk.rejected)
    for parsed, part in decoded:
        for k, problem in part.rejected:
            rejected.append(
                Rejected(
                    parsed[k].request.row_number,
                    problem.reason,
                    problem.message,
                    parsed[k].request.object_id,
                    problem.source,
                )
            )
        for k, index in enumerate(part.good):
            row, facts = parsed[index], part.facts[k]
            object_id = row.request.object_id
            if object_id in known:
                rejected.append(
                    Rejected(
                        row.request.row_number,
                        "duplicate_id",
                        f"The id {object_id!r} stands in an earlier row too; that one was taken.",
                        object_id,
                        facts.source,
                    )
                )
                continue
            known.add(object_id)
            place = len(rows)
            flux[place] = part.flux[k]
            if variance is not None and part.variance is not None:
                variance[place] = part.variance[k]
            if psf is not None and part.psf is not None:
                psf[place] = part.psf[k]
            rows.append(_candidate(row, facts, plan))
            digests.append(facts.sha256)
    rejected.sort(key=lambda bad: bad.row_number)
    n = len(rows)
    writer.append(
        flux[:n],
        rows,
        rows_read=chunk.stop,
        rejected=rejected,
        variance=None if variance is None else variance[:n],
        psf=None if psf is None else psf[:n],
        sha256=digests,
        notes={"doubts": _add(writer.notes.get("doubts", {}), chunk.doubts)},
    )


def _candidate(row: ParsedRow, facts: CutoutFacts, plan: ImportPlan) -> NewCandidate:
    ingest: dict[str, Any] = {"source": facts.source}
    if facts.nan_fraction:
        ingest["nan_fraction"] = round(facts.nan_fraction, 4)
    if facts.regridded:
        ingest["regridded"] = True
    if facts.scaled_zero_points_mag:
        ingest["image_zero_points_mag"] = {
            plan.geometry.bands[k]: value for k, value in facts.scaled_zero_points_mag.items()
        }
    observation = {
        **row.observation,
        "band_flags": facts.band_flags,
        "source_pixel_scale_arcsec": facts.source_scale_arcsec,
        "variance_available": facts.has_variance,
        "properties": {**row.observation["properties"], "ingest": ingest},
    }
    return NewCandidate(**row.candidate, observation=observation)


def _add(one: Mapping[str, int], other: Mapping[str, int]) -> dict[str, int]:
    return dict(Counter(one) + Counter(other))
