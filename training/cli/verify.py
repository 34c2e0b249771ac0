"""``lens-triage verify``: whether stored scores follow from the weights that manifests name."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from lens_triage.training.cli.console import console
from lens_triage.training.cli.types import WorkspaceArgument
from lensing_core.errors import BadInputError
from lensing_core.workspace import Workspace


def verify(
    workspace: WorkspaceArgument,
    ensemble: Annotated[str, typer.Option(help="Ensemble that has scored the catalog.")],
    catalog: Annotated[str, typer.Option(help="Catalog whose scores are computed again.")],
    sample: Annotated[
        int, typer.Option(min=1, max=10_000, help="Candidates, chosen at random.")
    ] = 100,
    seed: Annotated[int, typer.Option(min=0, help="Seed of random numbers.")] = 1,
    tolerance: Annotated[
        float, typer.Option(min=1e-9, help="Difference of logits up to which scores agree.")
    ] = 0.01,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
    output: Annotated[
        Path | None, typer.Option(help="Write everything to this file, as JSON.")
    ] = None,
) -> None:
    """Compute scores of a sample again from the stored weights; exit code 1 where one differs."""
    from lens_triage.training.verifying import verify_scores  # loads torch

    if output is not None and not output.parent.is_dir():
        raise BadInputError(f"output: there is no folder {output.parent}.")
    verification = verify_scores(
        Workspace.open(workspace),
        ensemble,
        catalog,
        sample=sample,
        seed=seed,
        tolerance_logit=tolerance,
        device=device,
    )
    for sentence in verification.sentences():
        console.print(sentence, soft_wrap=True, highlight=False)
    if output is not None:
        output.write_text(json.dumps(verification.to_json(), indent=1))
    if not verification.agrees:
        raise typer.Exit(1)
