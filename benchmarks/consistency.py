"""Does weak-strong consistency on unlabeled cutouts help fine-tuning? Paired, with intervals.

    python benchmarks/consistency.py --workspace FOLDER

The bundled HSC ensemble is fine-tuned on a simulated survey that differs from its training (faulty
images, correlated noise, fainter arcs), of which one object in five is labeled, with and without
consistency: the same labels, seed and steps. Both score other objects of that survey. Run it again
to go on after an interruption.
"""

from __future__ import annotations

import argparse

from runs_here import scores_of
from sqlalchemy import select

from lens_triage.training.bundled import make_workspace
from lens_triage.training.defaults import run_once
from lens_triage.training.settings import FinetuneSettings, ScoreSettings, SimulateSettings
from lensing_core.metrics import RankingCurve
from lensing_core.metrics.comparison import compare_rankings
from lensing_core.store import open_database
from lensing_core.store.tables import Candidate, Catalog
from lensing_core.workspace import Workspace

BASE = "default-hsc"
LABELED = 5


def simulated(catalog: str, n: int, seed: int) -> SimulateSettings:
    """A survey unlike the one that the base was trained on."""
    return SimulateSettings(
        catalog=catalog,
        survey="hsc",
        bands=["g", "r", "i"],
        size_arcsec=10.8,
        n_objects=n,
        lens_fraction=0.3,
        artifact_fraction=0.2,
        noise_correlation_px=1.2,
        min_arc_snr=8.0,
        min_magnification=2.0,
        seed=seed,
    )


def hide_labels(workspace: Workspace, catalog: str) -> None:
    """Keep the label of one object in :data:`LABELED`."""
    with open_database(workspace).session() as session:
        rows = session.scalars(
            select(Candidate)
            .join(Catalog, Catalog.id == Candidate.catalog_id)
            .where(Catalog.name == catalog)
        )
        for row in rows:
            if row.cutout_index % LABELED:
                row.label = None


def main() -> None:
    """Fine-tune twice, score, and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--workspace", required=True)
    parser.add_argument("--n", type=int, default=500)
    parser.add_argument("--test", type=int, default=1000)
    parser.add_argument("--epochs", type=int, default=2)
    arguments = parser.parse_args()
    workspace = make_workspace(arguments.workspace)
    for settings in (simulated("survey", arguments.n, 1), simulated("test", arguments.test, 2)):
        print(f"# {settings.title()}: {run_once(workspace, settings):.0f} s", flush=True)
    hide_labels(workspace, "survey")
    tuned = [
        FinetuneSettings(
            base=BASE,
            ensemble=name,
            catalog="survey",
            folds=2,
            epochs=arguments.epochs,
            consistency=weight,
            survey_prior=0.3,
            device="cpu",
        )
        for name, weight in (("without", 0.0), ("with", 1.0))
    ]
    names = (BASE, "without", "with")
    runs = [
        ScoreSettings(catalog="survey", ensemble=BASE, device="cpu"),
        *tuned,
        *(ScoreSettings(catalog="test", ensemble=name, device="cpu") for name in names),
    ]
    for run in runs:
        print(f"# {run.title()}: {run_once(workspace, run):.0f} s", flush=True)
    found = {name: scores_of(workspace, name, "test") for name in names}
    labels = found[BASE][1]
    print(f"{labels.sum()} lenses, {(labels == 0).sum()} others")
    for name, (logit, _) in found.items():
        curve = RankingCurve.of(logit, labels)
        print(f"{name}: average precision {curve.average_precision():.3f}, "
              f"recall at FPR 1e-2 {curve.recall_at_fpr(0.01):.3f}")  # fmt: skip
    for other in (BASE, "without"):
        differences = compare_rankings(found[other][0], found["with"][0], labels)
        for key in ("average_precision", "recall_fpr_1e-2", "tpr10"):
            d = differences[key]
            print(f"with less {other}, {key}: {d.value:+.3f} [{d.low_95:+.3f}, {d.high_95:+.3f}]")


if __name__ == "__main__":
    main()
