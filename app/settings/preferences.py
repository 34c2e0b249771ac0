"""Preferences of a person, on Settings."""

from __future__ import annotations

from typing import Any, ClassVar

import param
from panel.custom import JSComponent

from lens_triage.app.context import AppContext
from lens_triage.app.preferences import stored_preferences
from lens_triage.app.scripts import bundle, styles
from lens_triage.app.theme import TOKENS_CSS
from lensing_core.imaging import PRESETS


class PreferencesForm(JSComponent):
    """Each choice is kept as it is made: with the name of who is signed in, else by the browser."""

    start = param.Dict(default={}, doc="stored: as the server keeps them, or None; presets.")

    _esm = bundle("preferences")
    _stylesheets: ClassVar[list[str]] = [TOKENS_CSS, styles("settings/preferences.css")]

    def __init__(self, context: AppContext, **params: Any) -> None:
        kept = stored_preferences(context)
        start = {
            "stored": None if kept is None else kept["general"],
            "presets": [*PRESETS, "auto"],
        }
        super().__init__(start=start, **{"margin": 0, "sizing_mode": "stretch_width", **params})
