"""A secret that is shown once, to be copied: the link of an invitation, an API token."""

from __future__ import annotations

from typing import Any, ClassVar

import panel as pn
import param

from lens_triage.app.scripts import bundle, styles
from lens_triage.app.theme import TOKENS_CSS


class ShownOnce(pn.custom.JSComponent):
    """Hidden until there is a text; a page that is loaded anew has none."""

    text = param.String(default="", doc="The secret; of a link the end of its address.")
    is_link = param.Boolean(default=False, doc="Whether it is an address of this server.")
    label = param.String(default="", doc="For screen readers.")
    note = param.String(default="", doc="Below it.")

    _esm = bundle("shown-once")
    _stylesheets: ClassVar[list[str]] = [TOKENS_CSS, styles("widgets/shown_once.css")]

    def __init__(self, **params: Any) -> None:
        super().__init__(**{"margin": 0, "sizing_mode": "stretch_width", **params})
