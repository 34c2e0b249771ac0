"""The Validate page's parts: stages, moves by rule, yields, checklists and records."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from people import signed_in_as

from lens_triage.app.context import AppContext
from lens_triage.app.permissions import ORGANIZER
from lens_triage.app.validate.view import ValidationBoard
from lensing_core.errors import BadInputError
from lensing_core.store import open_database
from lensing_core.store.tables import Candidate, Catalog, Confirmation
from lensing_core.yields import Rates, expected_yields


@pytest.fixture
def board(filled_workspace):
    context, _ = signed_in_as(AppContext.of(filled_workspace), "Ana", ORGANIZER)
    made = ValidationBoard(context, stage="detection")
    made.refresh()
    return made


def counts(board):
    return {row["key"]: int(row["count"].replace(",", "")) for row in board.stages.rows}


def test_a_rule_moves_and_is_taken_back(board):
    before = counts(board)
    moving = board.moving
    moving.most.value = "7"
    moving.preview.press()
    assert moving.notice.message == "The rule moves 7 candidates to triage."
    assert counts(board) == before
    moving.move.press()
    assert counts(board)["triage"] == before["triage"] + 7
    (move,) = moving.moves.rows
    assert (move["n"], move["move"]["text"]) == ("7", "detection → triage")
    moving.moves._handle_msg({"action": "undo", "key": move["key"]})
    assert counts(board) == before
    assert moving.moves.rows[0]["act"]["text"] == "7 moved back"
    moving.most.value = "2.5"
    moving.move.press()
    assert "whole number" in moving.notice.message
    moving.most.value, moving.feature.value = "5", "arc_snr"
    moving.move.press()
    assert moving.notice.message == "Give a minimum or a maximum of the feature."


def test_yields_follow_the_rates(board):
    given = {"detection": 1000, "triage": 100, "validation": 10, "confirmation": 5, "rejected": 9}
    found = expected_yields(given, Rates(0.1, 0.3, 0.8, 0.3, 0.6))
    assert found["confirmation"].expected == pytest.approx(3)
    assert found["confirmation"].deviation == pytest.approx((5 * 0.6 * 0.4) ** 0.5)
    assert found["validation"].expected == pytest.approx(1.8)
    assert found["triage"].expected == pytest.approx(100 * 0.3 * 0.8 * 0.3 * 0.6)
    assert found["detection"].expected == pytest.approx(4.32)
    assert "rejected" not in found
    with pytest.raises(BadInputError, match="visual"):
        Rates(visual=1.2)
    board.rates["redshift"].value = "0"
    assert {row["yields"] for row in board.stages.rows} == {"0 ± 0", "–"}
    board.rates["redshift"].value = "often"
    assert "not a number" in board.notice.message


def test_a_confirmation_is_entered_by_a_person_with_its_evidence(board, filled_workspace):
    database = open_database(filled_workspace)
    with database.session() as session:
        key = session.scalar(
            sa.select(Candidate.id).join(Catalog).where(Catalog.origin == "observed").limit(1)
        )
        session.get_one(Candidate, key).stage = "confirmation"
    board.stages.selected = "confirmation"
    board.candidates.selected = str(key)
    shown = board.candidate
    assert shown.records.rows == []
    shown.enter.press()
    assert "lacks the spectrum" in shown.notice.message
    for field, text in (
        (shown.spectrum, "MUSE"), (shown.reference, "2026A&A...700A...1X"),
        (shown.z_lens, "0.35"), (shown.z_source, "1.62"),
    ):  # fmt: skip
        field.value = text
    shown.enter.press()
    assert shown.notice.message == "The record was entered."
    assert shown.records.rows[0]["outcome"]["text"] == "Confirmed lens"
    row = next(row for row in board.candidates.rows if row["key"] == str(key))
    assert row["outcome"]["text"] == "Confirmed lens"
    shown.finding.value = "u-g and g-r agree"
    shown.checks._handle_msg(
        {"action": "choose", "key": "colors", "column": "state", "value": "done"}
    )
    point = next(row for row in shown.checks.rows if row["key"] == "colors")
    assert (point["state"]["value"], point["text"]) == ("done", "u-g and g-r agree")
    with database.session() as session:
        assert session.scalar(sa.select(Confirmation.grader_id)) is not None


def test_no_score_is_called_a_confirmation(board):
    for stage in ("detection", "triage", "validation", "confirmation"):
        board.stages.selected = stage
        assert all(row["outcome"] == "–" for row in board.candidates.rows)
