"""Choosing a file or folder of the machine that serves the pages, which is the user's own."""

from __future__ import annotations

from collections.abc import Callable
from html import escape
from pathlib import Path
from typing import Any

import panel as pn
import panel_material_ui as pmui

from lens_triage.app.acts import look_at_files
from lens_triage.app.catalogs.path_rows import TYPES, UP, list_folder, typed_place
from lens_triage.app.context import AppContext
from lens_triage.app.widgets.action_button import ActionButton
from lens_triage.app.widgets.field_focus import FieldFocus
from lens_triage.app.widgets.fields import SELECT_LOOK
from lens_triage.app.widgets.notice import Notice
from lens_triage.app.widgets.section import (
    html,
    stack,
)
from lens_triage.app.widgets.table import (
    Table,
    column,
)
from lensing_core.errors import BadInputError

_WHERE_CSS = "p { margin: 0; line-height: 1.4; overflow-wrap: anywhere; }"
_KEYS = "Arrow keys move through the list, Enter opens or chooses, Backspace goes up one folder."


class PathPicker(pn.viewable.Viewer):
    """A dialog; ``on_pick(purpose, path)`` is called with what was chosen.

    A path can be typed, which shows what begins so; a click selects a row, a double click or Enter
    opens a folder and chooses a file.
    """

    def __init__(self, context: AppContext, on_pick: Callable[[str, str], None]) -> None:
        self._context = context
        self._on_pick = on_pick
        self._purpose = ""
        self._folder = Path.home()
        self._folders = False
        self._moving = False
        self._notice = Notice()
        self._where = html("", css=_WHERE_CSS)
        self._focus = FieldFocus()
        self.typed = pmui.TextInput(
            label="Path", size="small", sizing_mode="stretch_width", margin=0
        )
        self.shown = pmui.Select(
            label="Show",
            options=list(TYPES),
            value="All files",
            size="small",
            width=120,
            margin=0,
            **SELECT_LOOK,
        )
        self.table = Table(
            columns=[
                column("name", "Name", align="wrap"),
                column("size", "Size", align="right", width="96px"),
            ],
            label="Files and folders",
            empty="This folder is empty.",
            selectable=True,
            opens=True,
            key_above=UP,
        )
        self.table.on_open(self._open)
        self.table.param.watch(self._selected, "selected")
        self.typed.param.watch(self._typing, "value_input")
        self.typed.param.watch(lambda _: self._entered(), "enter_pressed")
        self.shown.param.watch(lambda _: self._list(), "value")
        small: dict[str, Any] = {"size": "small", "variant": "outlined"}
        self._home = ActionButton(self._go_home, label="Home", icon="home", **small)
        self._use_folder = ActionButton(
            lambda: self._pick(self._folder), label="Use this folder", **small
        )
        self.choose = ActionButton(self._take, label="Choose", size="small", disabled=True)
        self.dialog = pmui.Dialog(
            stack(
                self._focus,
                pn.FlexBox(
                    pn.Column(
                        self.typed,
                        css_classes=["field-path"],
                        margin=0,
                        min_width=0,
                        styles={"flex": "1 1 220px"},
                    ),
                    self.shown,
                    self._home,
                    align_items="center",
                    gap="8px",
                    margin=(6, 0, 0, 0),
                    sizing_mode="stretch_width",
                ),
                self._where,
                self._notice,
                stack(self.table, scroll="y-auto", styles={"height": "min(380px, 45vh)"}),
                pn.FlexBox(
                    html(f"<p>{_KEYS}</p>", css=_WHERE_CSS, styles={"flex": "1 1 240px"}),
                    self._use_folder,
                    self.choose,
                    align_items="center",
                    gap="8px",
                    margin=0,
                    sizing_mode="stretch_width",
                ),
                gap=8,
            ),
            title="",
            open=False,
            close_on_click=True,
            show_close_button=True,
            width_option="md",
            title_variant="h3",
            sizing_mode="stretch_width",
        )
        super().__init__()

    def __panel__(self) -> pn.viewable.Viewable:
        return self.dialog

    def open_at(
        self, path: str, *, purpose: str, title: str, folders: bool, shown: str = "All files"
    ) -> None:
        """Open the dialog in the folder of ``path``.

        Parameters
        ----------
        folders : bool
            Whether a folder may be chosen.
        shown : str
            Type of the files that are shown at first.
        """
        self._purpose, self._folders = purpose, folders
        self._use_folder.visible = folders
        self.shown.value = shown
        roots = self._context.reach.roots
        chosen = Path(path).expanduser() if path else (roots[0] if roots else Path.cwd())
        with self._notice.guard():
            (chosen,) = look_at_files(self._context, chosen)
            while not chosen.exists() and chosen.parent != chosen:
                chosen = chosen.parent
            self._go(chosen if chosen.is_dir() else chosen.parent)
        self.dialog.title = title
        self.dialog.open = True
        self._focus.focus("path")

    def _go(self, folder: Path) -> None:
        """Show a folder; the typed path follows."""
        with self._notice.guard():
            (folder,) = look_at_files(self._context, folder)
            self._show(folder, "")
            self._type(f"{folder}/" if folder.parent != folder else str(folder))

    def _show(self, folder: Path, beginning: str) -> None:
        rows = list_folder(folder, self.shown.value, beginning)
        self._folder = folder
        self._where.object = f"<p>Folder <b>{escape(str(folder))}</b></p>"
        self.table.selected = ""
        self.table.update(rows)
        self.choose.disabled = True

    def _list(self) -> None:
        with self._notice.guard():
            self._show(self._folder, "")

    def _type(self, text: str) -> None:
        self._moving = True
        self.typed.value = text
        self._moving = False

    def _typing(self, _: object) -> None:
        """Show what begins as the path does that is being typed."""
        if self._moving:
            return
        folder, beginning = typed_place(self.typed.value_input or "", self._folder)
        with self._notice.guard():
            (folder,) = look_at_files(self._context, folder)
            if folder.is_dir():
                self._show(folder, beginning)

    def _entered(self) -> None:
        """Open the folder that was typed, or choose the file."""
        with self._notice.guard():
            typed = self.typed.value_input or self.typed.value
            folder, name = typed_place(typed, self._folder)
            (path,) = look_at_files(self._context, folder / name)
            if path.is_dir():
                self._go(path)
            elif path.is_file():
                self._pick(path)
            else:
                raise BadInputError(f"{path} does not exist.")

    def _go_home(self) -> None:
        roots = self._context.reach.roots
        self._go(roots[0] if roots else Path.home())

    def _selected(self, _: object) -> None:
        name = self.table.selected
        is_file = bool(name) and not (self._folder / name).is_dir()
        self.choose.disabled = not name
        self.choose.label = "Choose" if is_file or not name else "Open"

    def _take(self) -> None:
        """Do with the selected row what a double click does."""
        self._open(self.table.selected)

    def _open(self, key: str) -> None:
        if not key:
            return
        path = self._folder.parent if key == UP else self._folder / key
        if path.is_dir():
            self._go(path)
        else:
            self._pick(path)

    def _pick(self, path: Path) -> None:
        with self._notice.guard():
            look_at_files(self._context, path)
            self.dialog.open = False
            self._on_pick(self._purpose, str(path))
