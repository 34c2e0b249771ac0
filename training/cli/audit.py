"""``lens-triage audit``: who signed in, and what was done, for the person who owns the files."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.table import Table

from lens_triage.training.cli.console import console
from lens_triage.training.cli.types import WorkspaceArgument
from lensing_core.errors import BadInputError
from lensing_core.store import open_database
from lensing_core.store.audit import latest_entries
from lensing_core.store.tables.audit import AUDIT_KINDS
from lensing_core.workspace import Workspace


def audit(
    workspace: WorkspaceArgument,
    limit: Annotated[int, typer.Option(min=1, help="Number of latest entries to show.")] = 50,
    kind: Annotated[str, typer.Option(help=f"One of {', '.join(AUDIT_KINDS)}; else all.")] = "",
) -> None:
    """List sign-ins, changes of names and roles, exports and promotions, the newest first."""
    if kind and kind not in AUDIT_KINDS:
        raise BadInputError(f"kind {kind!r}: use one of {', '.join(AUDIT_KINDS)}.")
    with open_database(Workspace.open(workspace)).session() as session:
        entries = latest_entries(session, limit, kind)
    table = Table("time (UTC)", "what", "who", "details", "address")
    for one in entries:
        at = one.at.strftime("%Y-%m-%d %H:%M:%S")
        table.add_row(at, one.kind, one.who or "nobody signed in", one.details, one.address)
    console.print(table)
