"""The cross-match page's rows and choosers, without a browser."""

from __future__ import annotations

from datetime import timedelta

import pytest

from lens_triage.app.context import AppContext
from lens_triage.app.crossmatch.page import reference_choices
from lens_triage.app.crossmatch.rows import (
    missed_row,
    new_html,
    pair_row,
    recall_rows,
    reference_row,
)
from lens_triage.app.crossmatch.view import CrossmatchBoard
from lens_triage.app.widgets.settings_panel import SettingsPanel
from lens_triage.training.jobs.crossmatch import run
from lens_triage.training.runner.context import JobContext
from lens_triage.training.settings import CrossmatchSettings
from lensing_core.crossmatch.completeness import recall_at
from lensing_core.crossmatch.report import MatchedPair, Missed, UnlistedCandidate
from lensing_core.crossmatch.service_list import SERVICES
from lensing_core.store import open_database
from lensing_core.store.tables import Crossmatch, Run, utc_now


def crossmatch(**values: object) -> Crossmatch:
    return Crossmatch(
        **{
            "reference": "simbad",
            "title": "SIMBAD",
            "kind": "object",
            "version": "asked 2026-01-01",
            "radius_arcsec": 5.0,
            "state": "complete",
            "message": "",
            "asked_all": True,
            "n_candidates": 100,
            "n_matched": 7,
            "n_review": 3,
            "n_references": 10,
            "created_at": utc_now() - timedelta(hours=2),
            **values,
        }
    )


def test_a_reference_that_was_not_reached_shows_no_counts():
    row = reference_row(crossmatch(state="unreachable", message="no network", n_candidates=0))
    assert (row["matched"], row["review"], row["unmatched"]) == ("–", "–", "–")
    assert row["state"] == {"text": "Not reached", "chip": "", "title": "no network"}


def test_a_reference_says_what_was_asked_for():
    row = reference_row(crossmatch(asked_all=False))
    assert row["reference"]["note"] == "other objects, 100 queried"
    assert (row["matched"], row["review"], row["unmatched"]) == ("7", "3", "90")
    assert row["when"]["text"] == "2 h ago"


def test_recall_has_a_row_a_step_and_none_without_known_lenses():
    steps = [10, 30]
    rows = recall_rows(recall_at([3, 20], 4, steps), recall_at([3, 20, 25], 4, steps))
    assert [row["recall"]["text"] for row in rows] == ["1 / 4", "2 / 4"]
    assert [row["review"] for row in rows] == ["0.25", "0.75"]
    assert rows[1]["recall"]["share"] == 0.5
    assert recall_rows(recall_at([], 0, steps), recall_at([], 0, steps)) == []


def test_names_from_outside_are_text_in_rows_and_escaped_in_html():
    name = "<img src=x onerror=alert(1)>"
    pair = MatchedPair(5, name, 3, 0.5, "own", "lens", "matched", name, 0.41, 0.4, {"z": 0.5}, "")
    row = pair_row(pair, 0, "field", "first", "tiles/field/5?v=00")
    assert row["candidate"]["picture"] == "tiles/field/5?v=00"
    assert row["candidate"]["href"] == "review?catalog=field&ensemble=first&candidate=5"
    assert row["counterpart"]["title"] == f"{name}\nz: 0.500"
    html = new_html(
        [UnlistedCandidate(5, name, 1, 0.9, 0, "0" * 64, (name,))],
        catalog="field",
        ensemble="first",
    )
    assert "<img src=x" not in html
    assert "&lt;img src=x" in html


def test_a_missed_lens_shows_what_another_catalog_has_there():
    lens = Missed("J1", 10.0, -5.0, {})
    assert missed_row(lens, 0)["elsewhere"] == "–"
    found = missed_row(lens, 0, (7, "tiles/other/3?v=00"))["elsewhere"]
    assert found["href"] == "review?candidate=7"
    assert found["picture"] == "tiles/other/3?v=00"


@pytest.fixture
def matched(filled_workspace):
    settings = CrossmatchSettings(catalog="simulated", references=["duplicates"])
    with open_database(filled_workspace).session() as session:
        session.add(Run(id="m", kind="crossmatch", title="t", settings={}, status="succeeded"))
    run(JobContext(filled_workspace, "m"), settings)
    return filled_workspace


def test_the_board_follows_what_has_been_matched(matched):
    board = CrossmatchBoard(AppContext.of(matched))
    assert board.catalog.options == {"simulated": "simulated"}
    assert [row["key"] for row in board.references.rows] == ["duplicates"]
    assert board.recall.rows == []
    assert not board.ensemble.visible  # nothing has scored it
    settings = CrossmatchSettings(catalog="cosmos", references=["lenscat"])
    with open_database(matched).session() as session:
        session.add(Run(id="n", kind="crossmatch", title="t", settings={}, status="succeeded"))
    run(JobContext(matched, "n"), settings)
    board.reload("cosmos")
    assert board.catalog.value == "cosmos"
    assert [row["key"] for row in board.references.rows] == ["lenscat"]
    assert board.ensemble.value == "first"
    assert len(board.recall.rows) == 4  # 10, 30, 100 and all 140
    assert len(board.missed.rows) > 10


def test_the_form_says_which_references_need_the_network():
    panel = SettingsPanel(CrossmatchSettings, choices={"references": reference_choices()})
    options = panel.editors["references"]._widget.options
    assert set(options.values()) == set(CrossmatchSettings.param.references.objects)
    online = {key for text, key in options.items() if text.endswith("(online)")}
    assert online == set(SERVICES)
    panel.write(references=["gaia"])
    assert panel.settings().references == ["gaia"]


def test_an_empty_workspace_has_nothing_to_choose(workspace):
    board = CrossmatchBoard(AppContext.of(workspace))
    assert board.catalog.value is None
    assert board.references.rows == []
