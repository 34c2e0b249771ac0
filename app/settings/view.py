"""Settings of the whole workspace: its place, labels, backups and surveys."""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import UTC, datetime
from html import escape
from importlib.metadata import version

import panel as pn

from lens_triage.app import acts
from lens_triage.app.acting import why_not
from lens_triage.app.context import AppContext
from lens_triage.app.settings.preferences import PreferencesForm
from lens_triage.app.settings.tokens import TokenBoard
from lens_triage.app.widgets.action_button import ActionButton
from lens_triage.app.widgets.format import (
    MISSING,
    ago,
    count,
    file_size,
    number,
)
from lens_triage.app.widgets.live import in_background
from lens_triage.app.widgets.notice import Notice
from lens_triage.app.widgets.paths import sees_paths
from lens_triage.app.widgets.section import (
    columns,
    html,
    section,
    stack,
)
from lens_triage.app.widgets.skeleton import skeleton
from lens_triage.app.widgets.table import (
    Row,
    Table,
    column,
)
from lens_triage.training.device import describe_device
from lensing_core.errors import LensTriageError
from lensing_core.store.backup import Backup, list_backups
from lensing_core.store.labels import verify
from lensing_core.store.schedule import read_schedule, schedule_text
from lensing_core.store.usage import folder_sizes
from lensing_core.surveys import Survey, load_surveys

_PACKAGES = ("lens-triage", "torch", "timm", "lightgbm", "astropy", "panel")
_FACTS_CSS = """
dl { display: grid; grid-template-columns: max-content minmax(0, 1fr); gap: 5px 16px; margin: 0; }
dt { color: var(--lt-muted); }
dd { margin: 0; overflow-wrap: anywhere; }
"""
_SURVEY_COLUMNS = [
    column("title", "Survey", width="36%"),
    column("name", "Key"),
    column("bands", "Bands", width="24%"),
    column("scale", "Pixel ″", align="right", width="72px", help_text="Pixel scale, arcsec"),
    column(
        "psf", "PSF ″", align="right", width="92px", help_text="Typical PSF FWHM by band, arcsec"
    ),
    column("depth", "Depth", align="right", width="92px", help_text="5σ depth by band, AB mag"),
]
_BACKUP_COLUMNS = [
    column("taken", "Taken", width="96px"),
    column("file", "File"),
    column("size", "Size", align="right", width="80px"),
]


class SettingsBoard(pn.viewable.Viewer):
    """The page's parts; sizes are added up in the background."""

    def __init__(self, context: AppContext) -> None:
        self._context = context
        self._facts = html(skeleton(4), css=_FACTS_CSS)
        self._notice = Notice()
        self._verify = ActionButton(
            self._check, label="Verify labels", icon="check", variant="outlined", size="small"
        )
        self._backup = ActionButton(
            self._save,
            label="Back up now",
            icon="save",
            variant="outlined",
            size="small",
            forbidden=why_not(context, "back_up"),
        )
        self._backups = Table(
            columns=_BACKUP_COLUMNS, label="Backups", empty="No backup has been taken."
        )
        self._tokens = TokenBoard(context)
        super().__init__()
        self._show_backups()
        in_background(lambda: workspace_facts(context), self._show_facts)

    def __panel__(self) -> pn.viewable.Viewable:
        context = self._context
        return stack(
            columns(
                section("Workspace", self._facts),
                section(
                    "Labels and backups",
                    self._notice,
                    self._backups,
                    note="Every grade is an event that contains the hash of the previous one, so "
                    "that changes are detected. Backups do not interrupt others. "
                    + scheduled(context),
                    aside=(self._verify, self._backup),
                ),
                template="minmax(0, 1fr) minmax(0, 1.25fr)",
            ),
            section(
                "Preferences",
                PreferencesForm(context),
                note="Yours, on all pages; keys of Label are chosen there.",
            ),
            self._tokens,
            self._surveys(),
        )

    def _surveys(self) -> pn.viewable.Viewable:
        workspace = self._context.workspace
        place = workspace.surveys if sees_paths(self._context) else "surveys/ of the workspace"
        built_in, notice = load_surveys(), Notice()
        try:
            surveys = load_surveys(workspace)
        except LensTriageError as error:
            surveys = built_in
            notice.say(f"{error} Only the built-in surveys are shown.")
        return section(
            "Surveys",
            notice,
            Table(
                columns=_SURVEY_COLUMNS,
                rows=[
                    survey_row(survey, own=built_in.get(name) != survey)
                    for name, survey in sorted(surveys.items())
                ],
                label="Surveys",
            ),
            note=f"Add or change one with a TOML file in {place}; it is read at once.",
        )

    def _show_facts(self, facts: dict[str, str]) -> None:
        rows = "".join(f"<dt>{escape(k)}</dt><dd>{escape(v)}</dd>" for k, v in facts.items())
        self._facts.object = f"<dl>{rows}</dl>"

    def _show_backups(self) -> None:
        self._backups.update([backup_row(b) for b in list_backups(self._context.workspace)])

    def _check(self) -> None:
        self._run(self._verify, self._verified)

    def _save(self) -> None:
        self._run(self._backup, self._saved)

    def _verified(self) -> str:
        with self._context.database.session() as session:
            n = verify(session).n_events
        return f"{count(n)} label events, unbroken." if n else "There are no label events yet."

    def _saved(self) -> str:
        backup = acts.back_up(self._context)
        return f"Backed up to {backup.path.name} ({file_size(backup.size_bytes)})."

    def _run(self, button: ActionButton, work: Callable[[], str]) -> None:
        """Do ``work`` in a thread and say what it found, or why it could not."""

        def attempt() -> tuple[str, str]:
            try:
                return work(), "success"
            except LensTriageError as error:
                return str(error), "error"

        def show(said: tuple[str, str]) -> None:
            self._notice.say(*said)
            self._show_backups()

        in_background(attempt, show, button=button)


def scheduled(context: AppContext) -> str:
    """Return when backups are taken, or what is wrong with the file that says so."""
    try:
        return schedule_text(context.workspace, read_schedule(context.workspace))
    except LensTriageError as error:
        return str(error)


def workspace_facts(context: AppContext) -> dict[str, str]:
    """Return what holds for the workspace and this installation, by name, as text."""
    sizes = folder_sizes(context.workspace)
    parts = ", ".join(
        f"{name} {file_size(n)}"
        for name, n in sorted(sizes.items(), key=lambda item: -item[1])
        if n
    )
    url = context.database.engine.url
    places = {"Workspace": context.title, "Database": url.get_backend_name()}
    if sees_paths(context):
        places = {
            "Folder": str(context.workspace.root),
            "Database": url.render_as_string(hide_password=True),
        }
    return {
        **places,
        "Size": f"{file_size(sum(sizes.values()))}: {parts}",
        "Networks run on": describe_device(),
        "Versions": ", ".join(
            [f"Python {sys.version.split()[0]}", *(f"{p} {version(p)}" for p in _PACKAGES)]
        ),
    }


def survey_row(survey: Survey, *, own: bool) -> Row:
    """A line of the table of surveys; ``own``: defined or changed in the workspace."""
    return {
        "key": survey.name,
        "title": {"text": survey.title, "title": survey.reference},
        "name": {"text": survey.name, "note": "of this workspace" if own else ""},
        "bands": " ".join(survey.band_names),
        "scale": number(survey.pixel_scale_arcsec),
        "psf": spread([band.psf_fwhm_arcsec for band in survey.bands], digits=2),
        "depth": spread([band.depth_mag for band in survey.bands], digits=3),
    }


def spread(values: list[float], *, digits: int) -> str:
    """Smallest to largest of the known values."""
    known = sorted(value for value in values if value == value)
    if not known:
        return MISSING
    ends = dict.fromkeys(number(value, digits=digits) for value in (known[0], known[-1]))
    return "–".join(ends)


def backup_row(backup: Backup) -> Row:
    """A line of the table of backups."""
    return {
        "key": backup.path.name,
        "taken": {
            "text": ago(backup.taken_at, datetime.now(UTC)),
            "title": f"{backup.taken_at:%Y-%m-%d %H:%M:%S} UTC",
        },
        "file": backup.path.name,
        "size": file_size(backup.size_bytes),
    }
