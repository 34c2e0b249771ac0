"""One setting's input: the widget, its help, and the sentence that says what is wrong with it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from html import escape
from typing import Any

import panel as pn
import panel_material_ui as pmui
import param

from lens_triage.app.widgets.format import words
from lens_triage.app.widgets.glossary import with_terms
from lens_triage.app.widgets.section import html
from lens_triage.training.settings import Field

Choices = Mapping[str, str]

_HELP_CSS = """
p { margin: 3px 2px 0; font-size: 11.5px; line-height: 1.4; color: var(--lt-muted); }
p.wrong { color: var(--lt-error); }
"""


def label_of(field: Field) -> str:
    """A setting's name for people: ``size_arcsec`` in arcsec gives ``Size (arcsec)``."""
    unit = f" ({field.unit})" if field.unit else ""
    if field.title:
        return field.title + unit
    parts = field.name.split("_")
    if field.unit and len(parts) > 1 and parts[-1] in field.unit:
        parts = parts[:-1]
    if parts[0] == "n":
        parts = ["number", *(["of"] if parts[1:] else []), *parts[1:]]
    return words("_".join(parts)) + unit


def bounds_of(parameter: Any) -> str:
    """Return what a number may be, e.g. ``0 to 1``; '' where anything goes that makes sense."""
    low, high = getattr(parameter, "bounds", None) or (None, None)
    if not isinstance(parameter, param.Number) or low is None:
        return ""
    if high is not None and high < 2**31 - 1:
        return f"{low:,} to {high:,}"
    return f"{low:,} or more" if low else ""


# Chips as tall as the text of the other inputs.
_CHIPS_SX = {
    "& .MuiSelect-select": {"padding": "7px 12px", "minHeight": "23px !important"},
    "& .MuiChip-root": {"height": 24, "fontSize": 12},
    "& .MuiChip-deleteIcon": {"fontSize": 15},
}
# A select as tall as an input of text.
_SELECT_SX = {
    "& .MuiSelect-select": {
        "paddingTop": "7px",
        "paddingBottom": "7px",
        "minHeight": "23px !important",
        "lineHeight": "23px",
    }
}
_LABEL_AT_REST = {
    "&:not(.MuiInputLabel-shrink)": {
        "transform": "translate(14px, 8px) scale(1)",
        "maxWidth": "calc(100% - 46px)",  # the arrow stands behind it
    }
}
_LABEL_THEME = {"components": {"MuiInputLabel": {"styleOverrides": {"root": _LABEL_AT_REST}}}}


SELECT_LOOK: dict[str, Any] = {"sx": _SELECT_SX, "theme_config": _LABEL_THEME}
CHIPS_LOOK: dict[str, Any] = {"sx": _CHIPS_SX, "theme_config": _LABEL_THEME, "solid": False}
"""Of selects that may be empty: their label stands in their middle then."""


class FieldEditor(pn.viewable.Viewer):
    """Edits one setting.

    Parameters
    ----------
    field : Field
    choices : Mapping, optional
        Values to choose from, by the text shown; None for free input.
    on_change : callable
        Called after every change by the user.
    """

    def __init__(
        self, field: Field, choices: Choices | None, on_change: Callable[[], None]
    ) -> None:
        self.field = field
        self._has_choices = choices is not None
        self._widget = self._make(choices)
        self._help = html("", css=_HELP_CSS)
        self.error = ""
        self._show()
        self._view = pn.Column(
            self._widget,
            self._help,
            sizing_mode="stretch_width",
            margin=0,
            min_width=0,
            css_classes=[f"field-{field.name}"],  # by which FieldFocus finds it
        )
        super().__init__()
        self.write(field.default)

        def changed(_: Any) -> None:
            self.validate()
            on_change()

        self._widget.param.watch(changed, "value")

    def __panel__(self) -> pn.viewable.Viewable:
        return self._view

    @property
    def visible(self) -> bool:
        """Return whether the field is seen."""
        return bool(self._view.visible)

    @visible.setter
    def visible(self, seen: bool) -> None:
        self._view.visible = seen

    def _make(self, choices: Choices | None) -> Any:
        parameter = self.field.parameter
        common: dict[str, Any] = {
            "label": label_of(self.field),
            "sizing_mode": "stretch_width",
            "margin": 0,
        }
        if isinstance(parameter, param.ListSelector):
            options = list(parameter.objects) if choices is None else dict(choices)
            return self._chips(options, common)
        if isinstance(parameter, param.List) and choices is not None:
            return self._chips(dict(choices), common)
        common["size"] = "small"
        if isinstance(parameter, param.Boolean):
            return pmui.Checkbox(**common)
        if isinstance(parameter, param.Selector):
            options = list(parameter.objects) if choices is None else dict(choices)
            return pmui.Select(options=options, sx=_SELECT_SX, **common)
        if isinstance(parameter, param.Dict):
            return pmui.TextAreaInput(placeholder="NAME=VALUE, one a line", rows=3, **common)
        if choices is not None:
            return pmui.Select(options=dict(choices), **SELECT_LOOK, **common)
        return pmui.TextInput(**common)

    @staticmethod
    def _chips(options: Any, common: dict[str, Any]) -> Any:
        return pmui.MultiChoice(options=options, **CHIPS_LOOK, **common)

    def set_choices(self, choices: Choices) -> None:
        """Change what may be chosen; a choice that is still there is kept, else the first taken."""
        if dict(choices) != self._widget.options:
            kept = self._widget.value
            self._widget.options = dict(choices)
            self.write(kept)

    def write(self, value: Any) -> None:
        """Show ``value``."""
        if isinstance(self._widget, pmui.Checkbox):
            self._widget.value = bool(value)
        elif isinstance(self._widget, pmui.MultiChoice):
            known = self._widget.options
            known = known.values() if isinstance(known, dict) else known
            kept = [item for item in value or [] if item in known]
            # A default that the workspace does not have gives way to the first that it has.
            self._widget.value = kept or (list(known)[:1] if value and self._has_choices else [])
        elif isinstance(self._widget, pmui.Select):
            options = self._widget.options
            known = list(options.values() if isinstance(options, dict) else options)
            self._widget.value = value if value in known else (known[0] if known else None)
        elif isinstance(self.field.parameter, param.Dict):
            self._widget.value = "\n".join(f"{name}={item}" for name, item in (value or {}).items())
        elif isinstance(self.field.parameter, param.List | param.Tuple):
            self._widget.value = ", ".join(map(str, value or []))
        else:
            self._widget.value = "" if value is None else str(value)

    def read(self) -> Any:
        """The value as the settings class wants it; raises ValueError with one sentence."""
        value, parameter = self._widget.value, self.field.parameter
        if isinstance(self._widget, pmui.TextInput):
            return self._parse_text(value.strip())
        if isinstance(parameter, param.Dict):
            return self._parse_pairs(value)
        if isinstance(self._widget, pmui.Select) and value is None:
            raise ValueError("There is nothing to choose from yet.")
        return value

    def _parse_text(self, text: str) -> Any:
        parameter = self.field.parameter
        if isinstance(parameter, param.List | param.Tuple):
            items = [item.strip() for item in text.split(",") if item.strip()]
            kind = getattr(parameter, "item_type", None)
            if kind in (int, float):
                try:
                    return [kind(item) for item in items]
                except ValueError:
                    raise ValueError("Give numbers, separated by commas.") from None
            return tuple(items) if isinstance(parameter, param.Tuple) else items
        if isinstance(parameter, param.Number):
            return self._parse_number(text)
        if not text and parameter.allow_None:
            return None
        return text

    def _parse_number(self, text: str) -> float | int | None:
        parameter = self.field.parameter
        whole = isinstance(parameter, param.Integer)
        if not text and parameter.allow_None:
            return None
        allowed = bounds_of(parameter)
        hint = f", {allowed}" if allowed else ""
        sentence = f"Give a {'whole ' if whole else ''}number{hint}."
        try:
            value = float(text.replace(",", "").replace("\u2212", "-"))
        except ValueError:
            raise ValueError(sentence) from None
        if whole and value != int(value):
            raise ValueError(sentence)
        low, high = parameter.bounds or (None, None)
        if (
            value != value
            or (low is not None and value < low)
            or (high is not None and value > high)
        ):
            raise ValueError(sentence)
        return int(value) if whole else value

    @staticmethod
    def _parse_pairs(text: str) -> dict[str, str]:
        pairs = {}
        for line in filter(None, map(str.strip, text.splitlines())):
            name, equals, value = line.partition("=")
            if not equals:
                raise ValueError(f"{line!r}: write NAME=VALUE, one a line.")
            pairs[name.strip()] = value.strip()
        return pairs

    def validate(self) -> bool:
        """Say at the field what is wrong with it, or nothing; return whether it is right."""
        try:
            self.read()
        except ValueError as error:
            self.error = str(error)
        else:
            self.error = ""
        if "error_state" in self._widget.param:
            self._widget.error_state = bool(self.error)
        self._show()
        return not self.error

    def mark(self) -> None:
        """Mark the field as wrong until it is changed; what is wrong stands elsewhere."""
        if "error_state" in self._widget.param:
            self._widget.error_state = True

    def _show(self) -> None:
        if self.error:
            self._help.object = f'<p class="wrong" role="alert">{escape(self.error)}</p>'
        else:
            allowed = bounds_of(self.field.parameter)
            text = self.field.help + (f" {words(allowed)}." if allowed else "")
            self._help.object = f"<p>{with_terms(text)}</p>"
