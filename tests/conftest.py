"""Fixtures that every test may use."""

from __future__ import annotations

import multiprocessing
import os
import shutil
import sys
from collections.abc import Iterator
from multiprocessing import forkserver
from pathlib import Path

import pytest
from hypothesis import settings

from lensing_core.store import Database
from lensing_core.workspace import Workspace

sys.path.insert(0, str(Path(__file__).parent / "support"))
from filling import fill_workspace
from postgresql import fresh_database, running_server

# What is forked from one process has these imported already, whichever test comes first: servers of
# pages, helpers that read files, simulations. The first to start the fork server would else decide.
_FORKED = (
    *("lens_triage.app.main", "lens_triage.app.cli", "lens_triage.app.front.main"),
    *("lensing_core.ingest.decoding", "lensing_core.ingest.fits_sources"),
    *("lensing_core.ingest.mosaics", "lensing_core.ingest.stacks"),
    *("lensing_core.ingest.pictures", "lensing_core.ingest.planning", "lensing_core.features.pool"),
    "lens_triage.training.jobs.simulate",
)


def pytest_sessionstart(session: pytest.Session) -> None:
    """Start the fork server, which imports beside the first tests."""
    if not session.config.option.collectonly and _runs_tests(session.config):
        multiprocessing.get_context("forkserver").set_forkserver_preload([*_FORKED])
        forkserver.ensure_running()


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


@pytest.fixture
def workspace(tmp_path: Path, empty_database: Path) -> Workspace:
    """A fresh, empty workspace."""
    made = Workspace.create(tmp_path / "workspace")
    shutil.copyfile(empty_database, made.database)
    return made


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[str]:
    """URL of a real PostgreSQL server, started for the tests."""
    with running_server() as url:
        yield url


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


@pytest.fixture
def filled_workspace(workspace: Workspace) -> Workspace:
    """A workspace with catalogs, quarantined rows, an ensemble, scores and past runs."""
    return fill_workspace(workspace)
