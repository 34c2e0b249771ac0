"""Routes: what a page does when it cannot be built, and the port."""

from __future__ import annotations

import asyncio
import logging
import re
import subprocess
import sys

import panel as pn
import pytest
from bokeh.server.views.ws import WSHandler
from tornado.iostream import StreamClosedError
from tornado.websocket import WebSocketClosedError

from lens_triage.app.context import AppContext
from lens_triage.app.main import PAGES, ClosedTabs, _route
from lens_triage.app.navigation import NAVIGATION
from lens_triage.training.runner import runner
from lensing_core.errors import BadInputError
from lensing_core.store.runs import list_runs


@pytest.fixture
def context(filled_workspace, monkeypatch) -> AppContext:
    monkeypatch.setattr(runner, "_launch", lambda *claimed: None)
    return AppContext.of(filled_workspace)


def message_of(page) -> str:
    """The text of the notices on a page; '' for none."""
    panes = [pane.object for part in page.main for pane in part.select(pn.pane.HTML)]
    return " ".join(re.findall(r'role="alert">([^<]*)<', " ".join(panes)))


def test_what_could_not_be_sent_to_a_closed_tab_is_not_logged(caplog):
    """Bokeh's own sentence, from the place where it says it."""

    class Gone:
        async def send(self, handler):
            raise WebSocketClosedError

    logger = logging.getLogger(WSHandler.__module__)
    quiet = ClosedTabs()
    logger.addFilter(quiet)
    try:
        asyncio.run(WSHandler.send_message(None, Gone()))
        logger.warning("something else")
    finally:
        logger.removeFilter(quiet)
    assert [record.message for record in caplog.records] == ["something else"]


def test_every_page_of_the_navigation_is_served():
    assert [item.slug for item in NAVIGATION] == list(PAGES)
    assert all(PAGES[item.slug][0] == item.title for item in NAVIGATION)


@pytest.mark.parametrize("slug", PAGES)
def test_every_page_builds_on_an_empty_and_on_a_filled_workspace(slug, context, tmp_path):
    from lensing_core.workspace import Workspace

    for each in (context, AppContext.of(Workspace.create(tmp_path / "empty"))):
        built = _route(each, slug, PAGES[slug][0])()
        assert message_of(built) in ("", *_errors_of_runs(each))
        built.get_root()


def _errors_of_runs(context) -> list[str]:
    """What Runs shows of a run that failed."""
    return [run.error for run in context.database.ask(list_runs) if run.error]


def test_a_user_error_becomes_its_sentence(context, monkeypatch):
    def page(_: AppContext):
        raise BadInputError("surveys/mine.toml has no bands; add some.")

    monkeypatch.setitem(PAGES, "overview", ("Overview", page))
    built = _route(context, "overview", "Overview")()
    assert message_of(built) == "surveys/mine.toml has no bands; add some."


def test_a_bug_becomes_one_sentence_and_goes_to_the_log(context, monkeypatch, caplog):
    def page(_: AppContext):
        raise ZeroDivisionError("secret")

    monkeypatch.setitem(PAGES, "overview", ("Overview", page))
    built = _route(context, "overview", "Overview")()
    assert message_of(built) == "This page could not be built; the server&#x27;s log says why."
    assert "ZeroDivisionError: secret" in caplog.text


@pytest.mark.parametrize(
    ("error", "kept"),
    [(WebSocketClosedError(), False), (StreamClosedError(), False), (KeyError("bug"), True)],
)
def test_only_closed_tabs_are_left_out_of_the_log(error, kept):
    record = logging.LogRecord("asyncio", logging.ERROR, "", 0, "x", (), (type(error), error, None))
    assert ClosedTabs().filter(record) is kept
    plain = logging.LogRecord("asyncio", logging.ERROR, "", 0, "x", (), None)
    assert ClosedTabs().filter(plain)


def test_assertions_of_tornado_and_bokeh_are_of_closed_tabs_ours_are_not():
    from bokeh.server.connection import ServerConnection

    gone = ServerConnection.__new__(ServerConnection)
    gone._session = None  # as when its tab was closed
    for fail, kept in ((lambda: gone.session, False), (lambda: _fails(), True)):
        with pytest.raises(AssertionError) as raised:
            fail()
        info = (raised.type, raised.value, raised.tb)
        record = logging.LogRecord("tornado.application", logging.ERROR, "", 0, "x", (), info)
        assert ClosedTabs().filter(record) is kept


def _fails() -> None:
    raise AssertionError("ours")


def test_a_server_starts_without_torch(tmp_path):
    """In a new workspace too: whoever opens the pages need not wait for what only runs use."""
    program = (
        "import sys, lens_triage.app.cli, lens_triage.app.main;"
        "from lens_triage.training.bundled import make_workspace;"
        f"made = make_workspace({str(tmp_path / 'new')!r});"
        "assert len(list(made.models.iterdir())) > 1;"
        "print(*{'torch', 'lightgbm', 'timm', 'caustics'} & set(sys.modules))"
    )
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert found.stdout == "\n", found.stdout + found.stderr
