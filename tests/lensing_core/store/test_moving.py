"""Moving a database between its file and a PostgreSQL server."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import uuid4

import pytest
import sqlalchemy as sa

from lensing_core.errors import StorageError, WorkspaceError
from lensing_core.store import Database, database, open_database, sealed_log
from lensing_core.store.labels import NewEvent, append_events, grader_named
from lensing_core.store.moving import move_database
from lensing_core.store.tables import Base, Candidate, Grader

pytestmark = pytest.mark.slow


def close(workspace) -> None:
    """What the end of a process does."""
    open_database(workspace).engine.dispose()
    database._open.cache_clear()


def grade(workspace, n: int) -> None:
    """Ana grades the next ``n`` candidates."""
    with open_database(workspace).session() as session:
        ana = grader_named(session, "Ana").id
        ids = session.scalars(sa.select(Candidate.id).order_by(Candidate.id).limit(n)).all()
        append_events(
            session,
            [
                NewEvent(
                    *(str(uuid4()), "grade", ana, key, "abcx", datetime.now(UTC)),
                    grade="A", is_lens=1, p_lens=0.9, comment="Ångström", view={"q": 1e-7},
                )
                for key in ids
            ],
        )  # fmt: skip


def contents(workspace) -> dict[str, list[tuple]]:
    with open_database(workspace).engine.connect() as connection:
        return {
            table.name: [
                tuple(row)
                for row in connection.execute(sa.select(table).order_by(*table.primary_key))
            ]
            for table in Base.metadata.sorted_tables
        }


def tables_at(url: str) -> list[str]:
    engine = sa.create_engine(url)
    try:
        return sa.inspect(engine).get_table_names()
    finally:
        engine.dispose()


def test_a_workspace_moves_to_a_server_and_back_with_every_row(filled_workspace, postgresql_url):
    grade(filled_workspace, 5)
    before, secret = contents(filled_workspace), (filled_workspace.root / "secret").read_text()
    close(filled_workspace)

    moved = move_database(filled_workspace, postgresql_url)
    assert moved.n_events == 5
    assert moved.n_rows == sum(map(len, before.values()))
    assert not filled_workspace.database.exists()
    assert open_database(filled_workspace).engine.dialect.name == "postgresql"
    assert contents(filled_workspace) == before
    grade(filled_workspace, 3)  # ids go on after those that were copied
    with open_database(filled_workspace).session() as session:
        assert grader_named(session, "Bo").id > grader_named(session, "Ana").id
    on_server = contents(filled_workspace)
    close(filled_workspace)

    back = move_database(filled_workspace, "sqlite")
    assert back.n_events == 8
    assert postgresql_url.rpartition("/")[2] in back.left
    assert not filled_workspace.database_url_file.exists()
    assert contents(filled_workspace) == on_server
    assert sealed_log.check(filled_workspace, open_database(filled_workspace)).n_events == 8
    assert (filled_workspace.root / "secret").read_text() == secret
    assert not list(filled_workspace.root.glob("*.copying*"))


def test_what_cannot_be_copied_leaves_all_as_it_was(filled_workspace, postgresql_url):
    grade(filled_workspace, 2)
    with open_database(filled_workspace).session() as session:
        session.add(Grader(name="no\0name"))  # SQLite takes it, PostgreSQL does not
    before = contents(filled_workspace)
    with pytest.raises(WorkspaceError, match="is in use"):
        move_database(filled_workspace, postgresql_url)
    close(filled_workspace)
    with pytest.raises(StorageError, match=r"Table grader could not be copied: .*Nothing was"):
        move_database(filled_workspace, postgresql_url)
    assert tables_at(postgresql_url) == []
    assert not filled_workspace.database_url_file.exists()
    assert contents(filled_workspace) == before
    close(filled_workspace)
    with pytest.raises(WorkspaceError, match="is there already"):
        move_database(filled_workspace, "sqlite")
    with pytest.raises(WorkspaceError, match="can be moved to"):
        move_database(filled_workspace, "mysql://host/x")


def test_neither_a_broken_log_nor_a_full_target_is_touched(filled_workspace, postgresql_url):
    grade(filled_workspace, 2)
    close(filled_workspace)
    there = Database.from_url(postgresql_url)
    with there.session() as session:
        session.add(Grader(name="Cy"))
    with pytest.raises(WorkspaceError, match="holds a workspace already"):
        move_database(filled_workspace, postgresql_url)
    with there.session() as session:
        assert session.scalars(sa.select(Grader.name)).all() == ["Cy"]
        session.execute(sa.delete(Grader))
    there.engine.dispose()
    with open_database(filled_workspace).engine.begin() as connection:
        connection.execute(sa.text("UPDATE label_event SET grade = 'X' WHERE id = 2"))
    close(filled_workspace)
    with pytest.raises(WorkspaceError, match=r"event 2 .* was changed"):
        move_database(filled_workspace, postgresql_url)
    assert not filled_workspace.database_url_file.exists()
