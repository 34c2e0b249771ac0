"""The choice of a scored catalog, which several parts of the Team page have."""

from __future__ import annotations

import panel_material_ui as pmui

from lens_triage.app.context import AppContext
from lens_triage.app.widgets.choices import catalog_choices
from lensing_core.store.summaries import list_catalogs


def scored_catalog_chooser(context: AppContext) -> pmui.Select:
    """Return a chooser of the catalogs that an ensemble has scored; the first is chosen."""
    choices = catalog_choices([c for c in context.database.ask(list_catalogs) if c.scored])
    return pmui.Select(
        label="Catalog",
        options=choices,
        value=next(iter(choices.values()), None),
        size="small",
        width=250,
        margin=0,
    )
