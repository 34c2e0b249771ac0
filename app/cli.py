"""``lens-triage``: the engine's commands and those that open the browser."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from training.cli import engine_commands, run_cli
from training.command_types import WorkspaceArgument
from training.shipped import make_workspace

cli = typer.Typer(
    name="lens-triage",
    help="Find strong gravitational lenses in survey images: score, review, label, retrain.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
engine_commands(cli)

PortOption = Annotated[int, typer.Option(min=0, max=65535, help="Port; 0 takes any free one.")]
OpenOption = Annotated[bool, typer.Option("--open/--no-open", help="Open a browser window.")]


@cli.command()
def serve(workspace: WorkspaceArgument, port: PortOption = 5006, show: OpenOption = False) -> None:
    """Serve the pages of a workspace on this machine (127.0.0.1)."""
    from app.main import serve as serve_pages  # here, so that other commands start fast

    made = make_workspace(workspace)
    serve_pages(made, port=port, open_browser=show, demo=False)


@cli.command()
def demo(
    workspace: Annotated[Path, typer.Argument(help="Workspace folder.")] = Path("demo-workspace"),
    port: PortOption = 5006,
    show: OpenOption = False,
) -> None:
    """Serve a workspace that builds a simulated survey, an ensemble and its ranking by itself."""
    from app.main import serve as serve_pages  # here, so that other commands start fast

    made = make_workspace(workspace)
    serve_pages(made, port=port, open_browser=show, demo=True)


def main() -> None:
    """Entry point of the console script."""
    run_cli(cli)
