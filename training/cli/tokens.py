"""``lens-triage tokens``: API tokens, for the person who owns the workspace's files."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.table import Table

from lens_triage.training.cli.console import console
from lens_triage.training.cli.types import WorkspaceArgument
from lensing_core.store import open_database
from lensing_core.store.api_tokens import (
    add_api_token,
    is_open,
    list_api_tokens,
    revoke_api_token,
)
from lensing_core.store.audit import COMMAND_LINE, record
from lensing_core.store.graders import list_graders, named_grader
from lensing_core.store.tables import GRADER_ROLES
from lensing_core.workspace import Workspace

tokens = typer.Typer(help="API tokens, by which programs act under a name.", no_args_is_help=True)
_MINUTES = "%Y-%m-%d %H:%M"


@tokens.command("add")
def add(
    workspace: WorkspaceArgument,
    name: Annotated[str, typer.Argument(help="Whose it is.", show_default=False)],
    label: Annotated[str, typer.Option(help="What it is for.", show_default=False)],
    role: Annotated[
        str, typer.Option(help=f"{', '.join(GRADER_ROLES)}: at most that of the name.")
    ] = "reader",
    days: Annotated[float, typer.Option(help="Days for which it is valid.")] = 90.0,
) -> None:
    """Make a token, and print it; it is shown this once."""
    with open_database(Workspace.open(workspace)).session() as session:
        grader = named_grader(session, name)
        made, text = add_api_token(session, grader.id, label, role, days)
        detail = f"{made.id} of {grader.name}: made, {made.role}, {made.label}"
        record(session, "API token", COMMAND_LINE, detail)
    until = f"{made.expires_at:{_MINUTES}} UTC"
    console.print(f"Token {made.id} of {grader.name} ({made.role}), valid until {until}:")
    console.print(text, soft_wrap=True, markup=False, highlight=False)


@tokens.command("list")
def show_tokens(workspace: WorkspaceArgument) -> None:
    """List all tokens, those that are good no more among them; no token is shown."""
    with open_database(Workspace.open(workspace)).session() as session:
        names = {one.id: one.name for one in list_graders(session)}
        listed = list_api_tokens(session)
    table = Table("number", "of", "role", "for", "good until (UTC)", "last used", "state")
    for one in listed:
        state = "good" if is_open(one) else "revoked" if one.revoked_at else "expired"
        used = f"{one.last_used_at:{_MINUTES}}" if one.last_used_at else "never"
        until = f"{one.expires_at:{_MINUTES}}"
        name = names[one.grader_id]
        table.add_row(str(one.id), name, one.role, one.label, until, used, state)
    console.print(table)


@tokens.command("revoke")
def revoke(
    workspace: WorkspaceArgument,
    number: Annotated[int, typer.Argument(help="Of the token, as listed.", show_default=False)],
) -> None:
    """Let a token be good for nothing from now on."""
    with open_database(Workspace.open(workspace)).session() as session:
        token = revoke_api_token(session, number)
        record(session, "API token", COMMAND_LINE, f"{token.id}: revoked, {token.label}")
    console.print(f"Token {number} is revoked.", soft_wrap=True)
