"""The process of one run.

``python -m lens_triage.training.runner.worker WORKSPACE RUN_ID [LOCK]``
"""

from __future__ import annotations

import logging
import sys
import time
import traceback
from typing import Any

from lens_triage.training.checks import check_run
from lens_triage.training.runner.context import Cancelled, JobContext, Superseded
from lens_triage.training.runner.lock import worker_lock
from lens_triage.training.runner.registry import job_function
from lens_triage.training.runner.runner import advance
from lens_triage.training.settings import SETTINGS
from lensing_core.errors import LensTriageError, traceback_in
from lensing_core.private_files import keep_private_from_now_on
from lensing_core.store import Database, open_database
from lensing_core.store.failures import DATABASE_ERRORS, kind_of_failure, sentence_of
from lensing_core.store.removals import finish_removals
from lensing_core.store.run_locks import lock_in_database
from lensing_core.store.run_queue import find_run, record_end
from lensing_core.workspace import Workspace

_FINISH_TRIES = 20
_FINISH_PAUSE_S = 1.0
_log = logging.getLogger(__name__)


def work(workspace: Workspace, run_id: str, lock: int | None = None) -> str:
    """Do one run that :func:`~lens_triage.training.runner.advance` claimed; return its last status.

    'refused', with nothing touched, where another worker holds the run's lock or the run is not
    one to be done.

    Parameters
    ----------
    lock : int, optional
        File descriptor that holds the run's lock, from the process that started this one.
    """
    database = open_database(workspace)
    with (
        worker_lock(workspace, run_id, lock) as is_ours,
        lock_in_database(database, run_id) as held_there,
    ):
        if not (is_ours and held_there):
            _log.warning("Another worker does run %s; this one ends.", run_id)
            return "refused"
        status = _do(workspace, database, run_id)
    if status != "refused":
        advance(workspace)
    return status


def _do(workspace: Workspace, database: Database, run_id: str) -> str:
    with database.session() as session:
        run = find_run(session, run_id)
        kind, values, attempt, status = run.kind, run.settings, run.attempt, run.status
        chained = run.after_run_id is not None
    if status != "running":
        _log.warning("Run %s is %s; there is nothing to do.", run_id, status)
        return "refused"
    context = JobContext(workspace, run_id, attempt)
    context.start_heart()
    ended: dict[str, Any]
    try:
        finish_removals(workspace, database)  # a name that was deleted may be given anew
        settings = SETTINGS[kind].from_json(values)
        settings.check()
        if chained:  # it could not be asked when the run was queued
            check_run(workspace, settings, run_id=run_id)
        ended = {"status": "succeeded", "result": job_function(kind)(context, settings)}
    except Cancelled:
        ended = {"status": "cancelled"}
    except Superseded:
        _log.warning("Run %s was begun again elsewhere; this attempt ends.", run_id)
        context.stop_heart()
        return "refused"
    except Exception as problem:  # noqa: BLE001 - the last line of defense: recorded, never hidden
        ended = _failure(workspace, problem)
    try:
        context.stop_heart()
    except Superseded:
        return "refused"
    _finish(database, run_id, attempt, ended)
    return str(ended["status"])


def _failure(workspace: Workspace, problem: Exception) -> dict[str, Any]:
    """Columns of a run that failed; what the machine refuses is one sentence, as bad input is."""
    error = (
        str(problem) if isinstance(problem, LensTriageError) else sentence_of(problem, workspace)
    )
    if error is None:
        _log.error("The job failed by an error of the program", exc_info=problem)
        error = f"Unexpected {type(problem).__name__}: {problem}. The run's log has the details."
        details = "".join(traceback.format_exception(problem))
    else:
        details = "\n".join(filter(None, (error, traceback_in(problem))))
    return {
        "status": "failed",
        "error": error,
        "failure": kind_of_failure(problem),
        "log": details,
    }


def _finish(database: Database, run_id: str, attempt: int, ended: dict[str, Any]) -> None:
    """Write how the run ended; a disk that is full or a locked database may pass in a moment."""
    details = ended.pop("log", "Cancelled." if ended["status"] == "cancelled" else None)
    level = "warning" if ended["status"] == "cancelled" else "error"
    log = None if details is None else (level, details)
    for left in reversed(range(_FINISH_TRIES)):
        try:
            with database.session() as session:
                record_end(session, run_id, attempt, log=log, **ended)
            return
        except DATABASE_ERRORS as problem:
            if not left:
                # The last line of the output is what people are told of a run that was lost.
                sys.stderr.write(f"{ended.get('error') or problem}\n")
                raise SystemExit(1) from None
            time.sleep(_FINISH_PAUSE_S)


def main(arguments: list[str]) -> int:
    """Do the run that the arguments name; return the exit status of the process."""
    keep_private_from_now_on()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s | %(levelname)-8s | %(message)s")
    root, run_id, *lock = arguments
    status = work(Workspace.open(root), run_id, int(lock[0]) if lock else None)
    return 0 if status == "succeeded" else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
