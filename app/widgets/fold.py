"""A part of a page under a heading that opens and shuts it."""

from __future__ import annotations

from typing import Any

import panel as pn
import panel_material_ui as pmui

_SX = {
    "backgroundColor": "transparent",
    "borderTop": "1px solid",
    "borderColor": "divider",
    "borderRadius": "0 !important",
    "&::before": {"display": "none"},
    "& .MuiAccordionSummary-root": {"minHeight": 36, "padding": "0 2px"},
    "& .MuiAccordionSummary-content": {"margin": "6px 0 !important"},
    "& .MuiAccordionDetails-root": {"padding": "8px 0 12px"},
}


def fold(title: str, body: pn.viewable.Viewable, **parameters: Any) -> pmui.Accordion:
    """Return a part that begins shut; while it is, its contents are neither made nor sent.

    Parameters
    ----------
    title : str
    body : Viewable
    **parameters
        Further ones of :class:`panel_material_ui.Accordion`; ``active=[0]`` begins open.
    """
    return pmui.Accordion(
        (title, body),
        dynamic=True,
        sizing_mode="stretch_width",
        margin=0,
        disable_gutters=True,
        elevation=0,
        title_variant="subtitle2",
        sx=_SX,
        **parameters,
    )
