"""Fixtures that every test may use."""

from __future__ import annotations

import gc
import itertools
import multiprocessing
import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import forkserver
from pathlib import Path

import pytest
from hypothesis import settings

from lensing_core.store import Database, open_database
from lensing_core.workspace import Workspace

sys.path.insert(0, str(Path(__file__).parent / "support"))
from filling import fill_workspace
from low_files import keep_low_files
from postgresql import drop_database, fresh_database, running_server

# What is forked from one process has these imported already, whichever test comes first: servers of
# pages, helpers that read files, simulations. The first to start the fork server would else decide.
_FORKED = (
    *("lens_triage.app.main", "lens_triage.app.cli", "lens_triage.app.front.main"),
    *("lensing_core.ingest.decoding", "lensing_core.ingest.fits_sources"),
    *("lensing_core.ingest.mosaics", "lensing_core.ingest.stacks"),
    *("lensing_core.ingest.pictures", "lensing_core.ingest.planning", "lensing_core.features.pool"),
    "lens_triage.training.jobs.simulate",
)

_COLLECT_EVERY = 20
_ended = itertools.count(1)  # tests


def pytest_sessionstart(session: pytest.Session) -> None:
    """Start the fork server, which imports beside the first tests."""
    if not session.config.option.collectonly and _runs_tests(session.config):
        multiprocessing.get_context("forkserver").set_forkserver_preload([*_FORKED])
        forkserver.ensure_running()
        keep_low_files()


def pytest_collection_finish() -> None:
    """Leave what was imported to the end of the process out of each search for garbage.

    Searches are fewer and smaller then; :func:`pytest_runtest_logfinish` asks for them.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 1_000)


def pytest_runtest_logfinish() -> None:
    """Search for garbage now and then: files and sockets in it stay open until it is found.

    What is alive by then (modules that were imported late, what tests share) is left out of the
    next searches, which cost as much as there is to look through.
    """
    if next(_ended) % _COLLECT_EVERY == 0:
        gc.collect()
        gc.freeze()


def _runs_tests(config: pytest.Config) -> bool:
    """Return whether this process runs tests itself: not the one that hands them to workers."""
    return hasattr(config, "workerinput") or not getattr(config.option, "numprocesses", None)


# The same examples on every machine, however slow it is.
settings.register_profile("repository", deadline=None, derandomize=True, max_examples=40)
settings.load_profile("repository")


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database file with all migrations done and nothing in it."""
    path = tmp_path_factory.mktemp("empty") / "triage.sqlite"
    database = Database.from_url(f"sqlite:///{path}")
    database.engine.dispose()  # the last connection brings everything into the one file
    return path


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run the tests of a module that says ``ON_BOTH_DATABASES = True`` on each kind of database.

    Those that ask for no workspace run once, and so do those with the mark ``sqlite``.
    """
    asked = "database_kind" in metafunc.fixturenames
    both = getattr(metafunc.module, "ON_BOTH_DATABASES", False)
    if asked and both and metafunc.definition.get_closest_marker("sqlite") is None:
        kinds = ("sqlite", "postgresql")
        metafunc.parametrize("database_kind", kinds, indirect=True, scope="module")


@pytest.fixture(scope="module")
def database_kind(request: pytest.FixtureRequest) -> str:
    """Kind of the database of ``workspace``: SQLite, but in modules that run on both."""
    return getattr(request, "param", "sqlite")


@pytest.fixture
def workspace(
    tmp_path: Path, database_kind: str, request: pytest.FixtureRequest
) -> Iterator[Workspace]:
    """A fresh, empty workspace."""
    with _copy_of_empty(tmp_path / "workspace", database_kind, request) as made:
        yield made


@pytest.fixture(scope="module")
def module_workspace(
    tmp_path_factory: pytest.TempPathFactory, database_kind: str, request: pytest.FixtureRequest
) -> Iterator[Workspace]:
    """A workspace that the tests of a module share."""
    with _copy_of_empty(tmp_path_factory.mktemp("shared"), database_kind, request) as made:
        yield made


@pytest.fixture
def filled_workspace(
    tmp_path: Path, database_kind: str, request: pytest.FixtureRequest
) -> Iterator[Workspace]:
    """A workspace with catalogs, quarantined rows, an ensemble, scores and past runs."""
    template = request.getfixturevalue(f"filled_on_{database_kind}")
    shutil.copytree(template.root, tmp_path / "workspace")
    made = Workspace(tmp_path / "workspace")
    if database_kind == "sqlite":
        yield made
        return
    name = template.database_url_file.read_text().strip().rpartition("/")[2]
    with _on_server(made, request.getfixturevalue("postgresql_server"), name):
        yield made


@pytest.fixture(scope="session")
def filled_on_sqlite(tmp_path_factory: pytest.TempPathFactory, empty_database: Path) -> Workspace:
    """What filled workspaces are copies of."""
    made = Workspace.create(tmp_path_factory.mktemp("filled") / "workspace")
    shutil.copyfile(empty_database, made.database)
    return _filled(made)


@pytest.fixture(scope="session")
def filled_on_postgresql(
    tmp_path_factory: pytest.TempPathFactory, postgresql_server: str, postgresql_template: str
) -> Workspace:
    """The same on PostgreSQL."""
    made = Workspace.create(tmp_path_factory.mktemp("filled") / "workspace")
    url = fresh_database(postgresql_server, postgresql_template)
    made.database_url_file.write_text(url + "\n")
    return _filled(made)


def _filled(workspace: Workspace) -> Workspace:
    fill_workspace(workspace)
    open_database(workspace).engine.dispose()  # so that it can be copied
    return workspace


@contextmanager
def _copy_of_empty(root: Path, kind: str, request: pytest.FixtureRequest) -> Iterator[Workspace]:
    made = Workspace.create(root)
    if kind == "sqlite":
        shutil.copyfile(request.getfixturevalue("empty_database"), made.database)
        yield made
        return
    server, template = (
        request.getfixturevalue(name) for name in ("postgresql_server", "postgresql_template")
    )
    with _on_server(made, server, template):
        yield made


@contextmanager
def _on_server(workspace: Workspace, server: str, template: str) -> Iterator[None]:
    """Keep a workspace's database on a server, as a copy of another there, for the block."""
    url = fresh_database(server, template)
    workspace.database_url_file.write_text(url + "\n")
    yield
    open_database(workspace).engine.dispose()
    drop_database(url)


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[str]:
    """URL of a real PostgreSQL server, started for the tests."""
    with running_server() as url:
        yield url


@pytest.fixture(scope="session")
def postgresql_template(postgresql_server: str) -> str:
    """Name of a database with all migrations done and nothing in it, to be copied."""
    url = fresh_database(postgresql_server)
    Database.from_url(url).engine.dispose()
    return url.rpartition("/")[2]


@pytest.fixture
def postgresql_url(postgresql_server: str) -> str:
    """URL of a fresh database on a real PostgreSQL server."""
    return fresh_database(postgresql_server)


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real survey data that LENS_TRIAGE_REAL_DATA names."""
    value = os.environ.get("LENS_TRIAGE_REAL_DATA")
    if not value:
        pytest.skip("LENS_TRIAGE_REAL_DATA is not set: no real data to read")
    folder = Path(value).resolve()
    if not folder.is_dir():
        pytest.fail(f"LENS_TRIAGE_REAL_DATA={value}: there is no such folder")
    return folder
