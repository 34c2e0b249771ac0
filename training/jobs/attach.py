"""The job that puts the labels of a published list onto a catalog."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from lens_triage.training.runner.context import JobContext
from lens_triage.training.settings import AttachSettings
from lensing_core.ingest.limits import Limits
from lensing_core.named_sets.attaching import attach
from lensing_core.named_sets.known import named_set, read_apart
from lensing_core.named_sets.rows import SetFiles
from lensing_core.store import open_database
from lensing_core.store.catalogs import find_catalog

_MOST_TOLD = 10


def run(context: JobContext, settings: AttachSettings) -> dict[str, Any]:
    """Attach labels; what is labeled already stays, so that it can be run again.

    Returns
    -------
    dict
        The counts of :class:`~lensing_core.named_sets.attaching.AttachReport`.
    """
    settings.check()
    chosen = named_set(settings.known)
    context.progress(0, None, f"Reading {chosen.title}")
    with open_database(context.workspace).session() as session:
        scale = find_catalog(session, settings.catalog).scale
    table = Path(settings.table) if settings.table else None
    rows = read_apart(settings.known, SetFiles(table, None, scale), Limits())
    with open_database(context.workspace).session() as session:
        catalog = find_catalog(session, settings.catalog)
        context.progress(0, len(rows), "Looking for them in the catalog")
        report = attach(
            session, catalog.id, rows, chosen, radius_arcsec=float(settings.radius_arcsec)
        )
    context.log(f"{report.attached:,} candidates labeled from {chosen.title} ({chosen.citation}).")
    if report.contradicted:
        context.log(
            f"{report.contradicted:,} candidates have another label, which stays.", "warning"
        )
    for ambiguous in report.ambiguous[:_MOST_TOLD]:
        context.log(f"No label: {ambiguous}.", "warning")
    if len(report.ambiguous) > _MOST_TOLD:
        context.log(f"... and {len(report.ambiguous) - _MOST_TOLD:,} more.", "warning")
    context.progress(len(rows), len(rows), "Done")
    return {**report.to_json(), "ambiguous": len(report.ambiguous)}
