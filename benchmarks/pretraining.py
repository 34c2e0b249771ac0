"""What does pretraining without labels bring, at 100 and at 1,000 labels?

    python benchmarks/pretraining.py --seeds 2

Simulates an HSC-like survey, trains a network alone on few labels, from scratch and from an encoder
pretrained on 3,000 cutouts without labels, and scores 2,000 objects that no training has seen.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
from pathlib import Path

from runs_here import run_here, scores_of

from lens_triage.training.settings import ScoreSettings, SimulateSettings, TrainSettings
from lensing_core.metrics import compare_rankings, ranking_metrics_with_intervals
from lensing_core.store import open_database
from lensing_core.workspace import Workspace

SURVEY = {"survey": "hsc", "bands": ["g", "r", "i"], "size_arcsec": 8.0}
LABELS = (100, 1000)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--unlabeled", type=int, default=3000)
    parser.add_argument("--pretrain-epochs", type=int, default=15)
    parser.add_argument("--epochs", type=int, default=20)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        workspace = Workspace.create(Path(folder) / "ws")
        open_database(workspace)
        sizes = {"sky": arguments.unlabeled, "test": 2000, **{f"n{n}": n for n in LABELS}}
        for k, (name, n) in enumerate(sizes.items()):
            simulate = SimulateSettings(
                catalog=name, n_objects=n, seed=50 + k, labeled=name != "sky", **SURVEY
            )
            run_here(workspace, simulate, name)
        for n in LABELS:
            for seed in range(arguments.seeds):
                scores = {}
                for kind in ("scratch", "pretrained"):
                    ensemble = f"{kind}-{n}-{seed}"
                    settings = TrainSettings(
                        ensemble=ensemble,
                        catalogs=[f"n{n}"],
                        members=["network"],
                        epochs=arguments.epochs,
                        patience=arguments.epochs,
                        network_batch=32,
                        seed=seed,
                        pretrain_catalogs=["sky"] if kind == "pretrained" else [],
                        pretrain_epochs=arguments.pretrain_epochs,
                    )
                    made = Path(folder) / f"encoder-{seed}"
                    place = workspace.runs / ensemble / "resnet10t-pretraining"
                    if kind == "pretrained" and made.exists():  # one encoder serves both sizes
                        shutil.copytree(made, place)
                    run_here(workspace, settings, ensemble)
                    if kind == "pretrained" and not made.exists():
                        shutil.copytree(place, made)
                    score = ScoreSettings(ensemble=ensemble, catalog="test")
                    run_here(workspace, score, f"score-{ensemble}")
                    scores[kind], labels = scores_of(workspace, ensemble, "test")
                    metrics = ranking_metrics_with_intervals(scores[kind], labels, n_bootstrap=200)
                    print(
                        f"{n} labels, seed {seed}, {kind}: average precision "
                        f"{metrics['average_precision']}, TPR10 {metrics['tpr10']}",
                        flush=True,
                    )
                gain = compare_rankings(scores["scratch"], scores["pretrained"], labels)
                for name in ("average_precision", "tpr10"):
                    d = gain[name]
                    print(
                        f"  gain in {name}: {d.value:+.3f} [{d.low_95:+.3f}, {d.high_95:+.3f}]",
                        flush=True,
                    )


if __name__ == "__main__":
    main()
