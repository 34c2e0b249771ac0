"""Carrying out a plan: chunk after chunk is decoded on all cores, then written as one shard.

A chunk is as many source rows as fill a shard, so that memory does not grow with the catalog and a
resumed import writes the same shards as one that was never interrupted.
"""

from __future__ import annotations

import json
from collections import Counter, deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from math import prod
from typing import Any

from lensing_core.errors import BadInputError
from lensing_core.ingest.catalog_writer import (
    CatalogSpec,
    CatalogWriter,
    NewCandidate,
    Rejected,
    require_space_for,
)
from lensing_core.ingest.chunks import AHEAD, SLOTS, Chunk, Decoder
from lensing_core.ingest.decoding import CutoutFacts
from lensing_core.ingest.pixel_buffers import PixelBuffer
from lensing_core.ingest.planning import ImportPlan
from lensing_core.ingest.rejection import RowRejected
from lensing_core.ingest.rows import ParsedRow
from lensing_core.ingest.sky import orientation
from lensing_core.store import open_database
from lensing_core.store.catalog_rows import quarantine_reasons
from lensing_core.store.catalogs import catalog_named, find_catalog
from lensing_core.workspace import Workspace

Progress = Callable[[int, int], None]
_CHUNK_BYTES = 32 * 2**20  # four chunks are in memory at a time


@dataclass(frozen=True)
class ImportReport:
    """Result of an import, over all its attempts.

    Attributes
    ----------
    rows, ingested, quarantined : int
    reasons : dict of str to int
        Quarantined rows by reason.
    unclear_cells : dict of str to int
        Cells that were left empty because they could not be understood, by their role.
    missing_bands : dict of str to int
        Bands of objects that hold no data, by band and reason, as ``g: unreadable_file``.
    outside_cutout : int
        Objects whose position lies outside of their cutout, by the WCS of its file.
    already_complete : bool
        Whether there was nothing left to do.
    """

    catalog: str
    rows: int
    ingested: int
    quarantined: int
    reasons: dict[str, int]
    unclear_cells: dict[str, int]
    missing_bands: dict[str, int]
    outside_cutout: int
    warnings: list[str]
    already_complete: bool

    def to_json(self) -> dict[str, Any]:
        """Plain JSON; stored reports call unclear cells "doubts"."""
        stored = {"unclear_cells": "doubts"}
        return {stored.get(name, name): value for name, value in vars(self).items()}


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
    require_space_to_import(workspace, spec.name, len(plan.table), bytes_of_cutout(plan))
    writer = CatalogWriter(workspace, spec)
    done_before = writer.complete
    if not done_before:
        _run(workspace, writer, plan, progress, workers)
        writer.finish()
    return report(workspace, spec.name, plan.warnings, already_complete=done_before)


def bytes_of_cutout(plan: ImportPlan) -> int:
    """Bytes of one object of a plan in the shards, with variance and PSF where it has them."""
    return PixelBuffer.of(plan.grid, len(plan.source.bands), 1).bytes_per_slot


def require_space_to_import(
    workspace: Workspace, catalog: str, rows: int, bytes_per_cutout: int
) -> None:
    """Raise StorageError where the disk has no room for what is to come of an import."""
    scratch = SLOTS * min(_CHUNK_BYTES, rows * bytes_per_cutout)
    require_space_for(workspace, catalog, rows, bytes_per_cutout, scratch=scratch)


def report(
    workspace: Workspace, catalog: str, warnings: list[str], *, already_complete: bool = False
) -> ImportReport:
    """The report of a catalog, from the database."""
    with open_database(workspace).session() as session:
        row = find_catalog(session, catalog)
        return ImportReport(
            catalog=catalog,
            rows=row.rows_read,
            ingested=row.n_candidates,
            quarantined=row.n_quarantined,
            reasons=quarantine_reasons(session, row.id),
            unclear_cells=dict(row.notes.get("doubts", {})),
            missing_bands=dict(row.notes.get("missing_bands", {})),
            outside_cutout=sum(row.notes.get("outside_cutout", {}).values()),
            warnings=list(warnings),
            already_complete=already_complete,
        )


def _check_same_import(workspace: Workspace, spec: CatalogSpec, plan: ImportPlan) -> None:
    """A name stands for one table, read in one way."""
    with open_database(workspace).session() as session:
        existing = catalog_named(session, spec.name)
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


def _run(
    workspace: Workspace,
    writer: CatalogWriter,
    plan: ImportPlan,
    progress: Progress,
    workers: int,
) -> None:
    total = len(plan.table)
    size = min(writer.rows_per_shard, max(1, _CHUNK_BYTES // (4 * prod(plan.geometry.shape))))
    starts = iter(range(writer.rows_read, total, size))
    reader = plan.reader()
    scratch = workspace.cache / f"ingest-{writer.catalog_id}.pixels"
    capacity = min(size, total)
    with Decoder.open(plan, scratch, capacity, total - writer.rows_read, workers) as decoder:
        chunks: deque[Chunk] = deque()

        def begin_next() -> None:
            start = next(starts, None)
            if start is not None:
                chunks.append(Chunk.begin(decoder, reader, start, min(start + size, total)))

        for _ in range(AHEAD):
            begin_next()
        with ThreadPoolExecutor(1) as shelf:
            writing: Future[None] | None = None
            outcome = _Outcome()
            while chunks:
                chunk = chunks.popleft()
                begin_next()  # the pool is at work on it while this one is collected and written
                written = {row.object_id for row in outcome.rows}  # or about to be
                outcome = _collect(writer, plan, chunk, written, lambda at: progress(at, total))
                if writing is not None:
                    writing.result()
                writing = shelf.submit(_write, decoder, writer, chunk, outcome)
            if writing is not None:
                writing.result()
    progress(total, total)


@dataclass(frozen=True)
class _Outcome:
    """Result of a chunk: rows with their pixels, and rejected rows."""

    rows: list[NewCandidate] = field(default_factory=list)
    places: list[int] = field(default_factory=list)
    digests: list[str] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)
    missing_bands: Counter[str] = field(default_factory=Counter)
    outside_cutout: Counter[str] = field(default_factory=Counter)


def _collect(
    writer: CatalogWriter,
    plan: ImportPlan,
    chunk: Chunk,
    known: set[str],
    progress: Callable[[int], None],
) -> _Outcome:
    """Await a chunk's decoding; of rows with one id the first good one is kept.

    Parameters
    ----------
    known : set of str
        Ids of rows that are not in the database yet.
    """
    outcome = _Outcome(rejected=list(chunk.rejected))
    known |= writer.known_object_ids([row.request.object_id for row in chunk.parsed])
    for place, row, result in chunk.results(progress):
        request = row.request
        if isinstance(result, RowRejected):
            reason, message, source = result.reason, result.message, result.source
        else:
            if request.object_id not in known:
                known.add(request.object_id)
                outcome.rows.append(_candidate(row, result, plan))
                outcome.places.append(place)
                outcome.digests.append(result.sha256)
                outcome.missing_bands.update(
                    f"{plan.geometry.bands[k]}: {reason}"
                    for k, (reason, _) in result.missing.items()
                )
                outcome.outside_cutout["position"] += result.frame.is_outside
                continue
            reason, source = "duplicate_id", result.source
            message = (
                f"The id {request.object_id!r} is also in an earlier row; the earlier row was used."
            )
        outcome.rejected.append(
            Rejected(request.row_number, reason, message, request.object_id, source)
        )
    outcome.rejected.sort(key=lambda bad: bad.row_number)
    return outcome


def _write(decoder: Decoder, writer: CatalogWriter, chunk: Chunk, outcome: _Outcome) -> None:
    """Write a chunk's shard, then its rows."""
    if outcome.rows:
        decoder.save(writer.cutouts, writer.next_shard, chunk, outcome.places)
    writer.record(
        outcome.rows,
        outcome.digests,
        rows_read=chunk.stop,
        rejected=outcome.rejected,
        has_variance=chunk.pixels.variance is not None,
        notes={
            name: dict(Counter(writer.notes.get(name, {})) + counts)
            for name, counts in (
                ("doubts", chunk.unclear_cells),
                ("missing_bands", outcome.missing_bands),
                ("outside_cutout", outcome.outside_cutout),
            )
        },
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
    if facts.missing:
        ingest["missing_bands"] = {
            plan.geometry.bands[k]: {"reason": reason, "message": message}
            for k, (reason, message) in facts.missing.items()
        }
    if facts.frame.matrix_arcsec is not None:
        north_deg, is_mirrored = orientation(facts.frame.matrix_arcsec)
        ingest["north_deg"] = round(north_deg, 4) + 0.0  # no -0
        if is_mirrored:
            ingest["is_mirrored"] = True
        ingest["sky_matrix_arcsec"] = [
            [float(f"{step:.9g}") for step in row] for row in facts.frame.matrix_arcsec
        ]
    if facts.frame.center_px is not None:
        ingest["centre_px"] = [round(at, 3) for at in facts.frame.center_px]
    observation = {
        **row.observation,
        "band_flags": facts.band_flags,
        "source_pixel_scale_arcsec": facts.source_scale_arcsec,
        "variance_available": facts.has_variance,
        "properties": {**row.observation["properties"], "ingest": ingest},
    }
    candidate = dict(row.candidate)
    if facts.sky_deg is not None:
        candidate["ra_deg"], candidate["dec_deg"] = facts.sky_deg
        ingest["position_from"] = "WCS"
    return NewCandidate(**candidate, observation=observation)
