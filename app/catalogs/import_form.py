"""Import a catalog: how to read it, what would come of it, and the run."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import panel as pn

from lens_triage.app.acting import why_not
from lens_triage.app.acts import look_at_files
from lens_triage.app.catalogs.fetching import (
    FETCH_CSS,
    estimate_html,
    image_sources,
    manners_html,
)
from lens_triage.app.catalogs.import_preview import (
    PreviewPane,
    remap,
)
from lens_triage.app.catalogs.path_picker import PathPicker
from lens_triage.app.context import AppContext
from lens_triage.app.runs.panel import RunsPanel
from lens_triage.app.runs.starting import start_run
from lens_triage.app.widgets.action_button import ActionButton
from lens_triage.app.widgets.choices import named_set_choices, survey_choices
from lens_triage.app.widgets.live import in_thread
from lens_triage.app.widgets.notice import Notice
from lens_triage.app.widgets.section import (
    columns,
    html,
    section,
    stack,
)
from lens_triage.app.widgets.settings_panel import SettingsPanel
from lens_triage.training.jobs.ingest import (
    ImportPreview,
    preview,
)
from lens_triage.training.settings import IngestSettings
from lensing_core.fetching.services import CUTOUT_SERVICES
from lensing_core.named_sets.choices import PRESETS

_LEAD = (
    *("images", "table", "fetch_layer", "fetch_size_arcsec", "bands", "catalog"),
    "survey",
)
_HINT = (
    "<ol><li>Choose the folder of the images, and the table if there is one.</li>"
    "<li>File names, survey, bands, columns and units are recognized, and shown here with the "
    "first object.</li>"
    "<li>Answer what is unclear, and correct what is wrong.</li>"
    "<li>Start the import.</li></ol>"
    "<p>A table of positions is enough: images can be fetched from a service (Images from).</p>"
)
_RED = "This import cannot start; the preview says why. Change what is wrong, then start it."
_HINT_CSS = """
p, ol { margin: 0 0 6px; color: var(--lt-muted); line-height: 1.5; }
ol { padding-left: 20px; }
"""


class ImportForm(pn.viewable.Viewer):
    """The form with its preview; :meth:`refresh` once a second."""

    def __init__(self, context: AppContext) -> None:
        self._context = context
        self._preview: ImportPreview | None = None
        self.notice, self.refused = Notice(), Notice()
        self.panel: SettingsPanel[IngestSettings] = SettingsPanel(
            IngestSettings,
            choices={
                "survey": survey_choices(context, unset="As the images say"),
                "images_from": image_sources(),
                "preset": named_set_choices(PRESETS, unset="none"),
            },
            lead=_LEAD,
            apart=("images_from",),
            folded=None,
            on_change=self._changed,
        )
        self.picker = PathPicker(context, self._picked)
        self.runs = RunsPanel(context, ["ingest"], title="Latest imports", watch_ended=False)
        self.pane = PreviewPane(self._give_role, self._state_zero_points, self._change, self._take)
        self._taken: dict[str, Any] = {}
        self._suggested = ""
        self.panel.focus.ends = ["table", "images"]
        self.preview_button = ActionButton(
            self.show_preview, label="Preview", icon="visibility", variant="outlined"
        )
        self.start_button = ActionButton(
            self.start,
            label="Start import",
            icon="play_arrow",
            forbidden=why_not(context, "start_run"),
        )
        browse: dict[str, Any] = {"size": "small", "variant": "text", "icon": "folder_open"}
        browse_table = ActionButton(
            lambda: self._browse("table", "Choose the table", folders=False, shown="Tables"),
            label="Browse for the table",
            **browse,
        )
        self._browse_images = ActionButton(
            lambda: self._browse(
                "images",
                "Choose the images",
                folders=True,
                shown="Images",
            ),
            label="Browse for images",
            **browse,
        )
        buttons = pn.FlexBox(
            self.preview_button, self.start_button, margin=0, gap="10px", align_items="center"
        )
        browsing = pn.FlexBox(self._browse_images, browse_table, margin=0, gap="4px")
        self._manners = html("", css=FETCH_CSS, visible=False)
        self._show_source()
        self._hint = section("Preview", html(_HINT, css=_HINT_CSS))
        form = section(
            "New catalog",
            self.panel.editors["images_from"],
            browsing,
            self.panel.lead,
            self._manners,
            self.notice,
            self.refused,
            buttons,
            self.panel,
            self.picker,
            note="Choose files; what cannot be recognized has its setting below.",
        )
        self._view = columns(
            stack(form, self.runs.list),
            stack(self._hint, self.runs.now, self.pane),
            template="minmax(0, 1fr) minmax(0, 1.15fr)",
        )
        super().__init__()

    def __panel__(self) -> pn.viewable.Viewable:
        return self._view

    def refresh(self) -> None:
        """Look at the runs again."""
        self.runs.refresh()

    async def show_preview(self) -> None:
        """Read the table and the first images, in a thread, and show what was found."""
        with self.notice.guard():
            settings = self._settings()
            look_at_files(self._context, *settings.named_files())
            found = await in_thread(
                lambda: preview(settings, self._context.workspace), self.preview_button
            )
            self._preview = found
            self._hint.visible = False
            self.pane.display(found, estimate_html(settings, found.fetching))
            self.start_button.disabled = bool(found.error)
            if found.error:
                self.refused.say(_RED, "info")
                self.panel.point_at(found.setting)

    def start(self) -> None:
        """Submit the import, or say what is wrong with the settings."""
        with self.notice.guard():
            start_run(
                self._context,
                self._settings(),
                button=self.start_button,
                notice=self.notice,
                started=self._started,
                point_at=self.panel.point_at,
            )

    def _started(self, run_id: str) -> None:
        self.runs.refresh()
        self.runs.watch(run_id)

    def _changed(self) -> None:
        """The preview was of other settings: it says nothing of these."""
        self.start_button.disabled = False
        self.refused.clear()
        self._suggest_name()
        self._show_source()

    def _show_source(self) -> None:
        """Show the settings of files, or of the service that images are fetched from."""
        service = self.panel.read("images_from")
        self.panel.reveal(
            images=not service,
            fetch_layer=service in CUTOUT_SERVICES and bool(CUTOUT_SERVICES[service].layer),
            fetch_size_arcsec=bool(service),
        )
        self._browse_images.visible = not service
        self._manners.object = manners_html(service)
        self._manners.visible = bool(service)

    def _settings(self) -> IngestSettings:
        self._suggest_name()
        return self.panel.settings()

    def _suggest_name(self) -> None:
        """Name the catalog after its table or folder, unless the user has named it."""
        if self.panel.read("catalog") not in ("", self._suggested):
            return
        source = self.panel.read("table") or self.panel.read("images")
        if source:
            self._suggested = suggested_name(source)
            self.panel.write(catalog=self._suggested)

    def _browse(self, name: str, title: str, *, folders: bool, shown: str) -> None:
        start = self.panel.read(name) or self.panel.read("table") or self.panel.read("images")
        self.picker.open_at(start or "", purpose=name, title=title, folders=folders, shown=shown)

    def _picked(self, purpose: str, path: str) -> None:
        """Take what was chosen, and look at it; what was taken for other files is forgotten."""
        unset = IngestSettings()
        for name, value in self._taken.items():
            if self.panel.read(name) == value:
                self.panel.write(**{name: getattr(unset, name)})
        self._taken = {}
        self.panel.write(**{purpose: path})
        self._suggest_name()
        pn.state.execute(self.show_preview)

    def _take(self, settings: Mapping[str, Any]) -> None:
        """State what was unclear, and look again."""
        with self.notice.guard():
            self.panel.write(**settings)
            self._taken |= {name: self.panel.read(name) for name in settings}
            pn.state.execute(self.show_preview)

    def _change(self, name: str, value: Any) -> None:
        """Write what was recognized into its field, to be changed there."""
        with self.notice.guard():
            self.panel.write(**{name: value})
            self._taken[name] = self.panel.read(name)
            self.panel.open(name)

    def _give_role(self, column: str, role: str) -> None:
        if self._preview is None:
            return
        with self.notice.guard():
            mapping = remap(self.panel.read("columns") or {}, self._preview, column, role)
            self.panel.write(columns=mapping)
            pn.state.execute(self.show_preview)

    def _state_zero_points(self, stated: dict[str, str]) -> None:
        with self.notice.guard():
            self.panel.write(zero_points={**(self.panel.read("zero_points") or {}), **stated})
            pn.state.execute(self.show_preview)


def suggested_name(path: str) -> str:
    """A catalog name made of a file or folder name: ``/data/My Lenses.csv.gz``: ``my-lenses``."""
    stem = Path(path).name.split(".")[0].lower()
    return re.sub(r"[^a-z0-9]+", "-", stem).strip("-")[:63] or "imported"
