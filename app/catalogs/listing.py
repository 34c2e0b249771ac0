"""All catalogs of the workspace, and the chosen one in full."""

from __future__ import annotations

import panel as pn

from lens_triage.app.catalogs.details import CatalogDetails
from lens_triage.app.context import AppContext
from lens_triage.app.widgets.catalog_view import (
    CATALOG_COLUMNS,
    catalog_row,
)
from lens_triage.app.widgets.live import in_background
from lens_triage.app.widgets.managing import ManagePanel, archived_switch
from lens_triage.app.widgets.section import (
    section,
    stack,
)
from lens_triage.app.widgets.table import Table
from lensing_core.store import runs
from lensing_core.store.summaries import CatalogSummary, list_catalog_rows, list_catalogs


class CatalogList(pn.viewable.Viewer):
    """Begins with the catalog that ``name`` names, else with the newest."""

    def __init__(self, context: AppContext, name: str = "") -> None:
        self._context = context
        self._named = name  # shown although it is archived
        rows = context.database.ask(list_catalog_rows, archived=True)
        names = [row.name for row in rows if row.archived_at is None or row.name == name]
        self.table = Table(
            columns=CATALOG_COLUMNS,
            label="Catalogs",
            selectable=True,
            selected=name if name in names else next(iter(names), ""),
            empty="No catalog yet: import one, or simulate one.",
        )
        self._catalogs: dict[str, CatalogSummary] = {}
        self._details = CatalogDetails(context, expected=bool(names))
        self._fingerprint: object = None
        self._reading = False
        self.archived = archived_switch()
        self.managing = ManagePanel(context, "catalog", "manage_catalogs", self._look_again)
        self._view = stack(
            section("Catalogs", self.table, self.managing, aside=(self.archived,)), self._details
        )
        super().__init__()
        self.table.param.watch(lambda _: self._show_details(), "selected")
        self.archived.param.watch(lambda _: self._look_again(), "value")
        self.refresh()

    def __panel__(self) -> pn.viewable.Viewable:
        return self._view

    def refresh(self) -> None:
        """Look again where a run has gone on or ended since, unless that is under way."""
        fingerprint = [
            (run.id, run.status, run.done)
            for run in self._context.database.ask(runs.list_runs, limit=5)
        ]
        if self._reading or fingerprint == self._fingerprint:
            return
        self._fingerprint = fingerprint
        self._reading = True
        in_background(self._read, self._show)

    def _look_again(self) -> None:
        self._fingerprint = None
        self.refresh()

    def _read(self) -> list[CatalogSummary]:
        try:
            return self._context.database.ask(list_catalogs, archived=True)
        finally:
            self._reading = False

    def _show(self, catalogs: list[CatalogSummary]) -> None:
        hidden = [c for c in catalogs if c.archived_at is not None and c.name != self._named]
        self.archived.visible = bool(hidden)
        if not self.archived.value:
            catalogs = [catalog for catalog in catalogs if catalog not in hidden]
        self._catalogs = {catalog.name: catalog for catalog in catalogs}
        self.table.update([catalog_row(catalog) for catalog in catalogs])
        if self.table.selected not in self._catalogs:
            # the first one came while the page was open
            self.table.selected = next(iter(self._catalogs), "")
        self._show_details()

    def _show_details(self) -> None:
        catalog = self._catalogs.get(self.table.selected)
        self._details.show_catalog(catalog)
        if catalog is None:
            self.managing.offer("", "", archived=False)
        else:
            archived = catalog.archived_at is not None
            self.managing.offer(catalog.name, catalog.shown_name, archived=archived)
