"""The class prior of a catalog, as the newest retraining on it estimated it."""

from __future__ import annotations

from html import escape
from typing import Any

import panel as pn

from lens_triage.app.context import AppContext
from lens_triage.app.widgets.class_prior import CSS, class_prior_html
from lens_triage.app.widgets.section import html, section
from lensing_core.store.summaries import EnsembleSummary, list_ensembles

_NONE = (
    "<p>The first retraining of this catalog estimates the class prior of its unlabeled objects "
    "in three ways, and shows how the ranking changes at half and at twice the prior that you "
    "set.</p>"
)


class ClassPriorPanel(pn.viewable.Viewer):
    """Estimates, warnings and the scan of the prior; :meth:`show_catalog`."""

    def __init__(self, context: AppContext) -> None:
        self._context = context
        self.catalog = ""
        self._body = html(_NONE, css=CSS)
        self._from = html("", css=CSS)
        self._view = section(
            "Class prior",
            self._from,
            self._body,
            note="Share of lenses among the unlabeled. At one in a thousand and below no "
            "estimator is reliable: keep the survey's own prior.",
        )
        super().__init__()

    def __panel__(self) -> pn.viewable.Viewable:
        return self._view

    def show_catalog(self, catalog: str) -> None:
        """Show what the newest retraining on a catalog found; reads all ensembles' manifests."""
        self.catalog = catalog
        found = newest_of(self._context.database.ask(list_ensembles), catalog)
        self._from.visible = found is not None
        if found is None:
            self._body.object = _NONE
            return
        self._from.object = f"<p>By {escape(found.name)}, the newest retraining on it.</p>"
        self._body.object = class_prior_html(_pu(found))


def newest_of(ensembles: list[EnsembleSummary], catalog: str) -> EnsembleSummary | None:
    """Return the first of ensembles, newest first, that learned from a catalog's labels."""
    return next(
        (e for e in ensembles if _pu(e) and catalog in e.manifest.get("catalogs", ())), None
    )


def _pu(ensemble: EnsembleSummary) -> dict[str, Any]:
    return dict(ensemble.manifest.get("pu", {}))
