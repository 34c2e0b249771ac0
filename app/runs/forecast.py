"""One line below a form: what a run will use, and how long it will take."""

from __future__ import annotations

from collections.abc import Callable
from html import escape
from typing import Any

import panel as pn

from lens_triage.app.widgets.live import in_background
from lens_triage.app.widgets.section import html
from lens_triage.training.settings import RunSettings

_CSS = "p { margin: 0; color: var(--lt-muted); font-size: 12.5px; line-height: 1.5; }"


class Forecast(pn.viewable.Viewer):
    """A sentence on the settings of a form, as they stand.

    Parameters
    ----------
    text : callable
        From settings to a sentence; called in a thread.
    """

    def __init__(self, text: Callable[[Any], str]) -> None:
        self._text = text
        self._line = html("", css=_CSS)
        self._latest: RunSettings | None = None
        super().__init__()

    def __panel__(self) -> pn.viewable.Viewable:
        return self._line

    def update(self, settings: RunSettings | None) -> None:
        """Speak of these settings; None, where one of them is wrong, changes nothing."""
        if settings is not None:
            self._latest = settings
            in_background(lambda: self._text(settings), lambda text: self._show(settings, text))

    def _show(self, settings: RunSettings, text: str) -> None:
        if settings is self._latest:  # what was asked before may be answered after
            self._line.object = f"<p>{escape(text)}</p>"
