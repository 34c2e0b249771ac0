from __future__ import annotations

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta, timezone

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from lensing_core.errors import NotFoundError, WorkspaceError
from lensing_core.store.catalogs import catalog_names, find_catalog
from lensing_core.store.database import Database, _alembic_config, _open, open_database
from lensing_core.store.graders import sign_in
from lensing_core.store.ranking import Range, RankingQuery
from lensing_core.store.sealing import identities_of_graders
from lensing_core.store.tables import Base, Candidate, Run, SavedFilter, SurveyRow
from lensing_core.workspace import Workspace

ON_BOTH_DATABASES = True


@pytest.fixture
def database(workspace) -> Database:
    return open_database(workspace)


def test_migrations_make_what_the_tables_declare(database):
    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []


def test_older_spellings_are_renamed_and_the_seal_of_roles_stays(workspace, database):
    with database.session() as session:
        ana = sign_in(session, "Ana")
        assert ana.role == "organizer"
        settings = {"labeled": False, "n_objects": 5}
        session.add(Run(id="r", kind="simulate", title="t", settings=settings))
        query = {"label": "unlabeled", "ranges": [["arc_color", None, 1.0]]}
        session.add(SavedFilter(name="blue", grader_id=None, query=query))

    def plain(sql: str):
        with database.engine.connect() as connection:
            return connection.exec_driver_sql(sql).scalar()

    config = _alembic_config(database.engine)
    command.downgrade(config, "0011")
    assert json.loads(plain("SELECT CAST(settings AS TEXT) FROM run")) == {
        "labelled": False,
        "n_objects": 5,
    }
    assert (
        plain("SELECT count(colour_consistency) + count(arc_galaxy_colour_mag) FROM candidate") == 0
    )
    stored = json.loads(plain("SELECT CAST(query AS TEXT) FROM saved_filter"))
    assert stored == {"label": "unlabelled", "ranges": [["arc_colour", None, 1.0]]}
    assert plain("SELECT role FROM grader") == "organiser"
    command.upgrade(config, "head")
    assert json.loads(plain("SELECT CAST(settings AS TEXT) FROM run")) == settings
    assert json.loads(plain("SELECT CAST(query AS TEXT) FROM saved_filter")) == query
    assert plain("SELECT role FROM grader") == "organiser"
    with database.session() as session:
        assert identities_of_graders(session) == {("grader", 1): '["Ana", "organiser"]'}
        assert RankingQuery(sort="object_id", label="unlabelled").label == "unlabeled"
        assert Range("arc_colour", None, 1.0) == Range("arc_color", None, 1.0)


def test_every_table_is_explained():
    for mapper in Base.registry.mappers:
        assert mapper.class_.__doc__, mapper.class_


@pytest.mark.sqlite
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
        Database.from_url(database.engine.url.render_as_string(hide_password=False))


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
