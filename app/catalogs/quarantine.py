"""Rows that could not be ingested: how many for each reason, and the rows, a page at a time."""

from __future__ import annotations

from dataclasses import replace

import panel as pn

from lens_triage.app.context import AppContext
from lens_triage.app.widgets import format as fmt
from lens_triage.app.widgets.pager import Pager
from lens_triage.app.widgets.paths import sees_paths, without_folders
from lens_triage.app.widgets.section import (
    columns,
    stack,
)
from lens_triage.app.widgets.table import (
    Row,
    Table,
    column,
)
from lensing_core.ingest.rejection import REASONS
from lensing_core.store.summaries import QuarantinedRow, count_quarantine, fetch_quarantine

PAGE_ROWS = 20
_ALL = "all"


class QuarantineReport(pn.viewable.Viewer):
    """The report of one catalog; choosing a reason shows its rows alone."""

    def __init__(self, context: AppContext) -> None:
        self._context = context
        self._catalog_id = 0
        self._counts: dict[str, int] = {}
        self._reasons = Table(
            columns=[
                column("reason", "Reason"),
                column("count", "Rows", align="right", width="72px"),
            ],
            label="Reasons",
            selectable=True,
        )
        self._rows = Table(
            columns=[
                column("row", "Row", align="right", width="62px", help_text="Counted from 0"),
                column("object", "Object", width="17%"),
                column("message", "What is wrong"),
            ],
            label="Quarantined rows",
            empty="No such row.",
        )
        self._pager = Pager(PAGE_ROWS, self._show_page)
        self._reasons.param.watch(lambda _: self._choose(), "selected")
        self._view = columns(
            self._reasons,
            stack(self._rows, self._pager, gap=8),
            template="minmax(0, 1fr) minmax(0, 2.6fr)",
            gap=24,
        )
        super().__init__()

    def __panel__(self) -> pn.viewable.Viewable:
        return self._view

    def open_catalog(self, catalog_id: int) -> None:
        """Show the report of a catalog from its beginning."""
        self._catalog_id = catalog_id
        self._counts = dict(self._context.database.ask(count_quarantine, catalog_id))
        total = {"key": _ALL, "reason": "All reasons", "count": fmt.count(self._total(_ALL))}
        self._reasons.update(
            [total, *(reason_row(reason, count) for reason, count in self._counts.items())]
        )
        self._reasons.selected = _ALL
        self._choose()

    def _total(self, reason: str) -> int:
        return sum(self._counts.values()) if reason == _ALL else self._counts.get(reason, 0)

    def _choose(self) -> None:
        self._pager.reset()
        self._show_page()

    def _show_page(self) -> None:
        reason = self._reasons.selected or _ALL
        rows = self._context.database.ask(
            fetch_quarantine,
            self._catalog_id,
            reason=None if reason == _ALL else reason,
            after_row=-1 if self._pager.after is None else self._pager.after,
            limit=PAGE_ROWS,
        )
        self._rows.update([quarantine_row(_told(self._context, row)) for row in rows])
        last = rows[-1].row_number if rows else None
        self._pager.show_place(len(rows), self._total(reason), last)


def _told(context: AppContext, row: QuarantinedRow) -> QuarantinedRow:
    """A row as it is told to who looks: without folders, where they may not know of them."""
    if sees_paths(context):
        return row
    source = None if row.source is None else without_folders(row.source)
    return replace(row, source=source, message=without_folders(row.message))


def reason_row(reason: str, count: int) -> Row:
    """A row of the list of reasons."""
    return {
        "key": reason,
        "reason": {"text": fmt.words(reason), "title": REASONS.get(reason, reason)},
        "count": fmt.count(count),
    }


def quarantine_row(row: QuarantinedRow) -> Row:
    """A quarantined source row."""
    return {
        "key": str(row.row_number),
        "row": fmt.count(row.row_number),
        "object": row.object_id or fmt.MISSING,
        "message": {
            "text": row.message,
            "title": row.message + (f" ({row.source})" if row.source else ""),
        },
    }
