"""Gives a field of a form the keyboard, whatever fold or dialog it is in."""

from __future__ import annotations

from typing import Any

import panel as pn
import param

from lens_triage.app.scripts import bundle


class FieldFocus(pn.custom.JSComponent):
    """Finds fields by the class ``field-<name>`` of what is around them; nothing of it is seen."""

    wanted = param.List(default=[], doc="Name of the field to focus, and how often one was.")
    ends = param.List(default=[], doc="Names of fields with paths, whose end is shown.")
    drawn = param.Integer(default=0, doc="How often such fields came or went.")

    _esm = bundle("field-focus")

    def __init__(self, **params: Any) -> None:
        apart = {"position": "absolute"}  # takes no room in a layout with gaps
        super().__init__(**{"margin": 0, "width": 0, "height": 0, "styles": apart, **params})

    def focus(self, name: str) -> None:
        """Bring a field into sight and focus it as soon as it is drawn."""
        self.wanted = [name, (self.wanted[1] if self.wanted else 0) + 1]
