"""The review desk: ranked table, viewer and scores, in one component of the browser.

The script owns the keyboard and shows the next candidate at once, from pictures that it has
fetched ahead; this side answers its questions about rows, counts and details.
"""

from __future__ import annotations

import asyncio
import logging
from functools import partial
from typing import Any, ClassVar

import panel as pn
import param
from panel.custom import JSComponent

from app.review.service import ReviewService
from app.scripts import bundle, styles
from app.theme import TOKENS_CSS
from app.viewer.start import VIEWER_STYLES
from lensing_core.errors import LensTriageError

_STYLES = (
    "widgets/view.css",
    "review/more.css",
    "review/charts.css",
    "review/panel.css",
    *VIEWER_STYLES,
)
_log = logging.getLogger(__name__)


class ReviewDesk(JSComponent):
    """The desk; ``start`` is what :meth:`ReviewService.start` returned."""

    start = param.Dict(default={})

    _esm = bundle("review")
    _stylesheets: ClassVar[list[str]] = [TOKENS_CSS, styles(*_STYLES)]

    def __init__(self, service: ReviewService, **params: Any) -> None:
        self._service = service
        self._document = pn.state.curdoc
        super().__init__(**params)

    def push(self, message: dict[str, Any]) -> None:
        """Send a message that the page did not ask for, from any thread."""
        document = self._document
        if document is not None:
            document.add_next_tick_callback(partial(self._send_msg, message))

    def _handle_msg(self, data: Any) -> None:
        pn.state.execute(partial(self._answer, data))

    async def _answer(self, message: dict[str, Any]) -> None:
        """Answer in a thread, so that a slow count holds up neither keys nor other sessions."""
        try:
            answer = await asyncio.to_thread(self._service.answer, message)
        except LensTriageError as error:
            answer = {"type": "error", "message": str(error), "request": message.get("request")}
        except Exception:  # noqa: BLE001 - logged; the page gets one sentence, never a traceback
            _log.exception("The review page's message %r failed", message.get("type"))
            text = "The server could not answer; its log says why."
            answer = {"type": "error", "message": text, "request": message.get("request")}
        self._send_msg(answer)
