"""The report as a run: in its own folder, and copied where it is asked for."""

from __future__ import annotations

import pytest

from lens_triage.training.checks import refusal
from lens_triage.training.jobs.report import run
from lens_triage.training.runner.context import JobContext
from lens_triage.training.settings import ReportSettings
from lensing_core.errors import BadInputError
from lensing_core.store import open_database
from lensing_core.store.tables import Run, RunLog


def test_a_run_writes_the_report_and_copies_it(filled_workspace, tmp_path):
    settings = ReportSettings(catalog="simulated", candidates=3, output=str(tmp_path / "paper"))
    settings.check()
    assert refusal(filled_workspace, settings) == ""
    with open_database(filled_workspace).session() as session:
        session.add(Run(id="r1", kind="report", title="", settings=settings.to_json()))
    context = JobContext(filled_workspace, "r1")
    found = run(context, settings)
    assert found["folder"] == str(tmp_path / "paper")
    assert found["candidates"] == 3
    own = filled_workspace.runs / "r1" / "report"
    for name in ("report.html", "SHA256SUMS", "tables/candidates.vot"):
        assert (own / name).read_bytes() == (tmp_path / "paper" / name).read_bytes()
    with open_database(filled_workspace).session() as session:
        told = [line.message for line in session.query(RunLog).filter_by(run_id="r1")]
    assert told == found["missing"]


def test_what_cannot_be_reported_is_refused_before(filled_workspace, tmp_path):
    assert refusal(filled_workspace, ReportSettings()).startswith("Name the catalog")
    assert refusal(filled_workspace, ReportSettings(catalog="none")).startswith("There is no cat")
    assert "no ensemble x that" in refusal(
        filled_workspace, ReportSettings(catalog="cosmos", ensemble="x")
    )
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").touch()
    with pytest.raises(BadInputError, match="not empty"):
        ReportSettings(catalog="cosmos", output=str(tmp_path / "full")).check()
