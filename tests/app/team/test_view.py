"""The Team page's parts: metrics for the right eyes, actions, files with bad rows."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import uuid4

import numpy as np
import pytest
import sqlalchemy as sa
from grading import grade_all
from people import signed_in_as

from lens_triage.app.context import AppContext
from lens_triage.app.team.skill import SkillBoard
from lens_triage.app.team.view import TeamBoard
from lensing_core.acquisition import QueueEntry
from lensing_core.consensus import Thresholds
from lensing_core.labeling import NewSession, close_session, create_session
from lensing_core.labeling.loop_history import loop_history
from lensing_core.labeling.skill import KindSkill
from lensing_core.labeling.team import team_metrics
from lensing_core.proportions import Proportion
from lensing_core.store import open_database
from lensing_core.store.consensus_choice import ConsensusSettings
from lensing_core.store.graders import set_active, set_role
from lensing_core.store.labels import NewEvent, append_events, grader_named
from lensing_core.store.remarks import add_note
from lensing_core.store.sign_ins import revoke_all
from lensing_core.store.tables import Consensus, Ensemble, Grader, Score, Vote


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
        grade_all(session, votes)
    return filled_workspace


def board_of(context: AppContext, name: str, role: str = "grader") -> TeamBoard:
    return TeamBoard(*signed_in_as(context, name, role))


def test_an_empty_workspace_says_what_to_do(context):
    board = board_of(context, "Ana", "organizer")
    assert board.graders.rows == board.consensus.list.rows == board.loop.table.rows == []
    assert "start a session" in board.graders.empty
    assert "Nothing has been graded" in board.consensus.metrics.object
    assert board.notice.message == ""


def test_an_organizer_sees_all_and_a_grader_the_own_metrics(context, graded):
    board = board_of(context, "Bo", "organizer")
    assert [row["name"]["text"] for row in board.graders.rows] == ["Ana", "Bo", "Cy"]
    assert [row["votes"] for row in board.graders.rows] == ["40", "40", "1"]
    assert [row["pair"] for row in board.pairs.rows] == ["Ana – Bo"]
    assert board.pairs.rows[0]["n"] == "40"
    assert len(board.contested.rows) == 2
    assert board.contested.rows[0]["why"] == "1 × A, 1 × X"
    assert board.coverage.rows[0]["graded"] == "41"
    assert board.coverage.rows[0]["several"] == "40"
    assert "run the consensus" in board.consensus.metrics.object
    board.consensus.join()
    assert "In the list: " in board.consensus.metrics.object
    found = board.consensus
    assert found.list.rows[0]["state"]["text"] == "accepted"
    assert found.list.rows[0]["said"] == "Ana A, Bo A"
    found.state.value = "retired"
    assert {row["state"]["text"] for row in found.list.rows} <= {"retired"}
    assert (found.accept.value, found.retire.value) == ("0.95", "0.001")
    found.accept.value, found.retire.value = "0.6", "a bit"
    found.join()
    assert "Retire at: 'a bit' is not a number" in found.notice.message
    found.retire.value = "0.39"
    found.join()
    assert found.notice.message == ""

    own = board_of(context, "Cy")
    assert [row["name"]["text"] for row in own.graders.rows] == ["Cy"]
    assert own.consensus is None
    assert own.pairs.rows == own.contested.rows == []
    assert all(a["disabled"] for row in own.loop.table.rows for a in row["act"]["actions"])


def test_an_organizer_sees_who_is_at_work_and_a_grader_does_not(context, graded, ids):
    with open_database(context.workspace).session() as session:
        bo = grader_named(session, "Bo").id
        entries = [QueueEntry(key, "") for key in ids[:4]]
        made = create_session(
            session, NewSession("night", entries, {}, graders=("Ana", "Bo")), None
        )
        for key in ids[:3]:
            given = (str(uuid4()), "grade", bo, key, "abcx", datetime.now(UTC))
            append_events(session, [NewEvent(*given, session_id=made.id, grade="A")])
    rows = board_of(context, "Cy", "organizer").at_work.rows
    assert [(r["name"], r["done"]["text"]) for r in rows] == [
        ({"text": "Bo", "note": "active"}, "3 of 4"),
        ({"text": "Ana"}, "0 of 4"),
    ]
    assert rows[1]["last"] == "not begun"
    with open_database(context.workspace).session() as session:
        add_note(session, ids[0], bo, "what do you say, @ana?")
    ana = board_of(context, "Ana")
    assert ana.at_work.rows == []
    assert [(row["who"], row["text"]) for row in ana.mentions.rows] == [
        ("Bo", "what do you say, @ana?")
    ]
    with open_database(context.workspace).session() as session:
        close_session(session, made.id)
    assert board_of(context, "Cy", "organizer").at_work.rows == []


def test_the_list_is_read_page_by_page(context, graded):
    found = board_of(context, "Bo", "organizer").consensus
    found.join()
    seen = [row["key"] for row in found.list.rows]
    assert found.pager.place.object == "1 to 15 of 41"
    assert found.pager.previous.disabled
    for place, rows in (("16 to 30 of 41", 15), ("31 to 41 of 41", 11)):
        found.pager.next.press()
        assert found.pager.place.object == place
        assert len(found.list.rows) == rows
        seen += [row["key"] for row in found.list.rows]
    assert len(set(seen)) == 41
    assert found.pager.next.disabled
    found.pager.previous.press()
    assert [row["key"] for row in found.list.rows] == seen[15:30]
    found.state.value = "accepted"
    assert found.pager.place.object.startswith("1 to ")
    assert len(found.list.rows) < 15
    assert not found.pager.__panel__().visible


def test_scores_or_a_number_may_be_the_prior_and_are_remembered(context, graded, ids):
    with open_database(graded).session() as session:
        session.get_one(Score, (1, ids[0])).probability = 0.4
        session.get_one(Score, (1, ids[1])).probability = 1e-6
    found = board_of(context, "Bo", "organizer").consensus
    found.join()
    assert found.prior.options["Estimated from the grades"] == "own"

    def posterior(key: int, method: str = "dawid_skene") -> tuple[float, float]:
        with open_database(graded).session() as session:
            row = session.get_one(Consensus, (key, method))
            return row.prior, row.posterior

    own = posterior(ids[0])
    assert own == posterior(ids[1])  # both A by Ana, X by Bo
    found.prior.value = found.prior.options["Scores of first"]
    found.join()
    assert posterior(ids[0])[0] == pytest.approx(0.4)
    assert posterior(ids[1])[0] == pytest.approx(1e-6)
    assert posterior(ids[0])[1] > 100 * posterior(ids[1])[1]
    assert "visible score" not in found.metrics.object  # nobody of them saw a score

    found.method.value = "swap"
    assert found.prior.value == "own"
    assert "0.0002, as SWAP" in found.prior.options
    found.prior.value = "number"
    assert found.share.visible
    found.share.value = "0.02"
    found.join()
    assert posterior(ids[5], "swap")[0] == pytest.approx(0.02)
    again = board_of(context, "Bo", "organizer").consensus
    assert (
        again.rule()
        == found.rule()
        == ConsensusSettings("swap", 0.02, None, Thresholds(0.95, 1e-3))
    )
    again.method.value = "dawid_skene"
    assert again.rule().ensemble_id == 1
    again.share.value = "2"
    again.prior.value = "number"
    again.join()
    assert "between 0 and 1" in again.notice.message


def test_skill_by_kind_is_shown_to_the_right_eyes():
    board = SkillBoard()
    skills = [
        KindSkill(1, "lens", 1, Proportion(7, 8), 1),
        KindSkill(2, "lens", 1, Proportion(4, 8), 0),
        KindSkill(1, "tidal_tail", 0, Proportion(5, 6), 0),
        KindSkill(2, "tidal_tail", 0, Proportion(0, 0), 2),
    ]
    board.show_skills(skills, {1: "Ana", 2: "Bo", 3: "Cy"})
    assert [c["title"] for c in board.table.columns] == ["Kind", "All graders", "Ana", "Bo"]
    lens, tail = board.table.rows
    assert lens["0"]["note"] == "11 of 16"
    assert lens["1"]["text"] == "0.875 [0.473, 0.997]"
    assert lens["1"]["title"] == "7 of 8 graded correctly; 1 undecided"
    assert tail["kind"] == {"text": "Tidal tail", "note": "no lens"}
    assert tail["2"] == {"text": "–", "note": "2 undecided"}
    board.show_skills(skills, {2: "Bo"})  # a grader sees nobody else
    assert [c["title"] for c in board.table.columns] == ["Kind", "Bo"]
    assert all(set(row) == {"key", "kind", "0", "2"} for row in board.table.rows)
    assert board.table.rows[0]["0"]["note"] == "4 of 8"

    many = [KindSkill(k, "ring", 0, Proportion(k, 9), 0) for k in range(1, 8)]
    board.show_skills(many, {k: f"G{k}" for k in range(1, 8)})
    assert board.chosen.visible
    assert [c["title"] for c in board.table.columns[2:]] == ["G2"]  # as it was chosen
    board.chosen.value = [5, 6]
    assert [c["title"] for c in board.table.columns[1:]] == ["All graders", "G5", "G6"]
    board.show_skills(many, {k: f"G{k}" for k in range(1, 8)})
    assert board.chosen.value == [5, 6]


def test_agreement_counts_what_both_have_graded(graded):
    with open_database(graded).session() as session:
        for method in ("dawid_skene", "swap"):
            team = team_metrics(session, ConsensusSettings(method))
            assert team.fleiss.n == 40
            # 38 of 40 agree; margins 8 and 6 of 40 lenses: κ = (p − e) / (1 − e)
            by_chance = (8 * 6 + 32 * 34) / 1600
            assert team.pairs[0].kappa.value == pytest.approx((0.95 - by_chance) / (1 - by_chance))
            ana = team.graders[0]
            assert ana.lens_seen > 0.45  # forty votes hardly move the scheme's twenty
            assert ana.other_seen > 0.7


def test_rounds_say_what_was_learned_and_what_was_added(context, graded, ids):
    database = open_database(graded)
    metrics = {
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
                "figures": {"ensemble": metrics},
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
    board = board_of(context, "Bo", "organizer")
    board.consensus.join()
    with database.session() as session:
        rounds = loop_history(session, "cosmos")
    assert [(r.number, r.ensemble, r.base) for r in rounds] == [
        (0, "first", ""), (1, "round-2", "first"),
    ]  # fmt: skip
    assert (rounds[0].graded, rounds[1].graded) == (7, 34)
    assert rounds[1].added == 2  # of the eight that Ana called lenses, the last two
    assert (rounds[1].labels, rounds[1].lenses) == (30, 6)
    assert rounds[1].top.total == 38  # two are disputed, and Cy said neither
    assert np.isclose(rounds[1].top.found, rounds[0].added + rounds[1].added)
    board.loop.reload()
    headings = [row.get("heading", row["key"]) for row in board.loop.table.rows]
    assert headings == [  # no column of figures of different objects
        "Test set 1: 1 held-out lenses and 4 vetted others",
        "round-2",
        "Test set 2: held-out objects of simulated",
        "first",
    ]
    row = board.loop.table.rows[1]
    assert row["labels"] == "30 (6)"
    assert row["tpr10"]["text"] == "0.600 [0.400, 0.800]"
    assert row["change"] == "+0.200 [−0.100, +0.500]"
    assert row["added"]["text"] == "2 of 34"
    # The form of Train begins with what ranks now, not with what was made last.
    assert board.loop.finetune.href == "train?tab=finetune&catalog=cosmos&base=first"
    board.loop._promote("promote", "round-2")
    assert "round-2 is promoted" in board.loop.notice.message
    assert board.loop.table.rows[1]["ensemble"]["note"] == "promoted"


@pytest.mark.parametrize("end", ["sign-out", "role", "deactivation"])
def test_a_page_stops_showing_metrics_when_its_sign_in_ends(context, graded, end):
    board = board_of(context, "Bo", "organizer")
    before, key = board.graders.rows, board._grader.id
    with open_database(graded).session() as session:
        if end == "sign-out":
            revoke_all(session, key)
        elif end == "role":
            set_role(session, key, "grader")
        else:
            set_active(session, key, active=False)
    with open_database(graded).session() as session:
        session.get_one(Grader, key).name = "Bob"
    board.reload()  # shows what is new to nobody
    board.refresh()
    assert board.notice.message.startswith("You are no longer signed in here")
    assert len(board.__panel__().objects) == 1  # what was said
    assert board.graders.rows == before


def test_files_with_bad_rows_change_nothing_and_good_ones_are_taken(context, graded):
    board = board_of(context, "Bo", "organizer")
    files = board.files
    files._start()
    assert files.notice.message == "Choose a file first."
    files.file.param.update(value=b"object_id,grade,grader\ncosmos-00001,Q,Di\n", filename="t.csv")
    files._start()
    assert files.notice.message.startswith("Nothing was imported: 1 of 1 rows are bad.")
    assert files.bad.rows[0]["what"].startswith("grade 'Q'")
    files.file.param.update(value=b"object_id,grade,grader\ncosmos-00001,A,Di\n", filename="t.csv")
    files._start()
    assert "1 grades imported" in files.notice.message
    assert [row["name"]["text"] for row in board.graders.rows] == ["Ana", "Bo", "Cy", "Di"]
    assert b"cosmos-00001" in files._log("csv").getvalue()
    assert not list(graded.cache.glob("labels-*"))
