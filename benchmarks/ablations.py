"""What do the arc-aware transformer's prior, and the physics task of training, bring?

    python benchmarks/ablations.py --what prior --seeds 3
    python benchmarks/ablations.py --what physics --seeds 3

Simulates an HSC-like survey, trains networks alone with and without, from the same seeds on the
same objects, and scores objects that no training has seen. The prior: ``arc_aware`` with and
without its positional bias, which are the same function before training. Physics: ResNet-10t with
and without the auxiliary head for Einstein radius and potential.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from runs_here import run_here, scores_of

from lens_triage.training.settings import ScoreSettings, SimulateSettings, TrainSettings
from lensing_core.metrics import compare_rankings, ranking_metrics_with_intervals
from lensing_core.store import open_database
from lensing_core.workspace import Workspace

SURVEY: dict[str, Any] = {"survey": "hsc", "bands": ["g", "r", "i"], "size_arcsec": 10.0}
SHOWN = ("average_precision", "recall_fpr_1e-2", "tpr10")


def train(workspace: Workspace, what: str, *, on: bool, seed: int, epochs: int) -> np.ndarray:
    """Logits of the test catalog, by a network trained with or without ``what``."""
    name = f"{what}-{'with' if on else 'without'}-{seed}"
    settings = TrainSettings(
        ensemble=name,
        catalogs=["train"],
        members=["network"],
        backbones=["arc_aware" if what == "prior" else "resnet10t"],
        small_stem=what == "physics",
        learning_rate=5e-4 if what == "prior" else 2e-3,
        epochs=epochs,
        patience=epochs,
        arc_prior=what != "prior" or on,
        physics_weight=0.2 if what == "physics" and on else 0.0,
        seed=seed,
    )
    run_here(workspace, settings, name)
    score = ScoreSettings(ensemble=name, catalog="test")
    run_here(workspace, score, f"score-{name}")
    return scores_of(workspace, name, "test")[0]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--what", choices=["prior", "physics"], required=True)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--train", type=int, default=4000)
    parser.add_argument("--test", type=int, default=4000)
    parser.add_argument("--epochs", type=int, default=12)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        workspace = Workspace.create(Path(folder) / "ws")
        open_database(workspace)
        for k, name in enumerate(("train", "test")):
            size = getattr(arguments, name)
            simulate = SimulateSettings(catalog=name, n_objects=size, seed=70 + k, **SURVEY)
            run_here(workspace, simulate, name)
        found: dict[bool, list[np.ndarray]] = {True: [], False: []}
        for seed in range(arguments.seeds):
            for on, scores in found.items():
                scores.append(
                    train(workspace, arguments.what, on=on, seed=seed, epochs=arguments.epochs)
                )
            report(found[False][-1], found[True][-1], workspace, arguments.what, f"seed {seed}")
        means = (np.mean(found[on], axis=0) for on in (False, True))
        report(*means, workspace, arguments.what, f"mean logit of {arguments.seeds} seeds")


def report(
    without: np.ndarray, with_it: np.ndarray, workspace: Workspace, what: str, which: str
) -> None:
    """Metrics of both, and the paired difference."""
    labels = scores_of(workspace, f"{what}-with-0", "test")[1]
    for name, scores in (("without", without), ("with", with_it)):
        metrics = ranking_metrics_with_intervals(scores, labels)
        shown = ", ".join(f"{metric} {metrics[metric]}" for metric in SHOWN)
        print(f"{which}, {name} {what}: {shown}", flush=True)
    for name, d in compare_rankings(without, with_it, labels).items():
        if name in SHOWN:
            print(f"  difference in {name}: {d.value:+.3f} [{d.low_95:+.3f}, {d.high_95:+.3f}]")


if __name__ == "__main__":
    main()
