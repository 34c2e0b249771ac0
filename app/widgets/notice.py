"""One sentence to the user: what is wrong and what to do, or that something was done."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from html import escape

import panel as pn

from lens_triage.app.widgets.section import html
from lensing_core.errors import LensTriageError
from lensing_core.store.failures import sentence_of

UNEXPECTED = "Something went wrong; the server's log says what."
_log = logging.getLogger(__name__)

_CSS = """
.notice { display: flex; gap: 10px; padding: 8px 12px; border-radius: 8px; line-height: 1.5;
  border: 1px solid color-mix(in srgb, var(--tone) 45%, transparent);
  background: color-mix(in srgb, var(--tone) 9%, var(--lt-surface)); overflow-wrap: anywhere; }
.notice::before { content: var(--mark); color: var(--tone); font-weight: 700; flex: none; }
.is-error { --tone: var(--lt-error); --mark: "!"; }
.is-warning { --tone: var(--lt-warning); --mark: "!"; }
.is-success { --tone: var(--lt-success); --mark: "✓"; }
.is-info { --tone: var(--lt-accent); --mark: "i"; }
"""


class Notice(pn.viewable.Viewer):
    """Hidden until there is something to say."""

    def __init__(self) -> None:
        self._pane = html("", css=_CSS, visible=False)
        self.message = ""
        super().__init__()

    def __panel__(self) -> pn.viewable.Viewable:
        return self._pane

    def say(self, message: str, tone: str = "error") -> None:
        """Show one sentence; ``tone`` is error, warning, success or info."""
        self.message = message
        role = "alert" if tone in ("error", "warning") else "status"
        self._pane.object = f'<div class="notice is-{tone}" role="{role}">{escape(message)}</div>'
        self._pane.visible = True

    def clear(self) -> None:
        """Say nothing."""
        self.message = ""
        self._pane.visible = False

    @contextmanager
    def guard(self) -> Iterator[None]:
        """Clear, then show what an action inside raises: one sentence; the log has the rest."""
        self.clear()
        try:
            yield
        except LensTriageError as error:
            self.say(str(error))
        except Exception as error:  # noqa: BLE001 - logged in full; a page never shows a traceback
            _log.exception("An action of a page failed")
            self.say(sentence_of(error) or UNEXPECTED)
