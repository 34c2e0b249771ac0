"""Choosing a file or folder of the machine that serves the pages, which is the user's own."""

from __future__ import annotations

from collections.abc import Callable
from html import escape
from pathlib import Path

import panel as pn
import panel_material_ui as pmui

from lens_triage.app.acts import look_at_files
from lens_triage.app.context import AppContext
from lens_triage.app.widgets import format as fmt
from lens_triage.app.widgets.action_button import ActionButton
from lens_triage.app.widgets.notice import Notice
from lens_triage.app.widgets.section import (
    html,
    stack,
)
from lens_triage.app.widgets.table import (
    Row,
    Table,
    column,
)
from lensing_core.errors import BadInputError

_MOST = 500


class PathPicker(pn.viewable.Viewer):
    """A dialog; ``on_pick(purpose, path)`` is called with what was chosen."""

    def __init__(self, context: AppContext, on_pick: Callable[[str, str], None]) -> None:
        self._context = context
        self._on_pick = on_pick
        self._purpose = ""
        self._folder = Path.home()
        self._notice = Notice()
        self._where = html("")
        self.table = Table(
            columns=[
                column("name", "Name"),
                column("size", "Size", align="right", width="110px"),
                column("act", "", align="right", width="80px"),
            ],
            label="Files and folders",
            empty="This folder is empty.",
        )
        self.table.on_action(self._act)
        self._use_folder = ActionButton(
            lambda: self._pick(self._folder),
            label="Use this folder",
            size="small",
            variant="outlined",
        )
        self.dialog = pmui.Dialog(
            stack(
                pn.Row(
                    self._where,
                    self._use_folder,
                    sizing_mode="stretch_width",
                    styles={"align-items": "center", "gap": "12px"},
                    margin=0,
                ),
                self._notice,
                stack(self.table, max_height=420, scroll=True),
                gap=8,
                width=640,
                sizing_mode=None,
            ),
            title="",
            open=False,
            close_on_click=True,
            show_close_button=True,
            width_option="md",
            title_variant="h3",
        )
        super().__init__()

    def __panel__(self) -> pn.viewable.Viewable:
        return self.dialog

    def open_at(self, path: str, *, purpose: str, title: str, folders: bool) -> None:
        """Open the dialog in the folder of ``path``; ``folders``: a folder may be chosen."""
        self._purpose = purpose
        self._use_folder.visible = folders
        roots = self._context.reach.roots
        chosen = Path(path).expanduser() if path else (roots[0] if roots else Path.cwd())
        with self._notice.guard():
            (chosen,) = look_at_files(self._context, chosen)
            self._go(chosen if chosen.is_dir() else chosen.parent)
        self.dialog.title = title
        self.dialog.open = True

    def _go(self, folder: Path) -> None:
        with self._notice.guard():
            (folder,) = look_at_files(self._context, folder)
            rows = list_folder(folder)
            self._folder = folder
            self._where.object = f"<b>&lrm;{escape(str(folder))}</b>"
            self.table.update(rows)

    def _act(self, action: str, key: str) -> None:
        path = self._folder / key
        if action == "open":
            self._go(path)
        else:
            self._pick(path)

    def _pick(self, path: Path) -> None:
        self.dialog.open = False
        self._on_pick(self._purpose, str(path))


def list_folder(folder: Path) -> list[Row]:
    """Folders, then files of a folder by name, hidden ones left out; the first row leads up.

    Raises
    ------
    BadInputError
        If the folder cannot be read.
    """
    try:
        entries = [entry for entry in folder.iterdir() if not entry.name.startswith(".")]
        entries.sort(key=lambda entry: (not entry.is_dir(), entry.name.lower()))
        rows: list[Row] = []
        if folder.parent != folder:
            rows.append(_row("..", "the folder above", "open", "Open"))
        for entry in entries[:_MOST]:
            if entry.is_dir():
                rows.append(_row(entry.name, "folder", "open", "Open"))
            else:
                rows.append(_row(entry.name, fmt.file_size(entry.stat().st_size), "pick", "Choose"))
    except OSError as error:
        raise BadInputError(f"{folder} cannot be read: {error.strerror}.") from error
    if len(entries) > _MOST:
        rows.append(
            {
                "key": "",
                "name": f"and {fmt.count(len(entries) - _MOST)} more",
                "size": "",
                "act": "",
            }
        )
    return rows


def _row(name: str, size: str, action: str, text: str) -> Row:
    return {
        "key": name,
        "name": name,
        "size": {"text": size, "tone": "muted"},
        "act": {"text": "", "actions": [{"name": action, "text": text}]},
    }
