"""Numbers that are typed on the Validate page."""

from __future__ import annotations

from typing import Any

import panel as pn
import panel_material_ui as pmui

from lensing_core.errors import BadInputError

SMALL: dict[str, Any] = {"size": "small", "margin": 0}
NUMBER: dict[str, Any] = {**SMALL, "sx": {"& .MuiInputBase-root": {"height": 32}}}


def row(*parts: Any) -> pn.FlexBox:
    """Parts beside one another, wrapped where the page is narrow.

    No Row, which would be as wide as all its parts together.
    """
    return pn.FlexBox(
        *parts, margin=0, sizing_mode="stretch_width", gap="10px", align_items="center"
    )


def number(field: pmui.TextInput) -> float:
    """Return what was typed; raises BadInputError with the name of the field."""
    try:
        return float(field.value.replace("\N{MINUS SIGN}", "-"))
    except ValueError:
        raise BadInputError(
            f"{field.label}: {field.value!r} is not a number; write one such as 0.35."
        ) from None


def optional_number(field: pmui.TextInput) -> float | None:
    """Return what was typed; None where that is nothing."""
    return number(field) if field.value.strip() else None
