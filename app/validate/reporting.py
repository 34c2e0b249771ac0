"""The report of a search: its form and its runs on the Validate page, and its files to fetch."""

from __future__ import annotations

import re
import tempfile
import zipfile
from collections.abc import Mapping
from pathlib import Path

from lens_triage.app.acting import permit
from lens_triage.app.context import AppContext
from lens_triage.app.http.identity import GraderHandler
from lens_triage.app.http.json_handlers import OwnPageHandler
from lens_triage.app.http.pools import EXPORTS
from lens_triage.app.runs.form import RunForm
from lens_triage.app.widgets.choices import catalog_choices, ensemble_choices
from lens_triage.app.widgets.fields import Choices
from lens_triage.training.report.document import POLICY
from lens_triage.training.report.writing import CHECKSUMS
from lens_triage.training.settings import ReportSettings
from lensing_core.errors import NotFoundError
from lensing_core.store.ensembles import best_ensemble
from lensing_core.store.runs import get_run
from lensing_core.store.summaries import list_catalog_rows, list_ensembles
from lensing_core.workspace import Workspace

_PROMOTED = "The promoted one, or the newest"
_LOOKED_AT = 20
_RUN = re.compile(r"[A-Za-z0-9-]{1,64}")


def report_form(context: AppContext, *, catalog: str = "") -> RunForm:
    """The form of a report beside its latest runs; their results link to the files.

    Without ``catalog`` it begins with the newest one that is ranked.
    """

    def choices() -> Mapping[str, Choices]:
        with context.database.session() as session:
            catalogs, ensembles = list_catalog_rows(session), list_ensembles(session)
            return {
                "catalog": catalog_choices(catalogs),
                "ensemble": {_PROMOTED: "", **ensemble_choices(ensembles)},
            }

    def values() -> Mapping[str, str]:
        if catalog:
            return {"catalog": catalog}
        with context.database.session() as session:
            newest = list_catalog_rows(session)[:_LOOKED_AT]
            ranked = (c.name for c in newest if best_ensemble(session, c.id) is not None)
            first = next(ranked, "")
        return {"catalog": first} if first else {}

    return RunForm(
        context,
        ReportSettings,
        title="Report",
        button="Write report",
        choices=choices,
        values=values,
        note="One folder for a paper and an archive: numbers, figures with their data, methods "
        "text with references, tables for AAS, CDS and the VO, checksums.",
    )


def report_folder(workspace: Workspace, context: AppContext, run_id: str) -> Path:
    """The folder of a report.

    Raises
    ------
    NotFoundError
        If there is no such run, it made no report, or its files are gone.
    """
    known = _RUN.fullmatch(run_id) is not None
    run = context.database.ask(get_run, run_id) if known else None
    folder = workspace.runs / run_id / "report"
    if run is None or run.kind != ReportSettings.kind or not (folder / CHECKSUMS).is_file():
        raise NotFoundError(f"Run {run_id[:64]} has no report; write one on the Validate page.")
    return folder


def zip_folder(folder: Path, path: Path, name: str) -> None:
    """Write a folder as a ZIP archive in which it has a name."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for each in sorted(folder.rglob("*")):
            if each.is_file():
                archive.write(each, f"{name}/{each.relative_to(folder).as_posix()}")


class ReportHandler(GraderHandler):
    """``GET /reports/<run>/zip`` and ``/html``: a report, to keep or to look at."""

    async def get(self, run_id: str, kind: str) -> None:
        """Send the archive as a download, the document as a page without scripts."""
        scratch = self.context.workspace.cache / "exports"

        def work(path: Path) -> None:
            permit(self.here, "export_candidates")
            if kind not in ("zip", "html"):
                raise NotFoundError(f"A report is fetched as zip or html, not as {kind[:20]}.")
            folder = report_folder(self.context.workspace, self.context, run_id)
            if kind == "zip":
                zip_folder(folder, path, f"report-{run_id}")
            else:
                path.write_bytes((folder / "report.html").read_bytes())

        scratch.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=scratch) as temporary:
            path = Path(temporary) / "report"
            try:
                await EXPORTS.run(lambda: work(path))
            except Exception as error:  # noqa: BLE001 - logged; the reader gets one sentence
                why = "The report could not be read; the server's log says why."
                return self.refuse_for(error, why)
            if kind == "zip":
                self.set_header("Content-Type", "application/zip")
                self.set_header(
                    "Content-Disposition", f'attachment; filename="report-{run_id}.zip"'
                )
            else:
                self.set_header("Content-Type", "text/html; charset=utf-8")
                self.set_header("Content-Security-Policy", f"{POLICY}; frame-ancestors 'none'")
            await self.send_file(path)
        return self.finish()  # type: ignore[return-value]  # a future that Tornado waits for


def routes(context: AppContext) -> list[tuple[str, type[OwnPageHandler], dict[str, AppContext]]]:
    """URL pattern, handler and arguments, for the server's list of routes."""
    return [(r"/reports/([^/]*)/([a-z0-9]+)", ReportHandler, {"context": context})]
