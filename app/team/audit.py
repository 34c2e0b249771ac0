"""The audit log, page by page, by kind and words; for organizers."""

from __future__ import annotations

from typing import Any

import panel as pn
import panel_material_ui as pmui

from lens_triage.app import acts
from lens_triage.app.context import AppContext
from lens_triage.app.widgets import format as fmt
from lens_triage.app.widgets.notice import Notice
from lens_triage.app.widgets.pager import Pager
from lens_triage.app.widgets.section import row, section
from lens_triage.app.widgets.table import Row, Table, column
from lensing_core.store.audit import AuditFilter
from lensing_core.store.tables import AuditEntry
from lensing_core.store.tables.audit import AUDIT_KINDS

_PER_PAGE = 15
_COLUMNS = [
    column("at", "Time", width="104px"),
    column("kind", "What", width="150px"),
    column("who", "Who", width="20%"),
    column("details", "Details", align="wrap"),
    column("address", "Address", width="130px"),
]
_KINDS = {"All": "", **{kind: kind for kind in AUDIT_KINDS}}


class AuditBoard(pn.viewable.Viewer):
    """Entries, the newest first; the table of actions is asked at each look."""

    def __init__(self, context: AppContext) -> None:
        self._context = context
        style: dict[str, Any] = {"size": "small", "margin": 0, "width": 190}
        self.kind = pmui.Select(label="What", options=_KINDS, value="", **style)
        self.words = pmui.TextInput(label="Who, details or address", **style)
        self.table = Table(
            columns=_COLUMNS, label="Audit log", empty="No entry, or none like this."
        )
        self.pager = Pager(_PER_PAGE, self.reload)
        self.notice = Notice()
        chosen = row(self.kind, self.words)
        self._view = section(
            "Audit log",
            self.notice,
            chosen,
            self.table,
            self.pager,
            note="Sign-ins, invitations, changes of names and roles, exports and promotions; also "
            "lens-triage audit.",
        )
        super().__init__()
        for choice in (self.kind, self.words):
            choice.param.watch(lambda _: self._choose(), "value")
        self.reload()

    def __panel__(self) -> pn.viewable.Viewable:
        return self._view

    def reload(self) -> None:
        """Read the page of the list again."""
        chosen = AuditFilter(self.kind.value, self.words.value.strip())
        with self.notice.guard():
            found, total = acts.read_audit(
                self._context, chosen, after=self.pager.after, limit=_PER_PAGE
            )
            self.pager.show_place(len(found), total, found[-1].id if found else None)
            self.table.update([entry_row(one) for one in found])

    def _choose(self) -> None:
        self.pager.reset()
        self.reload()


def entry_row(entry: AuditEntry) -> Row:
    """A line of the table."""
    bad = entry.kind in ("wrong passphrase", "refused sign-in")
    return {
        "key": str(entry.id),
        "at": {"text": fmt.ago(entry.at), "title": fmt.moment(entry.at)},
        "kind": {"text": entry.kind, "chip": "warning"} if bad else entry.kind,
        "who": entry.who or "nobody signed in",
        "details": entry.details,
        "address": entry.address,
    }
