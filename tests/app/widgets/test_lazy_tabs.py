"""Tabs that are built when they are shown."""

from __future__ import annotations

import panel as pn
import pytest

from lens_triage.app.widgets.lazy_tabs import LazyTabs, Tab


class Counted:
    """A part that counts what is done with it."""

    def __init__(self) -> None:
        self.refreshed = 0

    def __panel__(self) -> pn.viewable.Viewable:
        return pn.pane.HTML("part")

    def refresh(self) -> None:
        self.refreshed += 1


@pytest.fixture
def built() -> dict[str, Counted]:
    return {}


@pytest.fixture
def make(built):
    def build(slug: str) -> Counted:
        assert slug not in built, "built twice"
        built[slug] = Counted()
        return built[slug]

    def tabs(wanted: str) -> LazyTabs:
        return LazyTabs(
            [Tab(slug, slug.title(), lambda s=slug: build(s)) for slug in "abc"], wanted
        )

    return tabs


@pytest.mark.parametrize(("wanted", "first"), [("b", "b"), ("", "a"), ("no such tab", "a")])
def test_only_the_tab_that_is_shown_is_built(make, built, wanted, first):
    tabs = make(wanted)
    assert list(built) == [first]
    assert tabs.slug == first


def test_a_tab_that_is_shown_again_is_refreshed_and_not_built_again(make, built):
    tabs = make("a")
    for active in (2, 0, 2):
        tabs.__panel__().active = active
    assert sorted(built) == ["a", "c"]
    assert (built["a"].refreshed, built["c"].refreshed) == (1, 2)
    tabs.refresh()
    assert (built["a"].refreshed, built["c"].refreshed) == (1, 3)
