"""One line below a form: what a run will use, and how long it will take."""

from __future__ import annotations

from collections.abc import Callable
from html import escape
from typing import Any

import panel as pn

from lens_triage.app.runs.form import RunForm
from lens_triage.app.widgets.live import in_background
from lens_triage.app.widgets.section import html

_CSS = "p { margin: 0; color: var(--lt-muted); font-size: 12.5px; line-height: 1.5; }"


class Forecast(pn.viewable.Viewer):
    """Follows a form.

    Parameters
    ----------
    text : callable
        From the settings as they stand to a sentence; called in a thread.
    """

    def __init__(self, text: Callable[[Any], str]) -> None:
        self._text = text
        self._line = html("", css=_CSS)
        self._form: RunForm | None = None
        super().__init__()

    def __panel__(self) -> pn.viewable.Viewable:
        return self._line

    def follow(self, form: RunForm) -> None:
        """Speak of the settings in this form from now on."""
        self._form = form
        self.update()

    def update(self) -> None:
        """Say it for the settings as they stand; nothing new while one of them is wrong."""
        settings = None if self._form is None else self._form.panel.peek()
        if settings is not None:
            in_background(lambda: self._text(settings), self._show)

    def _show(self, text: str) -> None:
        self._line.object = f"<p>{escape(text)}</p>"
