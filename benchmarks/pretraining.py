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

import numpy as np
from sqlalchemy import select

from lensing_core.metrics import compare_rankings, ranking_figures_with_intervals
from lensing_core.store import open_database
from lensing_core.store.tables import Candidate, Catalog, Ensemble, Run, Score
from lensing_core.workspace import Workspace
from training import fit, scoring, simulating
from training.jobs.context import JobContext
from training.settings import RunSettings, ScoreSettings, SimulateSettings, TrainSettings

SURVEY = {"survey": "hsc", "bands": ["g", "r", "i"], "size_arcsec": 8.0}
LABELS = (100, 1000)


def context_for(workspace: Workspace, settings: RunSettings, run_id: str) -> JobContext:
    """A run in this process."""
    with open_database(workspace).session() as session:
        session.add(Run(id=run_id, kind=settings.kind, title=run_id, settings=settings.to_json()))
    return JobContext(workspace, run_id)


def logits(workspace: Workspace, ensemble: str) -> tuple[np.ndarray, np.ndarray]:
    """Scores of the test catalog, and its labels."""
    query = (
        select(Score.logit, Candidate.label)
        .join(Candidate, Candidate.id == Score.candidate_id)
        .join(Catalog, Catalog.id == Candidate.catalog_id)
        .join(Ensemble, Ensemble.id == Score.ensemble_id)
        .where(Catalog.name == "test", Ensemble.name == ensemble)
        .order_by(Candidate.cutout_index)
    )
    with open_database(workspace).session() as session:
        found = np.array(session.execute(query).all(), dtype=np.float64)
    return found[:, 0], found[:, 1].astype(int)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--unlabelled", type=int, default=3000)
    parser.add_argument("--pretrain-epochs", type=int, default=15)
    parser.add_argument("--epochs", type=int, default=20)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        workspace = Workspace.create(Path(folder) / "ws")
        open_database(workspace)
        sizes = {"sky": arguments.unlabelled, "test": 2000, **{f"n{n}": n for n in LABELS}}
        for k, (name, n) in enumerate(sizes.items()):
            simulate = SimulateSettings(
                catalog=name, n_objects=n, seed=50 + k, labelled=name != "sky", **SURVEY
            )
            simulating.run(context_for(workspace, simulate, name), simulate)
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
                    context = context_for(workspace, settings, ensemble)
                    made = Path(folder) / f"encoder-{seed}"
                    place = context.folder / "resnet10t-pretraining"
                    if kind == "pretrained" and made.exists():  # one encoder serves both sizes
                        shutil.copytree(made, place)
                    fit.run(context, settings)
                    if kind == "pretrained" and not made.exists():
                        shutil.copytree(place, made)
                    score = ScoreSettings(ensemble=ensemble, catalog="test")
                    scoring.run(context_for(workspace, score, f"score-{ensemble}"), score)
                    scores[kind], labels = logits(workspace, ensemble)
                    figures = ranking_figures_with_intervals(scores[kind], labels, n_bootstrap=200)
                    print(
                        f"{n} labels, seed {seed}, {kind}: average precision "
                        f"{figures['average_precision']}, TPR10 {figures['tpr10']}",
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
