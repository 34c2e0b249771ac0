"""``lens-triage db``: look after the database of a workspace."""

from __future__ import annotations

import typer
from rich.console import Console

from lensing_core.store import open_database
from lensing_core.store.backup import backup_database
from lensing_core.store.labels import rebuild_votes, verify
from lensing_core.workspace import Workspace
from training.cli.types import WorkspaceArgument

console = Console()

db = typer.Typer(help="Look after the database of a workspace.", no_args_is_help=True)


@db.command("verify")
def verify_labels(workspace: WorkspaceArgument) -> None:
    """Walk the chain of label events; fail where one was changed or is missing."""
    with open_database(Workspace.open(workspace)).session() as session:
        report = verify(session)
    console.print(f"{report.n_events:,} label events, unbroken; the last is {report.head[:12]}.")


@db.command("backup")
def backup(workspace: WorkspaceArgument) -> None:
    """Copy the database into backups/, while others go on working."""
    opened = Workspace.open(workspace)
    console.print(str(backup_database(opened, open_database(opened)).path), soft_wrap=True)


@db.command("rebuild-votes")
def rebuild(workspace: WorkspaceArgument) -> None:
    """Make the present grade of each grader and candidate again from the log."""
    with open_database(Workspace.open(workspace)).session() as session:
        n = rebuild_votes(session)
    console.print(f"{n:,} votes.")
