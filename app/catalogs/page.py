"""Catalogs: what there is, importing, searching, simulating, painting arcs into real cutouts."""

from __future__ import annotations

from collections.abc import Mapping

from lens_triage.app.catalogs.import_form import ImportForm
from lens_triage.app.catalogs.listing import CatalogList
from lens_triage.app.catalogs.searching import searching_form
from lens_triage.app.context import AppContext
from lens_triage.app.runs.form import RunForm
from lens_triage.app.shell import Body, argument, shell
from lens_triage.app.visits import remember
from lens_triage.app.widgets.choices import (
    catalog_choices,
    fresh_name,
    named_set_choices,
    survey_choices,
)
from lens_triage.app.widgets.fields import Choices
from lens_triage.app.widgets.lazy_tabs import LazyTabs, Tab
from lens_triage.app.widgets.live import live
from lens_triage.training.settings import AttachSettings, InjectSettings, SimulateSettings
from lensing_core.named_sets.choices import ATTACHABLE
from lensing_core.store.catalogs import catalog_names
from lensing_core.store.summaries import list_catalog_rows


def page(context: AppContext) -> Body:
    """The page; ``?tab=`` names the tab, ``?catalog=`` the catalog to show, or to search."""
    catalog = argument("catalog")
    tabs = LazyTabs(
        (
            Tab("catalogs", "Catalogs", lambda: _listing(context, catalog)),
            Tab("import", "Import", lambda: ImportForm(context)),
            Tab("attach", "Known lenses", lambda: _attaching(context)),
            Tab("search", "Search", lambda: searching_form(context, catalog)),
            Tab("simulate", "Simulate", lambda: _simulating(context)),
            Tab("inject", "Paint arcs", lambda: _injecting(context)),
        ),
        argument("tab"),
    )
    live(tabs.refresh)
    return shell("Catalogs", tabs.__panel__(), context=context, heading=False)


def _listing(context: AppContext, catalog: str) -> CatalogList:
    listing = CatalogList(context, catalog)
    listing.table.param.watch(lambda event: remember(catalog=event.new), "selected")
    return listing


def _attaching(context: AppContext) -> RunForm:
    def choices() -> Mapping[str, Choices]:
        usable = [row for row in context.database.ask(list_catalog_rows) if row.complete]
        return {"catalog": catalog_choices(usable), "known": named_set_choices(ATTACHABLE)}

    return RunForm(
        context,
        AttachSettings,
        title="Known lenses in a catalog",
        note="Candidates at the position of a known lens get its label. These are positives "
        "only: training needs non-lenses of the same survey, too. Existing labels stay; if two "
        "candidates are within the radius, none is labeled, and the log says so.",
        button="Label known lenses",
        choices=choices,
    )


def _simulating(context: AppContext) -> RunForm:
    def values() -> Mapping[str, str]:
        taken = [*context.database.ask(catalog_names).values()]
        return {"catalog": fresh_name("simulated", taken)}

    return RunForm(
        context,
        SimulateSettings,
        title="New simulated catalog",
        note="Galaxy- or cluster-scale lenses and objects that resemble them, with the bands, "
        "PSF, depth and noise of a survey; the true parameters of every object are stored.",
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
        taken = [*context.database.ask(catalog_names).values()]
        return {"catalog": fresh_name("injected", taken)}

    return RunForm(
        context,
        InjectSettings,
        title="New catalog of painted arcs",
        note="Arcs of real galaxies are added to the cutouts of a catalog, flux or pictures, with "
        "its noise and PSF: each galaxy is in the new catalog twice, without and with arcs. "
        "Train on it to close the gap between simulations and a survey.",
        button="Paint",
        choices=choices,
        values=values,
        folded=("Lenses", "Pictures"),
    )
