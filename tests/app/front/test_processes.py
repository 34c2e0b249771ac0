"""The two processes as a user starts them: what happens to one when the other ends."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from http.client import HTTPConnection
from pathlib import Path
from tempfile import mkdtemp
from typing import Any
from uuid import uuid4

import psutil
import pytest
from filling import fill_workspace
from waiting import until

from lens_triage.app.context import AppContext
from lens_triage.app.front.pages import AWAY
from lens_triage.app.review.events import workspace_mark
from lensing_core.store import open_database
from lensing_core.store.labels import verify
from lensing_core.workspace import Workspace

ROOT = Path(__file__).parent.parent.parent.parent
COMMAND = "from lens_triage.app.cli import main; main()"


class Served:
    """``lens-triage serve`` in a process of its own."""

    def __init__(self, workspace: Workspace, folder: Path, temporary: Path) -> None:
        self.workspace = workspace
        self.temporary = temporary
        self.log = folder / "server.log"
        with self.log.open("wb") as stream:
            self.process = subprocess.Popen(
                [sys.executable, "-c", COMMAND, "serve", str(workspace.root), "--port", "0"],
                cwd=ROOT,
                stdout=stream,
                stderr=stream,
                env={**os.environ, "TMPDIR": str(temporary)},
            )
        until(lambda: "http://" in self.log.read_text(), 120)
        found = re.search(r"http://127\.0\.0\.1:(\d+)", self.log.read_text())
        assert found is not None
        self.port = int(found.group(1))

    @property
    def pages(self) -> psutil.Process:
        """The process of the pages."""
        (found,) = [
            each
            for each in psutil.Process(self.process.pid).children()
            if "spawn_main" in " ".join(each.cmdline())
        ]
        return found

    def ask(self, method: str, path: str, content: Any = None, cookie: str = "") -> tuple[int, Any]:
        link = HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            body = None if content is None else json.dumps(content)
            link.request(method, path, body, {"Content-Type": "application/json", "Cookie": cookie})
            answer = link.getresponse()
            self.cookie = str(answer.getheader("Set-Cookie")).partition(";")[0]
            return answer.status, answer.read()
        finally:
            link.close()


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    workspace = Workspace.create(tmp_path / "workspace")
    open_database(workspace)
    fill_workspace(workspace)
    folder = Path(mkdtemp(prefix="lt-"))  # not pytest's: the name of a socket must be short
    running = Served(workspace, tmp_path, folder)
    yield running
    if running.process.poll() is None:
        running.process.kill()
        running.process.wait()
    until(lambda: not any(folder.iterdir()))
    folder.rmdir()


def test_pages_that_are_killed_come_back_and_no_grade_is_lost(served):
    first = served.pages
    assert psutil.Process(first.pid).nice() >= psutil.Process(served.process.pid).nice() + 5
    status, body = served.ask("POST", "/sign-in", {"name": "Ada"})
    assert status == 200
    cookie = served.cookie
    with open_database(served.workspace).session() as session:
        before = verify(session).n_events
    mark = workspace_mark(AppContext.of(served.workspace))

    def grade() -> None:
        event = {
            "uuid": str(uuid4()), "kind": "grade", "candidate": 1, "grade": "A",
            "given_at": datetime.now(UTC).isoformat(),
        }  # fmt: skip
        told = {"grader": 1, "workspace": mark, "events": [event]}
        status, body = served.ask("POST", "/review/events", told, cookie)
        assert (status, json.loads(body)["written"]) == (200, [event["uuid"]])

    grade()
    first.kill()
    until(lambda: served.ask("GET", "/overview")[0] == 503, 10)
    status, body = served.ask("GET", "/overview")
    n, begun = 1, time.monotonic()
    assert (status, body.decode()) == (503, AWAY)
    while served.ask("GET", "/overview")[0] == 503:
        assert time.monotonic() - begun < 120
        grade()
        n += 1
        assert served.ask("GET", "/tiles/nothing/0")[0] == 404
        time.sleep(0.2)  # the processor is for the process that starts
    assert n > 1
    assert served.ask("GET", "/overview")[0] == 200
    assert served.pages.pid != first.pid
    with open_database(served.workspace).session() as session:
        assert verify(session).n_events == before + n
    log = served.log.read_text()
    assert log.count("The page process has ended (-9); it is started again.") == 1
    assert "Traceback" not in log

    pages = served.pages
    served.process.send_signal(signal.SIGINT)
    assert served.process.wait(30) == 0
    until(lambda: not pages.is_running())
    assert "Traceback" not in served.log.read_text()


def test_a_front_that_is_killed_leaves_nothing_behind(served):
    pages = served.pages
    assert any(served.temporary.iterdir())
    served.process.kill()
    served.process.wait()
    until(lambda: not pages.is_running())  # and the fixture: nor its socket
