"""``lens-triage evaluate``: how good a ranking is on real objects."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from rich import box
from rich.table import Table

from lens_triage.training import runner as jobs
from lens_triage.training.cli.console import console
from lens_triage.training.cli.following import follow
from lens_triage.training.cli.types import WorkspaceArgument
from lens_triage.training.settings import ProbeSettings, ScoreSettings
from lensing_core.errors import BadInputError
from lensing_core.metrics import interval_text
from lensing_core.store import open_database
from lensing_core.store.runs import get_run
from lensing_core.workspace import Workspace

_SHOWN = {
    "tpr0": "TPR0",
    "tpr10": "TPR10",
    "recall_fpr_0.001": "recall at FPR 1e-3",
    "recall_fpr_0.01": "1e-2",
    "recall_fpr_0.05": "5e-2",
    "average_precision": "AP",
    "auroc": "AUROC",
}


def evaluate(
    workspace: WorkspaceArgument,
    ensemble: Annotated[str, typer.Option(help="Ensemble to measure.")],
    catalog: Annotated[str, typer.Option(help="Catalog with known lenses.")],
    beside: Annotated[
        list[str] | None,
        typer.Option(help="Catalog of the same survey with real non-lenses; may be repeated."),
    ] = None,
    painted: Annotated[
        str, typer.Option(help="Catalog with painted arcs to compare with the real ones.")
    ] = "",
    visibility: Annotated[
        str,
        typer.Option(help="Column of the table with the visibility of arcs; grades: by graders."),
    ] = "",
    score: Annotated[
        bool,
        typer.Option(
            "--score", help="First score catalogs that the ensemble has not scored, as a run."
        ),
    ] = False,
    block_nside: Annotated[
        int, typer.Option(min=0, help="NSIDE of the sky blocks that intervals draw; 0: none.")
    ] = 64,
    probes: Annotated[
        bool,
        typer.Option(
            "--probes", help="Also score objects with parts of their pixels taken away, as a run."
        ),
    ] = False,
    output: Annotated[
        Path | None, typer.Option(help="Write everything to this file, as JSON.")
    ] = None,
    pictures: Annotated[
        Path | None, typer.Option(help="Folder for pictures of the most recognizable painted arcs.")
    ] = None,
) -> None:
    """Measure a ranking on labeled objects, beside brightness, color and center alone."""
    from lens_triage.training.real_evaluation import evaluate_real, unscored  # loads torch
    from lens_triage.training.realism import check_realism

    if output is not None and not output.parent.is_dir():
        raise BadInputError(f"output: there is no folder {output.parent}.")
    opened = Workspace.open(workspace)
    names = list(dict.fromkeys([catalog, *(beside or [])]))
    left = unscored(opened, ensemble, [*names, *filter(None, [painted])]) if score else []
    if left:
        chosen = ScoreSettings(ensemble=ensemble, catalog=left[0], additional_catalogs=left[1:])
        follow(opened, jobs.submit(opened, chosen), tell=False)
    evaluation = evaluate_real(
        opened, ensemble, names, visibility=visibility, block_nside=block_nside
    ).to_json()
    for note in evaluation["notes"]:
        console.print(note, soft_wrap=True, highlight=False)
    for comparison in evaluation["comparisons"]:
        console.print(_table(comparison))
    for row in evaluation["visibility"]:
        console.print(
            f"Arcs {row['name']}: recall at FPR 1e-2 {row['found']}/{row['lenses']} = "
            f"{row['recall']:.2f} [{row['low_95']:.2f}, {row['high_95']:.2f}]",
            highlight=False,
        )
    if painted:
        gates = check_realism(opened, painted, names, ensemble, pictures=pictures)
        for gate in gates:
            console.print(gate["sentence"], soft_wrap=True, highlight=False)
        evaluation["realism"] = gates
    if probes:
        evaluation["probes"] = _probe(opened, ensemble, names, block_nside)
    if output is not None:
        output.write_text(json.dumps(evaluation, indent=1, allow_nan=False))


def _probe(
    workspace: Workspace, ensemble: str, names: list[str], block_nside: int
) -> dict[str, Any]:
    """Probe for shortcuts, as a run; print a table and what is a warning."""
    chosen = ProbeSettings(
        ensemble=ensemble, catalog=names[0], additional_catalogs=names[1:], block_nside=block_nside
    )
    run_id = jobs.submit(workspace, chosen)
    follow(workspace, run_id, tell=False)
    found = dict(open_database(workspace).ask(get_run, run_id).result or {})
    title = f"Probes, on {found['lenses']:,} lenses and {found['others']:,} others"
    columns = ("probe", "AUROC", "drop of AUROC", "rank correlation")
    table = Table(*columns, title=title, box=box.SIMPLE_HEAD, title_justify="left")
    for of in found["probes"]:
        drop, correlation = of["drop"], of["correlation"]
        table.add_row(
            of["title"],
            interval_text(of["auroc"]),
            "" if drop is None else interval_text(drop),
            "" if correlation is None else f"{correlation:.2f}",
        )
    console.print(table)
    for sentence in [of["sentence"] for of in found["probes"] if of["sentence"]] + found["notes"]:
        console.print(sentence, soft_wrap=True, highlight=False)
    return found


def _table(comparison: dict[str, Any]) -> Table:
    """Figures of the ensemble and the baselines against one kind of non-lenses."""
    table = Table(
        "score",
        *_SHOWN.values(),
        "matched separation",
        title=f"On {comparison['sentence']}",
        box=box.SIMPLE_HEAD,
        title_justify="left",
    )
    for name, measured in comparison["measured"].items():
        cells = [interval_text(measured["figures"][key]) for key in _SHOWN]
        table.add_row(name, *cells, interval_text(measured["matched"]))
    return table
