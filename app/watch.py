"""One look at the database for all open pages: who shows what changed is told, the rest is left.

A page that asks by itself, each second, whether something has changed costs processor time in every
tab. Here the server asks once, by a number that every commit changes, and not at all while no tab
is in sight.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Hashable
from weakref import WeakSet

from bokeh.document import Document

PERIOD_MS = 1000
UNCHANGED_S = 60.0  # after so long texts such as "2 min ago" are written anew
_log = logging.getLogger(__name__)


class Follower:
    """A part of a page of one session that is to be refreshed when the database has changed."""

    def __init__(
        self,
        document: Document,
        refresh: Callable[[], None],
        period_s: float,
        seen: Hashable,
        even_hidden: Callable[[], bool] = lambda: False,
    ) -> None:
        self.even_hidden = even_hidden
        self._document = document
        self._refresh = refresh
        self._period_s = period_s
        self._seen = seen
        self._at = time.monotonic()
        self._waits = False
        self._stopped = False

    @property
    def document(self) -> Document:
        """The session's document."""
        return self._document

    def stop(self) -> None:
        """Never be refreshed again."""
        self._stopped = True

    def tell(self, fingerprint: Hashable, now: float) -> None:
        """Refresh where ``fingerprint`` is new and the last time was a period ago, or long ago."""
        since = now - self._at
        due = since >= self._period_s if fingerprint != self._seen else since >= UNCHANGED_S
        if not due or self._waits or self._stopped or self._document.session_context is None:
            return
        self._seen, self._at, self._waits = fingerprint, now, True
        self._document.add_next_tick_callback(self._run)

    def _run(self) -> None:
        self._waits = False
        if not self._stopped:
            self._refresh()


class Watch:
    """Followers of one database, in all sessions of the server.

    Parameters
    ----------
    fingerprint : callable
        Returns something else after every change; called in a thread.
    """

    def __init__(self, fingerprint: Callable[[], Hashable]) -> None:
        self._fingerprint = fingerprint
        self._last: Hashable = None
        self._followers: set[Follower] = set()
        self._hidden: WeakSet[Document] = WeakSet()

    def follow(
        self,
        document: Document,
        refresh: Callable[[], None],
        period_ms: int = PERIOD_MS,
        even_hidden: Callable[[], bool] = lambda: False,
    ) -> Callable[[], None]:
        """Call ``refresh`` after changes, not more often than each period; returns what ends it.

        What is followed is as new as the last look: it is not read again before something changes.

        Parameters
        ----------
        even_hidden : callable, optional
            Whether it is refreshed while its tab is out of sight.
        """
        # A look comes somewhat early now and then; a period must not become two for it.
        period_s = 0.9 * period_ms / 1000
        follower = Follower(document, refresh, period_s, self._last, even_hidden)
        self._followers.add(follower)

        def stop() -> None:
            follower.stop()
            self._followers.discard(follower)

        return stop

    def set_hidden(self, document: Document, hidden: bool) -> None:
        """Say whether the tab of a document is out of sight; it is refreshed when it comes back."""
        if hidden:
            self._hidden.add(document)
        else:
            self._hidden.discard(document)

    def forget(self, document: Document) -> None:
        """Tell nobody any more in a session that has ended."""
        for follower in [each for each in self._followers if each.document is document]:
            follower.stop()
            self._followers.discard(follower)

    async def look(self) -> None:
        """Ask once for all that is in sight, or waits for something all the same; tell them."""
        told = [
            each
            for each in self._followers
            if each.document not in self._hidden or each.even_hidden()
        ]
        if not told:
            return
        try:
            fingerprint = await asyncio.to_thread(self._fingerprint)
        except Exception:  # noqa: BLE001 - logged; a locked database may pass, the watch goes on
            _log.exception("Changes of the database could not be looked for")
            return
        self._last = fingerprint
        now = time.monotonic()
        for follower in told:
            follower.tell(fingerprint, now)


_watch: Watch | None = None


def start_watch(fingerprint: Callable[[], Hashable]) -> Watch:
    """Return the watch that the pages of this process follow from now on."""
    global _watch
    _watch = Watch(fingerprint)
    return _watch


def the_watch() -> Watch | None:
    """Return the watch of this process; None where nothing is served (a notebook, a test)."""
    return _watch
