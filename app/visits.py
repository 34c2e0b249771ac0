"""The page that a session shows, its address, and what ends when it is left.

A session of the browser outlives its pages: the frame stays while one page takes the place of
another. What a page starts for itself ends by :meth:`Visit.on_leave`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any
from weakref import WeakKeyDictionary

import panel as pn
from bokeh.application.application import SessionContext
from bokeh.document import Document

from lens_triage.app.watch import the_watch

_log = logging.getLogger(__name__)
Arguments = Mapping[str, list[str]]


class Visit:
    """One page in one session.

    Attributes
    ----------
    arguments : Mapping
        The query string of the page's address: name to values.
    over : bool
        Whether the page has been left.
    """

    def __init__(self, arguments: Arguments, *, drawn: bool = True) -> None:
        self.arguments = arguments
        self.over = False
        self._drawn = drawn
        self._waiting: list[Callable[[], None]] = []
        self._endings: list[Callable[[], None]] = []

    def on_leave(self, ending: Callable[[], None]) -> None:
        """Call ``ending`` once, when another page comes or the session ends."""
        self._endings.append(ending)

    def when_drawn(self, action: Callable[[], None]) -> None:
        """Do ``action`` when the browser has drawn the page, and not at all once it is left.

        Panel's scripts fail at a change of a part that they have been sent and not yet drawn.
        """
        if self.over:
            return
        if self._drawn:
            action()
        else:
            self._waiting.append(action)

    def draw(self) -> None:
        """Do what has waited for the browser."""
        self._drawn = True
        waiting, self._waiting = self._waiting, []
        for action in waiting:
            self.when_drawn(action)

    def leave(self) -> None:
        """End everything that the page started."""
        self.over = True
        self._waiting.clear()
        endings, self._endings = self._endings, []
        for ending in endings:
            try:
                ending()
            except Exception:  # noqa: BLE001 - logged; the others must end all the same
                _log.exception("A part of a page could not be ended")


_visits: WeakKeyDictionary[Document, Visit] = WeakKeyDictionary()


def current_visit() -> Visit:
    """Return the visit of the session at work; without a session one that nothing ends."""
    document = pn.state.curdoc
    if document is None or document.session_context is None:
        return Visit({})
    if document not in _visits:
        found = {
            name: [value.decode("utf-8", "replace") for value in values]
            for name, values in pn.state.session_args.items()
        }
        _visits[document] = Visit(found)
    return _visits[document]


def remember(**query: str) -> None:
    """Write what is shown into the page's address, beside what stands there.

    So a link opens it again, and "back" leads to what was shown before. Without a session nothing
    happens.
    """
    location = pn.state.location
    if location is not None:
        values: dict[str, Any] = dict(query)
        location.update_query(**values)


def begin_visit(arguments: Arguments) -> Visit:
    """Leave the page of the session at work and begin another, of the given query string.

    What is drawn is told by :meth:`Visit.draw`.
    """
    document = pn.state.curdoc
    visit = Visit(arguments, drawn=False)
    if document is not None:
        if document in _visits:
            _visits[document].leave()
        _visits[document] = visit
    return visit


def release(session_context: SessionContext) -> None:
    """End the visit of a session that has ended, and all that Panel keeps of its document.

    Panel forgets a page's root, but not the area of its notifications, which holds the document
    and so everything on it.
    """
    document = session_context._document  # type: ignore[attr-defined]  # Bokeh has no public name
    visit = _visits.pop(document, None)
    if visit is not None:
        visit.leave()
    watch = the_watch()
    if watch is not None:
        watch.forget(document)
    for ref, (view, root, owner, _) in list(pn.state._views.items()):
        if owner is document:
            view._cleanup(root)
            pn.state._views.pop(ref, None)
