"""What must hold before a workspace is served."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import uuid4

import pytest
import sqlalchemy as sa

from lensing_core.errors import WorkspaceError
from lensing_core.store import database, file_systems, open_database, sealed_log
from lensing_core.store.labels import NewEvent, append_events, grader_named
from lensing_core.store.serving import serving
from lensing_core.store.tables import Candidate
from lensing_core.workspace import Workspace

ON_BOTH_DATABASES = True


@pytest.fixture
def graded(filled_workspace):
    """A workspace with three grades."""
    with open_database(filled_workspace).session() as session:
        ana = grader_named(session, "Ana").id
        for key in session.scalars(sa.select(Candidate.id).limit(3)).all():
            given = (str(uuid4()), "grade", ana, key, "abcx", datetime.now(UTC))
            append_events(session, [NewEvent(*given, grade="A", is_lens=1)])
    return filled_workspace


def run(workspace, *statements: str) -> None:
    with open_database(workspace).engine.begin() as connection:
        for statement in statements:
            connection.execute(sa.text(statement))


def test_one_server_at_a_time(graded):
    with (
        serving(graded),
        pytest.raises(WorkspaceError, match=r"is served already, by process \d+ on"),
        serving(graded),
    ):
        pass
    with serving(graded):  # the one before has ended
        pass
    if graded.database_url_file.is_file():  # the same database from the folder of another machine
        other = Workspace.create(graded.root.with_name("other"))
        other.database_url_file.write_text(graded.database_url_file.read_text())
        with (
            serving(graded),
            pytest.raises(WorkspaceError, match="by a lens-triage on another machine"),
            serving(other),
        ):
            pass
        open_database(other).engine.dispose()


CUT = ("DELETE FROM vote", "DELETE FROM label_event WHERE id = 3")


def test_a_tail_that_was_cut_is_noticed_and_a_restore_can_be_accepted(graded):
    run(graded, *CUT)
    with pytest.raises(WorkspaceError, match="2 events, fewer than the 3"), serving(graded):
        pass
    seal = "UPDATE log_seal SET n_events = 2, serial = serial - 1"
    run(graded, seal)
    with pytest.raises(WorkspaceError, match="seal of the log was changed"), serving(graded):
        pass


def test_the_last_events_are_walked(graded):
    run(graded, "UPDATE label_event SET grade = 'X' WHERE id = 2")
    with pytest.raises(WorkspaceError, match=r"event 2 .* was changed"), serving(graded):
        pass


@pytest.mark.sqlite
def test_an_older_database_put_back_by_hand_is_noticed(graded):
    open_database(graded).engine.dispose()
    before = graded.database.read_bytes()
    with open_database(graded).session() as session:
        ana = grader_named(session, "Ana").id
        given = (str(uuid4()), "grade", ana, 5, "abcx", datetime.now(UTC))
        append_events(session, [NewEvent(*given, grade="A", is_lens=1)])
    open_database(graded).engine.dispose()
    graded.database.write_bytes(before)
    with pytest.raises(WorkspaceError, match=r"older than its anchor.*4 events"), serving(graded):
        pass
    sealed_log.accept_restore(graded, open_database(graded))
    with serving(graded):
        pass


@pytest.mark.sqlite
def test_damaged_pages_are_noticed(graded):
    open_database(graded).engine.dispose()
    database._open.cache_clear()
    with graded.database.open("rb+") as file:
        file.seek(4096 * 30)
        file.write(b"\xff" * 4096 * 4)
    with pytest.raises(WorkspaceError, match="database is damaged"), serving(graded):
        pass


@pytest.mark.sqlite
def test_network_file_systems_are_refused(tmp_path, graded, monkeypatch):
    mounts = tmp_path / "mountinfo"
    monkeypatch.setattr(file_systems, "_MOUNTS", mounts)

    def mount(kind: str, place) -> None:
        name = str(place).replace(" ", r"\040")
        rows = [
            "22 1 8:1 / / rw shared:1 - ext4 /dev/vda rw",
            f"40 22 0:4 / {name} rw shared:9 - {kind} server:/x rw",
        ]
        mounts.write_text("\n".join(rows))

    mount("nfs4", graded.root.parent)
    with (
        pytest.raises(WorkspaceError, match=r"network file system \(nfs4\).*db copy"),
        serving(graded),
    ):
        pass
    shared = tmp_path / "a share"
    mount("cifs", shared)
    with pytest.raises(WorkspaceError, match=r"network file system \(cifs\)"):
        open_database(Workspace.create(shared / "new"))
    assert not (shared / "new" / "triage.sqlite").exists()
    mount("xfs", shared)
    with serving(graded):
        pass
