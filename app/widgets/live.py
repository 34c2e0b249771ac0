"""Parts of a page that follow the database while the page is open, and work beside the page."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import TypeVar

import panel as pn

from lens_triage.app.visits import current_visit
from lens_triage.app.watch import PERIOD_MS, the_watch

QUICK_S = 0.8
SHOWN_S = 0.5
_log = logging.getLogger(__name__)
_Result = TypeVar("_Result")


def in_session() -> bool:
    """Return whether a browser is being served (else a notebook or a test looks on)."""
    return pn.state.curdoc is not None and pn.state.curdoc.session_context is not None


async def in_thread(
    work: Callable[[], _Result], button: pn.viewable.Viewable | None = None
) -> _Result:
    """Do ``work`` in a thread, so that other pages go on, and give its result.

    Parameters
    ----------
    button : Viewable, optional
        Shown as loading, and not to be pressed, while work lasts that is not quick. A busy browser
        may miss the end of what ends as soon as it has begun, so that it is shown for a moment.
        One with a state ``busy`` of its own is that from the beginning to the end.
    """
    if button is not None and "busy" in button.param:
        _show_busy(button, True)
        try:
            return await asyncio.to_thread(work)
        finally:
            _scheduled(lambda: _show_busy(button, False))
    task = asyncio.ensure_future(asyncio.to_thread(work))
    done, _ = await asyncio.wait({task}, timeout=QUICK_S)
    if done or button is None:
        return await task
    _scheduled(lambda: setattr(button, "loading", True))
    try:
        await asyncio.wait({task})
        await asyncio.sleep(SHOWN_S)
        return task.result()
    finally:
        _scheduled(lambda: setattr(button, "loading", False))


def in_background(
    work: Callable[[], _Result],
    show: Callable[[_Result], None],
    *,
    button: pn.viewable.Viewable | None = None,
) -> None:
    """Do ``work`` in a thread as :func:`in_thread` does, then ``show`` its result.

    Without a browser session both are done at once. While a page is being made, work waits until
    the browser has it: parts that ``show`` adds earlier would take their style sheets from a CDN,
    since the address of ours is known to Panel from the page on.
    """
    if not in_session():
        show(work())
        return
    visit = current_visit()
    if button is not None and "busy" in button.param:
        _show_busy(button, True)  # before the press that began this is answered

    async def run() -> None:
        try:
            result = await in_thread(work, button)
        except Exception:  # noqa: BLE001 - logged; the page keeps what it shows
            _log.exception("A part of a page could not be computed")
        else:
            _scheduled(lambda: visit.when_drawn(lambda: show(result)))

    pn.state.onload(lambda: pn.state.execute(run))


def _show_busy(button: pn.viewable.Viewable, busy: bool) -> None:
    button.param.update(busy=busy)


def _scheduled(change: Callable[[], None]) -> None:
    """Change under the document's lock, which Bokeh's own models need."""
    pn.state.execute(change, schedule=True)


def live(*refreshers: Callable[[], None], period_ms: int = PERIOD_MS) -> None:
    """Call each refresher now, and after changes of the database until the page is left.

    Refreshed is at most each ``period_ms``, and only a tab that is in sight. A refresher must be
    quick, and send nothing where nothing changed.
    """
    visit = current_visit()
    refresh = _all_of(refreshers)
    refresh()
    visit.on_leave(_follow(lambda: visit.when_drawn(refresh), period_ms))


def live_in_frame(
    refresher: Callable[[], None], *, even_hidden: Callable[[], bool] = lambda: False
) -> None:
    """Do as :func:`live` does until the session ends, whichever page stands in the frame.

    Parameters
    ----------
    even_hidden : callable, optional
        Whether to go on while the tab is out of sight.
    """
    refresh = _all_of([refresher])
    refresh()
    _follow(refresh, PERIOD_MS, even_hidden)


def _all_of(refreshers: Sequence[Callable[[], None]]) -> Callable[[], None]:
    def refresh() -> None:
        for refresher in refreshers:
            try:
                refresher()
            except Exception:  # noqa: BLE001 - logged; a locked database may pass, others go on
                _log.exception("A part of a page could not be refreshed")

    return refresh


def _follow(
    refresh: Callable[[], None], period_ms: int, even_hidden: Callable[[], bool] = lambda: False
) -> Callable[[], None]:
    watch, document = the_watch(), pn.state.curdoc
    if watch is None or document is None or not in_session():
        return lambda: None
    return watch.follow(document, refresh, period_ms, even_hidden)
