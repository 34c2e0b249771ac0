from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
import sqlalchemy as sa

from lensing_core.acquisition import QueueEntry
from lensing_core.consensus import SCHEMES
from lensing_core.errors import BadInputError, NotFoundError, PolicyError
from lensing_core.labeling import (
    GraderView,
    NewSession,
    SessionOptions,
    close_session,
    create_session,
    create_tutorial,
    list_sessions,
    open_grader_view,
    record,
    recording,
    summarize,
)
from lensing_core.labeling.grader_view import progress_of, remaining, retired, skipped
from lensing_core.store import open_database
from lensing_core.store.consensus_choice import ConsensusSettings, keep_choice
from lensing_core.store.labels import grader_named, verify
from lensing_core.store.tables import Candidate, Catalog, Consensus, LabelEvent, SessionItem

ON_BOTH_DATABASES = True
AT = datetime(2026, 5, 1, 12, tzinfo=UTC)
OPTIONS = SessionOptions(gold_fraction=0.2, repeat_fraction=0.25, seed=5)


@pytest.fixture
def database(filled_workspace):
    return open_database(filled_workspace)


@pytest.fixture
def make(database):
    """A function that makes a session of 40 objects of catalog cosmos; returns its id."""

    def new(options: SessionOptions = OPTIONS, graders=(), name="first") -> str:
        with database.session() as session:
            catalog = session.query(Catalog).filter_by(name="cosmos").one()
            ids = session.scalars(
                sa.select(Candidate.id).where(Candidate.catalog_id == catalog.id).limit(40)
            ).all()
            entries = [QueueEntry(k, f"rank {n}") for n, k in enumerate(ids)]
            asked = NewSession(name, entries, {}, options=options, graders=graders)
            return create_session(session, asked, None).id

    return new


@pytest.fixture
def grader(database):
    with database.session() as session:
        return {name: grader_named(session, name).id for name in ("Ana", "Bo", "Cy")}


def view_of(database, session_id: str, grader_id: int) -> GraderView:
    with database.session() as session:
        return open_grader_view(session, "secret", session_id, grader_id)


def event(cutout, grade: str | None = "A", kind: str = "grade", **fields) -> dict:
    sent = {"uuid": str(uuid4()), "kind": kind, "token": cutout.token, "given_at": AT.isoformat()}
    return sent | ({"grade": grade} if kind == "grade" else {}) | fields


def send(database, view: GraderView, *events: dict) -> list[str]:
    with database.session() as session:
        return [outcome.refused for outcome in record(session, view, events)]


def left(database, view: GraderView):
    with database.session() as session:
        return remaining(view, progress_of(session, view), retired(session, view))


def test_gold_is_like_the_queue_by_all_that_a_page_is_told(database, make, grader):
    view = view_of(database, make(), grader["Ana"])
    kinds = [cutout.kind for cutout in view.cutouts]
    assert kinds.count("gold") == 10  # a fifth of the fifty different ones
    assert kinds.count("queue") == 40 + 10
    gold = [cutout for cutout in view.cutouts if cutout.kind == "gold"]
    assert sorted(cutout.answer for cutout in gold) == [0] * 5 + [1] * 5
    assert {len(cutout.token) for cutout in view.cutouts} == {24}
    assert len({cutout.token for cutout in view.cutouts}) == len(view.cutouts)  # repeats as well
    with database.session() as session:
        kinds = {
            (c.survey_id, tuple(c.bands), c.size_px, c.pixel_scale_arcsec, c.pixel_kind)
            for c in session.scalars(
                sa.select(Catalog).where(Catalog.id.in_({s.catalog_id for s in view.cutouts}))
            )
        }
    assert len(kinds) == 1


def test_names_of_cutouts_outlive_a_restart_and_are_each_graders_own(database, make, grader):
    key = make()
    ana, again = (view_of(database, key, grader["Ana"]) for _ in range(2))
    bo = view_of(database, key, grader["Bo"])
    assert [s.token for s in ana.cutouts] == [s.token for s in again.cutouts]
    assert not {s.token for s in ana.cutouts} & {s.token for s in bo.cutouts}


def test_it_is_gone_on_with_where_it_was_left(database, make, grader):
    view = view_of(database, make(), grader["Ana"])
    first = view.cutouts[:12]
    assert send(database, view, *(event(cutout) for cutout in first)) == [""] * 12
    assert left(database, view) == list(view.cutouts[12:])
    assert left(database, view_of(database, view.session_id, grader["Bo"]))[0].number == 0


def test_undo_skip_flag_and_a_second_thought_are_events(database, make, grader):
    view = view_of(database, make(), grader["Ana"])
    one, two, three = view.cutouts[:3]
    given = event(one, "X", reject_reason="ring", comment=" blue ring ", shown_ms=812.4)
    send(database, view, given, event(two, kind="skip"), event(three, kind="flag"))
    assert [s.number for s in left(database, view)[:2]] == [2, 3]
    send(database, view, event(one, kind="undo", undoes=given["uuid"]))
    assert left(database, view)[0] == one
    send(database, view, event(one, "B"), event(one, "C"), event(three, kind="unflag"))
    with database.session() as session:
        progress = progress_of(session, view)
        rows = session.scalars(sa.select(LabelEvent).order_by(LabelEvent.id)).all()
        assert verify(session).n_events == 7
    assert progress.responses[one.key].grade == "C"
    assert progress.flagged == frozenset()
    assert (rows[0].reject_reason, rows[0].comment, rows[0].shown_ms) == ("ring", "blue ring", 812)
    assert rows[0].visible == {
        "blind": True,
        "feedback": False,
        "lens_test": False,
        "ensemble_id": None,
    }


def test_a_skipped_object_is_not_shown_again_as_a_repeat(database, make, grader):
    view = view_of(database, make(), grader["Ana"])
    repeat = next(cutout for cutout in view.cutouts if cutout.is_repeat)
    first = next(s for s in view.cutouts if s.key == (repeat.candidate_id, False))
    assert repeat in left(database, view)
    skip = event(first, kind="skip")
    send(database, view, skip)
    assert repeat not in left(database, view)
    send(database, view, event(first, "B"))
    assert repeat not in left(database, view)  # it would follow at once
    late = event(first, kind="skip")
    send(database, view, late, event(first, kind="undo", undoes=late["uuid"]))
    assert repeat not in left(database, view)
    send(database, view, event(first, kind="undo", undoes=skip["uuid"]))
    assert repeat in left(database, view)


def test_skipped_cutouts_come_again_unless_they_need_no_grade_any_more(database, make, grader):
    key = make(SessionOptions(target_votes=2))
    ana, bo, cy = (view_of(database, key, grader[name]) for name in ("Ana", "Bo", "Cy"))
    one, two, three = ana.cutouts[:3]

    def offered():
        with database.session() as session:
            return skipped(ana, progress_of(session, ana), retired(session, ana))

    send(database, ana, *(event(cutout, kind="skip") for cutout in (two, one, three)))
    assert offered() == [one, two, three]
    send(database, ana, event(two, "X"))
    assert offered() == [one, three]
    for view in (bo, cy):
        mine = {s.candidate_id: s for s in view.cutouts if not s.is_repeat}
        send(database, view, event(mine[three.candidate_id]))
    assert offered() == [one]


def test_what_is_decided_leaves_the_queues_of_others(database, make, grader):
    key = make(SessionOptions(target_votes=2))
    ana, bo, cy = (view_of(database, key, grader[name]) for name in ("Ana", "Bo", "Cy"))
    a = {view: {s.candidate_id: s for s in view.cutouts} for view in (ana, bo, cy)}
    voted, agreed = ana.cutouts[0].candidate_id, ana.cutouts[1].candidate_id
    send(database, ana, event(a[ana][voted]))
    assert len(left(database, cy)) == 40
    send(database, bo, event(a[bo][voted]))
    with database.session() as session:
        keep_choice(session, ConsensusSettings("swap"), 1)
        session.add(
            Consensus(
                candidate_id=agreed,
                method="swap",
                posterior=0.99,
                low_95=0.9,
                high_95=1,
                prior=0.1,
                n_votes=3,
                state="accepted",
                last_event_id=1,
            )
        )
    gone = {s.candidate_id for s in cy.cutouts} - {s.candidate_id for s in left(database, cy)}
    assert gone == {voted, agreed}
    assert len(left(database, ana)) == 38  # one is done, one is decided


def test_events_that_cannot_be_are_refused_alone(database, make, grader):
    view = view_of(database, make(), grader["Ana"])
    bo = view_of(database, view.session_id, grader["Bo"])
    cutout = view.cutouts[0]
    of_bo = event(bo.by_token[next(s.token for s in bo.cutouts if s.key == cutout.key)])
    send(database, bo, of_bo)
    late = (datetime.now(UTC) + timedelta(days=3)).isoformat()
    refused = send(
        database,
        view,
        event(cutout, "Z"),
        event(cutout, token="0" * 24),
        event(cutout, given_at="yesterday"),
        event(cutout, given_at=late),
        event(cutout, "A", reject_reason="ring"),
        event(cutout, "X", reject_reason="ufo"),
        event(cutout, kind="undo", undoes=of_bo["uuid"]),
        event(cutout, uuid=of_bo["uuid"]),
        event(cutout, view={"x": "y" * 1000}),
        event(cutout, uuid="1"),
        event(cutout, "B"),
    )
    for text, word in zip(
        refused,
        (
            "not in scheme",
            "no such cutout",
            "offset",
            "ahead",
            "says no lens",
            "'ufo'",
            "no such event",
            "another grader's",
            "at most 1000",
            "no UUID",
        ),
        strict=False,
    ):
        assert word in text
    assert refused[-1] == ""
    with database.session() as session:
        assert verify(session).n_events == 2


def test_a_closed_session_takes_what_was_given_before(database, make, grader, monkeypatch):
    view = view_of(database, make(), grader["Ana"])
    given = datetime.now(UTC).isoformat()
    with database.session() as session:
        closed_at = close_session(session, view.session_id).closed_at
    now = datetime.now(UTC).isoformat()
    before, after = event(view.cutouts[0], given_at=given), event(view.cutouts[1], given_at=now)
    backdated = event(view.cutouts[2], given_at=(closed_at - timedelta(days=30)).isoformat())
    assert send(database, view, before, after, backdated) == [
        "",
        "Session 'first' is closed.",
        "Session 'first' is closed, and the grade is dated before it was made.",
    ]
    assert send(database, view, before) == [""]  # sent twice, written once
    late = event(view.cutouts[3], given_at=given)
    monkeypatch.setattr(recording, "utc_now", lambda: closed_at + timedelta(minutes=61))
    assert "more than 1 h late" in send(database, view, late)[0]
    assert send(database, view, before) == [""]  # in the log already
    monkeypatch.setattr(recording, "utc_now", lambda: closed_at + timedelta(minutes=59))
    assert send(database, view, late) == [""]
    with database.session() as session:
        assert verify(session).n_events == 2
        close_session(session, view.session_id, reopen=True)
    assert send(database, view, after) == [""]


def test_only_the_invited_may_grade(database, make, grader):
    key = make(graders=["Ana", "Dee"])
    assert view_of(database, key, grader["Ana"]).cutouts
    with pytest.raises(PolicyError, match="not among the graders of session 'first'"):
        view_of(database, key, grader["Bo"])


def test_the_summary_counts_and_gives_intervals(database, make, grader):
    view = view_of(database, make(), grader["Ana"])
    events, wrong = [], 0
    for cutout in view.cutouts:
        grade = "X" if cutout.answer is None else "AX"[1 - cutout.answer]
        if cutout.answer == 1 and wrong < 2:
            grade, wrong = "X", wrong + 1  # two of five lenses are missed
        if cutout.is_repeat and not any(e.get("grade") == "C" for e in events):
            grade = "C"  # one of ten repeats differs
        events.append(event(cutout, grade, shown_ms=900_000 if cutout.number == 0 else 1500))
    send(database, view, *events)
    with database.session() as session:
        (metrics,) = summarize(session, view.session_id).graders
        (listed,) = list_sessions(session)
    assert metrics.n_done == 60
    assert metrics.grades == {"X": 40}
    assert metrics.seconds == 1.5  # the pause of the first is left out
    assert (metrics.repeats.found, metrics.repeats.total) == (9, 10)
    assert (metrics.gold_lenses.found, metrics.gold_lenses.total) == (3, 5)
    assert (metrics.gold_non_lenses.found, metrics.gold_non_lenses.total) == (5, 5)
    # Clopper-Pearson for 3 of 5, tabulated e.g. in Newcombe (1998)
    assert metrics.gold_lenses.to_json()["low_95"] == pytest.approx(0.1466, abs=1e-4)
    assert metrics.gold_lenses.to_json()["high_95"] == pytest.approx(0.9473, abs=1e-4)
    assert listed.n_items == 50
    assert listed.of(view.grader_id) == metrics


def test_the_tutorial_explains_each_kind(database, grader):
    with database.session() as session:
        made = create_tutorial(session)
        assert create_tutorial(session).id == made.id
        items = session.scalars(
            sa.select(SessionItem).where(SessionItem.session_id == made.id)
        ).all()
    assert [item.kind for item in items] == ["tutorial"] * 20
    assert sum(item.answer for item in items) == 10
    assert all(item.explanation.startswith("This is ") for item in items)
    view = view_of(database, made.id, grader["Bo"])
    assert [s.number for s in view.cutouts] == list(range(20))
    send(database, view, event(view.cutouts[0], "lens"))
    with database.session() as session:
        assert session.scalars(sa.select(LabelEvent)).one().is_gold


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"entries": []}, BadInputError, "queue holds 0"),
        ({"entries": [QueueEntry(1, ""), QueueEntry(1, "")]}, BadInputError, "twice"),
        ({"entries": [QueueEntry(10**9, "")]}, NotFoundError, "1000000000 does not exist"),
        ({"name": "  "}, BadInputError, "1 to 120 letters"),
        ({"name": "first"}, BadInputError, "'first' already"),
        ({"options": SessionOptions(gold_fraction=0.5)}, NotFoundError, "labeled ones have"),
    ],
)
def test_sessions_that_cannot_be(database, make, changes, error, message):
    make()
    with database.session() as session:
        catalog = session.query(Catalog).filter_by(name="cosmos").one()
        ids = session.scalars(sa.select(Candidate.id).where(Candidate.catalog_id == catalog.id))
        asked = {"name": "second", "entries": [QueueEntry(k, "") for k in ids], "queue": {}}
        with pytest.raises(error, match=message):
            create_session(session, NewSession(**(asked | changes)), None)


def test_gold_needs_a_blind_session():
    with pytest.raises(BadInputError, match="make the session blind"):
        SessionOptions(blind=False, gold_fraction=0.1)
    with pytest.raises(BadInputError, match=r"repeat_fraction = 0\.7"):
        SessionOptions(repeat_fraction=0.7)


def test_schemes_are_kept_with_the_session(database, make, grader):
    view = view_of(database, make(), grader["Ana"])
    assert view.scheme == SCHEMES["abcx"]
