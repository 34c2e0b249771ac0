"""A tab is told once of each run that ends, even while it is out of sight."""

from __future__ import annotations

import asyncio

from people import signed_in_as

from lens_triage.app.context import AppContext
from lens_triage.app.preferences import stored_preferences
from lens_triage.app.run_bell import RunBell, RunEnds
from lens_triage.app.watch import Watch
from lensing_core.store import open_database
from lensing_core.store.graders import keep_preferences
from lensing_core.store.tables import Run, utc_now


def test_each_end_is_told_once_and_again_after_a_resume(workspace):
    database = open_database(workspace)

    def put(key, status):
        with database.session() as session:
            run = session.get(Run, key)
            if run is None:
                run = Run(id=key, kind="score", title=f"Score {key}", settings={})
                session.add(run)
            run.status = status
            run.finished_at = None if status in ("queued", "running") else utc_now()
            run.error = "no room" if status == "failed" else None

    put("before", "succeeded")
    ends, bell = RunEnds(database), RunBell()
    assert not ends.waits
    put("a", "running")
    bell.tell(ends.look())
    assert ends.waits
    assert bell.ends == []
    put("a", "failed")
    put("quick", "succeeded")  # queued and ended between two looks
    bell.tell(ends.look())
    assert [(end["number"], end["id"], end["status"], end["error"]) for end in bell.ends] == [
        (1, "a", "failed", "no room"),
        (2, "quick", "succeeded", ""),
    ]
    assert not ends.waits
    bell.tell(ends.look())
    assert len(bell.ends) == 2
    put("a", "running")
    ends.look()
    put("a", "succeeded")
    bell.tell(ends.look())
    assert (bell.ends[-1]["number"], bell.ends[-1]["status"]) == (3, "succeeded")


class Document:
    session_context = object()

    def add_next_tick_callback(self, callback):
        callback()


def test_a_hidden_tab_is_told_only_while_it_waits():
    watch, document, told, waits = Watch(lambda: object()), Document(), [], []
    watch.follow(document, lambda: told.append(1), period_ms=0, even_hidden=lambda: bool(waits))
    watch.set_hidden(document, True)
    asyncio.run(watch.look())
    assert told == []
    waits.append("a run")
    asyncio.run(watch.look())
    assert told == [1]


def test_preferences_are_kept_with_the_name_of_those_who_may_change_something(workspace):
    context = AppContext.of(workspace)
    assert stored_preferences(context) is None
    ana, person = signed_in_as(context, "Ana", "grader")
    with open_database(workspace).session() as session:
        keep_preferences(session, person.id, {"general": {"theme": "dark"}})
    assert stored_preferences(ana) == {"general": {"theme": "dark"}, "label": {}}
    reader, _ = signed_in_as(context, "Rea", "reader")
    assert stored_preferences(reader) is None
