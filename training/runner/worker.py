"""The process of one run: ``python -m training.runner.worker WORKSPACE RUN_ID``."""

from __future__ import annotations

import logging
import sys
import traceback
from typing import Any

from sqlalchemy import update

from lensing_core.errors import LensTriageError
from lensing_core.private_files import keep_private_from_now_on
from lensing_core.store import open_database
from lensing_core.store.tables import Run, utc_now
from lensing_core.workspace import Workspace
from training.runner.context import (
    Cancelled,
    JobContext,
)
from training.runner.registry import job_function
from training.runner.runner import advance
from training.settings import SETTINGS


def work(workspace: Workspace, run_id: str) -> str:
    """Do one run that :func:`training.runner.advance` has claimed; return its final status."""
    database = open_database(workspace)
    with database.session() as session:
        run = session.get_one(Run, run_id)
        kind, values, attempt = run.kind, run.settings, run.attempt
    context = JobContext(workspace, run_id, attempt)
    context.start_heart()
    status, error, result = "succeeded", None, None
    try:
        settings = SETTINGS[kind].from_json(values)
        settings.check()
        result = job_function(kind)(context, settings)
    except Cancelled:
        status = "cancelled"
        context.log("Cancelled.", "warning")
    except LensTriageError as problem:
        status, error = "failed", str(problem)
        context.log(error, "error")
    except Exception as problem:  # noqa: BLE001 - the last line of defence: recorded, never hidden
        status = "failed"
        error = f"Unexpected {type(problem).__name__}: {problem}. The run's log has the details."
        context.log(traceback.format_exc(), "error")
    context.stop_heart()
    _finish(workspace, run_id, status=status, error=error, result=result)
    advance(workspace)
    return status


def _finish(workspace: Workspace, run_id: str, **values: Any) -> None:
    with open_database(workspace).session() as session:
        session.execute(
            update(Run)
            .where(Run.id == run_id)
            .values(finished_at=utc_now(), pid=None, process_started=None, **values)
        )


if __name__ == "__main__":
    keep_private_from_now_on()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s | %(levelname)-8s | %(message)s")
    sys.exit(0 if work(Workspace.open(sys.argv[1]), sys.argv[2]) == "succeeded" else 1)
