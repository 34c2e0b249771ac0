"""Grades from files, and the log as a file."""

from __future__ import annotations

import io
import secrets
from collections.abc import Callable
from pathlib import Path

import panel as pn
import panel_material_ui as pmui

from lens_triage.app.acting import acting, permit
from lens_triage.app.context import AppContext
from lens_triage.app.widgets.action_button import ActionButton
from lens_triage.app.widgets.live import in_background
from lens_triage.app.widgets.notice import Notice
from lens_triage.app.widgets.section import section
from lens_triage.app.widgets.table import (
    Table,
    column,
)
from lensing_core.errors import BadInputError, LensTriageError
from lensing_core.labeling.exporting import FORMATS, Format, export_events
from lensing_core.labeling.grade_files import CsvMapping, ZooniverseMapping
from lensing_core.labeling.importing import ImportReport, ImportRequest, import_labels
from lensing_core.store.consensus import schemes_in_use
from lensing_core.store.summaries import list_catalogs

_BAD_COLUMNS = [column("row", "Line", align="right", width="70px"), column("what", "What is wrong")]
_ROW = {"gap": "10px", "align-items": "center"}
_MOST_SHOWN = 100
_CSV, _ZOONIVERSE = "CSV with columns", "Zooniverse classifications"


class LabelFiles(pn.viewable.Viewer):
    """Import with a mapping of columns; export in three formats. For organisers."""

    def __init__(self, context: AppContext, on_change: Callable[[], None]) -> None:
        self._context = context
        self._on_change = on_change
        self.notice = Notice()
        with context.database.session() as session:
            schemes = {scheme.title: name for name, scheme in schemes_in_use(session).items()}
        catalogs = {"All catalogs": "", **{c.name: c.name for c in list_catalogs(context.database)}}
        self.file = pmui.FileInput(
            label="Choose a CSV file …",
            accept=".csv",
            variant="outlined",
            size="small",
            width=230,
            margin=0,
            sx={"height": 36, "whiteSpace": "nowrap", "overflow": "hidden"},
        )
        self.kind = _select("What it is", {_CSV: _CSV, _ZOONIVERSE: _ZOONIVERSE})
        self.scheme = _select("Scheme", schemes)
        self.catalog = _select("Objects of", catalogs)
        self.object_id = _text("Column of object id", "object_id")
        self.grade = _text("Column of grade", "grade")
        self.grader = _text("Column of grader", "grader")
        self.grader_name = _text("or grader of all rows", "")
        self.task = _text("Task", "T0")
        self.subject_key = _text("Subject field with object id", "object_id")
        self.answers = _text("Answers as ANSWER=GRADE; …", "Yes=lens; No=not")
        self.skip_bad = pmui.Checkbox(label="Import the good rows where others are bad", margin=0)
        self.button = ActionButton(self._start, label="Import", icon="upload", size="small")
        self.bad = Table(columns=_BAD_COLUMNS, label="Bad rows", empty="", visible=False)
        self._csv = _row(self.object_id, self.grade, self.grader, self.grader_name)
        self._zooniverse = _row(self.task, self.subject_key, self.answers)
        self.kind.param.watch(lambda _: self._show_kind(), "value")
        downloads = [self._download(kind) for kind in FORMATS]
        self._view = section(
            "Grades in files",
            self.notice,
            _row(self.file, self.kind, self.scheme, self.catalog),
            self._csv,
            self._zooniverse,
            _row(self.button, self.skip_bad),
            self.bad,
            note="A file that is imported again adds what is new, and nothing twice. The exported "
            "log holds every event; JSON lines keep its hashes.",
            aside=tuple(downloads),
        )
        super().__init__()
        self._show_kind()

    def __panel__(self) -> pn.viewable.Viewable:
        return self._view

    def _show_kind(self) -> None:
        self._csv.visible = self.kind.value == _CSV
        self._zooniverse.visible = self.kind.value == _ZOONIVERSE

    def _download(self, kind: Format) -> pmui.FileDownload:
        button = pmui.FileDownload(
            callback=lambda: self._log(kind),
            filename=f"labels.{kind}",
            label=f".{kind}",
            size="small",
            margin=0,
            embed=False,
            auto=True,
        )
        button.variant = "outlined"  # given above, it comes twice: Panel 1.9 warns of its own copy
        return button

    def _log(self, kind: Format) -> io.BytesIO:
        permit(self._context, "export_grades")
        path = self._temporary(f".{kind}")
        try:
            with self._context.database.session() as session:
                export_events(session, path, kind)
            return io.BytesIO(path.read_bytes())
        finally:
            path.unlink(missing_ok=True)

    def _temporary(self, suffix: str) -> Path:
        self._context.workspace.cache.mkdir(parents=True, exist_ok=True)
        return self._context.workspace.cache / f"labels-{secrets.token_hex(8)}{suffix}"

    def _start(self) -> None:
        content = self.file.value
        with self.notice.guard():
            if not content:
                raise BadInputError("Choose a CSV file first.")
            path = self._temporary(".csv")
            with self._context.database.session() as session:
                scheme = schemes_in_use(session)[self.scheme.value]
            request = ImportRequest(
                path,
                self._mapping(),
                Path(str(self.file.filename or "upload")).stem[:50],
                scheme,
                (self.catalog.value,) if self.catalog.value else (),
                skip_bad=bool(self.skip_bad.value),
            )
            path.write_bytes(content)
            in_background(lambda: self._import(request), self._show, button=self.button)

    def _mapping(self) -> CsvMapping | ZooniverseMapping:
        if self.kind.value == _CSV:
            return CsvMapping(
                object_id=self.object_id.value.strip(),
                grade=self.grade.value.strip(),
                grader=self.grader.value.strip(),
                grader_name=self.grader_name.value.strip(),
            )
        pairs = [p.rpartition("=") for p in self.answers.value.split(";") if p.strip()]
        if not all(equals for _, equals, _ in pairs):
            raise BadInputError("Answers: write ANSWER=GRADE, with a semicolon between two.")
        answers = {answer.strip(): grade.strip() for answer, _, grade in pairs}
        return ZooniverseMapping(answers, self.task.value.strip(), self.subject_key.value.strip())

    def _import(self, request: ImportRequest) -> ImportReport | str:
        try:
            with acting(self._context, "import_grades") as (session, _):
                return import_labels(session, request)
        except LensTriageError as error:
            return str(error).replace(request.path.name, "The file")
        finally:
            request.path.unlink(missing_ok=True)

    def _show(self, report: ImportReport | str) -> None:
        if isinstance(report, str):
            self.notice.say(report)
            return
        self.bad.visible = bool(report.bad)
        self.bad.update(
            [
                {"key": str(bad.row), "row": f"{bad.row:,}", "what": bad.message}
                for bad in report.bad[:_MOST_SHOWN]
            ]
        )
        if not report.written:
            self.notice.say(
                f"Nothing was imported: {len(report.bad):,} of {report.n_rows:,} rows are bad."
            )
            return
        self.notice.say(
            f"{report.n_new:,} grades imported, {report.n_known:,} were there before, "
            f"{len(report.bad):,} rows left out.",
            "success",
        )
        self._on_change()


def _select(label: str, options: dict[str, str]) -> pmui.Select:
    first = next(iter(options.values()), None)
    return pmui.Select(
        label=label,
        options=options,
        value=first,
        size="small",
        margin=0,
        sizing_mode="stretch_width",
    )


def _text(label: str, value: str) -> pmui.TextInput:
    return pmui.TextInput(
        label=label, value=value, size="small", margin=0, sizing_mode="stretch_width"
    )


def _row(*parts: pn.viewable.Viewable) -> pn.Row:
    return pn.Row(*parts, margin=0, sizing_mode="stretch_width", styles=_ROW)
