"""Asking for the zero points that images do not give."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import panel as pn
import panel_material_ui as pmui

from lens_triage.app.widgets.action_button import ActionButton
from lens_triage.app.widgets.section import html
from lens_triage.training.jobs.ingest import BandPreview

_CSS = "p { margin: 0; line-height: 1.5; }"


def assumed_zero_points(bands: list[BandPreview]) -> dict[str, float]:
    """Zero points that were taken from the survey's definition, by band."""
    return {
        band.name: band.zero_point_mag
        for band in bands
        if band.zero_point_from == "survey" and band.zero_point_mag is not None
    }


class ZeroPointQuestion(pn.viewable.Viewer):
    """Fields for the zero points of bands, with those assumed; ``on_answer`` gets what is stated.

    It is seen only while there is something to ask.
    """

    def __init__(self, on_answer: Callable[[dict[str, str]], None]) -> None:
        self._on_answer = on_answer
        self.fields: dict[str, pmui.FloatInput] = {}
        self._text = html("", css=_CSS)
        self._row = pn.FlexBox(gap="10px", margin=(12, 0, 10, 0))
        self.button = ActionButton(
            self.answer, label="Use these zero points", size="small", variant="outlined"
        )
        self._view = pn.Column(self._text, self._row, self.button, margin=0, visible=False)
        super().__init__()

    def __panel__(self) -> pn.viewable.Viewable:
        return self._view

    def ask(self, assumed: Mapping[str, float]) -> None:
        """Ask for the zero points of these bands; hide where there are none."""
        self._view.visible = bool(assumed)
        self.fields = {
            band: pmui.FloatInput(
                label=f"{band} (AB mag)", value=value, width=120, size="small", margin=0
            )
            for band, value in assumed.items()
        }
        self._row.objects = list(self.fields.values())
        self._text.object = (
            "<p>Zero point of each band: the AB magnitude of one unit of the pixels. The images "
            "do not state it, so the survey's values are filled in. Wrong values scale all "
            "fluxes by a factor.</p>"
        )

    def answer(self) -> None:
        """Hand on what stands in the fields."""
        stated = {
            band: f"{field.value:g}"
            for band, field in self.fields.items()
            if field.value is not None
        }
        self._on_answer(stated)
