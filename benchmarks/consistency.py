"""Does weak-strong consistency on unlabeled cutouts help fine-tuning? Paired, with intervals.

    python benchmarks/consistency.py --workspace FOLDER

A network of the bundled HSC ensemble is fine-tuned on a simulated survey that differs from its
training (faulty images, correlated noise, fainter arcs), of which few objects are labeled, with and
without consistency: the same labels, order of cutouts and epochs, by the function that the deep
fine-tune calls for each of its fits. Other labels and another order for each seed. All score the
same other objects of that survey. Fits that are done are kept in the workspace: run it again to go
on after an interruption, or with more seeds.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import replace

import numpy as np
from runs_here import do, known_run

from lens_triage.training.bundled import make_workspace
from lens_triage.training.jobs.retrain.networks import finetune
from lens_triage.training.jobs.train.data import TrainingData
from lens_triage.training.runner.context import JobContext
from lens_triage.training.settings import FinetuneSettings, SimulateSettings
from lensing_core.arrays import Float64Array
from lensing_core.metrics import RankingCurve
from lensing_core.metrics.comparison import compare_rankings
from lensing_core.models.deep import DeepMember
from lensing_core.models.files import load_member
from lensing_core.store import open_database
from lensing_core.store.ensembles import find_ensemble
from lensing_core.workspace import Workspace

BASE = "default-hsc"
SHOWN = ("average_precision", "recall_fpr_1e-2", "tpr10")
BATCH = 256


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


def base_network(workspace: Workspace, backbone: str) -> DeepMember:
    """The network of that backbone in the bundled ensemble."""
    with open_database(workspace).session() as session:
        names = [member.model_id for member in find_ensemble(session, BASE).members]
    member = load_member(workspace, next(n for n in names if n.startswith(backbone))).member
    assert isinstance(member, DeepMember)
    return member


def logits(member: DeepMember, data: TrainingData) -> Float64Array:
    """Of all objects of ``data``, each seen once: orientations are not averaged, to save time."""
    predict = replace(member, dihedral_averaging=False).predictor(data.geometry, "the test catalog")
    parts = data.batches(np.arange(len(data)), BATCH)
    return np.concatenate([predict(data.native_flux(rows)).logit for rows in parts])


def tuned_logits(
    workspace: Workspace,
    member: DeepMember,
    survey: TrainingData,
    test: TrainingData,
    arguments: argparse.Namespace,
    *,
    seed: int,
    consistency: float,
) -> Float64Array:
    """Logits of the test catalog by the network tuned on a draw of labels; kept in the workspace.

    Objects that are not drawn, and labeled non-lenses, are unlabeled to the loss (nnPU).
    """
    run_id = (
        f"{arguments.backbone}-{seed}-{arguments.labeled:g}-{arguments.epochs}-{consistency:g}-"
        f"{arguments.confidence:g}"
    )
    path = workspace.runs / run_id / "logits.npy"
    if path.is_file():
        return np.asarray(np.load(path))
    began = time.perf_counter()
    drawn = np.random.default_rng(seed).random(len(survey)) < arguments.labeled
    label = survey.labels.label * drawn
    data = replace(survey, labels=replace(survey.labels, label=label.astype(np.int8)))
    settings = FinetuneSettings(
        base=BASE,
        catalog="survey",
        epochs=arguments.epochs,
        consistency=consistency,
        confidence=arguments.confidence,
        survey_prior=0.3,
        device="cpu",
    )
    known_run(workspace, settings, run_id)
    context = JobContext(workspace, run_id)
    rows = np.arange(len(data))
    found = finetune(context, settings, member, data, rows, name="network", seed=seed)
    scores = logits(found, test)
    np.save(path, scores)
    print(f"# {run_id}, {label.sum()} lenses: {time.perf_counter() - began:.0f} s", flush=True)
    return scores


def tell(name: str, scores: Float64Array, labels: np.ndarray) -> None:
    """Print what a ranking finds."""
    curve = RankingCurve.of(scores, labels)
    print(
        f"{name}: average precision {curve.average_precision():.3f}, recall at FPR 1e-2 "
        f"{curve.recall_at_fpr(0.01):.3f}, TPR10 {curve.recall_with_false_positives(9):.3f}"
    )


def main() -> None:
    """Fine-tune with and without for each seed, score, and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--workspace", required=True)
    parser.add_argument("--backbone", choices=["resnet18", "arc_aware"], default="resnet18")
    parser.add_argument("--n", type=int, default=320, help="objects to learn from")
    parser.add_argument("--test", type=int, default=600, help="objects to score")
    parser.add_argument("--labeled", type=float, default=0.3, help="share of them with a label")
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--confidence", type=float, default=0.95)
    parser.add_argument("--seeds", type=int, default=2)
    arguments = parser.parse_args()
    workspace = make_workspace(arguments.workspace)
    for settings in (simulated("survey", arguments.n, 1), simulated("test", arguments.test, 2)):
        do(workspace, settings)
    survey, test = (TrainingData.open(workspace, [name]) for name in ("survey", "test"))
    member = base_network(workspace, arguments.backbone)
    labels = test.labels.label.astype(int)
    print(f"{labels.sum()} lenses, {(labels == 0).sum()} others")
    before = logits(member, test)
    tell("not tuned", before, labels)
    found: dict[float, list[Float64Array]] = {0.0: [], 1.0: []}
    for seed in range(arguments.seeds):
        for weight, scores in found.items():
            scores.append(
                tuned_logits(
                    workspace, member, survey, test, arguments, seed=seed, consistency=weight
                )
            )
        differences = compare_rankings(found[0.0][-1], found[1.0][-1], labels)
        said = ", ".join(f"{key} {differences[key].value:+.3f}" for key in SHOWN)
        print(f"seed {seed}, with less without: {said}", flush=True)
    without, with_it = (np.mean(found[weight], axis=0) for weight in (0.0, 1.0))
    print(f"mean logits of {arguments.seeds} seeds:")
    for name, scores in (("without", without), ("with", with_it)):
        tell(name, scores, labels)
    for name, first, second in (
        ("with less without", without, with_it),
        ("without less not tuned", before, without),
    ):
        differences = compare_rankings(first, second, labels)
        for key in SHOWN:
            d = differences[key]
            print(f"{name}, {key}: {d.value:+.3f} [{d.low_95:+.3f}, {d.high_95:+.3f}]")


if __name__ == "__main__":
    main()
