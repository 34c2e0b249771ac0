"""The page of all runs: pages of the list, its filters, disk, and the chosen run."""

from __future__ import annotations

from datetime import timedelta

import pytest

from lens_triage.app.context import AppContext
from lens_triage.app.runs.history import RunHistory
from lensing_core.store import open_database
from lensing_core.store.tables import Run, utc_now


@pytest.fixture
def context(workspace) -> AppContext:
    begun = utc_now() - timedelta(days=1)
    with open_database(workspace).session() as session:
        for k in range(45):
            session.add(
                Run(
                    id=f"run-{k:02d}",
                    kind="score" if k % 3 else "train",
                    title=f"Score field_{k}" if k % 3 else f"Train {k}",
                    status="failed" if k % 5 == 0 else "succeeded",
                    error="Row 3 is bad." if k % 5 == 0 else None,
                    settings={},
                    created_at=begun + timedelta(minutes=k // 2),  # two at each moment
                )
            )
    return AppContext.of(workspace)


def shown(history) -> list[str]:
    return [row["key"] for row in history.table.rows]


def test_every_run_stands_on_one_page_newest_first(context):
    history = RunHistory(context)
    found = shown(history)
    assert history.pager.place.object == "1 to 20 of 45"
    for _ in range(2):
        history.pager._turn(back=False)
        found += shown(history)
    assert found == [f"run-{k:02d}" for k in reversed(range(45))]
    assert history.monitor.run_id == "run-44"


def test_the_list_is_limited_by_kind_state_and_words(context):
    history = RunHistory(context, kind="train", status="failed")
    assert shown(history) == ["run-45", "run-30", "run-15", "run-00"][1:]
    history.kind.value = history.status.value = ""
    history.words.value = " FIELD_4 "  # the underscore is a letter here, no wildcard
    assert shown(history) == ["run-44", "run-43", "run-41", "run-40", "run-04"]
    history.words.value = "nothing like it"
    assert shown(history) == []
    assert RunHistory(context, kind="no such kind").kind.value == ""


def test_a_run_of_another_page_is_opened_by_its_address(context):
    history = RunHistory(context, run_id="run-01")
    assert history.monitor.run.title == "Score field_1"
    assert "run-01" not in shown(history)
    history.table.selected = "run-40"
    assert history.monitor.run.error == "Row 3 is bad."
    unknown = RunHistory(context, run_id="gone")
    assert "gone" in unknown._notice.message
    assert not unknown._now.visible


def test_disk_is_that_of_the_folder_of_the_run(context):
    folder = context.workspace.runs / "run-44" / "network"
    folder.mkdir(parents=True)
    (folder / "last.ckpt").write_bytes(bytes(2_000_000))
    rows = {row["key"]: row["disk"]["text"] for row in RunHistory(context).table.rows}
    assert rows["run-44"] == "2.00 MB"
    assert rows["run-43"] == "none"
