"""A dense table for short lists: aligned numbers, chips, bars, row buttons, a selected row."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import panel as pn
import param

from lens_triage.app.scripts import bundle, styles
from lens_triage.app.theme import TOKENS_CSS
from lens_triage.app.widgets.glossary import abbreviations
from lens_triage.app.widgets.skeleton import SKELETON_CSS

Row = dict[str, Any]
Cell = dict[str, Any]


def column(
    key: str, title: str, *, align: str = "", width: str = "", help_text: str = ""
) -> dict[str, str]:
    """A column; ``align`` is '', 'right', or 'wrap' for several lines; ``width`` any CSS width.

    A title that the glossary explains is explained by it, others by ``help_text``.
    """
    explained = {} if title in abbreviations() else {"help": help_text}
    return {"key": key, "title": title, "align": align, "width": width, **explained}


def action(name: str, text: str, title: str = "", *, forbidden: str = "") -> dict[str, Any]:
    """A button of a row.

    Parameters
    ----------
    title : str, optional
        Tooltip.
    forbidden : str, optional
        Why who is signed in may not press it: it is disabled, with that as its tooltip.
    """
    return {"name": name, "text": text, "title": forbidden or title, "disabled": bool(forbidden)}


class Table(pn.custom.JSComponent):
    """Until its first rows are known it shows a skeleton, not that there are none.

    Rows are dictionaries with a ``key`` and a cell for each column.

    One with a ``heading`` instead stands above the rows that follow it.

    A cell is text, or a dictionary with ``text`` and any of ``title`` (tooltip; the text itself
    otherwise), ``tone``, ``note``, ``href``, ``picture`` (address of a stamp, beside ``href``),
    ``chip`` ('', 'accent', 'success', 'warning', 'bad'), ``share`` (0 to 1, or None while unknown:
    draws a bar) or ``actions`` (buttons: ``name``, ``text``, ``title``, ``disabled``). Text is
    never read as HTML.
    """

    columns = param.List(default=[], doc="As made by :func:`column`.")
    rows = param.List(default=[])
    label = param.String(default="Table", doc="For screen readers.")
    empty = param.String(default="Nothing here yet.", doc="Shown in place of no rows.")
    waiting = param.Boolean(default=True, doc="Nothing is known yet of what there is.")
    answered = param.Integer(default=0, doc="How many presses of buttons have been dealt with.")
    selectable = param.Boolean(default=False)
    selected = param.String(default="", doc="Key of the selected row; '' for none.")
    opens = param.Boolean(default=False, doc="Enter and a double click open a row.")
    key_above = param.String(default="", doc="Key of the row that Backspace opens; '' for none.")

    _esm = bundle("table")
    _stylesheets: ClassVar[list[str]] = [
        TOKENS_CSS,
        SKELETON_CSS,
        styles("widgets/table.css", "widgets/chip.css"),
    ]

    def __init__(self, **params: Any) -> None:
        self._on_action: Callable[[str, str], None] = lambda action, key: None
        self._on_choice: Callable[[str, str, str], None] = lambda key, name, value: None
        self._on_open: Callable[[str], None] = lambda key: None
        params = {"waiting": "rows" not in params, **params}
        super().__init__(**{"sizing_mode": "stretch_width", "margin": 0, **params})

    def on_action(self, callback: Callable[[str, str], None]) -> None:
        """Call ``callback(action, key)`` when a row's button is pressed."""
        self._on_action = callback

    def on_choice(self, callback: Callable[[str, str, str], None]) -> None:
        """Call ``callback(key, column, value)`` when something is chosen in a cell."""
        self._on_choice = callback

    def on_open(self, callback: Callable[[str], None]) -> None:
        """Call ``callback(key)`` when a row is opened."""
        self._on_open = callback

    def update(self, rows: list[Row]) -> None:
        """Show ``rows``; nothing is sent where they are what is shown already."""
        if rows != self.rows or self.waiting:
            self.param.update(rows=rows, waiting=False)

    def _handle_msg(self, data: dict[str, str]) -> None:
        if data["action"] == "choose":
            self._on_choice(data["key"], data["column"], data["value"])
            return
        if data["action"] == "open-row":
            self._on_open(data["key"])
            return
        try:
            self._on_action(data["action"], data["key"])
        finally:
            self.answered += 1
