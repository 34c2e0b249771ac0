"""Context of a job function: progress, curves, log, and requests to stop."""

from __future__ import annotations

import logging
import threading
import time
from typing import Any

from lensing_core.store import open_database
from lensing_core.store.run_queue import add_log, add_metric, record_heartbeat
from lensing_core.workspace import Workspace

HEARTBEAT_S = 2.0
_log = logging.getLogger(__name__)


class Cancelled(Exception):
    """Raised inside a job whose user asked it to stop; the runner catches it."""


class Superseded(Exception):
    """Raised inside a job whose run was begun again by another worker; the runner catches it."""


class JobContext:
    """Handed to every job function.

    Parameters
    ----------
    workspace : Workspace
    run_id : str
    attempt : int
        1 at the first start, more after a resume.
    """

    def __init__(self, workspace: Workspace, run_id: str, attempt: int = 1) -> None:
        self.workspace = workspace
        self.run_id = run_id
        self.attempt = attempt
        self._database = open_database(workspace)
        self._progress: dict[str, Any] = {}
        self._last_write = 0.0
        self._cancel = threading.Event()
        self._superseded = threading.Event()
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._heart: threading.Thread | None = None

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle for another process of the run: a context without a heartbeat."""
        return type(self), (self.workspace, self.run_id, self.attempt)

    @property
    def folder(self) -> Any:
        """The run's own folder in the workspace, made when first asked for."""
        path = self.workspace.runs / self.run_id
        path.mkdir(parents=True, exist_ok=True)
        return path

    def progress(self, done: int, total: int | None = None, activity: str | None = None) -> None:
        """Say how far the work is; call as often as is handy, written a few times a second.

        Raises
        ------
        Cancelled
            If the user asked the run to stop.
        """
        with self._lock:
            self._progress["done"] = done
            if total is not None:
                self._progress["total"] = total
            if activity is not None:
                self._progress["activity"] = activity
        if activity is not None or time.monotonic() - self._last_write > 0.3:
            self._beat()
        self.check_cancelled()

    def metric(self, name: str, value: float, step: int, member: str = "") -> None:
        """Add one point to a curve."""
        with self._database.session() as session:
            add_metric(session, self.run_id, name, float(value), step, member)

    def log(self, message: str, level: str = "info") -> None:
        """Add a line to the run's log."""
        _log.log(getattr(logging, level.upper()), message)
        with self._database.session() as session:
            add_log(session, self.run_id, message, level)

    def check_cancelled(self) -> None:
        """Raise :class:`Cancelled` if the user asked the run to stop."""
        if self._superseded.is_set():
            raise Superseded
        if self._cancel.is_set():
            raise Cancelled

    # The worker starts and stops the heart; job functions have no need to.
    def _beat(self) -> None:
        with self._lock:
            values, self._progress = self._progress, {}
            self._last_write = time.monotonic()
        with self._database.session() as session:
            cancel = record_heartbeat(session, self.run_id, self.attempt, **values)
        if cancel is None:
            self._superseded.set()
        elif cancel:
            self._cancel.set()

    def start_heart(self) -> None:
        """Beat in the background until :meth:`stop_heart`."""

        def beat() -> None:
            while not self._stop.wait(HEARTBEAT_S):
                try:
                    self._beat()
                except Exception as error:  # noqa: BLE001 - logged; the next beat may do better
                    _log.warning("The heartbeat could not be written: %s", error)

        self._heart = threading.Thread(target=beat, name="heartbeat", daemon=True)
        self._heart.start()

    def stop_heart(self) -> None:
        """Write the last progress and stop beating."""
        self._stop.set()
        if self._heart is not None:
            self._heart.join()
        try:
            self._beat()
        except Exception as error:  # noqa: BLE001 - logged; the run's end is written after it
            _log.warning("The last progress could not be written: %s", error)
        if self._superseded.is_set():
            raise Superseded
