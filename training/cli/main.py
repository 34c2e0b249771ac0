"""The command line of the engine: every settings class becomes a command, option by option.

``lens-triage`` itself is :mod:`lens_triage.app.cli`, which adds the commands that open the browser.
"""

from __future__ import annotations

import inspect
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer
from rich import box
from rich.table import Column, Table
from rich.text import Text

from lens_triage.training import runner as jobs
from lens_triage.training.bundled import (
    OWN_LICENSE,
    export_ensemble,
    import_ensemble,
    make_workspace,
)
from lens_triage.training.cli.audit import audit
from lens_triage.training.cli.console import console, errors
from lens_triage.training.cli.database import db
from lens_triage.training.cli.evaluate import evaluate
from lens_triage.training.cli.following import follow
from lens_triage.training.cli.followup import followup
from lens_triage.training.cli.graders import graders
from lens_triage.training.cli.labels import labels
from lens_triage.training.cli.managing import catalogs, ensembles
from lens_triage.training.cli.sessions import sessions
from lens_triage.training.cli.tokens import tokens
from lens_triage.training.cli.types import (
    WorkspaceArgument,
    option_of,
    parse_option,
)
from lens_triage.training.cli.verify import verify
from lens_triage.training.defaults import EPOCHS, N_OBJECTS, make_default
from lens_triage.training.settings import SETTINGS, RunSettings, fields
from lensing_core.cutouts.verifying import find_faults
from lensing_core.errors import BadInputError, LensTriageError
from lensing_core.store import open_database
from lensing_core.store.catalogs import all_catalogs, no_catalog
from lensing_core.store.ensembles import find_ensemble, version_of
from lensing_core.store.failures import sentence_of
from lensing_core.store.run_queue import runs_beginning_with
from lensing_core.store.runs import list_runs as stored_runs
from lensing_core.workspace import Workspace

RunArgument = Annotated[str, typer.Argument(help="Run id, or its unique beginning.")]


def engine_commands(cli: typer.Typer) -> None:
    """Add the engine's commands to ``cli``."""
    cli.command()(init)
    for settings in SETTINGS.values():
        cli.command(settings.kind, help=inspect.getdoc(settings))(_job_command(settings))
    cli.command()(evaluate)
    cli.command("runs")(list_runs)
    cli.command("export-ensemble")(export_ensemble_)
    cli.command("export-onnx")(export_onnx_)
    cli.command()(verify)
    cli.command("verify-data")(verify_data)
    cli.command("measure")(measure)
    cli.command("import-ensemble")(import_ensemble_)
    cli.command("adopt", hidden=True)(import_ensemble_)  # its name before
    cli.command("make-default")(make)
    cli.command()(cancel)
    cli.command()(resume)
    cli.add_typer(db, name="db")
    cli.add_typer(sessions, name="session")
    cli.add_typer(catalogs, name="catalogs")
    cli.add_typer(ensembles, name="ensembles")
    cli.add_typer(labels, name="labels")
    cli.add_typer(graders, name="graders")
    cli.add_typer(followup, name="followup")
    cli.add_typer(tokens, name="tokens")
    cli.command()(audit)


def init(
    workspace: WorkspaceArgument,
    database_url: Annotated[
        str,
        typer.Option(
            help="Keep the database on a PostgreSQL server: "
            "postgresql+psycopg://user:password@host/database. Default: a file of the workspace.",
            show_default=False,
        ),
    ] = "",
) -> None:
    """Make a workspace (harmless if it exists)."""
    made = make_workspace(workspace, database_url)
    console.print(f"Workspace ready: {made.root}", soft_wrap=True)


def export_ensemble_(
    workspace: WorkspaceArgument,
    ensemble: Annotated[str, typer.Argument(help="Name of the ensemble.", show_default=False)],
    folder: Annotated[Path, typer.Argument(help="Folder to write it into.", show_default=False)],
    license_id: Annotated[
        str, typer.Option("--license", help="SPDX identifier of the license of its weights.")
    ] = OWN_LICENSE,
    license_file: Annotated[
        Path | None, typer.Option(help="Text of another license than the program's own.")
    ] = None,
) -> None:
    """Copy an ensemble into a folder that other workspaces import, with card and checksums."""
    made = export_ensemble(
        Workspace.open(workspace),
        ensemble,
        folder,
        license_id=license_id,
        license_file=license_file,
    )
    console.print(str(made), soft_wrap=True)


def export_onnx_(
    workspace: WorkspaceArgument,
    ensemble: Annotated[str, typer.Argument(help="Name of the ensemble.", show_default=False)],
    folder: Annotated[Path, typer.Argument(help="New folder for the graphs.", show_default=False)],
) -> None:
    """Write the networks of an ensemble as ONNX graphs, with fusion and calibration as JSON."""
    from lensing_core.models.onnx_graphs import export_onnx  # loads torch
    from lensing_core.scoring import open_ensemble

    opened = Workspace.open(workspace)
    with open_database(opened).session() as session:
        found = find_ensemble(session, ensemble)
        rule, members = open_ensemble(opened, found)
        version = version_of(found)
    for graph in export_onnx(members, rule, ensemble, version, folder.expanduser().resolve()):
        console.print(
            f"{graph.file}: logits as of the network within {graph.largest_difference:.1e}",
            soft_wrap=True,
            highlight=False,
        )


def verify_data(
    workspace: WorkspaceArgument,
    catalog: Annotated[str, typer.Option(help="Of one catalog; else of all.")] = "",
) -> None:
    """Check that all cutouts are as they were written; exit code 1 if one is not."""
    opened = Workspace.open(workspace)
    with open_database(opened).session() as session:
        sizes = {c.name: c.n_candidates for c in all_catalogs(session)}
    names = sorted(sizes)
    if catalog and catalog not in names:
        raise no_catalog(catalog, known=names)
    faults = []
    for name in [catalog] if catalog else names:
        of_catalog = find_faults(opened.catalog_cutouts(name), n_candidates=sizes[name])
        faults += of_catalog
        damaged = f"{len(of_catalog)} {'file is' if len(of_catalog) == 1 else 'files are'} damaged"
        what = damaged if of_catalog else "all as written"
        console.print(f"{name}: {what}", soft_wrap=True, highlight=False)
    for fault in faults:
        errors.print(str(fault), soft_wrap=True, highlight=False)
    if faults:
        raise typer.Exit(1)


def measure(
    workspace: WorkspaceArgument,
    catalog: Annotated[str, typer.Argument(help="Name of the catalog.", show_default=False)],
) -> None:
    """Fill the arc, color and Einstein-radius filters of a catalog of an older workspace."""
    from lens_triage.training.derived_columns import (
        derive_columns,  # here, so that other commands start fast
    )

    counts = derive_columns(Workspace.open(workspace), catalog)
    console.print_json(json.dumps(counts))


def import_ensemble_(
    workspace: WorkspaceArgument,
    folder: Annotated[Path, typer.Argument(help="Made by export-ensemble.", show_default=False)],
) -> None:
    """Bring an exported ensemble into a workspace."""
    new = import_ensemble(Workspace.open(workspace), folder)
    console.print("Imported." if new else "The workspace has an ensemble of this name already.")


def make(
    workspace: WorkspaceArgument,
    name: Annotated[str, typer.Argument(help="Of the ensemble.", show_default=False)],
    folder: Annotated[Path, typer.Argument(help="Folder to write it into.", show_default=False)],
    data: Annotated[
        Path | None,
        typer.Option(help="Folder of the real pixels; not needed for simulations.", exists=True),
    ] = None,
    n_objects: Annotated[int, typer.Option(min=100, help="Objects to simulate.")] = N_OBJECTS,
    epochs: Annotated[
        int, typer.Option(min=1, help="Most passes of a network over them.")
    ] = EPOCHS,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
) -> None:
    """Make an ensemble that comes with the program anew, from real pixels where there are some."""
    made = make_default(
        Workspace.create(workspace),
        name,
        folder,
        say=errors.print,
        data=data,
        n_objects=n_objects,
        epochs=epochs,
        device=device,
    )
    console.print(str(made), soft_wrap=True)


def list_runs(
    workspace: WorkspaceArgument,
    last: Annotated[int, typer.Option(min=1, help="How many to show, newest first.")] = 20,
) -> None:
    """List runs with their state."""
    opened = Workspace.open(workspace)
    jobs.advance(opened)
    runs = open_database(opened).ask(stored_runs, limit=last)
    columns = Column("run", no_wrap=True), Column("what", overflow="fold"), "state", "progress"
    table = Table(*columns, box=box.SIMPLE_HEAD)
    for run in runs:
        share = f"{run.done:,} / {run.total:,}" if run.total else f"{run.done:,}"
        message = run.error or run.activity
        what = f"{run.title}\n{message}" if message else run.title
        table.add_row(run.id, Text(what), run.status, share)
    console.print(table)


def cancel(workspace: WorkspaceArgument, run: RunArgument) -> None:
    """Ask a run to stop; what it has written stays."""
    opened = Workspace.open(workspace)
    run_id = _find_run(opened, run)
    jobs.cancel(opened, run_id)
    console.print(f"Asked {run_id} to stop.")


def resume(workspace: WorkspaceArgument, run: RunArgument) -> None:
    """Go on with a run that was cancelled, failed or lost its process."""
    opened = Workspace.open(workspace)
    run_id = _find_run(opened, run)
    jobs.resume(opened, run_id)
    follow(opened, run_id)


def _find_run(workspace: Workspace, beginning: str) -> str:
    with open_database(workspace).session() as session:
        run_ids = runs_beginning_with(session, beginning, limit=2)
    if len(run_ids) != 1:
        what = "no run begins" if not run_ids else "several runs begin"
        raise BadInputError(f"{what} with {beginning!r}; see: lens-triage runs")
    return run_ids[0]


def _job_command(settings: type[RunSettings]) -> Callable[..., None]:
    known = fields(settings)

    def command(
        context: typer.Context,
        workspace: Path,
        dry_run: bool = False,
        detach: bool = False,
        **values: Any,
    ) -> None:
        chosen = settings(
            **{
                field.name: parse_option(field, values[field.name])
                for field in known
                if _is_given(context, field.name)
            }
        )
        chosen.check()
        if dry_run:
            console.print_json(json.dumps(chosen.to_json()))
            return
        opened = Workspace.create(workspace)
        run_id = jobs.submit(opened, chosen)
        if detach:
            console.print(run_id)
        else:
            follow(opened, run_id)

    command.__signature__ = inspect.Signature(  # type: ignore[attr-defined]  # read by typer
        [
            inspect.Parameter(
                "context", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=typer.Context
            ),
            inspect.Parameter(
                "workspace",
                inspect.Parameter.POSITIONAL_OR_KEYWORD,
                annotation=WorkspaceArgument,
            ),
            *map(option_of, known),
            _switch("dry_run", "Print the settings and stop."),
            _switch("detach", "Print the run's id and return; the run goes on."),
        ]
    )
    return command


def _is_given(context: typer.Context, name: str) -> bool:
    """Return whether an option stands on the command line; else a preset may decide it."""
    source = context.get_parameter_source(name)
    return source is not None and source.name != "DEFAULT"


def _switch(name: str, help_text: str) -> inspect.Parameter:
    flag = "--" + name.replace("_", "-")
    return inspect.Parameter(
        name,
        inspect.Parameter.KEYWORD_ONLY,
        default=False,
        annotation=Annotated[bool, typer.Option(flag, help=help_text, rich_help_panel="Running")],
    )


def run_cli(cli: typer.Typer) -> None:
    """Run ``cli``; errors meant for the user, and what disks refuse, become one line and code 2."""
    try:
        cli()
    except BrokenPipeError:  # the reader of a pipe has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(0) from None
    except Exception as error:
        sentence = str(error) if isinstance(error, LensTriageError) else sentence_of(error)
        if sentence is None:
            raise
        line = Text.assemble(("lens-triage:", "red"), " ", sentence)
        errors.print(line, soft_wrap=True, highlight=False)
        raise SystemExit(2) from error
