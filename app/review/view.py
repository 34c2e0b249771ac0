"""The review view: ranked table, viewer and scores, in one component of the browser.

The script owns the keyboard and shows the next candidate at once, from pictures that it has
fetched ahead. It asks :mod:`lens_triage.app.review.handlers` for rows, counts and details, and
sends grades to :mod:`lens_triage.app.review.events`, not over Bokeh's connection: a page goes on
while that is gone.
"""

from __future__ import annotations

from functools import partial
from typing import Any, ClassVar

import panel as pn
import param
from panel.custom import JSComponent

from lens_triage.app.scripts import bundle, styles
from lens_triage.app.theme import TOKENS_CSS
from lens_triage.app.viewer.start import VIEWER_STYLES

_STYLES = (
    "widgets/view.css",
    "review/layout.css",
    "review/gallery.css",
    "review/compare.css",
    "review/more.css",
    "review/charts.css",
    "review/panel.css",
    *VIEWER_STYLES,
    "review/narrow.css",
)


class ReviewView(JSComponent):
    """The view; ``start`` is what :meth:`ReviewService.start` returned."""

    start = param.Dict(default={})

    _esm = bundle("review")
    _stylesheets: ClassVar[list[str]] = [TOKENS_CSS, styles(*_STYLES)]

    def __init__(self, **params: Any) -> None:
        self._document = pn.state.curdoc
        super().__init__(**params)

    def push(self, message: dict[str, Any]) -> None:
        """Send a message that the page did not ask for, from any thread."""
        document = self._document
        if document is not None:
            document.add_next_tick_callback(partial(self._send_msg, message))
