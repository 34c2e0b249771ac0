"""The four ways to join members, compared on held-out simulations and on real objects.

    python benchmarks/fusions.py WORKSPACE ENSEMBLE --control NONLENSES --lenses REAL
    python benchmarks/fusions.py WORKSPACE ENSEMBLE --graded REAL

The members of an ensemble that was trained in this workspace are taken as they are; each rule is
fitted on the calibration split. NONLENSES is a catalog of simulated non-lenses, ``--lenses`` one
of confirmed lenses, ``--graded`` one with a column Expert_Grade. An ensemble that was adopted has
no splits in the workspace: give the ``--split`` file that was kept where it was trained.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np
import torch
from runs_here import expert_grades
from sqlalchemy import select

from lens_triage.training.jobs.train.data import TrainingData
from lensing_core.cutouts import CutoutStore
from lensing_core.metrics import ranking_metrics_with_intervals
from lensing_core.models.ensemble import FUSIONS, EnsembleRule
from lensing_core.models.files import load_member
from lensing_core.models.member import Predictor
from lensing_core.proportions import Proportion
from lensing_core.store import open_database
from lensing_core.store.tables import Ensemble
from lensing_core.workspace import Workspace

BATCH = 256
RATES = (1e-2, 1e-3)


def outputs(predictors: list[Predictor], batches: Any) -> tuple[np.ndarray, np.ndarray]:
    """Raw logits and their variances, (n, members) each."""
    logits, variances = [], []
    for flux in batches:
        found = [predict(flux) for predict in predictors]
        logits.append(np.stack([o.logit for o in found], axis=1))
        variances.append(np.stack([o.variance for o in found], axis=1))
    return np.concatenate(logits), np.concatenate(variances)


def of_catalog(workspace: Workspace, members: list[Any], name: str) -> tuple[Any, Any]:
    """Outputs for all cutouts of a catalog."""
    store = CutoutStore(workspace.catalog_cutouts(name))
    predictors = [m.predictor(store.geometry, name, with_variance=True) for m in members]
    return outputs(predictors, (flux for _, flux in store.batches(BATCH)))


def of_splits(
    workspace: Workspace, members: list[Any], settings: dict[str, Any]
) -> dict[str, np.ndarray]:
    """Outputs, labels and sky blocks of the calibration and test splits of a training."""
    data = TrainingData.open(workspace, settings["catalogs"])
    splits = data.split(settings["seed"])
    factors = data.native_factors()
    predictors = [m.predictor(data.geometry, "split", with_variance=True) for m in members]
    found = {}
    for name in ("calibration", "test"):
        logits, variances = outputs(
            predictors, (data.flux(i) * factors for i in data.batches(splits[name], BATCH))
        )
        found |= {
            f"{name}_logits": logits,
            f"{name}_variances": variances,
            f"{name}_labels": data.labels.label[splits[name]],
            f"{name}_blocks": data.labels.group[splits[name]],
        }
    return found


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("workspace", type=Path)
    parser.add_argument("ensemble")
    parser.add_argument("--control", default="")
    parser.add_argument("--lenses", action="append", default=[])
    parser.add_argument("--graded", default="")
    parser.add_argument(
        "--split", type=Path, help="keeps what members say of the splits; read where it exists"
    )
    arguments = parser.parse_args()
    workspace = Workspace.open(arguments.workspace)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    with open_database(workspace).session() as session:
        ensemble = session.scalars(
            select(Ensemble).where(Ensemble.name == arguments.ensemble)
        ).one()
        settings = ensemble.manifest["settings"]
        members = [
            load_member(workspace, m.model_id, device=device).member for m in ensemble.members
        ]
    if arguments.split is None or not arguments.split.exists():
        kept = of_splits(workspace, members, settings)
        if arguments.split is not None:
            np.savez(arguments.split, **kept)
    else:
        kept = dict(np.load(arguments.split))
    split = {
        name: (kept[f"{name}_logits"], kept[f"{name}_variances"])
        for name in ("calibration", "test")
    }
    labels = {name: kept[f"{name}_labels"] for name in split}
    names = [n for n in (arguments.control, *arguments.lenses, arguments.graded) if n]
    found = {name: of_catalog(workspace, members, name) for name in names}

    for fusion in FUSIONS:
        raw, variances = split["calibration"]
        rule = EnsembleRule.fit(
            raw,
            labels["calibration"],
            fusion=fusion,
            survey_prior=1e-3,
            variances=variances,
            groups=kept["calibration_blocks"],
        )
        print(f"\n## {fusion}")
        held_out = ranking_metrics_with_intervals(rule(*split["test"]).logit, labels["test"])
        for name in ("tpr0", "tpr10", "recall_fpr_1e-2", "average_precision"):
            print(f"held-out {name}: {held_out[name]}")
        scores = {name: rule(*pair).logit for name, pair in found.items()}
        for name in arguments.lenses:
            for rate in RATES:
                others = np.sort(scores[arguments.control])[::-1]
                k = int((scores[name] > others[int(rate * len(others))]).sum())
                low, high = Proportion(k, len(scores[name])).interval
                print(f"{name}, FPR {rate:g}: {k}/{len(scores[name])} [{low:.2f}, {high:.2f}]")
        if arguments.graded:
            grade, logit = expert_grades(workspace, arguments.graded), scores[arguments.graded]
            clear = (grade >= 2) | (grade < 1)
            real = ranking_metrics_with_intervals(logit[clear], (grade[clear] >= 2).astype(int))
            print(f"graded auroc: {real['auroc']}; tpr10: {real['tpr10']}")


if __name__ == "__main__":
    main()
