"""The watch over runs: it looks where there is something to see."""

import pytest

from lens_triage.app import overseer as module
from lens_triage.app.context import AppContext
from lens_triage.app.overseer import Overseer
from lensing_core.store import open_database
from lensing_core.store.tables import Run


@pytest.fixture
def context(workspace):
    return AppContext.of(workspace)


@pytest.fixture
def looks(monkeypatch):
    """One entry for each look; whether the look finds something is its last word."""
    seen: list[bool] = [False]

    def advance(workspace):
        seen.append(seen[0])
        return seen[0]

    monkeypatch.setattr(module.jobs, "advance", advance)
    return seen


def test_it_looks_again_only_after_a_change(context, looks):
    overseer = Overseer(context)
    for _ in range(3):
        overseer.look()
    assert len(looks) == 1 + 1
    with open_database(context.workspace).session() as session:
        session.add(Run(id="new", kind="score", title="new", settings={}))
    for _ in range(3):
        overseer.look()
    assert len(looks) == 1 + 2


def test_it_looks_each_time_while_something_is_under_way(context, looks):
    overseer = Overseer(context)
    looks[0] = True
    for _ in range(3):
        overseer.look()
    assert len(looks) == 1 + 3


def test_it_looks_again_after_a_failure_and_after_a_minute(context, looks, monkeypatch):
    overseer = Overseer(context)
    overseer.look()
    monkeypatch.setattr(module, "_AT_LEAST_EVERY_S", 0.0)
    overseer.look()
    assert len(looks) == 1 + 2
    monkeypatch.undo()
    failing = Overseer(context)

    def fail(workspace):
        raise OSError("disk full")

    monkeypatch.setattr(module.jobs, "advance", fail)
    for _ in range(2):
        with pytest.raises(OSError, match="disk full"):
            failing.look()


def test_a_run_that_waits_for_a_worker_is_under_way(context):
    with open_database(context.workspace).session() as session:
        session.add(Run(id="r", kind="score", title="r", settings={}, status="running", host="far"))
    assert module.jobs.advance(context.workspace)
