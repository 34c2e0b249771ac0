"""Previous and next page of a list that the database reads by keys, and which rows are shown."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import panel as pn

from lens_triage.app.widgets.action_button import ActionButton
from lens_triage.app.widgets.section import FITS, html


class Pager(pn.viewable.Viewer):
    """Remembers the key before each page that was opened; calls ``on_turn`` for another one."""

    def __init__(self, size: int, on_turn: Callable[[], None]) -> None:
        self.size = size
        self._on_turn = on_turn
        self._starts: list[Any] = [None]
        self._last: Any = None
        self._turning = False
        style: dict[str, Any] = {"size": "small", "variant": "outlined"}
        self.previous = ActionButton(
            lambda: self._turn(back=True), label="Previous", icon="chevron_left", **style
        )
        self.next = ActionButton(
            lambda: self._turn(back=False), label="Next", icon="chevron_right", **style
        )
        self.place = html("", width=220, sizing_mode=None, align="center")
        self._view = pn.Row(
            self.previous,
            self.next,
            self.place,
            margin=0,
            styles={"gap": "8px", "align-items": "center", "flex-wrap": "wrap"},
            stylesheets=[FITS],
        )
        super().__init__()

    def __panel__(self) -> pn.viewable.Viewable:
        return self._view

    @property
    def after(self) -> Any:
        """The key that the page begins after; None for the first."""
        return self._starts[-1]

    def reset(self) -> None:
        """Back to the first page, without a call."""
        self._starts = [None]
        self._turning = False

    def show_place(self, n_rows: int, total: int, last: Any) -> None:
        """Say which rows are shown; ``last`` is the key of the last of them."""
        self._last = last
        self._turning = False
        before = (len(self._starts) - 1) * self.size
        self.place.object = f"{before + 1:,} to {before + n_rows:,} of {total:,}" if n_rows else ""
        self.previous.busy = self.next.busy = False
        self.previous.disabled = len(self._starts) == 1
        self.next.disabled = not n_rows or before + n_rows >= total
        self._view.visible = total > self.size

    def _turn(self, *, back: bool) -> None:
        if self._turning:  # clicked twice: where the next page begins is not known yet
            return
        self._turning = True
        (self.previous if back else self.next).busy = True
        if back and len(self._starts) > 1:
            self._starts.pop()
        elif not back:
            self._starts.append(self._last)
        self._on_turn()
