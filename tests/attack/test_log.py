"""Tampering with the log of grades: what ``lens-triage db verify`` finds, and what it lets pass."""

from __future__ import annotations

import multiprocessing
import random
import shutil
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pytest
import sqlalchemy as sa
from attacking import seeds
from grading import grade_in_a_process
from rows import add_catalog
from typer.testing import CliRunner

from lens_triage.training.cli.database import db
from lensing_core.acquisition import QueueEntry
from lensing_core.errors import WorkspaceError
from lensing_core.labeling import NewSession, close_session, create_session
from lensing_core.store import Database, open_database, sealed_log
from lensing_core.store.anchor import FILE
from lensing_core.store.backup import backup_database
from lensing_core.store.chain import event_hash
from lensing_core.store.database import _open
from lensing_core.store.graders import set_active, set_role, sign_in
from lensing_core.store.labels import NewEvent, append_events, grader_named, rebuild_votes
from lensing_core.store.sealing import SESSIONS, anchor_of, digest_of, stored_seal
from lensing_core.store.tables import LabelEvent, LogSeal, SealedIdentity
from lensing_core.workspace import Workspace

AT = datetime(2026, 5, 1, 12, tzinfo=UTC)


def grade(database: Database, n: int, first: int = 0) -> None:
    """Record ``n`` grades of two graders, each in a transaction of its own."""
    for k in range(first, first + n):
        with database.session() as session:
            grader = grader_named(session, ("Ana", "Bo")[k % 2])
            event = NewEvent(
                str(uuid4()), "grade", grader.id, k % 12 + 1, "abcx", AT, grade="A", is_lens=1
            )
            append_events(session, [event])


@pytest.fixture
def database(workspace: Workspace) -> Database:
    """A log of 30 grades on 12 objects; an organizer is signed in."""
    database = open_database(workspace)
    with database.session() as session:
        add_catalog(session, "survey", 15)
        sign_in(session, "Olga")
        create_session(session, NewSession("first", [QueueEntry(1, "rank 1")], {}), None)
    grade(database, 30)
    return database


def release(database: Database) -> None:
    """What the end of a process does."""
    database.engine.dispose()
    _open.cache_clear()
    if database._use is not None:
        database._use.close()


def edit(workspace: Workspace, *statements: str) -> None:
    with closing(sqlite3.connect(workspace.database)) as connection, connection:
        for statement in statements:
            connection.execute(statement)


def recompute_hashes(workspace: Workspace) -> None:
    """Make all hashes anew, as anybody can who knows the program."""
    bare = Database.from_url(f"sqlite:///{workspace.database}")
    with bare.session() as session:
        previous = "0" * 64
        for event in session.scalars(sa.select(LabelEvent).order_by(LabelEvent.id)).all():
            event.previous_hash = previous
            previous = event.hash = event_hash(event)
        session.flush()
    bare.engine.dispose()


def edit_and_recompute(workspace: Workspace) -> None:
    edit(
        workspace,
        "UPDATE label_event SET grade = 'X', is_lens = 0 WHERE id = 7",
        "UPDATE vote SET grade = 'X', is_lens = 0 WHERE event_id = 7",
    )
    recompute_hashes(workspace)


def delete_last(workspace: Workspace, n: int) -> None:
    edit(
        workspace,
        "DELETE FROM vote",
        f"DELETE FROM label_event WHERE id > 30 - {int(n)}",  # noqa: S608 - a number of this file
    )
    bare = Database.from_url(f"sqlite:///{workspace.database}")
    with bare.session() as session:
        rebuild_votes(session)
    bare.engine.dispose()


def append_by_hand(workspace: Workspace) -> None:
    bare = Database.from_url(f"sqlite:///{workspace.database}")
    grade(bare, 1)
    bare.engine.dispose()


def swap_objects(workspace: Workspace) -> None:
    edit(
        workspace,
        "UPDATE candidate SET object_id = 'swap' WHERE id = 1",
        "UPDATE candidate SET object_id = (SELECT 'o0') WHERE id = 2",
        "UPDATE candidate SET object_id = 'o1' WHERE id = 1",
    )


def sql(*statements: str) -> Callable[[Workspace], None]:
    return lambda workspace: edit(workspace, *statements)


TAMPERINGS: dict[str, tuple[Callable[[Workspace], object], str]] = {
    "last ten deleted": (lambda w: delete_last(w, 10), "20 events, fewer than the 30"),
    "last one deleted": (lambda w: delete_last(w, 1), "29 events, fewer than the 30"),
    "all deleted": (lambda w: delete_last(w, 30), "0 events, fewer than the 30"),
    "all deleted with the seal": (
        lambda w: (delete_last(w, 30), edit(w, "DELETE FROM log_seal")),
        "has no seal",
    ),
    "grade edited": (sql("UPDATE label_event SET grade = 'X' WHERE id = 7"), "event 7 .* changed"),
    "grade edited, hashes made anew": (edit_and_recompute, "not those that were sealed"),
    "event appended without the key": (append_by_hand, "31 events, more than the 30"),
    "all votes edited": (sql("UPDATE vote SET grade = 'X', is_lens = 0"), "vote of grader"),
    "all votes deleted": (sql("DELETE FROM vote"), "is missing"),
    "vote invented": (
        sql("INSERT INTO vote SELECT 15, grader_id, event_id, session_id, scheme, grade, is_lens, "
            "p_lens, reject_reason, at FROM vote LIMIT 1"),
        "candidate 15 does not follow",
    ),
    "grader renamed": (
        sql("UPDATE grader SET name = 'Eve' WHERE name = 'Ana'"),
        "Grader 2 .*'Eve'",
    ),
    "role changed": (sql("UPDATE grader SET role = 'organiser' WHERE name = 'Bo'"), "Grader 3"),
    "deactivated": (
        sql("UPDATE grader SET deactivated_at = created_at WHERE name = 'Bo'"), "Grader 3"
    ),
    "organizer invented": (
        sql("INSERT INTO grader (name, role, preferences, created_at, skeleton) "
            "VALUES ('Eve', 'organiser', '{}', '2026-01-01', 'eve')"),
        "Grader 4 .* not there when",
    ),
    "objects swapped": (swap_objects, "Candidate 1 .*'o1' now"),
    "catalog renamed": (sql("UPDATE catalog SET name = 'other'"), "Candidate 1 .*'other'"),
    "list of identities edited": (
        sql("UPDATE grader SET name = 'Eve' WHERE name = 'Ana'",
            "UPDATE sealed_identity SET identity = replace(identity, 'Ana', 'Eve')"),
        "list of graders, objects and sessions",
    ),
    "session closed": (
        sql("UPDATE label_session SET status = 'closed', closed_at = '2026-05-01'"),
        "session .*'first' / 'open' when .*'first' / 'closed' now",
    ),
    "closing moved": (
        sql("UPDATE label_session SET closed_at = '2026-05-01'"), "'open' has other conditions"
    ),
    "scheme of a session edited": (
        sql("UPDATE label_session SET scheme = replace(scheme, 'A', 'B')"), "other conditions"
    ),
    "session made blind": (
        sql("UPDATE label_session SET options = replace(options, 'true', 'false')"),
        "other conditions",
    ),
    "session of somebody else": (sql("UPDATE label_session SET created_by = 2"), "session"),
    "session removed": (
        sql("DELETE FROM session_item", "DELETE FROM label_session"), "not there now"
    ),
    "sessions unsealed": (
        sql("DELETE FROM sealed_identity WHERE kind = 'sessions'"), "list of graders, objects"
    ),
    "seal edited": (sql("UPDATE log_seal SET n_events = 20"), "seal of the log was changed"),
    "seal removed": (sql("DELETE FROM log_seal"), "has no seal"),
    "note invented": (
        sql("INSERT INTO log_note (kind, event_id, details, made_by, made_at) "
            "VALUES ('restore', NULL, '{}', 'eve', '2026-01-01')"),
        "notes on the log",
    ),
    "anchor removed": (lambda w: (w.root / FILE).unlink(), "is missing"),
    "anchor edited": (
        lambda w: (w.root / FILE).write_text((w.root / FILE).read_text().replace(": 30", ": 20")),
        "was changed",
    ),
}  # fmt: skip


@pytest.mark.attack("tampering with the log of grades")
def test_every_tampering_is_found(attack, workspace, database):
    assert sealed_log.check(workspace, database).n_events == 30
    database.engine.dispose()  # one file, complete in itself
    kept = workspace.root.with_name("kept")
    shutil.copytree(workspace.root, kept)
    for name, (tamper, words) in TAMPERINGS.items():
        shutil.rmtree(workspace.root)
        shutil.copytree(kept, workspace.root)
        _open.cache_clear()
        tamper(workspace)
        again = open_database(workspace)
        with attack.case(name):
            with pytest.raises(WorkspaceError, match=words) as found:
                sealed_log.check(workspace, again)
            raise found.value
        again.engine.dispose()
    assert attack.refused == len(TAMPERINGS)


def test_a_grade_that_follows_seals_no_tampering(workspace, database):
    edit_and_recompute(workspace)
    grade(database, 5, first=30)
    with pytest.raises(WorkspaceError, match="35 events, more than the 30"):
        sealed_log.check(workspace, database)


@pytest.mark.attack("random pages of the database overwritten")
def test_random_pages_overwritten_are_found(attack, workspace, database):
    database.engine.dispose()
    pages, whole = workspace.database.stat().st_size // 4096, workspace.database.read_bytes()
    for seed in seeds(20):
        rng = random.Random(seed)
        damaged = bytearray(whole)
        for page in rng.sample(range(1, pages), 3):
            damaged[page * 4096 : (page + 1) * 4096] = rng.randbytes(4096)
        workspace.database.write_bytes(damaged)
        _open.cache_clear()
        with attack.case(seed):
            again = open_database(workspace)
            sealed_log.check(workspace, again)
            attack.accepted.append(f"{seed}: not found")
        again.engine.dispose()


def test_an_older_copy_is_known_for_one_and_can_be_accepted(workspace, database):
    copy = backup_database(workspace).path
    grade(database, 6, first=30)
    sealed_log.check(workspace, database)
    database.engine.dispose()
    for suffix in ("-wal", "-shm"):
        Path(f"{workspace.database}{suffix}").unlink(missing_ok=True)
    shutil.copyfile(copy, workspace.database)
    older = "older than its anchor: that knows of 36 events .* database of 30"
    with pytest.raises(WorkspaceError, match=older):
        sealed_log.check(workspace, database)
    grade(database, 9, first=40)  # however many follow, the anchor does not forget
    with pytest.raises(WorkspaceError, match="older than its anchor"):
        sealed_log.check(workspace, database)
    sealed_log.accept_restore(workspace, database)
    assert sealed_log.check(workspace, database).n_events == 39
    grade(database, 1)
    assert sealed_log.check(workspace, database).n_events == 40


def test_what_the_program_changes_is_in_order(workspace, database):
    with database.session() as session:
        ana = grader_named(session, "Ana")
        set_role(session, ana.id, "organizer")
        ana.name = "Anna"
    assert sealed_log.check(workspace, database).n_events == 30
    with database.session() as session:
        set_active(session, grader_named(session, "Bo").id, active=False)
    with database.session() as session:
        grader_named(session, "Cy")
    assert sealed_log.check(workspace, database).n_events == 30
    with database.session() as session:
        made = create_session(session, NewSession("second", [QueueEntry(2, "rank 1")], {}), None)
        key = made.id
    assert sealed_log.check(workspace, database).n_events == 30
    for reopen in (False, True, False):
        with database.session() as session:
            close_session(session, key, reopen=reopen)
        assert sealed_log.check(workspace, database).n_events == 30


def test_sessions_of_a_log_that_was_sealed_without_them_are_sealed_with_the_next_grade(
    workspace, database
):
    anchor = anchor_of(workspace)
    with database.session() as session:  # as an earlier version left it
        seal = stored_seal(session)
        sealed = session.get_one(SealedIdentity, SESSIONS)
        gone = int(digest_of(anchor.key, {SESSIONS: sealed.identity}), 16)
        session.delete(sealed)
        left = f"{(int(seal.identities, 16) - gone) % 2**256:064x}"
        older = replace(seal, identities=left).signed(anchor.key)
        values = {k: v for k, v in asdict(older).items() if k != "diverged"}
        session.execute(sa.update(LogSeal).values(values))
    anchor.replace(older)
    assert sealed_log.check(workspace, database).n_events == 30
    grade(database, 1)
    edit(workspace, "UPDATE label_session SET closed_at = '2026-05-01'")
    with pytest.raises(WorkspaceError, match="Labeling session"):
        sealed_log.check(workspace, database)


def test_two_processes_that_grade_at_once_leave_a_whole_log(workspace, database):
    database.engine.dispose()
    context = multiprocessing.get_context("spawn")
    both = [
        context.Process(target=grade_in_a_process, args=(workspace.root, name, 40))
        for name in ("Ana", "Bo")
    ]
    for process in both:
        process.start()
    for process in both:
        process.join(120)
    assert [process.exitcode for process in both] == [0, 0]
    report = sealed_log.check(workspace, open_database(workspace))
    assert report.n_events == 110
    with open_database(workspace).session() as session:
        assert anchor_of(workspace).read() == stored_seal(session)


def test_what_was_rolled_back_leaves_no_seal(workspace, database):
    def fail() -> None:
        with database.session() as session:
            grader_named(session, "Dee")
            event = NewEvent(str(uuid4()), "grade", 1, 1, "abcx", AT, grade="A")
            append_events(session, [event])
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert sealed_log.check(workspace, database).n_events == 30


def test_an_anchor_that_lags_after_a_crash_is_in_order(workspace, database):
    lagging = (workspace.root / FILE).read_bytes()
    grade(database, 3)
    (workspace.root / FILE).write_bytes(lagging)
    assert sealed_log.check(workspace, database).n_events == 33
    grade(database, 1)
    assert b'"n_events": 34' in (workspace.root / FILE).read_bytes()


def test_a_log_from_before_seals_is_sealed_once_it_was_checked(workspace, database):
    edit(workspace, "DELETE FROM log_seal", "DELETE FROM sealed_identity")
    (workspace.root / FILE).unlink()
    grade(database, 1)  # grading goes on, and seals nothing that nobody checked
    with pytest.raises(WorkspaceError, match="31 events has no seal"):
        sealed_log.check(workspace, database)
    sealed_log.seal(workspace, database)
    assert sealed_log.check(workspace, database).n_events == 31
    with pytest.raises(WorkspaceError, match="has a seal"):
        sealed_log.seal(workspace, database)
    edit(workspace, "UPDATE grader SET name = 'Eve' WHERE name = 'Ana'")
    with pytest.raises(WorkspaceError, match="Eve"):
        sealed_log.check(workspace, database)
    sealed_log.seal(workspace, database, anyway=True)
    assert sealed_log.check(workspace, database).n_events == 31


def test_a_check_amid_grading_is_no_false_alarm(workspace, database):
    with ThreadPoolExecutor(3) as pool:
        writers = [pool.submit(grade, database, 12, first) for first in (30, 50, 70)]
        checked = []
        while not all(writer.done() for writer in writers):
            checked.append(sealed_log.check(workspace, database).n_events)
        for writer in writers:
            writer.result()
    assert checked == sorted(checked)
    assert sealed_log.check(workspace, database).n_events == 66


def test_the_commands_say_what_is_wrong_and_accept_a_backup(workspace, database):
    run = CliRunner().invoke
    root = str(workspace.root)
    assert "30 label events, unbroken and sealed" in run(db, ["verify", root]).output
    backup_database(workspace)
    grade(database, 2, first=30)
    release(database)
    restored = run(db, ["restore", root])
    assert "holds 30 events and is valid" in restored.output, restored.output
    assert run(db, ["verify", root]).exit_code == 0
    edit(workspace, "UPDATE grader SET role = 'organiser' WHERE name = 'Bo'")
    failed = run(db, ["verify", root])
    assert "Grader 3 was changed" in str(failed.exception)
    assert run(db, ["seal", root]).exit_code != 0
    assert "30 label events sealed" in run(db, ["seal", "--anyway", root]).output
    assert "0 of 30 label events" in run(db, ["repair", root]).output
