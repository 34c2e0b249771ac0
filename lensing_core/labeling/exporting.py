"""The log of labels as a file: CSV and ECSV for people, JSON lines with hashes for machines."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, get_args

from lensing_core.disk import replacing
from lensing_core.errors import BadInputError, WorkspaceError
from lensing_core.spreadsheets import guarded
from lensing_core.store import Session
from lensing_core.store.labels import named_events

Format = Literal["csv", "ecsv", "jsonl"]
FORMATS: tuple[Format, ...] = get_args(Format)
COLUMNS = (
    *("id", "uuid", "kind", "grader", "catalog", "object_id", "candidate_id", "session", "scheme"),
    *("grade", "is_lens", "p_lens", "reject_reason", "comment", "undoes", "is_repeat", "is_gold"),
    *("source", "given_at", "received_at", "shown_ms", "view", "visible", "previous_hash", "hash"),
)


def export_events(session: Session, path: Path, kind: Format) -> int:
    """Write every event of the log, in its order, to a file; returns how many.

    Text that a spreadsheet would take for a formula gets an apostrophe in front in CSV and ECSV
    (:mod:`lensing_core.spreadsheets`), which an import takes away again;
    JSON lines hold everything as it is, hashes included, and are what to keep as a record. The
    file is there as a whole or not at all.

    Raises
    ------
    BadInputError
        If the format is unknown.
    WorkspaceError
        If the file cannot be written.
    """
    if kind not in FORMATS:
        raise BadInputError(f"Format {kind!r}: choose one of {', '.join(FORMATS)}.")
    try:
        with replacing(path) as beside:
            return _WRITERS[kind](beside, event_rows(session))
    except OSError as error:
        raise WorkspaceError(f"{path} cannot be written: {error.strerror}.") from error


def event_rows(
    session: Session, *, after: int = 0, limit: int | None = None, grader_id: int | None = None
) -> Iterator[dict[str, Any]]:
    """Yield events in the order of the log, the values of :data:`COLUMNS` by name; times in ISO
    8601.

    Parameters
    ----------
    after : int, optional
        Id of the event before the first.
    limit : int or None
        The most events.
    grader_id : int or None
        Of one grader alone.
    """
    events = named_events(session, after=after, limit=limit, grader_id=grader_id)
    for event, grader, catalog, object_id, named in events:
        names: dict[str, Any] = {
            "grader": grader,
            "catalog": catalog,
            "object_id": object_id,
            "session": named,
        }
        row = {c: names[c] if c in names else getattr(event, c) for c in COLUMNS}
        for name in ("given_at", "received_at"):
            row[name] = row[name].isoformat(timespec="microseconds")
        yield row


def _flat(row: dict[str, Any]) -> dict[str, Any]:
    """Cells of a table: JSON as text, nothing that is a formula."""
    flat = dict(row)
    for name in ("view", "visible"):
        flat[name] = json.dumps(row[name], ensure_ascii=False)
    return {n: guarded(value) if isinstance(value, str) else value for n, value in flat.items()}


def _write_csv(path: Path, events: Iterator[dict[str, Any]]) -> int:
    n = 0
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, COLUMNS)
        writer.writeheader()
        for n, row in enumerate(events, start=1):  # noqa: B007 - the count is returned
            writer.writerow(_flat(row))
    return n


def _write_ecsv(path: Path, events: Iterator[dict[str, Any]]) -> int:
    from astropy.table import Table  # here: other formats need none of it

    columns: dict[str, list[Any]] = {name: [] for name in COLUMNS}
    for row in events:
        for name, value in _flat(row).items():
            columns[name].append(_plain(name, value))
    table = Table(columns)
    table["shown_ms"].unit = "ms"
    table.meta["comments"] = ["lens-triage: the log of labels; -1 and NaN where there is none"]
    table.write(path, format="ascii.ecsv", overwrite=True)
    return len(table)


def _plain(name: str, value: Any) -> Any:
    if value is not None:
        return int(value) if isinstance(value, bool) else value
    if name == "p_lens":
        return float("nan")
    return -1 if name in ("is_lens", "shown_ms") else ""


def _write_jsonl(path: Path, events: Iterator[dict[str, Any]]) -> int:
    n = 0
    with path.open("w", encoding="utf-8") as stream:
        for n, row in enumerate(events, start=1):  # noqa: B007 - the count is returned
            stream.write(json.dumps(row, ensure_ascii=False, sort_keys=True) + "\n")
    return n


_WRITERS = {"csv": _write_csv, "ecsv": _write_ecsv, "jsonl": _write_jsonl}
