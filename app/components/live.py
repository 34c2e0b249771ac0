"""Parts of a page that look at the database again and again while the page is open."""

from __future__ import annotations

import logging
from collections.abc import Callable

import panel as pn

PERIOD_MS = 1000
_log = logging.getLogger(__name__)


def live(*refreshers: Callable[[], None], period_ms: int = PERIOD_MS) -> None:
    """Call each refresher now, and again every ``period_ms`` until the session ends.

    A refresher must be quick, and send nothing where nothing changed.
    """

    def refresh() -> None:
        for refresher in refreshers:
            try:
                refresher()
            except Exception:  # noqa: BLE001 - logged; a locked database may pass, others go on
                _log.exception("A part of a page could not be refreshed")

    refresh()
    if pn.state.curdoc is not None and pn.state.curdoc.session_context is not None:
        pn.state.add_periodic_callback(refresh, period=period_ms)
