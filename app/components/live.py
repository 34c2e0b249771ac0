"""Parts of a page that look at the database again and again while the page is open."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import TypeVar

import panel as pn

PERIOD_MS = 1000
_log = logging.getLogger(__name__)
_Result = TypeVar("_Result")


def in_session() -> bool:
    """Whether a browser is being served (else a notebook or a test looks on)."""
    return pn.state.curdoc is not None and pn.state.curdoc.session_context is not None


def in_background(work: Callable[[], _Result], show: Callable[[_Result], None]) -> None:
    """Do ``work`` in a thread, so that other pages go on, then ``show`` its result.

    Without a browser session both are done at once. While a page is being made, work waits until
    the browser has it: parts that ``show`` adds earlier would take their style sheets from a CDN,
    since the address of ours is known to Panel from the page on.
    """
    if not in_session():
        show(work())
        return

    async def run() -> None:
        try:
            result = await asyncio.to_thread(work)
        except Exception:  # noqa: BLE001 - logged; the page keeps what it shows
            _log.exception("A part of a page could not be computed")
        else:  # scheduled, since Bokeh's own models change under the document's lock only
            pn.state.execute(lambda: show(result), schedule=True)

    pn.state.onload(lambda: pn.state.execute(run))


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
    if in_session():
        pn.state.add_periodic_callback(refresh, period=period_ms)
