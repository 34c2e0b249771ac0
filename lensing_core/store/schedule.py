"""Backups on a schedule: how often, how many are kept, and the one that is due now."""

from __future__ import annotations

import tomllib
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta

from lensing_core.disk import replacing
from lensing_core.errors import BadInputError
from lensing_core.store.backup import SCHEDULED, Backup, backup_database, list_backups
from lensing_core.store.database import Database
from lensing_core.store.sealing import log_head
from lensing_core.workspace import Workspace

FILE = "backups.toml"


@dataclass(frozen=True)
class BackupSchedule:
    """Interval at which the server copies a database that has changed.

    Attributes
    ----------
    every_hours : float
        0: never.
    keep : int
        Scheduled backups that are kept, the latest; those taken by hand or before a migration stay.
    """

    every_hours: float = 24.0
    keep: int = 7

    def __post_init__(self) -> None:
        if not isinstance(self.every_hours, (int, float)) or not 0 <= self.every_hours <= 8760:
            raise BadInputError(
                f"Backups every {self.every_hours!r} hours: give a number from 0 (never) to 8760."
            )
        if type(self.keep) is not int or not 1 <= self.keep <= 1000:
            raise BadInputError(f"Backups to keep {self.keep!r}: give a number from 1 to 1000.")


def read_schedule(workspace: Workspace) -> BackupSchedule:
    """Return the schedule of a workspace.

    Raises
    ------
    BadInputError
        If its file says what cannot be.
    """
    file = workspace.root / FILE
    if not file.is_file():
        return BackupSchedule()
    try:
        return BackupSchedule(**tomllib.loads(file.read_text()))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, TypeError, BadInputError) as error:
        raise BadInputError(
            f"{file}: {error} It holds every_hours and keep, two numbers."
        ) from error


def write_schedule(workspace: Workspace, schedule: BackupSchedule) -> None:
    """Keep a schedule; a server follows it at its next look."""
    lines = [f"{name} = {value}\n" for name, value in asdict(schedule).items()]
    with replacing(workspace.root / FILE) as part:
        part.write_text("".join(lines))


def schedule_text(workspace: Workspace, schedule: BackupSchedule) -> str:
    """Return in a sentence when backups are taken."""
    if workspace.database_url_file.is_file():
        return (
            "The database is on a PostgreSQL server, whose own tools back it up: pg_dump "
            "--format=custom --file=triage.dump DATABASE."
        )
    if not schedule.every_hours:
        return "No backups are taken on schedule."
    return (
        f"While the workspace is served, a backup is taken every {schedule.every_hours:g} hours if "
        f"something was written; the latest {schedule.keep} of them are kept."
    )


def back_up_when_due(
    workspace: Workspace, database: Database, now: datetime | None = None
) -> Backup | None:
    """Take the backup that is due, and remove the scheduled ones that are too many.

    None where none is due: the latest one, however it was taken, is not old enough, or nothing was
    written since, or nothing has been graded yet. A server's database has its own backups.

    Raises
    ------
    WorkspaceError
        If the backup cannot be written; no other one is removed.
    """
    schedule = read_schedule(workspace)
    if not schedule.every_hours or database.engine.dialect.name != "sqlite":
        return None
    backups = list_backups(workspace)
    if backups:
        age = (now or datetime.now(UTC)) - backups[0].taken_at
        if age < timedelta(hours=schedule.every_hours):
            return None
        if _written_at(workspace) <= backups[0].taken_at:
            return None
    elif not database.ask(log_head)[0]:
        return None
    made = backup_database(workspace, kind=SCHEDULED)
    scheduled = [copy for copy in list_backups(workspace) if copy.is_scheduled]
    for copy in scheduled[schedule.keep :]:
        copy.path.unlink(missing_ok=True)
    return made


def _written_at(workspace: Workspace) -> datetime:
    files = (workspace.database, workspace.database.with_name(f"{workspace.database.name}-wal"))
    latest = max(file.stat().st_mtime for file in files if file.exists())
    return datetime.fromtimestamp(latest, UTC)
