"""What is pressed shows at once, however busy the server is; what is loading says nothing yet."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page
from serving import Server
from sqlalchemy import select
from waiting import until

from lensing_core.store import open_database
from lensing_core.store.tables import Run, utc_now
from lensing_core.workspace import Workspace

Visit = Callable[[str], None]

# Clicks, and reads in the same task of the browser what the button says then.
_PRESS = """button => {
  button.click()
  return [button.getAttribute("aria-busy"), getComputedStyle(button).cursor]
}"""


@pytest.fixture
def stopped(workspace: Workspace, tmp_path: Path) -> Iterator[Server]:
    """A server that a test may stop and let go on; what is queued in it does not start."""
    with open_database(workspace).session() as session:
        session.add(
            Run(
                id="elsewhere",
                kind="score",
                title="Score deep with first",
                settings={},
                status="running",
                host="elsewhere",
                heartbeat_at=utc_now(),
            )
        )
    server = Server(workspace, tmp_path / "server.log")
    yield server
    os.kill(server.pid, signal.SIGCONT)
    server.stop()
    assert "Traceback" not in server.output, server.output


def simulations(workspace: Workspace) -> list[str]:
    with open_database(workspace).session() as session:
        return list(session.scalars(select(Run.id).where(Run.kind == "simulate")))


def test_a_press_shows_at_once_and_its_run_exists_though_the_tab_is_closed(
    stopped: Server, workspace: Workspace, page: Page, visit: Visit
) -> None:
    visit(f"{stopped.url}/catalogs?tab=simulate")
    button = page.get_by_role("button", name="Simulate", exact=True)
    os.kill(stopped.pid, signal.SIGSTOP)
    assert button.evaluate(_PRESS) == ["true", "progress"]
    button.evaluate(_PRESS)  # is not heard twice
    page.close()
    os.kill(stopped.pid, signal.SIGCONT)
    until(lambda: len(simulations(workspace)) == 1)


def test_an_answered_press_leaves_the_button_free(
    stopped: Server, workspace: Workspace, page: Page, visit: Visit
) -> None:
    visit(f"{stopped.url}/catalogs?tab=simulate")
    button = page.get_by_role("button", name="Simulate", exact=True)
    assert button.evaluate(_PRESS)[0] == "true"
    page.wait_for_function(
        "button => !button.hasAttribute('aria-busy')", arg=button.element_handle()
    )
    assert len(simulations(workspace)) == 1
