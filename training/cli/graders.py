"""``lens-triage graders``: who may do what in a workspace, for the person who owns its files."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.table import Table

from lens_triage.training.cli.console import console
from lens_triage.training.cli.types import WorkspaceArgument
from lensing_core.store import open_database
from lensing_core.store.audit import COMMAND_LINE, record
from lensing_core.store.graders import (
    add_grader,
    list_graders,
    named_grader,
    reset_passphrase,
    set_active,
    set_role,
)
from lensing_core.store.identities import identities_by_grader, untie
from lensing_core.store.invitations import invite, link_of
from lensing_core.store.label_sessions import session_named
from lensing_core.store.passphrases import Passphrase
from lensing_core.store.tables import GRADER_ROLES
from lensing_core.workspace import Workspace

graders = typer.Typer(help="Names, roles and passphrases of graders.", no_args_is_help=True)
RoleOption = Annotated[str, typer.Option(help=" or ".join(GRADER_ROLES))]
NameArgument = Annotated[str, typer.Argument(help="Name of the grader.", show_default=False)]


@graders.command("list")
def show_graders(workspace: WorkspaceArgument) -> None:
    """List all names, sources of imported grades among them."""
    with open_database(Workspace.open(workspace)).session() as session:
        people, accounts = list_graders(session), identities_by_grader(session)
    table = Table("name", "role", "passphrase", "accounts", "state")
    for one in people:
        state = "active" if one.deactivated_at is None else "deactivated"
        tied = ", ".join(f"{a.issuer} {a.email or a.subject}" for a in accounts.get(one.id, []))
        table.add_row(one.name, one.role, "set" if one.secret else "none", tied, state)
    console.print(table)


@graders.command("add")
def add(
    workspace: WorkspaceArgument,
    name: NameArgument,
    role: RoleOption = "grader",
) -> None:
    """Make a name with a new random passphrase, and print it."""
    made = Passphrase.random()
    with open_database(Workspace.open(workspace)).session() as session:
        grader = add_grader(session, name, role, made)
        record(session, "name", COMMAND_LINE, f"{grader.name}: made, {grader.role}")
    console.print(f"Passphrase of {grader.name} ({grader.role}): {made.text}", soft_wrap=True)


@graders.command("invite")
def invite_(
    workspace: WorkspaceArgument,
    name: NameArgument,
    role: RoleOption = "grader",
    days: Annotated[float, typer.Option(help="Days for which the link is valid.")] = 7.0,
    to_session: Annotated[
        str, typer.Option("--session", help="Labeling session that it leads to.")
    ] = "",
) -> None:
    """Print the end of a link by which somebody gets a name and chooses a passphrase."""
    with open_database(Workspace.open(workspace)).session() as session:
        session_id = session_named(session, to_session).id if to_session else None
        token = invite(session, name, role, days, session_id)
        record(session, "invitation", COMMAND_LINE, f"{name}: {role}, {days:g} days")
    console.print(f"Invitation of {name}, valid once within {days:g} days. Open below the server's")
    console.print(f"address: {link_of(token, session_id)}", soft_wrap=True)


@graders.command("reset")
def reset(workspace: WorkspaceArgument, name: NameArgument) -> None:
    """Give a name a new random passphrase, print it, and sign it out everywhere."""
    with open_database(Workspace.open(workspace)).session() as session:
        grader = named_grader(session, name)
        made = reset_passphrase(session, grader.id)
        record(session, "passphrase", COMMAND_LINE, f"of {grader.name}: a new one")
    console.print(f"New passphrase of {grader.name}: {made}", soft_wrap=True)


@graders.command("untie")
def untie_(workspace: WorkspaceArgument, name: NameArgument) -> None:
    """Take away the accounts of other services that sign in under a name; signs it out."""
    with open_database(Workspace.open(workspace)).session() as session:
        grader = named_grader(session, name)
        n = untie(session, grader)
        record(session, "account", COMMAND_LINE, f"{grader.name}: {n} untied")
    console.print(f"{grader.name}: {n} accounts untied.", soft_wrap=True)


@graders.command("role")
def role(
    workspace: WorkspaceArgument,
    name: NameArgument,
    role: Annotated[str, typer.Argument(help=" or ".join(GRADER_ROLES), show_default=False)],
) -> None:
    """Give somebody another role; one organizer always stays."""
    with open_database(Workspace.open(workspace)).session() as session:
        grader = set_role(session, named_grader(session, name).id, role)
        record(session, "role", COMMAND_LINE, f"{grader.name}: {grader.role}")
    console.print(f"{grader.name}: {grader.role}.", soft_wrap=True)


@graders.command("deactivate")
def deactivate(workspace: WorkspaceArgument, name: NameArgument) -> None:
    """Let nobody sign in with a name any more; grades and notes stay."""
    _activate(workspace, name, active=False)


@graders.command("activate")
def activate(workspace: WorkspaceArgument, name: NameArgument) -> None:
    """Let a deactivated name sign in again."""
    _activate(workspace, name, active=True)


def _activate(workspace: WorkspaceArgument, name: str, *, active: bool) -> None:
    with open_database(Workspace.open(workspace)).session() as session:
        grader = set_active(session, named_grader(session, name).id, active=active)
        state = "activated" if active else "deactivated"
        record(session, "name", COMMAND_LINE, f"{grader.name}: {state}")
    console.print(f"{grader.name} is {'active' if active else 'deactivated'}.", soft_wrap=True)
