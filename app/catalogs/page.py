"""Catalogs: what there is, importing, searching, simulating, painting arcs into real cutouts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import panel as pn
import panel_material_ui as pmui

from lens_triage.app.catalogs.import_form import ImportForm
from lens_triage.app.catalogs.listing import CatalogList
from lens_triage.app.catalogs.searching import searching_form
from lens_triage.app.context import AppContext
from lens_triage.app.runs.form import RunForm
from lens_triage.app.shell import Body, argument, shell
from lens_triage.app.widgets.choices import (
    catalog_choices,
    fresh_name,
    survey_choices,
)
from lens_triage.app.widgets.fields import Choices
from lens_triage.app.widgets.live import live
from lens_triage.training.settings import AttachSettings, InjectSettings, SimulateSettings
from lensing_core.store.summaries import list_catalog_rows

_TABS = ("catalogs", "import", "attach", "search", "simulate", "inject")


def page(context: AppContext) -> Body:
    """The page; ``?tab=`` names the tab, ``?catalog=`` the catalog to show, or to search."""
    listing = CatalogList(context, argument("catalog"))
    importing = ImportForm(context)
    attaching = _attaching(context)
    searching = searching_form(context, argument("catalog"))
    simulating = _simulating(context)
    injecting = _injecting(context)
    parts: list[Any] = [listing, importing, attaching, searching, simulating, injecting]
    wanted = argument("tab")
    tabs = pmui.Tabs(
        ("Catalogs", listing.__panel__()),
        ("Import", importing.__panel__()),
        ("Known lenses", attaching.__panel__()),
        ("Search", searching.__panel__()),
        ("Simulate", simulating.__panel__()),
        ("Paint arcs", injecting.__panel__()),
        active=_TABS.index(wanted) if wanted in _TABS else 0,
        dynamic=True,
        sizing_mode="stretch_width",
        margin=0,
        sx={"gap": "14px"},
    )

    def remember(_: object = None) -> None:
        location = pn.state.location
        if location is not None:
            query: dict[str, Any] = {"tab": _TABS[tabs.active], "catalog": listing.table.selected}
            location.update_query(**query)

    tabs.param.watch(remember, "active")
    listing.table.param.watch(remember, "selected")
    live(lambda: parts[tabs.active].refresh())
    return shell("Catalogs", tabs, context=context, heading=False)


def _attaching(context: AppContext) -> RunForm:
    def choices() -> Mapping[str, Choices]:
        usable = [row for row in context.database.ask(list_catalog_rows) if row.complete]
        return {"catalog": catalog_choices(usable)}

    return RunForm(
        context,
        AttachSettings,
        title="Known lenses in a catalog",
        note="Candidates at the place of a known lens get its label, as a positive only: it trains "
        "beside non-lenses of the same survey. Labels that are there stay; where two candidates "
        "are in reach, none is labeled, and the log says so.",
        button="Label known lenses",
        choices=choices,
    )


def _simulating(context: AppContext) -> RunForm:
    def values() -> Mapping[str, str]:
        taken = [catalog.name for catalog in context.database.ask(list_catalog_rows)]
        return {"catalog": fresh_name("simulated", taken)}

    return RunForm(
        context,
        SimulateSettings,
        title="New simulated catalog",
        note="Lenses of galaxies or of clusters and what is taken for them, with the bands, PSF, "
        "depth and noise of a survey; the truth of every object is kept.",
        button="Simulate",
        choices=lambda: {"survey": survey_choices(context)},
        values=values,
    )


def _injecting(context: AppContext) -> RunForm:
    def choices() -> Mapping[str, Choices]:
        usable = [
            catalog for catalog in context.database.ask(list_catalog_rows) if catalog.complete
        ]
        return {"source": catalog_choices(usable)}

    def values() -> Mapping[str, str]:
        taken = [catalog.name for catalog in context.database.ask(list_catalog_rows)]
        return {"catalog": fresh_name("injected", taken)}

    return RunForm(
        context,
        InjectSettings,
        title="New catalog of painted arcs",
        note="Arcs of real galaxies are added to the cutouts of a catalog, flux or pictures, with "
        "its noise and PSF: each galaxy stands in the new catalog twice, as it is and with arcs. "
        "Train on it to close the gap between simulations and a survey.",
        button="Paint",
        choices=choices,
        values=values,
        folded=("Lenses", "Pictures"),
    )
