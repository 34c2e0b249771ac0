from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta, timezone

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from lensing_core.errors import NotFoundError, WorkspaceError
from lensing_core.store.catalogs import catalog_names, find_catalog
from lensing_core.store.database import Database, _open, open_database
from lensing_core.store.tables import Base, Candidate, Run, SurveyRow
from lensing_core.workspace import Workspace


@pytest.fixture
def database(workspace) -> Database:
    return open_database(workspace)


def test_migrations_make_what_the_tables_declare(database):
    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []


def test_every_table_is_explained():
    for mapper in Base.registry.mappers:
        assert mapper.class_.__doc__, mapper.class_


def test_sqlite_is_durable_and_keeps_references(database):
    with database.engine.connect() as connection:
        pragma = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys")
        }
    assert pragma == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}
    with pytest.raises(sa.exc.IntegrityError), database.session() as session:
        session.add(Candidate(catalog_id=99, object_id="x", cutout_index=0, cutout_sha256=""))


def test_a_failed_block_leaves_nothing(database):
    def fail() -> None:
        with database.session() as session:
            session.add(SurveyRow(name="hsc", definition={}))
            session.flush()
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    with database.session() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(SurveyRow)) == 0


def test_times_come_back_aware_and_in_utc(database):
    at = datetime(2026, 5, 1, 12, tzinfo=timezone(timedelta(hours=2)))
    with database.session() as session:
        session.add(Run(id="r", kind="train", title="t", settings={}, started_at=at))
    with database.session() as session:
        run = session.get_one(Run, "r")
    assert run.started_at == at
    assert run.started_at.tzinfo is UTC
    with pytest.raises(sa.exc.StatementError), database.session() as session:
        session.add(
            Run(id="s", kind="train", title="t", settings={}, started_at=datetime(2026, 5, 1))
        )


def test_a_newer_database_is_left_alone(workspace, database):
    with database.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = 'zzzz'")
    with pytest.raises(WorkspaceError, match="newer lens-triage"):
        Database.from_url(f"sqlite:///{workspace.database}")


def test_a_new_workspace_that_many_open_at_once_is_made_once(tmp_path):
    workspace = Workspace.create(tmp_path / "new")
    together = threading.Barrier(4)

    def begin(_: int) -> str:
        together.wait()
        opened = _open.__wrapped__(workspace, "")  # as another process does: nothing is kept
        try:
            with opened.session() as session:
                return session.execute(
                    sa.text("SELECT version_num FROM alembic_version")
                ).scalar_one()
        finally:
            opened.engine.dispose()

    with ThreadPoolExecutor(4) as pool:
        assert len(set(pool.map(begin, range(4)))) == 1


def test_a_question_has_a_session_of_its_own(workspace):
    database = open_database(workspace)
    assert database.ask(catalog_names) == {}
    with pytest.raises(NotFoundError, match="no catalog nowhere"):
        database.ask(find_catalog, name="nowhere")
