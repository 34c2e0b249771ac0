"""``lens-triage session``: make labeling sessions, list and close them."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from lens_triage.training.cli.console import console
from lens_triage.training.cli.managing import ArchivedOption, add_managing
from lens_triage.training.cli.types import (
    WorkspaceArgument,
    option_of,
    parse_option,
)
from lens_triage.training.labeling import SessionSettings, make_session
from lens_triage.training.settings import fields
from lensing_core.labeling import SessionSummary, close_session, list_sessions, summarize
from lensing_core.proportions import Proportion
from lensing_core.store import open_database
from lensing_core.store.label_sessions import session_named
from lensing_core.workspace import Workspace

sessions = typer.Typer(help="Labeling sessions of a workspace.", no_args_is_help=True)
NameArgument = Annotated[str, typer.Argument(help="Name of the session.", show_default=False)]


def _create() -> Callable[..., None]:
    known = fields(SessionSettings)

    def create(workspace: Path, **values: Any) -> None:
        chosen = SessionSettings(**{f.name: parse_option(f, values[f.name]) for f in known})
        made = make_session(Workspace.open(workspace), chosen, None)
        console.print(f"Session {chosen.session}: label?session={made}", soft_wrap=True)

    create.__signature__ = inspect.Signature(  # type: ignore[attr-defined]  # read by typer
        [
            inspect.Parameter(
                "workspace",
                inspect.Parameter.POSITIONAL_OR_KEYWORD,
                annotation=WorkspaceArgument,
            ),
            *map(option_of, known),
        ]
    )
    return create


sessions.command("create", help=inspect.getdoc(SessionSettings))(_create())


add_managing(sessions, "session", lambda session, name: session_named(session, name).id)


@sessions.command("list")
def show_sessions(workspace: WorkspaceArgument, archived: ArchivedOption = False) -> None:
    """List sessions with what graders have done."""
    with open_database(Workspace.open(workspace)).session() as session:
        summaries = list_sessions(session, archived=archived)
    table = Table("session", "state", "objects", "graders")
    for one in summaries:
        done = ", ".join(f"{g.name} {g.n_done:,}" for g in one.graders) or "–"
        table.add_row(one.session.name, one.session.status, f"{one.n_items:,}", done)
    console.print(table)


@sessions.command("close")
def close(workspace: WorkspaceArgument, name: NameArgument) -> None:
    """Take no further grades, and print the session's summary."""
    with open_database(Workspace.open(workspace)).session() as session:
        session_id = session_named(session, name).id
        close_session(session, session_id)
        _print_summary(summarize(session, session_id))


def _print_summary(found: SessionSummary) -> None:
    table = Table(
        "grader",
        "graded",
        "skipped",
        "grades",
        "s/cutout",
        "repeats",
        "gold lenses",
        "gold non-lenses",
    )
    for g in found.graders:
        table.add_row(
            g.name,
            f"{g.n_done:,}",
            f"{g.n_skipped:,}",
            ", ".join(f"{n} × {grade}" for grade, n in sorted(g.grades.items())),
            "–" if g.seconds is None else f"{g.seconds:.1f}",
            *map(_proportion, (g.repeats, g.gold_lenses, g.gold_non_lenses)),
        )
    console.print(table)
    console.print("In brackets: 95 % intervals (Clopper-Pearson).")


def _proportion(share: Proportion) -> str:
    if not share.total:
        return "–"
    low, high = share.interval
    return f"{share.found}/{share.total} = {share.value:.2f} [{low:.2f}, {high:.2f}]"
