"""Waiting for a run at the command line."""

from __future__ import annotations

import json

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.text import Text

from lens_triage.training import runner as jobs
from lens_triage.training.cli.console import console, errors
from lensing_core.store import open_database
from lensing_core.store.runs import SHIFT, get_run
from lensing_core.store.tables import Run
from lensing_core.workspace import Workspace


def follow(workspace: Workspace, run_id: str, *, tell: bool = True) -> None:
    """Show progress until the run ends; Ctrl-C cancels it. Exit code 1 unless it succeeded.

    Parameters
    ----------
    tell : bool, optional
        Print its result as JSON.
    """
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=errors) as progress:
        task = progress.add_task("Queued", total=None)

        def report(run: Run) -> None:
            what = run.activity or run.status.capitalize()
            progress.update(task, completed=run.done, total=run.total, description=what)

        try:
            run = jobs.wait(workspace, run_id, report=report)
        except KeyboardInterrupt:
            jobs.cancel(workspace, run_id)
            run = jobs.wait(workspace, run_id, report=report)
    if run.status != "succeeded":
        detail = f": {run.error}" if run.error else "."
        errors.print(Text.assemble((f"{run.title}: {run.status}", "red"), detail), soft_wrap=True)
        if open_database(workspace).ask(get_run, run_id).resumable:
            errors.print(
                f"Continue with: lens-triage resume {workspace.root} {run_id}", soft_wrap=True
            )
        else:
            errors.print("Resuming it would fail in the same way.", soft_wrap=True)
        raise typer.Exit(1)
    for name, shift in (run.result or {}).get(SHIFT, {}).items():
        for sentence in shift["alarms"]:
            errors.print(
                Text.assemble((f"{name}: ", "yellow"), sentence), soft_wrap=True, highlight=False
            )
    if tell:
        console.print_json(json.dumps({"run": run_id, **(run.result or {})}))
