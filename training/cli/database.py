"""``lens-triage db``: look after the database of a workspace."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from lensing_core.store import open_database
from lensing_core.store.backup import backup_database, restore_database
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
    console.print(str(backup_database(Workspace.open(workspace)).path), soft_wrap=True)


@db.command("restore")
def restore(
    workspace: WorkspaceArgument,
    backup: Annotated[
        Path | None,
        typer.Argument(help="Default: the newest of backups/.", show_default=False),
    ] = None,
) -> None:
    """Put a backup in place of the database, which is kept in backups/; nothing may use it."""
    opened = Workspace(workspace.expanduser().resolve())  # the database itself may be missing
    restored = restore_database(opened, backup)
    console.print(f"Restored {restored.backup}.", soft_wrap=True)
    if restored.replaced is not None:
        console.print(f"What was there before is kept: {restored.replaced}", soft_wrap=True)


@db.command("rebuild-votes")
def rebuild(workspace: WorkspaceArgument) -> None:
    """Make the present grade of each grader and candidate again from the log."""
    with open_database(Workspace.open(workspace)).session() as session:
        n = rebuild_votes(session)
    console.print(f"{n:,} votes.")
