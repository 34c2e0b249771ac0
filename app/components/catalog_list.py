"""All catalogs of the workspace, and the chosen one in full."""

from __future__ import annotations

import panel as pn

from app.components.catalog_details import CatalogDetails
from app.components.catalog_view import CATALOG_COLUMNS, catalog_row
from app.components.section import section, stack
from app.components.table import Table
from app.context import AppContext
from lensing_core.store import runs
from lensing_core.store.summaries import list_catalogs


class CatalogList(pn.viewable.Viewer):
    """Begins with the catalog that ``name`` names, else with the newest."""

    def __init__(self, context: AppContext, name: str = "") -> None:
        self._context = context
        self.table = Table(
            columns=CATALOG_COLUMNS,
            label="Catalogs",
            selectable=True,
            empty="No catalog yet: import one, or simulate one.",
        )
        self._details = CatalogDetails(context)
        self._stamp: object = None
        self._view = stack(section("Catalogs", self.table), self._details)
        super().__init__()
        self.refresh()
        names = list(self._catalogs)
        self.table.selected = name if name in names else (names[0] if names else "")
        self._show()
        self.table.param.watch(lambda _: self._show(), "selected")

    def __panel__(self) -> pn.viewable.Viewable:
        return self._view

    def refresh(self) -> None:
        """Look again where a run has gone on or ended since."""
        stamp = [
            (run.id, run.status, run.done)
            for run in runs.list_runs(self._context.database, limit=5)
        ]
        if stamp == self._stamp:
            return
        self._stamp = stamp
        self._catalogs = {c.name: c for c in list_catalogs(self._context.database)}
        self.table.update([catalog_row(catalog) for catalog in self._catalogs.values()])
        if self.table.selected:
            self._show()

    def _show(self) -> None:
        self._details.show_catalog(self._catalogs.get(self.table.selected))
