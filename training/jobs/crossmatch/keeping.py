"""Writing what came out of matching with one reference."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from lens_triage.training.runner.context import JobContext
from lensing_core.store import open_database
from lensing_core.store.crossmatches import write_crossmatch
from lensing_core.store.tables import Crossmatch


def keep(
    context: JobContext, record: Crossmatch, entries: Iterable[Mapping[str, Any]]
) -> dict[str, Any]:
    """Keep a cross-match, whole or not at all; say what came out."""
    with open_database(context.workspace).session() as session:
        write_crossmatch(session, record, entries)
    counts = {
        "candidates": record.n_candidates,
        "matched": record.n_matched,
        "review": record.n_review,
        "unmatched": record.n_candidates - record.n_matched - record.n_review,
    }
    if record.state != "unreachable":
        context.log(
            f"{record.title} ({record.version}): {record.n_matched:,} matched, "
            f"{record.n_review:,} to review, {counts['unmatched']:,} without a counterpart."
        )
    return {"state": record.state, "counts": counts}
