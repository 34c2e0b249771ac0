"""A whole campaign in a workspace whose database a PostgreSQL server keeps."""

from __future__ import annotations

import os
import re
import signal
import stat
from datetime import UTC, datetime
from uuid import uuid4

import panel as pn
import pytest
from filling import fill_workspace
from people import signed_in_as
from sqlalchemy import func, select
from typer.testing import CliRunner
from waiting import until

from lens_triage.app.cli import cli
from lens_triage.app.context import AppContext
from lens_triage.app.label.service import LabelService
from lens_triage.app.main import PAGES, _route
from lens_triage.training import runner as jobs
from lens_triage.training.bundled import make_workspace
from lens_triage.training.runner import runner
from lens_triage.training.settings import ScoreSettings, SimulateSettings
from lensing_core.errors import StorageError, WorkspaceError
from lensing_core.store import open_database
from lensing_core.store.labels import grader_named
from lensing_core.store.run_locks import is_locked_in_database, lock_in_database
from lensing_core.store.runs import get_run, list_runs
from lensing_core.store.tables import Candidate, LabelSession, Run, Score, Vote
from lensing_core.workspace import Workspace

pytestmark = pytest.mark.slow


@pytest.fixture
def on_server(tmp_path, postgresql_url) -> Workspace:
    """A workspace made as the guide says."""
    made = CliRunner().invoke(cli, ["init", str(tmp_path / "ws"), "--database-url", postgresql_url])
    assert made.exit_code == 0, made.output
    return Workspace.open(tmp_path / "ws")


def test_a_workspace_runs_scores_ranks_and_grades_on_a_server(on_server):
    assert not on_server.database.exists()
    assert stat.S_IMODE(on_server.database_url_file.stat().st_mode) == 0o600
    simulate = SimulateSettings(
        catalog="sky", n_objects=40, bands=["g", "r", "i"], size_arcsec=12.0, labeled=False
    )
    first = jobs.submit(on_server, simulate)
    second = jobs.submit(
        on_server, ScoreSettings(ensemble="default-hsc", catalog="sky"), after=first
    )
    database = open_database(on_server)
    until(lambda: pid_of(on_server, first) is not None)
    os.kill(pid_of(on_server, first), signal.SIGKILL)
    until(lambda: advanced(on_server, first) == "lost")
    jobs.resume(on_server, first)
    assert jobs.wait(on_server, first, poll_s=0.1).status == "succeeded"
    jobs.resume(on_server, second)  # cancelled when what it waited for was lost
    ended = jobs.wait(on_server, second, poll_s=0.1)
    assert (ended.status, ended.error) == ("succeeded", None)
    with database.session() as session:
        assert session.scalar(select(func.count()).select_from(Score)) == 40
    listed = CliRunner().invoke(cli, ["runs", str(on_server.root)])
    assert listed.output.count("succeeded") == 2

    invoked = CliRunner().invoke(
        cli,
        ["session", "create", str(on_server.root), "--session", "first look", "--n", "5",
         "--ensemble", "default-hsc", "--gold-fraction", "0"],
    )  # fmt: skip
    assert invoked.exit_code == 0, invoked.output
    assert grade_one(on_server) == 1
    verified = CliRunner().invoke(cli, ["db", "verify", str(on_server.root)])
    assert verified.exit_code == 0, verified.output


def pid_of(workspace, run_id):
    with open_database(workspace).session() as session:
        return session.get_one(Run, run_id).pid


def advanced(workspace, run_id) -> str:
    jobs.advance(workspace)
    return open_database(workspace).ask(get_run, run_id).status


def grade_one(workspace) -> int:
    """Grade the first cutout of the only session; return how many votes there are."""
    context = AppContext.of(workspace)
    with open_database(context.workspace).session() as session:
        grader_named(session, "Ada")
    here, signed_in = signed_in_as(context, "Ada")
    service = LabelService(context)
    with open_database(context.workspace).session() as session:
        session_id = session.scalars(select(LabelSession.id)).one()
    (cutout, *_) = service.queue(session_id, signed_in, 0)["items"]
    event = {
        "uuid": str(uuid4()), "kind": "grade", "token": cutout["token"], "grade": "A",
        "given_at": datetime.now(UTC).isoformat(),
    }  # fmt: skip
    service.record(here, session_id, signed_in, [event])
    with open_database(context.workspace).session() as session:
        return session.scalar(select(func.count()).select_from(Vote))


def test_every_page_builds_on_a_server(on_server, monkeypatch):
    monkeypatch.setattr(runner, "_launch", lambda *claimed: None)
    context = AppContext.of(fill_workspace(on_server))
    for slug, (title, _) in PAGES.items():
        built = _route(context, slug, title)()
        panes = [pane.object for part in built.main for pane in part.select(pn.pane.HTML)]
        alerts = set(re.findall(r'role="alert">([^<]*)<', " ".join(panes)))
        assert alerts <= {run.error for run in context.database.ask(list_runs)}, title
        built.get_root()
    with open_database(context.workspace).session() as session:
        assert session.scalar(select(func.count()).select_from(Candidate)) > 0


def test_a_worker_on_another_machine_holds_a_lock_on_the_server(on_server, monkeypatch):
    database = open_database(on_server)
    with database.session() as session:
        session.add(
            Run(id="far", kind="count", title="", settings={}, status="running", host="elsewhere",
                attempt=1)
        )  # fmt: skip
    monkeypatch.setitem(runner._heard, "far", (None, -1e9))
    with lock_in_database(database, "far") as held:
        assert held
        with lock_in_database(database, "far") as second:
            assert not second
        with database.session() as session:
            assert is_locked_in_database(session, "far")
            assert not is_locked_in_database(session, "near")
        assert advanced(on_server, "far") == "running"
    until(lambda: advanced(on_server, "far") == "lost")


def test_a_server_that_does_not_answer_is_one_sentence(tmp_path, on_server):
    url = "postgresql+psycopg://triage:secret@127.0.0.1:1/none"
    with pytest.raises(StorageError, match="cannot be reached") as told:
        make_workspace(tmp_path / "other", url)
    assert "secret" not in str(told.value)
    assert not (tmp_path / "other" / "database-url").exists()
    with pytest.raises(WorkspaceError, match="has a database already"):
        make_workspace(on_server.root, url)
