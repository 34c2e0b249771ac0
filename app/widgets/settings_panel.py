"""The form of a run: made from its settings class, so that nothing is declared twice."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from html import escape
from typing import Any, Generic, TypeVar

import panel as pn
import panel_material_ui as pmui

from lens_triage.app.widgets.field_focus import FieldFocus
from lens_triage.app.widgets.fields import (
    Choices,
    FieldEditor,
    label_of,
)
from lens_triage.app.widgets.fold import fold
from lens_triage.app.widgets.section import (
    grid,
    html,
    stack,
)
from lens_triage.training.settings import RunSettings, fields
from lensing_core.errors import BadInputError, LensTriageError

Settings = TypeVar("Settings", bound=RunSettings)

_GROUP_CSS = """
h3 { margin: 0; font-size: 12px; font-weight: 500; color: var(--lt-muted); }
p { margin: 0; font-size: 12.5px; color: var(--lt-muted); }
"""


class SettingsPanel(pn.viewable.Viewer, Generic[Settings]):
    """Edits the settings of one run.

    Parameters
    ----------
    settings_class : type
    choices : Mapping, optional
        For settings that are chosen from what the workspace holds: name to choices (text shown to
        value).
    values : Mapping, optional
        In place of the defaults.
    lead : sequence of str, optional
        Settings that stand apart, in :attr:`lead`, in this order.
    apart : sequence of str, optional
        Settings that the page places by itself, from :attr:`editors`.
    folded : sequence of str or None, optional
        Groups that begin folded; None: all of them.
    under : str, optional
        Title of one fold that holds all groups together; '' for none.
    hidden : sequence of str, optional
        Settings that the page sets by itself through :meth:`write`.
    field_width_px : int, optional
        The narrowest a field may get.
    on_change : callable, optional
        Called after every change by the user.
    """

    def __init__(
        self,
        settings_class: type[Settings],
        *,
        choices: Mapping[str, Choices] | None = None,
        values: Mapping[str, Any] | None = None,
        lead: Sequence[str] = (),
        apart: Sequence[str] = (),
        folded: Sequence[str] | None = (),
        under: str = "",
        hidden: Sequence[str] = (),
        field_width_px: int = 220,
        on_change: Callable[[], None] = lambda: None,
    ) -> None:
        self._class = settings_class
        self._hidden = dict.fromkeys(hidden)
        self.editors: dict[str, FieldEditor] = {}
        self._folds: dict[str, Any] = {}
        self._on_change, self._filling, self._filled = on_change, False, False
        self._made = False
        self._differs = html("", css=_GROUP_CSS, visible=False)
        groups: dict[str, list[FieldEditor]] = {}
        for field in fields(settings_class):
            if field.name in self._hidden:
                self._hidden[field.name] = field.default
                continue
            editor = FieldEditor(field, (choices or {}).get(field.name), self._changer(field.name))
            if values and field.name in values:
                editor.write(values[field.name])
            self.editors[field.name] = editor
            if field.name not in (*lead, *apart):
                groups.setdefault(field.group, []).append(editor)
        shut = set(groups) if folded is None else set(folded)
        template = f"repeat(auto-fill, minmax(min({field_width_px}px, 100%), 1fr))"
        self.lead = stack(
            grid(*(self.editors[name] for name in lead), template=template, gap="14px 16px"),
            self._differs,
            gap=8,
        )
        self.focus = FieldFocus()
        of_groups = stack(gap=0 if folded is None else 14)
        for title, editors in groups.items():
            inputs = grid(*editors, template=template, gap="14px 16px")
            alone = not under and len(set(groups) - shut) <= 1
            view = self._group(title, inputs, alone=alone, folded=title in shut)
            of_groups.append(view)
            if isinstance(view, pmui.Accordion):
                self._folds |= {editor.field.name: view for editor in editors}
        if under:
            whole = fold(under, of_groups)
            self._folds |= {e.field.name: whole for of in groups.values() for e in of}
        self._view = stack(self.focus, whole if under else of_groups, gap=0)
        super().__init__()
        self._made = True

    @staticmethod
    def _group(title: str, inputs: pn.Column, *, alone: bool, folded: bool) -> pn.viewable.Viewable:
        if folded:
            return fold(title, inputs)
        if alone:
            return inputs
        return stack(html(f"<h3>{escape(title)}</h3>", css=_GROUP_CSS), inputs, gap=10)

    def __panel__(self) -> pn.viewable.Viewable:
        return self._view

    def _changer(self, name: str) -> Callable[[], None]:
        """Return what a change of a setting does: a preset writes what it stands for."""

        def changed() -> None:
            if self._filling:
                self._filled = True
                return
            if self._made:
                if name == "preset" and self._class.presets:
                    self._fill(self._class.preset_values(self.editors[name].read()))
                self._tell_difference()
            self._on_change()

        return changed

    def _fill(self, values: Mapping[str, Any]) -> bool:
        """Write several values, as one change; return whether there is one."""
        self._filling, self._filled = True, False
        try:
            for name, value in values.items():
                self.editors[name].write(value)
        finally:
            self._filling = False
        return self._filled

    def _tell_difference(self) -> None:
        """Say which settings are not those of the preset."""
        if "preset" not in self.editors or not self._class.presets:
            return
        preset = self.editors["preset"].read()
        differing = [
            label_of(self.editors[name].field)
            for name, value in self._class.preset_values(preset).items()
            if self.read(name) != value
        ]
        self._differs.visible = bool(differing)
        said = f"Different from {preset}: {', '.join(differing)}."
        self._differs.object = f"<p>{escape(said)}</p>" if differing else ""

    def set_choices(self, choices: Mapping[str, Choices]) -> None:
        """Change what may be chosen for some settings."""
        for name, options in choices.items():
            self.editors[name].set_choices(options)

    def write(self, **values: Any) -> None:
        """Set some values, hidden ones too; a preset stands for what is not among them."""
        shown = {name: value for name, value in values.items() if name not in self._hidden}
        self._hidden |= {name: value for name, value in values.items() if name in self._hidden}
        if "preset" in shown and self._class.presets:
            shown = self._class.preset_values(shown["preset"]) | shown
        if self._fill(shown):
            self._tell_difference()
            self._on_change()

    def reveal(self, **shown: bool) -> None:
        """Show or hide some settings; what is hidden keeps its value."""
        for name, visible in shown.items():
            self.editors[name].visible = visible

    def read(self, name: str) -> Any:
        """One value as it stands; None where it is not valid."""
        if name in self._hidden:
            return self._hidden[name]
        try:
            return self.editors[name].read()
        except ValueError:
            return None

    def peek(self) -> Settings | None:
        """The settings as they stand, or None while one of them is wrong; nothing is marked."""
        try:
            values = {name: editor.read() for name, editor in self.editors.items()}
            return self._class(**values, **self._hidden)
        except (ValueError, BadInputError):
            return None

    def settings(self) -> Settings:
        """The settings, checked.

        Raises
        ------
        BadInputError
            Naming the first setting that is wrong, and what to give; all are marked.
        """
        wrong = [editor for editor in self.editors.values() if not editor.validate()]
        for editor in reversed(wrong):
            self.point_at(editor.field.name)
        if wrong:
            raise BadInputError(f"{label_of(wrong[0].field)}: {wrong[0].error}")
        values = {name: editor.read() for name, editor in self.editors.items()}
        made = self._class(**values, **self._hidden)
        try:
            made.check()
        except LensTriageError as error:
            self.point_at(error.setting)
            raise
        return made

    def point_at(self, name: str) -> None:
        """Open the group of a setting that is wrong, mark its field and give it the keyboard.

        Nothing is done for one that is not seen, or none of these ('').
        """
        if name in self.editors and self.editors[name].visible:
            self.editors[name].mark()
            self.open(name)

    def open(self, name: str) -> None:
        """Open the group of a setting and give its field the keyboard."""
        if name in self._folds:
            self._folds[name].active = [0]
        self.focus.focus(name)
