"""A real PostgreSQL server for tests, and a fresh database on it for each."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import pytest
import sqlalchemy as sa


def _program(name: str) -> str | None:
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return shutil.which(name, path=os.pathsep.join([os.environ["PATH"], *map(str, folders)]))


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running_server(*, durable: bool = False) -> Iterator[str]:
    """Start a server, give the URL of its first database, and stop it; skip where there is none.

    Unless it is ``durable``, it does not wait for the disk: it lives as long as the tests.
    """
    initdb, pg_ctl = _program("initdb"), _program("pg_ctl")
    if initdb is None or pg_ctl is None:
        pytest.skip("no PostgreSQL server programs here (Debian: apt install postgresql)")
    # A folder that another user may own: those of pytest lie in folders of this user alone.
    with tempfile.TemporaryDirectory(prefix="lens-triage-postgres-") as name:
        folder = Path(name)
        as_user: list[str] = []
        if os.geteuid() == 0:  # the server refuses to run as root
            shutil.chown(folder, "postgres")
            as_user = ["runuser", "-u", "postgres", "--"]
        data, port = folder / "data", _free_port()

        def run(*command: str | Path) -> None:
            subprocess.run([*as_user, *command], check=True, capture_output=True, cwd=folder)

        run(
            initdb,
            "-D",
            data,
            "-A",
            "trust",
            "-U",
            "triage",
            "--no-sync",
            "--locale-provider=icu",
            "--icu-locale=en-US",
        )
        options = f"-h 127.0.0.1 -p {port} -k {folder}"
        if not durable:
            options += " -c fsync=off -c synchronous_commit=off"
        run(pg_ctl, "-D", data, "-w", "-l", folder / "log", "-o", options, "start")
        try:
            yield f"postgresql+psycopg://triage@127.0.0.1:{port}/postgres"
        finally:
            run(pg_ctl, "-D", data, "-m", "immediate", "stop")


def fresh_database(server_url: str, template: str = "template1") -> str:
    """URL of a new database of a server: an empty one, or a copy of another."""
    name = f"triage_{uuid4().hex}"
    _tell(server_url, f"CREATE DATABASE {name} TEMPLATE {template}")
    return server_url.rpartition("/")[0] + f"/{name}"


def drop_database(url: str) -> None:
    """Remove a database, whoever still holds a connection to it."""
    server_url, _, name = url.rpartition("/")
    _tell(f"{server_url}/postgres", f"DROP DATABASE {name} WITH (FORCE)")


def _tell(server_url: str, statement: str) -> None:
    engine = sa.create_engine(server_url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.exec_driver_sql(statement)
    engine.dispose()
