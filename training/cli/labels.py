"""``lens-triage labels``: grades in and out of a workspace."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lens_triage.training.cli.console import console
from lens_triage.training.cli.types import WorkspaceArgument
from lensing_core.consensus import PRIOR, Thresholds
from lensing_core.errors import BadInputError
from lensing_core.labeling.exporting import FORMATS, export_events
from lensing_core.labeling.grade_files import CsvMapping, ZooniverseMapping
from lensing_core.labeling.importing import GradeImportReport, GradeImportRequest, import_labels
from lensing_core.labeling.zooniverse_outline import is_export
from lensing_core.store import open_database
from lensing_core.store.consensus import schemes_in_use, update_consensus
from lensing_core.store.consensus_choice import (
    METHODS,
    ConsensusSettings,
    check_method,
    count_votes_in_sight,
    ensemble_as_prior,
)
from lensing_core.workspace import Workspace

_SHOWN = 20

labels = typer.Typer(help="Grades in and out, and their consensus.", no_args_is_help=True)


@labels.command("import")
def import_(
    workspace: WorkspaceArgument,
    file: Annotated[Path, typer.Argument(help=".csv, .ecsv or .jsonl", show_default=False)],
    scheme: Annotated[str, typer.Option(help="Grading scheme of the grades.")] = "abcx",
    source: Annotated[str, typer.Option(help="Name of the source; empty: the file's.")] = "",
    catalog: Annotated[
        list[str] | None, typer.Option(help="Where objects are looked for; may be repeated.")
    ] = None,
    object_id: Annotated[str, typer.Option(help="Column of the object's name.")] = "object_id",
    ra: Annotated[str, typer.Option(help="Column of right ascension, with no object-id.")] = "",
    dec: Annotated[str, typer.Option(help="Column of declination.")] = "",
    radius_arcsec: Annotated[float, typer.Option(help="Radius of a match by position.")] = 1.0,
    grade: Annotated[str, typer.Option(help="Column of the grade.")] = "grade",
    grader: Annotated[str, typer.Option(help="Column of the grader.")] = "grader",
    grader_name: Annotated[
        str, typer.Option(help="Grader of all rows, for a file of one grader.")
    ] = "",
    reject_reason: Annotated[str, typer.Option(help="Column of the reject reason.")] = "",
    comment: Annotated[str, typer.Option(help="Column of the comment.")] = "",
    at: Annotated[str, typer.Option(help="Column of the time, ISO 8601.")] = "",
    meaning: Annotated[
        list[str] | None,
        typer.Option(
            "--map",
            help="VALUE=GRADE: what a value or an answer of the file stands for; VALUE= for one "
            "that is no grade. May be repeated.",
        ),
    ] = None,
    header: Annotated[
        bool | None,
        typer.Option(help="Whether the first line names columns; else they are numbers, from 1."),
    ] = None,
    zooniverse: Annotated[
        list[str] | None,
        typer.Option(help="A Zooniverse export: ANSWER=GRADE, as with --map."),
    ] = None,
    task: Annotated[str, typer.Option(help="Zooniverse task.")] = "T0",
    workflow: Annotated[str, typer.Option(help="Id or name of the Zooniverse workflow.")] = "",
    version: Annotated[
        list[str] | None,
        typer.Option(help="Version of the workflow: 12.5, or 12 for all of 12. May be repeated."),
    ] = None,
    subject_key: Annotated[
        str, typer.Option(help="Subject metadata with the name; empty: object_id, as exported.")
    ] = "",
    skip_bad: Annotated[bool, typer.Option("--skip-bad", help="Import the good rows.")] = False,
) -> None:
    """Import grades: CSV of any tool, a Zooniverse export, or an exported log of labels."""
    opened = Workspace.open(workspace)
    mapping: CsvMapping | ZooniverseMapping
    values = _values([*(meaning or ()), *(zooniverse or ())])
    if zooniverse or is_export(file):
        mapping = ZooniverseMapping(values, task, subject_key, workflow, tuple(version or ()))
    else:
        name = "" if ra or dec else object_id
        mapping = CsvMapping(
            *(name, ra, dec, grade, grader, grader_name, reject_reason, comment, at),
            values=values,
            header=header,
        )
    with open_database(opened).session() as session:
        schemes = schemes_in_use(session)
        if scheme not in schemes:
            raise BadInputError(f"Scheme {scheme!r}: choose one of {', '.join(schemes)}.")
        request = GradeImportRequest(
            file,
            mapping,
            (source or file.stem)[:50],
            schemes[scheme],
            tuple(catalog or ()),
            radius_arcsec,
            skip_bad,
        )
        report = import_labels(session, request)
    _show(report)


def _values(pairs: list[str]) -> dict[str, str]:
    values = {}
    for pair in pairs:
        answer, equals, grade = pair.rpartition("=")
        if not equals:
            raise BadInputError(f"--map {pair!r}: write it as VALUE=GRADE.")
        values[answer.strip()] = grade.strip()
    return values


def _show(report: GradeImportReport) -> None:
    for note in report.notes:
        console.print(note, soft_wrap=True, highlight=False)
    for bad in report.bad[:_SHOWN]:
        console.print(f"Row {bad.row}: {bad.message}", soft_wrap=True)
    if len(report.bad) > _SHOWN:
        console.print(f"... and {len(report.bad) - _SHOWN:,} more.")
    if not report.written:
        console.print(
            f"Nothing was imported: {len(report.bad):,} of {report.n_rows:,} rows are bad."
        )
        raise typer.Exit(1)
    console.print(
        f"{report.n_new:,} grades imported, {report.n_known:,} were there before, "
        f"{len(report.bad):,} rows left out."
    )


@labels.command("export")
def export(
    workspace: WorkspaceArgument,
    file: Annotated[Path, typer.Argument(help=".csv, .ecsv or .jsonl", show_default=False)],
) -> None:
    """Write the whole log of labels; JSON lines hold the hashes of the chain as they are."""
    kind = file.suffix.lstrip(".").lower()
    if kind not in FORMATS:
        raise BadInputError(f"{file.name}: end the name with .csv, .ecsv or .jsonl.")
    with open_database(Workspace.open(workspace)).session() as session:
        n = export_events(session, file, kind)
    console.print(f"{n:,} events written to {file}", soft_wrap=True)


@labels.command("consensus")
def consensus(
    workspace: WorkspaceArgument,
    method: Annotated[str, typer.Option(help=f"One of {', '.join(METHODS)}.")] = "dawid_skene",
    prior: Annotated[
        float | None,
        typer.Option(
            help="Probability of a lens before any vote; else dawid_skene estimates it from the "
            f"votes, and swap takes {PRIOR:g}."
        ),
    ] = None,
    prior_ensemble: Annotated[
        str,
        typer.Option(
            help="Take the calibrated probability of this ensemble as the prior of each candidate; "
            "where it has not scored one, --prior. For grades that were given blind."
        ),
    ] = "",
    accept: Annotated[float, typer.Option(help="Posterior from which a lens is accepted.")] = 0.95,
    retire: Annotated[float, typer.Option(help="Posterior at which it is retired.")] = 1e-7,
) -> None:
    """Join the grades of all graders, and say how pure the accepted list is."""
    chosen, thresholds = check_method(method), Thresholds(accept, retire)
    with open_database(Workspace.open(workspace)).session() as session:
        scores = ensemble_as_prior(session, prior_ensemble) if prior_ensemble else None
        aggregated = update_consensus(session, ConsensusSettings(chosen, prior, scores, thresholds))
        in_sight = count_votes_in_sight(session) if prior_ensemble else 0
    if aggregated is None or not aggregated.metrics.n_graded:
        console.print("Nothing has been graded yet.")
        return
    metrics = aggregated.metrics
    console.print(f"{metrics.n_graded:,} graded, {metrics.n_accepted:,} accepted.")
    if in_sight:
        console.print(
            f"{in_sight:,} grades were given with a visible score; as the prior, the score counts "
            "twice.",
            soft_wrap=True,
        )
    for name, (value, low, high) in (
        ("Purity of the list", metrics.purity),
        ("Completeness among graded", metrics.completeness),
    ):
        said = "not measurable" if value != value else f"{value:.3f} [{low:.3f}, {high:.3f}]"
        console.print(f"{name}: {said}")
