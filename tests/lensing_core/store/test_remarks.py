"""Notes, tags, stages, and the history that they and grades make."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import uuid4

import pytest
from rows import add_catalog

from lensing_core.errors import BadInputError, NotFoundError
from lensing_core.store import open_database
from lensing_core.store.history import PROGRAM, history_of
from lensing_core.store.labels import NewEvent, append_events, grader_named
from lensing_core.store.mentions import notes_for
from lensing_core.store.remarks import (
    MAX_TAGS,
    add_note,
    add_tag,
    do_once,
    known_tags,
    move_stage,
    remove_tag,
    tags_of,
)
from lensing_core.store.tables import Candidate, Remark


@pytest.fixture
def database(workspace):
    return open_database(workspace)


@pytest.fixture
def people(database):
    """Ids of two candidates and of two graders."""
    with database.session() as session:
        ids = add_catalog(session, "mine", 2)
        return (*ids, grader_named(session, "Ada").id, grader_named(session, "Vera").id)


def grade(session, candidate: int, grader: int, key: str, **fields) -> str:
    uuid = str(uuid4())
    event = NewEvent(uuid, "grade", grader, candidate, "abcx", datetime.now(UTC), grade=key)
    append_events(session, [NewEvent(**{**vars(event), **fields})])
    return uuid


def test_history_has_everything_with_who_and_when(database, people) -> None:
    first, second, ada, vera = people
    with database.session() as session:
        uuid = grade(
            session, first, ada, "B", is_lens=1, comment="blue arc", visible={"blind": False}
        )
        add_tag(session, first, vera, " needs   spectrum ")
        add_note(session, first, vera, " ask Ada \n")
        move_stage(session, first, vera, "triage", expected="detection")
        append_events(
            session,
            [NewEvent(str(uuid4()), "undo", ada, first, "abcx", datetime.now(UTC), undoes=uuid)],
        )
        move_stage(session, first, None, "rejected", reason="spiral")
        remove_tag(session, first, ada, "needs spectrum")
        add_note(session, second, ada, "another object")
    with database.session() as session:
        entries = history_of(session, first)
        said = [(e.who, e.kind, e.value, e.before, e.text, e.reason) for e in entries]
        assert said == [
            ("Ada", "untag", "needs spectrum", "", "", None),
            (PROGRAM, "stage", "rejected", "triage", "", "spiral"),
            ("Ada", "undo", "B", "", "", None),
            ("Vera", "stage", "triage", "detection", "", None),
            ("Vera", "note", "", "", "ask Ada", None),
            ("Vera", "tag", "needs spectrum", "", "", None),
            ("Ada", "grade", "B", "", "blue arc", None),
        ]
        assert entries[-1].undone
        assert entries[-1].visible == {"blind": False}
        assert [e.at for e in entries] == sorted((e.at for e in entries), reverse=True)
        assert len(history_of(session, first, most=3)) == 3
        assert session.get_one(Candidate, first).stage == "rejected"
        assert session.get_one(Candidate, second).stage == "detection"


def test_tags_are_the_same_in_any_case_and_said_once(database, people) -> None:
    first, second, ada, _ = people
    with database.session() as session:
        assert add_tag(session, first, ada, "Ring")
        assert not add_tag(session, first, ada, "ring")
        assert add_tag(session, second, ada, "RING, ")
        assert add_tag(session, second, ada, "quad")
        assert tags_of(session, [first, second]) == {first: ["Ring"], second: ["Ring", "quad"]}
        assert known_tags(session) == ["Ring", "quad"]
        assert not remove_tag(session, first, ada, "quad")
        assert session.query(Remark).count() == 3  # what changed nothing left nothing
        with pytest.raises(BadInputError, match="1 to 64"):
            add_tag(session, first, ada, " , ")
        for k in range(MAX_TAGS - 1):
            add_tag(session, first, ada, f"t{k}")
        with pytest.raises(BadInputError, match="take one away"):
            add_tag(session, first, ada, "one more")


@pytest.mark.parametrize(
    ("stage", "reason", "expected", "message"),
    [
        ("moon", None, None, "Stage 'moon'"),
        ("rejected", None, None, "with a reason"),
        ("triage", "spiral", None, "with a reason"),
        ("rejected", "ugly", None, "Reason 'ugly'"),
        ("triage", None, "validation", "Somebody has moved"),
    ],
)
def test_moves_that_make_no_sense_are_refused(
    database, people, stage, reason, expected, message
) -> None:
    with database.session() as session, pytest.raises(BadInputError, match=message):
        move_stage(session, people[0], people[2], stage, reason=reason, expected=expected)
    with database.session() as session:
        assert session.get_one(Candidate, people[0]).stage == "detection"
        assert session.query(Remark).count() == 0


def test_notes_need_words_and_a_candidate(database, people) -> None:
    with database.session() as session:
        with pytest.raises(BadInputError, match="1 to 4000"):
            add_note(session, people[0], people[2], "  ")
        with pytest.raises(NotFoundError):
            add_note(session, 999, people[2], "where?")
        assert not move_stage(session, people[0], people[2], "detection")


def test_answers_stand_in_the_thread_of_the_note_that_began_it(database, people) -> None:
    first, second, ada, vera = people
    with database.session() as session:
        note = add_note(session, first, ada, "an arc?")
        answer = add_note(session, first, vera, "a spiral arm", reply_to=note.id)
        further = add_note(session, first, ada, "agreed", reply_to=answer.id)
        assert (answer.reply_to, further.reply_to) == (note.id, note.id)
        told = [(e.text, e.note, e.reply_to) for e in history_of(session, first)]
        assert told == [
            ("agreed", further.id, note.id),
            ("a spiral arm", answer.id, note.id),
            ("an arc?", note.id, None),
        ]
        add_tag(session, first, ada, "ring")
        for wrong in (999, 10**20, note.id + 3):  # the last is the tag
            with pytest.raises(BadInputError, match="no note"):
                add_note(session, first, ada, "?", reply_to=wrong)
        with pytest.raises(BadInputError, match="no note"):
            add_note(session, second, ada, "?", reply_to=note.id)
        sent = {"uuid": str(uuid4()), "kind": "note", "text": "so be it", "reply_to": note.id}
        do_once(session, first, vera, sent)
        assert history_of(session, first)[0].reply_to == note.id
        with pytest.raises(BadInputError, match="reply_to"):
            do_once(session, first, vera, {**sent, "uuid": str(uuid4()), "reply_to": "1"})


def test_a_note_is_shown_to_whom_it_mentions(database, people) -> None:
    first, second, ada, vera = people
    with database.session() as session:
        lee, both, gone = (grader_named(session, n) for n in ("Vera Lee", "O'Neil (x)", "Gone"))
        gone.deactivated_at = datetime.now(UTC)
        add_note(session, first, ada, "@vera lee, and @ADA: is this one?")
        add_note(session, second, ada, "ask @Vera or @o'neil (x). Not x@vera, @veranda or @Gone")
        notes = {one: notes_for(session, one) for one in (ada, vera, lee.id, both.id, gone.id)}
        assert [[n.candidate_id for n in found] for found in notes.values()] == [
            *([], [second], [first], [second], [])
        ]
        (told,) = notes[lee.id]
        assert (told.object_id, told.who, told.text[:9]) == ("o0", "Ada", "@vera lee")
