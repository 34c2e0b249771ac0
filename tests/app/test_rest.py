"""A server at rest: nothing is asked or sent while nothing changes, and sessions leave nothing."""

from __future__ import annotations

import asyncio
import gc
import weakref
from functools import partial
from types import SimpleNamespace

import panel as pn
import pytest
from bokeh.document import Document
from filling import fill_workspace
from panel.io.document import _destroy_document

from lens_triage.app import watch as watch_module
from lens_triage.app.context import AppContext
from lens_triage.app.first_paint import VARIABLE
from lens_triage.app.main import PAGES, _route
from lens_triage.app.visits import Visit, begin_visit, current_visit, release
from lens_triage.app.watch import Watch
from lens_triage.app.widgets.live import live
from lensing_core.store import open_database
from lensing_core.store.changes import ChangeFingerprint
from lensing_core.store.tables import Run
from lensing_core.workspace import Workspace


class Context(SimpleNamespace):
    """A namespace that can be referred to weakly."""


class Session:
    """A document with what a server's session gives it."""

    def __init__(self, **query: list[bytes]) -> None:
        self.document = Document()
        request = SimpleNamespace(arguments=query, cookies={}, headers={})
        self.context = Context(
            _document=self.document, request=request, server_context=None, id="one"
        )
        self.document._session_context = weakref.ref(self.context)

    def __call__(self, event: object) -> None:
        """Hear of a change, as a session does."""

    def run(self) -> int:
        """Do what waits for the next tick; how many calls there were."""
        waiting = list(self.document.session_callbacks)
        for each in waiting:
            self.document.callbacks.remove_session_callback(each)
            each.callback()
        return len(waiting)


@pytest.fixture
def session(monkeypatch):
    made = Session(tab=[b"retrain"])
    monkeypatch.setattr(type(pn.state), "curdoc", property(lambda _: made.document))
    return made


def test_the_frame_is_sent_before_the_page_is_built(session, filled_workspace, monkeypatch):
    monkeypatch.setattr(type(pn.state), "session_args", property(lambda _: {}))
    built = _route(AppContext.of(filled_workspace), "train", "Train")()
    assert list(built.main) == []
    first = session.document.template_variables[VARIABLE]
    assert '<a href="train" aria-current=page>' in first
    assert "<h1>Train</h1>" in first
    session.run()
    assert built.main[0].page_title == "Train"


def look(watch: Watch) -> None:
    asyncio.run(watch.look())


def test_a_part_is_refreshed_after_a_change_alone(session):
    cutouts, refreshed = [1], []
    watch = Watch(lambda: cutouts[-1])
    watch.follow(session.document, lambda: refreshed.append(cutouts[-1]), period_ms=0)
    look(watch)
    session.run()
    for _ in range(20):
        look(watch)
    assert session.run() == 0
    cutouts.append(2)
    look(watch)
    look(watch)  # the first waits still
    assert session.run() == 1
    assert refreshed == [1, 2]


def test_what_is_new_as_the_last_look_is_not_read_again(session):
    cutouts, refreshed = [1], []
    watch = Watch(lambda: cutouts[-1])
    watch.follow(session.document, lambda: refreshed.append("first"), period_ms=0)
    look(watch)
    watch.follow(session.document, lambda: refreshed.append("second"), period_ms=0)
    look(watch)
    session.run()
    assert refreshed == ["first"]
    cutouts.append(2)
    look(watch)
    session.run()
    assert sorted(refreshed) == ["first", "first", "second"]


def test_nobody_in_sight_asks_nothing(session):
    asked = []
    watch = Watch(lambda: asked.append(1) or len(asked))
    look(watch)
    watch.follow(session.document, lambda: None, period_ms=0)
    watch.set_hidden(session.document, True)
    look(watch)
    assert not asked
    watch.set_hidden(session.document, False)
    look(watch)
    assert session.run() == 1


def test_a_failing_database_is_logged_and_asked_again(session, caplog):
    answers = iter([OSError("locked"), 5])

    def fingerprint():
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    watch = Watch(fingerprint)
    watch.follow(session.document, lambda: None, period_ms=0)
    look(watch)
    assert "locked" in caplog.text
    look(watch)
    assert session.run() == 1


def test_what_a_page_follows_ends_with_it(session, monkeypatch):
    cutouts, refreshed = [0], []
    watch = Watch(lambda: cutouts[0])
    monkeypatch.setattr(watch_module, "_watch", watch)
    live(lambda: refreshed.append("first"), period_ms=0)
    visit = begin_visit({"tab": ["train"]})
    live(lambda: refreshed.append("second"), period_ms=0)
    refreshed.clear()
    look(watch)
    session.run()
    assert refreshed == []  # the browser has not drawn the page yet
    visit.draw()
    assert refreshed == ["second"]
    release(session.context)
    cutouts[0] = 1
    look(watch)
    assert session.run() == 0


def test_a_visit_begins_with_the_address_of_its_session(session):
    assert current_visit().arguments == {"tab": ["retrain"]}
    begin_visit({"tab": ["finetune"]})
    assert current_visit().arguments == {"tab": ["finetune"]}


def test_all_endings_are_called_once_though_one_fails(caplog):
    visit, ended = Visit({}), []
    visit.on_leave(lambda: 1 / 0)
    visit.on_leave(lambda: ended.append(1))
    visit.leave()
    visit.leave()
    assert ended == [1]
    assert visit.over
    assert "ZeroDivisionError" in caplog.text


def test_every_commit_changes_the_fingerprint_and_reading_does_not(filled_workspace):
    database = open_database(filled_workspace)
    fingerprint = ChangeFingerprint(database)
    first = fingerprint()
    with database.session() as session:
        session.query(Run).all()
    assert fingerprint() == first
    with database.session() as session:
        session.query(Run).first().activity = "on its way"
    assert fingerprint() != first
    fingerprint.close()
    assert fingerprint() != first  # the count begins anew, and what happened between is not known


@pytest.fixture(scope="module")
def filled_context(tmp_path_factory):
    """A workspace that no test of this module changes."""
    made = Workspace.create(tmp_path_factory.mktemp("rest") / "workspace")
    open_database(made)
    return AppContext.of(fill_workspace(made))


@pytest.mark.parametrize("slug", PAGES)
def test_a_page_at_rest_sends_nothing_and_leaves_nothing(slug, filled_context, monkeypatch):
    watch = Watch(lambda: "unchanged")
    monkeypatch.setattr(watch_module, "_watch", watch)
    look(watch)
    followed = len(pn.state.param.watchers.get("busy", {}).get("value", []))
    sent, document = _rest(slug, filled_context, watch, monkeypatch)
    assert sent == []
    # Panel's "busy" is the whole server's: who follows it is told at every callback, for ever.
    assert len(pn.state.param.watchers.get("busy", {}).get("value", [])) == followed
    assert watch._followers == set()
    gc.collect()
    assert document() is None


def _rest(slug, context, watch, monkeypatch):
    """What a page sends when it is asked to refresh though nothing has changed; then it ends."""
    session = Session()
    with monkeypatch.context() as patch:
        patch.setattr(type(pn.state), "curdoc", property(lambda _: session.document))
        patch.setattr(type(pn.state), "session_args", property(lambda _: {}))
        built = _route(context, slug, PAGES[slug][0])()
        session.run()
        built.server_doc(session.document, location=False)
        sent: list[object] = []
        session.document.on_change(sent.append)
        assert watch._followers
        for follower in list(watch._followers) * 3:
            follower._run()
        release(session.context)
        assert not [view for view in pn.state._views.values() if view[2] is session.document]
        # What Panel has Bokeh's sessions, which listen to their documents, do at their end.
        session.document.on_change(session)
        session.document.destroy = partial(_destroy_document, session.document)
        session.document.destroy(session)
    return sent, weakref.ref(session.document)
