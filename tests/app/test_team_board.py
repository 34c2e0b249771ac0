"""The Team page's parts: figures for the right eyes, actions, files with bad rows."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import uuid4

import numpy as np
import pytest
import sqlalchemy as sa

from app.components.team_board import TeamBoard
from app.context import AppContext
from app.identity import SignedIn
from lensing_core.consensus import SCHEMES
from lensing_core.labeling.team import team_figures
from lensing_core.store import open_database
from lensing_core.store.consensus import ConsensusRule
from lensing_core.store.labels import NewEvent, append_events, grader_named
from lensing_core.store.loop_history import loop_history
from lensing_core.store.tables import Ensemble, Score, Vote


@pytest.fixture
def context(filled_workspace):
    return AppContext.of(filled_workspace)


@pytest.fixture
def ids(filled_workspace):
    with open_database(filled_workspace).session() as session:
        return list(
            session.scalars(
                sa.select(Score.candidate_id).order_by(
                    Score.logit.desc(), Score.candidate_id.desc()
                )
            )
        )


@pytest.fixture
def graded(filled_workspace, ids):
    """Ana and Bo agree on forty objects but two; Cy has graded one."""
    votes = {key: {"Ana": "A" if k < 8 else "X"} for k, key in enumerate(ids[:40])}
    for k, key in enumerate(ids[:40]):
        votes[key]["Bo"] = "X" if k in (0, 1) else votes[key]["Ana"]
    votes[ids[50]] = {"Cy": "C"}
    with open_database(filled_workspace).session() as session:
        events = []
        for key, found in votes.items():
            for who, said in found.items():
                given = SCHEMES["abcx"].grade(said)
                events.append(
                    NewEvent(
                        str(uuid4()), "grade", grader_named(session, who).id, key, "abcx",
                        datetime(2026, 5, 1, tzinfo=UTC), grade=said, is_lens=given.is_lens,
                        p_lens=given.p_lens,
                    )
                )  # fmt: skip
        append_events(session, events)
    return filled_workspace


def signed_in(name: str, role: str = "grader") -> SignedIn:
    return SignedIn({"Ana": 1, "Bo": 2, "Cy": 3}[name], name, role, guarded=False)


def test_an_empty_workspace_says_what_to_do(context):
    board = TeamBoard(context, signed_in("Ana", "organiser"))
    assert board.graders.rows == board.list.rows == board.loop.table.rows == []
    assert "start a session" in board.graders.empty
    assert "Nothing has been graded" in board._figures.object
    assert board.notice.message == ""


def test_an_organiser_sees_all_and_a_grader_the_own_figures(context, graded):
    board = TeamBoard(context, signed_in("Bo", "organiser"))
    assert [row["name"]["text"] for row in board.graders.rows] == ["Ana", "Bo", "Cy"]
    assert [row["votes"] for row in board.graders.rows] == ["40", "40", "1"]
    assert [row["pair"] for row in board.pairs.rows] == ["Ana – Bo"]
    assert board.pairs.rows[0]["n"] == "40"
    assert len(board.contested.rows) == 2
    assert board.contested.rows[0]["why"] == "1 × A, 1 × X"
    assert board.coverage.rows[0]["graded"] == "41"
    assert board.coverage.rows[0]["several"] == "40"
    assert "run the consensus" in board._figures.object
    board._run()
    assert "In the list: " in board._figures.object
    assert len(board.list.rows) == 15
    assert board.list.rows[0]["state"]["text"] == "accepted"
    assert board.list.rows[0]["said"] == "Ana A, Bo A"
    board.state.value = "retired"
    assert {row["state"]["text"] for row in board.list.rows} <= {"retired"}
    board.accept.value = 0.6
    board.retire.value = 0.39
    board._run()
    assert board.notice.message == ""

    own = TeamBoard(context, signed_in("Cy"))
    assert [row["name"]["text"] for row in own.graders.rows] == ["Cy"]
    assert own.list.rows == own.pairs.rows == own.contested.rows == []
    assert all(not row["act"]["actions"] for row in own.loop.table.rows)


def test_agreement_counts_what_both_have_graded(graded):
    with open_database(graded).session() as session:
        for method in ("dawid_skene", "swap"):
            team = team_figures(session, ConsensusRule(method))
            assert team.fleiss.n == 40
            # 38 of 40 agree; margins 8 and 6 of 40 lenses: κ = (p − e) / (1 − e)
            by_chance = (8 * 6 + 32 * 34) / 1600
            assert team.pairs[0].kappa.value == pytest.approx((0.95 - by_chance) / (1 - by_chance))
            ana = team.graders[0]
            assert ana.lens_seen > 0.45  # forty votes hardly move the scheme's twenty
            assert ana.other_seen > 0.7


def test_rounds_say_what_was_learned_and_what_was_added(context, graded, ids):
    database = open_database(graded)
    figures = {
        "tpr10": {"value": 0.6, "low_68": 0.5, "high_68": 0.7, "low_95": 0.4, "high_95": 0.8}
    }
    with database.session() as session:
        first = session.get_one(Ensemble, 1)
        first.created_at = datetime(2026, 1, 1, tzinfo=UTC)
        second = Ensemble(
            name="round-2",
            fusion="mean",
            created_at=datetime(2026, 6, 1, tzinfo=UTC),
            manifest={
                "base": "first",
                "catalogs": ["cosmos"],
                "splits": {"train": {"lenses": 5, "others": 20, "unlabeled": 90},
                           "held_out": {"lenses": 1, "others": 4, "unlabeled": 20}},
                "figures": {"ensemble": figures},
                "figures_on": "1 held-out lenses and 4 vetted others",
                "differences": {"tpr10": {"value": 0.2, "low_95": -0.1, "high_95": 0.5}},
            },
        )  # fmt: skip
        session.add(second)
        session.flush()
        for rank, key in enumerate(ids):
            row = session.get_one(Score, (1, key))
            session.add(
                Score(
                    ensemble_id=second.id, candidate_id=key, catalog_id=row.catalog_id,
                    logit=float(-rank), probability=0.5, epistemic=0, aleatoric=0, disagreement=0,
                )
            )  # fmt: skip
        for vote in session.scalars(sa.select(Vote)):
            late = vote.candidate_id in ids[6:40]
            vote.at = datetime(2026, 7 if late else 2, 1, tzinfo=UTC)
    board = TeamBoard(context, signed_in("Bo", "organiser"))
    board._run()
    with database.session() as session:
        rounds = loop_history(session, "cosmos")
    assert [(r.number, r.ensemble, r.base) for r in rounds] == [
        (0, "first", ""), (1, "round-2", "first"),
    ]  # fmt: skip
    assert (rounds[0].graded, rounds[1].graded) == (7, 34)
    assert rounds[1].added == 2  # of the eight that Ana called lenses, the last two
    assert (rounds[1].labels, rounds[1].lenses) == (30, 6)
    assert rounds[1].top.of == 41
    assert np.isclose(rounds[1].top.found, rounds[0].added + rounds[1].added)
    board.loop.reload()
    row = board.loop.table.rows[0]
    assert row["labels"] == "30 (6)"
    assert row["tpr10"]["text"] == "0.600 [0.400, 0.800]"
    assert row["change"] == "+0.200 [−0.100, +0.500]"
    assert row["added"]["text"] == "2 of 34"
    board.loop._promote("promote", "round-2")
    assert "round-2 is promoted" in board.loop.notice.message
    assert board.loop.table.rows[0]["ensemble"]["note"] == "promoted"


def test_files_with_bad_rows_change_nothing_and_good_ones_are_taken(context, graded):
    board = TeamBoard(context, signed_in("Bo", "organiser"))
    files = board.files
    files._start()
    assert files.notice.message == "Choose a CSV file first."
    files.file.param.update(value=b"object_id,grade,grader\ncosmos-00001,Q,Di\n", filename="t.csv")
    files._start()
    assert files.notice.message == "Nothing was imported: 1 of 1 rows are bad."
    assert files.bad.rows[0]["what"].startswith("grade 'Q'")
    files.file.param.update(value=b"object_id,grade,grader\ncosmos-00001,A,Di\n", filename="t.csv")
    files._start()
    assert "1 grades imported" in files.notice.message
    assert [row["name"]["text"] for row in board.graders.rows] == ["Ana", "Bo", "Cy", "Di"]
    assert b"cosmos-00001" in files._log("csv").getvalue()
    assert not list(graded.cache.glob("labels-*"))
