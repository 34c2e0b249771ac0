"""``lens-triage catalogs``, ``ensembles`` and ``session``: rename, archive and delete them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

import typer
from rich.table import Table

from lens_triage.training.cli.console import console, errors
from lens_triage.training.cli.types import WorkspaceArgument
from lensing_core.store import Session, managing, open_database
from lensing_core.store.audit import COMMAND_LINE
from lensing_core.store.managing import What
from lensing_core.store.removals import finish_removals
from lensing_core.store.summaries import list_catalogs, list_ensembles
from lensing_core.workspace import Workspace

catalogs = typer.Typer(help="Catalogs of a workspace.", no_args_is_help=True)
ensembles = typer.Typer(help="Ensembles of a workspace.", no_args_is_help=True)
ArchivedOption = Annotated[bool, typer.Option("--archived", help="Archived ones, too.")]
NameArgument = Annotated[str, typer.Argument(help="Its name.", show_default=False)]


def add_managing(cli: typer.Typer, what: What, key_of: Callable[[Session, str], str]) -> None:
    """Add the commands that rename, archive and delete one of them to its group.

    Parameters
    ----------
    key_of : callable
        The key of :mod:`lensing_core.store.managing` of a name.
    """
    thing = "labeling session" if what == "session" else what

    def rename(
        workspace: WorkspaceArgument,
        name: NameArgument,
        new: Annotated[str, typer.Argument(help="The new name.", show_default=False)],
    ) -> None:
        with open_database(Workspace.open(workspace)).session() as session:
            shown = managing.give_name(session, what, key_of(session, name), new, COMMAND_LINE)
        console.print(f"{name} is now called {shown}.", soft_wrap=True, markup=False)

    def archive(workspace: WorkspaceArgument, name: NameArgument) -> None:
        _archive(workspace, name, archived=True)

    def unarchive(workspace: WorkspaceArgument, name: NameArgument) -> None:
        _archive(workspace, name, archived=False)

    def _archive(workspace: WorkspaceArgument, name: str, *, archived: bool) -> None:
        with open_database(Workspace.open(workspace)).session() as session:
            key = key_of(session, name)
            managing.archive(session, what, key, COMMAND_LINE, archived=archived)
        state = "archived" if archived else "listed again"
        console.print(f"{name} is {state}.", soft_wrap=True, markup=False)

    def delete(
        workspace: WorkspaceArgument,
        name: NameArgument,
        yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    ) -> None:
        opened = Workspace.open(workspace)
        database = open_database(opened)
        with database.session() as session:
            key = key_of(session, name)
            found = managing.dependents(session, what, key)
        for kind, n in found.goes.items():
            console.print(f"Deleted with it: {n:,} {kind}", soft_wrap=True)
        for kind, names in found.stays.items():
            console.print(f"{kind}: {', '.join(names)}", soft_wrap=True, markup=False)
        if not (found.reasons or yes):
            typer.confirm(f"Delete {name}? This cannot be undone.", abort=True)
        with database.session() as session:
            managing.delete(session, opened, what, key, COMMAND_LINE)
        for problem in finish_removals(opened, database):
            errors.print(problem, soft_wrap=True, markup=False)
        console.print(f"{name} is deleted.", soft_wrap=True, markup=False)

    cli.command("rename", help=f"Show another name of a {thing}; what uses it goes on.")(rename)
    cli.command("archive", help=f"Leave a {thing} out of lists and choices.")(archive)
    cli.command("unarchive", help=f"Bring an archived {thing} back.")(unarchive)
    cli.command("delete", help=f"Delete a {thing} that nothing depends on.")(delete)


@catalogs.command("list")
def show_catalogs(workspace: WorkspaceArgument, archived: ArchivedOption = False) -> None:
    """List catalogs, the newest first."""
    found = open_database(Workspace.open(workspace)).ask(list_catalogs, archived=archived)
    table = Table("catalog", "shown as", "survey", "candidates", "state")
    for one in found:
        state = "complete" if one.complete else "incomplete"
        if one.archived_at is not None:
            state += ", archived"
        table.add_row(one.name, one.title, one.survey, f"{one.n_candidates:,}", state)
    console.print(table)


@ensembles.command("list")
def show_ensembles(workspace: WorkspaceArgument, archived: ArchivedOption = False) -> None:
    """List ensembles, the newest first."""
    found = open_database(Workspace.open(workspace)).ask(list_ensembles, archived=archived)
    table = Table("ensemble", "shown as", "members", "state")
    for one in found:
        states = {
            "broken": one.problem, "promoted": one.promoted_at, "archived": one.archived_at,
        }  # fmt: skip
        state = ", ".join(name for name, holds in states.items() if holds)
        table.add_row(one.name, one.title, ", ".join(kind for _, kind in one.members), state)
    console.print(table)


add_managing(catalogs, "catalog", lambda _session, name: name)
add_managing(ensembles, "ensemble", lambda _session, name: name)
