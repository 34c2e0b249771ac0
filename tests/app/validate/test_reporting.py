"""The report on the page: its form, and its files as a download and as a page."""

from __future__ import annotations

import hashlib
import io
import zipfile

import pytest
from endpoints import get, serve_application
from tornado.web import Application

from lens_triage.app.context import AppContext
from lens_triage.app.runs.rows import links_html
from lens_triage.app.validate.reporting import report_folder, report_form, routes
from lens_triage.training.jobs.report import run
from lens_triage.training.runner.context import JobContext
from lens_triage.training.settings import ReportSettings
from lensing_core.errors import NotFoundError
from lensing_core.store import open_database
from lensing_core.store.runs import get_run
from lensing_core.store.tables import Run, utc_now

RUN_ID = "20260101-120000-report-aaaaaa"


@pytest.fixture
def reported(filled_workspace):
    settings = ReportSettings(catalog="simulated", candidates=3)
    with open_database(filled_workspace).session() as session:
        session.add(
            Run(
                id=RUN_ID,
                kind="report",
                title=settings.title(),
                settings=settings.to_json(),
                status="succeeded",
                finished_at=utc_now(),
            )
        )
    run(JobContext(filled_workspace, RUN_ID), settings)
    return AppContext.of(filled_workspace)


def test_a_report_is_fetched_as_archive_and_as_page(reported):
    links = links_html(reported.database.ask(get_run, RUN_ID))
    assert f'href="reports/{RUN_ID}/zip" download' in links
    with serve_application(Application(routes(reported))) as url:
        status, _, whole = get(f"{url}/reports/{RUN_ID}/zip")
        page_status, headers, page = get(f"{url}/reports/{RUN_ID}/html")
        missing = [
            get(f"{url}/reports/{name}/zip")[0]
            for name in ("other", "20260101-120000-simulate-aaaaaa", "..%2F..", "a.b")
        ]
        missing.append(get(f"{url}/reports/{RUN_ID}/json")[0])
    assert (status, page_status) == (200, 200)
    with zipfile.ZipFile(io.BytesIO(whole)) as archive:
        top = f"report-{RUN_ID}"
        for line in archive.read(f"{top}/SHA256SUMS").decode().splitlines():
            digest, _, name = line.partition("  ")
            assert hashlib.sha256(archive.read(f"{top}/{name}")).hexdigest() == digest
        assert archive.read(f"{top}/report.html") == page
    assert "default-src 'none'; img-src data:" in headers["Content-Security-Policy"]
    assert missing == [404] * 5


def test_what_is_no_report_is_not_found(reported):
    for name in ("20260101-120000-simulate-aaaaaa", "../runs", "none"):
        with pytest.raises(NotFoundError):
            report_folder(reported.workspace, reported, name)


def test_the_form_begins_with_a_catalog_that_is_ranked(filled_workspace):
    form = report_form(AppContext.of(filled_workspace))
    chosen = form.panel.settings()
    assert (chosen.catalog, chosen.ensemble) == ("cosmos", "")
