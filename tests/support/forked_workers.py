"""Workers of runs, forked from a process that has imported what jobs import.

For tests of the browser. A worker that begins from nothing imports PyTorch, Lightning and LightGBM
first, which takes seconds; a fork takes none. All else is alike: a session of its own, the
run's lock handed on, output in the run's file. The first worker that is asked for starts the
process that forks; it ends with the process of the tests. Helpers of workers, which read files or
simulate, are forked from the fork server of the tests. ``tests/training/runner`` and
``tests/test_wheel.py`` start workers as the program does.
"""

from __future__ import annotations

import fcntl
import json
import os
import select
import signal
import socket
import subprocess
import sys
import traceback
from importlib import import_module
from multiprocessing import forkserver
from pathlib import Path
from typing import IO, Any

from lens_triage.training.runner import runner
from lensing_core.workspace import Workspace

_ADDRESS = "LENS_TRIAGE_TEST_WORKERS"
_OWNER = "LENS_TRIAGE_TEST_OWNER"
_FORK_SERVER = "LENS_TRIAGE_TEST_FORK_SERVER"
_WHEN_NEEDED = ("lens_triage.training.runner.worker", "lensing_core.models.deep")
FORKED = (_ADDRESS, _OWNER)
_JOBS = ("train", "score", "retrain", "simulate", "ingest", "inject", "search", "crossmatch")
_OWNER_LOOKED_AFTER_S = 1.0
_SHARED: Any = forkserver._forkserver  # its attributes are not typed
_begun: list[subprocess.Popen[bytes]] = []


def address_of(folder: Path) -> dict[str, str]:
    """Variables of the environment by which processes know that they fork workers, and where.

    Parameters
    ----------
    folder : Path
        Of the socket; short, as addresses of Unix sockets are.
    """
    return {_ADDRESS: str(folder / "workers"), _OWNER: str(os.getpid())}


def take_over() -> None:
    """Fork the workers that this process asks for, if its environment says so."""
    if _ADDRESS in os.environ:
        runner.start_process = start_process


def share_fork_server() -> None:
    """Start helper processes by the fork server that this process was forked from.

    It has imported what helpers need; a fork server of this process' own would import it again.
    """
    _SHARED.ensure_running = lambda: None


def start_process(workspace: Workspace, run_id: str, lock: int, output: IO[bytes]) -> int:
    """Return the process id of a forked worker."""
    request = json.dumps(
        {"root": str(workspace.root), "run": run_id, "environment": dict(os.environ)}
    ).encode()
    with _connect() as connection:
        socket.send_fds(connection, [b"%8d" % len(request)], [lock, output.fileno()])
        connection.sendall(request)
        return int(connection.makefile().readline())


def _connect() -> socket.socket:
    connection = socket.socket(socket.AF_UNIX)
    address = os.environ[_ADDRESS]
    with Path(f"{address}.lock").open("w") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        try:
            connection.connect(address)
        except OSError:
            _begin()
            connection.connect(address)
    return connection


def _begin() -> None:
    """Start the process that forks, and wait until it has imported all."""
    alive, address = _SHARED._forkserver_alive_fd, _SHARED._forkserver_address
    assert isinstance(alive, int)
    process = subprocess.Popen(
        [sys.executable, "-m", "forked_workers"],
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
            _FORK_SERVER: f"{alive} {address}",
        },
        pass_fds=[alive],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        start_new_session=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"
    _begun.append(process)  # it goes on


def main() -> None:
    """Import what jobs import, then fork a worker for each request until the tests have ended."""
    for kind in _JOBS:
        import_module(f"lens_triage.training.jobs.{kind}")
    for module in _WHEN_NEEDED:
        import_module(module)

    take_over()
    alive, _, address = os.environ[_FORK_SERVER].partition(" ")
    _SHARED._forkserver_alive_fd = int(alive)
    _SHARED._forkserver_address = address
    share_fork_server()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # ended workers leave nothing behind
    with socket.socket(socket.AF_UNIX) as listener:
        Path(os.environ[_ADDRESS]).unlink(missing_ok=True)  # of one that was killed
        listener.bind(os.environ[_ADDRESS])
        listener.listen()
        os.write(1, b"ready\n")
        while _lives(int(os.environ[_OWNER])):
            if select.select([listener], [], [], _OWNER_LOOKED_AFTER_S)[0]:
                _answer(listener)


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def _answer(listener: socket.socket) -> None:
    connection, _ = listener.accept()
    with connection:
        length, (lock, output), _, _ = socket.recv_fds(connection, 8, 2)
        request = json.loads(connection.makefile("rb").read(int(length)))
        pid = os.fork()
        if pid == 0:
            listener.close()
            connection.close()
            _work(request, lock, output)
        os.close(lock)
        os.close(output)
        connection.sendall(f"{pid}\n".encode())


def _work(request: dict[str, Any], lock: int, output: int) -> None:
    """Be the worker, and end."""
    from lens_triage.training.runner import worker

    status = 1
    try:
        os.setsid()
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.dup2(output, 1)
        os.dup2(output, 2)
        os.environ.clear()
        os.environ.update(request["environment"])
        status = worker.main([request["root"], request["run"], str(lock)])
    except BaseException:  # noqa: BLE001 - printed, as an interpreter does
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


if __name__ == "__main__":
    main()
