"""Grades from files, and the log as a file."""

from __future__ import annotations

import io
import secrets
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import panel as pn
import panel_material_ui as pmui

from lens_triage.app.acting import acting, name_of, why_not
from lens_triage.app.context import AppContext
from lens_triage.app.team.label_mapping import GradesMapping, choice, choose, row
from lens_triage.app.widgets.action_button import ActionButton
from lens_triage.app.widgets.fold import fold
from lens_triage.app.widgets.live import in_background
from lens_triage.app.widgets.notice import Notice
from lens_triage.app.widgets.section import section, stack
from lens_triage.app.widgets.table import (
    Table,
    column,
)
from lensing_core.consensus import Scheme
from lensing_core.errors import BadInputError, LensTriageError
from lensing_core.labeling.exporting import FORMATS, Format, export_events
from lensing_core.labeling.grade_files import CsvMapping
from lensing_core.labeling.importing import GradeImportReport, GradeImportRequest, import_labels
from lensing_core.labeling.outline import GradesOutline, outline_grades, values_of
from lensing_core.store.audit import record
from lensing_core.store.consensus import schemes_in_use
from lensing_core.store.summaries import list_catalogs

_BAD_COLUMNS = [column("row", "Line", align="right", width="70px"), column("what", "What is wrong")]
_MOST_SHOWN = 100
_SUFFIXES = (".csv", ".ecsv", ".jsonl")
Values = dict[str, tuple[int, str | None]]
Read = TypeVar("Read")


class LabelFiles(pn.viewable.Viewer):
    """Import with a mapping of columns; export in three formats. For organizers."""

    def __init__(self, context: AppContext, on_change: Callable[[], None]) -> None:
        self._context = context
        self._on_change = on_change
        self.notice = Notice()
        with context.database.session() as session:
            schemes = {scheme.title: name for name, scheme in schemes_in_use(session).items()}
        catalogs = {
            "All catalogs": "",
            **{c.shown_name: c.name for c in context.database.ask(list_catalogs)},
        }
        self.file = pmui.FileInput(
            label="Choose a file …",
            accept=",".join(_SUFFIXES),
            variant="outlined",
            size="small",
            width=230,
            margin=0,
            sx={"height": 36, "whiteSpace": "nowrap", "overflow": "hidden"},
        )
        self.scheme = choice("Scheme")
        choose(self.scheme, schemes)
        self.catalog = choice("Objects of")
        choose(self.catalog, catalogs)
        self.mapping = GradesMapping(self._count)
        self.file.param.watch(lambda _: self._look(), "value")
        self.scheme.param.watch(lambda _: self._look(), "value")
        self.skip_bad = pmui.Checkbox(label="Import the good rows if others are bad", margin=0)
        self.button = ActionButton(self._start, label="Import", icon="upload")
        self.bad = Table(columns=_BAD_COLUMNS, label="Bad rows", empty="", visible=False)
        downloads = [self._download(kind) for kind in FORMATS]
        self._view = section(
            "Grades in files",
            self.notice,
            fold(
                "Import a file",
                stack(
                    row(self.file, self.scheme, self.catalog),
                    self.mapping,
                    row(self.button, self.skip_bad),
                    self.bad,
                    gap=10,
                ),
            ),
            note="CSV of any tool, a classification export of Zooniverse, or an exported log. "
            "Importing a file again adds only what is new. The exported log contains every event; "
            "JSON lines keep its hashes.",
            aside=tuple(downloads),
        )
        super().__init__()

    def __panel__(self) -> pn.viewable.Viewable:
        return self._view

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
        with acting(self._context, "export_grades") as (session, person):
            record(session, "grades exported", name_of(person), f"as {kind}")
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

    def _grading(self) -> Scheme:
        with self._context.database.session() as session:
            return schemes_in_use(session)[self.scheme.value]

    def _look(self) -> None:
        """See what the chosen file is, and offer how it may be read."""
        if not self.file.value or why_not(self._context, "import_grades"):
            self.mapping.offer_file(None, None)
            return
        scheme, content = self._grading(), bytes(self.file.value)

        def look() -> tuple[GradesOutline, Values] | str:
            return self._with_file(content, lambda path: _outlined(path, scheme))

        def offer(found: tuple[GradesOutline, Values] | str) -> None:
            if isinstance(found, str):
                self.notice.say(found)
                return
            self.mapping.offer_file(found[0], scheme)
            if found[0].kind == "csv":
                self.mapping.offer_values(found[1])

        in_background(look, offer, button=self.button)

    def _count(self) -> None:
        """Count the values of another column of grades."""
        scheme, content, mapping = self._grading(), bytes(self.file.value), self.mapping.csv()
        named = replace(mapping, grader_name=mapping.grader_name or "somebody", values={})

        def count() -> Values | str:
            return self._with_file(content, lambda path: _counted(path, named, scheme))

        def offer(found: Values | str) -> None:
            self.mapping.offer_values({} if isinstance(found, str) else found)

        in_background(count, offer, button=self.button)

    def _with_file(self, content: bytes, read: Callable[[Path], Read]) -> Read | str:
        """Return what is read from an upload, or what is wrong with it."""
        path = self._temporary(self._suffix())
        try:
            path.write_bytes(content)
            return read(path)
        except LensTriageError as error:
            return str(error).replace(path.name, "The file")
        finally:
            path.unlink(missing_ok=True)

    def _suffix(self) -> str:
        suffix = Path(str(self.file.filename or "")).suffix.lower()
        return suffix if suffix in _SUFFIXES else ".csv"

    def _start(self) -> None:
        content = self.file.value
        with self.notice.guard():
            if not content:
                raise BadInputError("Choose a file first.")
            path = self._temporary(self._suffix())
            outline = self.mapping.outline
            zooniverse = outline is not None and outline.kind == "zooniverse"
            request = GradeImportRequest(
                path,
                self.mapping.zooniverse() if zooniverse else self.mapping.csv(),
                Path(str(self.file.filename or "upload")).stem[:50],
                self._grading(),
                (self.catalog.value,) if self.catalog.value else (),
                skip_bad=bool(self.skip_bad.value),
            )
            path.write_bytes(content)
            in_background(lambda: self._import(request), self._show, button=self.button)

    def _import(self, request: GradeImportRequest) -> GradeImportReport | str:
        try:
            with acting(self._context, "import_grades") as (session, _):
                return import_labels(session, request)
        except LensTriageError as error:
            return str(error).replace(request.path.name, "The file")
        finally:
            request.path.unlink(missing_ok=True)

    def _show(self, report: GradeImportReport | str) -> None:
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
                f"Nothing was imported: {len(report.bad):,} of {report.n_rows:,} rows are bad. "
                f"{' '.join(report.notes)}".strip()
            )
            return
        self.notice.say(
            f"{report.n_new:,} grades imported, {report.n_known:,} were there before, "
            f"{len(report.bad):,} rows left out. {' '.join(report.notes)}".strip(),
            "success",
        )
        self._on_change()


def _outlined(path: Path, scheme: Scheme) -> tuple[GradesOutline, Values]:
    outline = outline_grades(path, scheme)
    if outline.kind != "csv":
        return outline, {}
    return outline, _counted(path, outline.mapping, scheme)


def _counted(path: Path, mapping: CsvMapping, scheme: Scheme) -> Values:
    """Values of the column of grades; none where no column is chosen yet."""
    try:
        return values_of(path, mapping, scheme)
    except BadInputError:
        return {}
