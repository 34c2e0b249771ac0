"""Tabs whose contents are built when they are shown for the first time, one in the address."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import panel as pn
import panel_material_ui as pmui

from lens_triage.app.visits import remember
from lens_triage.app.widgets.section import FITS, stack


class Part(Protocol):
    """A tab with its contents."""

    def __panel__(self) -> pn.viewable.Viewable: ...

    def refresh(self) -> None:
        """Follow the database."""


@dataclass(frozen=True)
class Tab:
    """A tab: its name in the address, its title, and what builds its contents."""

    slug: str
    title: str
    build: Callable[[], Part]


class LazyTabs(pn.viewable.Viewer):
    """Tabs; only the one that is shown is built, read and refreshed.

    Parameters
    ----------
    tabs : sequence of Tab
    wanted : str
        Slug of the tab that is shown first; the first one where there is none of that name.
    **design
        Further parameters of :class:`panel_material_ui.Tabs`.
    """

    def __init__(self, tabs: Sequence[Tab], wanted: str = "", **design: Any) -> None:
        self._tabs = tuple(tabs)
        self._parts: dict[int, Part] = {}
        self._places = [stack() for _ in self._tabs]
        slugs = [tab.slug for tab in self._tabs]
        self._view = pmui.Tabs(
            *zip([tab.title for tab in self._tabs], self._places, strict=True),
            active=slugs.index(wanted) if wanted in slugs else 0,
            dynamic=True,
            sizing_mode="stretch_width",
            margin=0,
            sx={"gap": "14px"},
            **{**design, "stylesheets": [FITS, *design.get("stylesheets", ())]},
        )
        super().__init__()
        self._build()
        self._view.param.watch(lambda _: self._show(), "active")

    def __panel__(self) -> pn.viewable.Viewable:
        return self._view

    @property
    def slug(self) -> str:
        """Slug of the tab that is shown."""
        return self._tabs[self._view.active].slug

    def refresh(self) -> None:
        """Refresh the tab that is shown."""
        self._build().refresh()

    def _build(self) -> Part:
        tab = self._view.active
        if tab not in self._parts:
            part = self._tabs[tab].build()
            self._parts[tab] = part
            self._places[tab].append(part.__panel__())
        return self._parts[tab]

    def _show(self) -> None:
        self.refresh()
        remember(tab=self.slug)
