"""The list of catalogs: what stands there before the counts come, and after."""

from __future__ import annotations

import pytest
from rows import add_catalog

from lens_triage.app.catalogs import listing as catalog_list
from lens_triage.app.catalogs.listing import CatalogList
from lens_triage.app.context import AppContext
from lensing_core.store import open_database
from lensing_core.store.summaries import list_catalog_rows, list_catalogs


@pytest.fixture
def begun(monkeypatch) -> list[tuple]:
    """Work that was given to the background, and what is to show its result."""
    begun: list[tuple] = []
    monkeypatch.setattr(catalog_list, "in_background", lambda *pair: begun.append(pair))
    return begun


def test_counts_are_read_in_the_background_one_reading_at_a_time(filled_workspace, begun):
    listing = CatalogList(AppContext.of(filled_workspace), "cosmos")
    assert (listing.table.rows, listing.table.selected) == ([], "cosmos")
    assert listing.table.waiting
    listing._fingerprint = "a run has gone on"
    listing.refresh()
    [(work, show)] = begun
    show(work())
    assert "cosmos" in [row["key"] for row in listing.table.rows]
    listing.refresh()
    assert len(begun) == 2


def test_a_catalog_that_is_not_there_gives_way_to_the_newest(filled_workspace):
    context = AppContext.of(filled_workspace)
    names = [catalog.name for catalog in context.database.ask(list_catalogs)]
    assert [catalog.name for catalog in context.database.ask(list_catalog_rows)] == names
    assert CatalogList(context, "nothing").table.selected == names[0]


def test_an_empty_workspace_says_what_to_do(workspace):
    listing = CatalogList(AppContext.of(workspace))
    assert (listing.table.rows, listing.table.selected) == ([], "")
    assert "import one" in listing.table.empty


def test_the_first_catalog_is_chosen_when_it_comes(workspace):
    context = AppContext.of(workspace)
    listing = CatalogList(context)
    with open_database(workspace).session() as session:
        add_catalog(session, "mine", 3)
    listing._fingerprint = "a run has gone on"
    listing.refresh()
    assert listing.table.selected == "mine"
    assert listing._details.__panel__().visible
