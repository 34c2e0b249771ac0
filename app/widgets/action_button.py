"""The button of everything that a page starts: it shows at once that it was pressed."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, ClassVar

import panel as pn
import param

from lens_triage.app.scripts import bundle, styles
from lens_triage.app.theme import TOKENS_CSS
from lens_triage.app.widgets.live import in_session

Handler = Callable[[], Any]


class ActionButton(pn.custom.JSComponent):
    """Busy in the browser from the press until its handler has ended, however busy the server is.

    A handler may be a coroutine function; it goes on where the tab is closed meanwhile.
    """

    label = param.String(default="")
    icon = param.String(default="", doc="One of those in ``action_button.js``; '' for none.")
    variant: Any = param.Selector(default="contained", objects=["contained", "outlined", "text"])
    size: Any = param.Selector(default="medium", objects=["medium", "small"])
    disabled = param.Boolean(default=False)
    description = param.String(default="", doc="Tooltip.")
    forbidden = param.String(
        default="", doc="Why who is signed in may not press it: disabled, with that as tooltip."
    )
    busy = param.Boolean(default=False, doc="Work goes on that a press began.")
    answered = param.Integer(default=0, doc="How many presses have been dealt with.")

    _esm = bundle("action-button")
    _stylesheets: ClassVar[list[str]] = [TOKENS_CSS, styles("widgets/action_button.css")]

    def __init__(self, handler: Handler = lambda: None, **params: Any) -> None:
        self._handler = handler
        super().__init__(**{"margin": 0, **params})

    def on_press(self, handler: Handler) -> None:
        """Call ``handler()`` at each press."""
        self._handler = handler

    def press(self) -> None:
        """Press it; without a browser a coroutine is not waited for."""
        self._handle_msg({"pressed": self.answered + 1})

    def _handle_msg(self, data: dict[str, int]) -> None:
        pressed = data["pressed"]
        if not inspect.iscoroutinefunction(self._handler):
            try:
                self._handler()
            finally:
                self._answer(pressed)
            return

        async def run() -> None:
            try:
                await self._handler()
            finally:
                if in_session():
                    pn.state.execute(lambda: self._answer(pressed), schedule=True)
                else:
                    self._answer(pressed)

        pn.state.execute(run)

    def _answer(self, pressed: int) -> None:
        self.answered = max(self.answered, pressed)
