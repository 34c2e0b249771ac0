"""``lens-triage db``: look after the database of a workspace."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lens_triage.training.cli.console import console
from lens_triage.training.cli.types import WorkspaceArgument
from lensing_core.errors import WorkspaceError
from lensing_core.store import open_database, sealed_log
from lensing_core.store.backup import backup_database, restore_database
from lensing_core.store.labels import rebuild_votes
from lensing_core.store.moving import move_database
from lensing_core.store.schedule import (
    BackupSchedule,
    read_schedule,
    schedule_text,
    write_schedule,
)
from lensing_core.workspace import Workspace

db = typer.Typer(
    help="Verify, back up, restore and move the database of a workspace.", no_args_is_help=True
)


@db.command("verify")
def verify_log(
    workspace: WorkspaceArgument,
    expect: Annotated[
        str,
        typer.Option(
            metavar="HEAD",
            help="A last hash that you noted earlier; fail if the log does not contain it.",
            show_default=False,
        ),
    ] = "",
) -> None:
    """Check pages, the log of grades, its seal and votes; fail where other hands changed them."""
    opened = Workspace.open(workspace)
    report = sealed_log.check(opened, open_database(opened))
    if expect:
        later = sealed_log.events_after(open_database(opened), expect)
        console.print(f"The noted event is in the log, {later:,} events before its last one.")
    repaired = f" ({report.n_repaired:,} with a note on their hash)" if report.n_repaired else ""
    console.print(
        f"{report.n_events:,} label events{repaired}, unbroken and sealed, and {report.n_votes:,} "
        f"votes that follow from them; the last is {report.head[:12]}.",
        soft_wrap=True,
    )


@db.command("repair")
def repair(workspace: WorkspaceArgument) -> None:
    """Note which hashes an older version took of times and numbers in another form."""
    report = sealed_log.repair(open_database(Workspace.open(workspace)))
    console.print(
        f"{len(report.repaired):,} of {report.n_events:,} label events were hashed in another "
        "form; each has a note now, and nothing else was changed.",
        soft_wrap=True,
    )


@db.command("seal")
def seal(
    workspace: WorkspaceArgument,
    anyway: Annotated[
        bool, typer.Option("--anyway", help="Also if there is a seal that does not match.")
    ] = False,
) -> None:
    """Seal a log that is older than seals are, once you have checked it."""
    opened = Workspace.open(workspace)
    report = sealed_log.seal(opened, open_database(opened), anyway=anyway)
    console.print(f"{report.n_events:,} label events sealed; the last is {report.head[:12]}.")


@db.command("accept-restore")
def accept_restore(workspace: WorkspaceArgument) -> None:
    """Take a database that you restored from a backup for the present one."""
    opened = Workspace.open(workspace)
    report = sealed_log.accept_restore(opened, open_database(opened))
    console.print(f"{report.n_events:,} label events accepted; the last is {report.head[:12]}.")


@db.command("backup")
def backup(workspace: WorkspaceArgument) -> None:
    """Copy the database into backups/, while others go on working."""
    console.print(str(backup_database(Workspace.open(workspace)).path), soft_wrap=True)


@db.command("schedule")
def schedule(
    workspace: WorkspaceArgument,
    every_hours: Annotated[
        float | None, typer.Option(help="Hours between backups; 0: none.", show_default=False)
    ] = None,
    keep: Annotated[
        int | None, typer.Option(help="Scheduled backups to keep.", show_default=False)
    ] = None,
) -> None:
    """Show or set how often a server backs the database up, and how many backups it keeps."""
    opened = Workspace.open(workspace)
    chosen = read_schedule(opened)
    if every_hours is not None or keep is not None:
        chosen = BackupSchedule(
            chosen.every_hours if every_hours is None else every_hours,
            chosen.keep if keep is None else keep,
        )
        write_schedule(opened, chosen)
    console.print(schedule_text(opened, chosen), soft_wrap=True)


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
        console.print(f"The replaced database is kept: {restored.replaced}", soft_wrap=True)
    try:
        report = sealed_log.accept_restore(opened, open_database(opened))
    except WorkspaceError as error:  # restored, but not a copy that can be vouched for
        console.print(
            f"The log of grades needs a look (lens-triage db verify): {error}", soft_wrap=True
        )
    else:
        console.print(f"Its log of grades holds {report.n_events:,} events and is valid.")


@db.command("copy")
def copy(
    workspace: WorkspaceArgument,
    to: Annotated[
        str,
        typer.Argument(
            metavar="TO",
            help="URL of an empty database (postgresql+psycopg://user@host/name), or: sqlite",
            show_default=False,
        ),
    ],
) -> None:
    """Move the database to a server, or back into a file, and use it there; nothing may use it."""
    moved = move_database(Workspace.open(workspace), to)
    console.print(
        f"{moved.n_rows:,} rows copied; {moved.n_events:,} label events, unbroken and sealed, the "
        f"last is {moved.head[:12]}. The source is kept: {moved.left}",
        soft_wrap=True,
    )


@db.command("rebuild-votes")
def rebuild(workspace: WorkspaceArgument) -> None:
    """Make the present grade of each grader and candidate again from the log."""
    with open_database(Workspace.open(workspace)).session() as session:
        n = rebuild_votes(session)
    console.print(f"{n:,} votes.")
