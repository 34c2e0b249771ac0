"""``lens-triage``: the engine's commands and those that open the browser."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import parse_qs

import typer

from lens_triage.app.context import AppContext
from lens_triage.app.server_settings import ServerSettings, read_reach
from lens_triage.training.bundled import make_workspace
from lens_triage.training.cli.main import (
    engine_commands,
    run_cli,
)
from lens_triage.training.cli.types import WorkspaceArgument
from lensing_core.disk import replacing
from lensing_core.errors import BadInputError
from lensing_core.export import FORMATS
from lensing_core.store.replays import seen_event
from lensing_core.workspace import Workspace

cli = typer.Typer(
    name="lens-triage",
    help="Find strong gravitational lenses in survey images: score, review, label, retrain.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
engine_commands(cli)

PortOption = Annotated[int, typer.Option(min=0, max=65535, help="Port; 0 takes any free one.")]
_OPEN = ("--open/--no-open", "--browser/--no-browser")
OpenOption = Annotated[bool, typer.Option(*_OPEN, help="Open a browser window.")]
OpenOrNotOption = Annotated[
    bool | None,
    typer.Option(*_OPEN, help="Open a browser window; by default where there is a screen."),
]


def _setting(name: str) -> Any:
    """The option of a setting of the server, as its parameter describes it."""
    return typer.Option(help=ServerSettings.param[name].doc, show_default=False)


def has_screen() -> bool:
    """Return whether somebody may see a window that is opened: not in CI, nor on a machine without
    one.
    """
    if os.environ.get("CI"):
        return False
    if sys.platform in ("darwin", "win32"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


@cli.command()
def serve(
    workspace: WorkspaceArgument,
    port: PortOption = 5006,
    show: OpenOption = False,
    host: Annotated[str | None, _setting("host")] = None,
    allow_host: Annotated[list[str] | None, _setting("allow_host")] = None,
    prefix: Annotated[str | None, _setting("prefix")] = None,
    behind_proxy: Annotated[list[str] | None, _setting("behind_proxy")] = None,
    require_sign_in: Annotated[bool | None, _setting("require_sign_in")] = None,
    root: Annotated[list[str] | None, _setting("root")] = None,
) -> None:
    """Serve the pages of a workspace, on this machine (127.0.0.1) unless told otherwise.

    Settings that are not given are those of server.toml in the workspace.
    """
    from lens_triage.app.front.main import serve as serve_pages  # here: other commands start fast

    made = make_workspace(workspace)
    given = {
        "host": host,
        "allow_host": allow_host,
        "prefix": prefix,
        "behind_proxy": behind_proxy,
        "require_sign_in": require_sign_in,
        "root": root,
    }
    reach = read_reach(made, given)
    serve_pages(made, port=port, open_browser=show, demo=False, reach=reach)


@cli.command()
def demo(
    workspace: Annotated[Path, typer.Argument(help="Workspace folder.")] = Path("demo-workspace"),
    port: PortOption = 5006,
    show: OpenOrNotOption = None,
) -> None:
    """Serve a workspace that builds a simulated survey, an ensemble and its ranking by itself."""
    from lens_triage.app.front.main import serve as serve_pages  # here: other commands start fast

    made = make_workspace(workspace)
    serve_pages(made, port=port, open_browser=has_screen() if show is None else show, demo=True)


@cli.command()
def export(
    workspace: WorkspaceArgument,
    file_format: Annotated[
        str,
        typer.Argument(metavar="FORMAT", help=f"One of {', '.join(FORMATS)}.", show_default=False),
    ],
    file: Annotated[Path, typer.Argument(help="File to write.", show_default=False)],
    query: Annotated[
        str,
        typer.Option(
            help="What to export: the part of a Review address after the question mark, e.g. "
            "'ensemble=first&min=0.9&tag=ring'. Default: the promoted ensemble's whole ranking."
        ),
    ] = "",
    limit: Annotated[
        int | None, typer.Option(min=1, help="Write at most this many candidates.")
    ] = None,
) -> None:
    """Write candidates as a table, regions, contact sheets, FITS cutouts or subjects."""
    from lens_triage.app.review.exporting import (  # here, as above
        read_request,
        write_export,
    )

    context = AppContext.of(Workspace.open(workspace))
    arguments: dict[str, Sequence[str]] = dict(parse_qs(query.rpartition("?")[2]))
    if limit is not None:
        arguments["limit"] = [str(limit)]
    request = read_request(context, file_format, arguments, None)
    written = write_export(context, request, file.expanduser().resolve())
    most = FORMATS[file_format].most
    full = most is not None and written >= most and (limit is None or limit > most)
    note = f" ({FORMATS[file_format].title} holds up to {most:,})" if full else ""
    typer.echo(f"{written:,} candidates written to {file}{note}.")


@cli.command()
def replay(
    workspace: WorkspaceArgument,
    event: Annotated[
        str, typer.Option(help="UUID of an event of the log (lens-triage labels export).")
    ],
    output: Annotated[
        Path | None, typer.Option(help="Draw it into this file, .html or .png.")
    ] = None,
) -> None:
    """Show again what a grader saw when a grade was given, and what has changed since."""
    path = None if output is None else output.expanduser().resolve()
    for line in write_replay(Workspace.open(workspace), event, path):
        typer.echo(line)


def write_replay(workspace: Workspace, uuid: str, path: Path | None) -> list[str]:
    """Draw an event again, into an HTML or PNG file where there is a path; returns its lines.

    Raises
    ------
    BadInputError
        If the file has another ending, or cannot be written.
    NotFoundError
        If there is no such event.
    """
    from lens_triage.app.viewer.replay import replay as draw
    from lens_triage.app.viewer.replay import replay_html, replay_lines  # here, as above
    from lens_triage.app.viewer.tile_source import TileSource

    if path is not None and path.suffix.lower() not in (".html", ".png"):
        raise BadInputError(f"output {path.name}: give a name that ends in .html or .png.")
    with AppContext.of(workspace).database.session() as session:
        found = draw(TileSource(workspace), seen_event(session, uuid))
    if path is not None:
        if path.suffix.lower() == ".png" and not found.png:
            raise BadInputError(f"There is no picture to write: {' '.join(found.changed)}")
        data = replay_html(found).encode() if path.suffix.lower() == ".html" else found.png
        try:
            with replacing(path) as beside:
                beside.write_bytes(data)
        except OSError as error:
            raise BadInputError(f"{path} cannot be written: {error.strerror}.") from error
    return replay_lines(found)


def main() -> None:
    """Entry point of the console script."""
    run_cli(cli)
