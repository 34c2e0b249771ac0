"""What do the PU methods bring, and do the checks see what they should?

    python benchmarks/pu.py --what synthetic
    python benchmarks/pu.py --what digits
    python benchmarks/pu.py --what surveys --cache FOLDER     (simulates some 15 minutes first)
    python benchmarks/pu.py --what biased --cache FOLDER

Every table has a mean over seeds with its 95 % interval (Student's t): a seed draws objects, labels
and models anew, but the simulated surveys' test set is one. Everything runs in one thread.
"""

from __future__ import annotations

import argparse
import time
from collections import defaultdict
from pathlib import Path

import numpy as np
import torch
from scipy.special import expit, logit
from scipy.stats import t as student
from sklearn.datasets import load_digits

from lensing_core.calibration import reliability, shift_prior
from lensing_core.cutouts import CutoutGeometry
from lensing_core.features import GridFeatures
from lensing_core.metrics import ranking_metrics
from lensing_core.pu import (
    METHODS,
    PUModel,
    TreesLearner,
    blind_to,
    estimate_priors,
    out_of_fold,
    prior_sensitivity,
    pu_method,
    scar_check,
)
from lensing_core.simulation import SurveySimulator
from lensing_core.surveys import get_survey

TREES = TreesLearner(threads=1)
TREES_OF = {"bagging": TreesLearner(rounds=50, threads=1)}
SIZE_PX = 60
N_LENSES, N_OTHERS = 6000, 50_000
N_TEST = {"lenses": 2000, "others": 20_000}
UNLABELED = 10_000
Table = dict[tuple[str, ...], dict[str, list[float]]]


def interval(values: list[float], digits: int = 3) -> str:
    """Mean with the 95 % interval of the mean."""
    v = np.asarray(values, dtype=float)
    if np.isnan(v).any():
        return "not measurable"
    half = student.ppf(0.975, len(v) - 1) * v.std(ddof=1) / np.sqrt(len(v))
    return f"{v.mean():.{digits}f} [{v.mean() - half:.{digits}f}, {v.mean() + half:.{digits}f}]"


def show(title: str, keys: tuple[str, ...], table: Table, digits: int = 3) -> None:
    """Print a Markdown table."""
    columns = list(next(iter(table.values())))
    print(f"\n**{title}**\n")
    print("| " + " | ".join((*keys, *columns)) + " |")
    print("|" + " --- |" * (len(keys) + len(columns)))
    for key, row in table.items():
        cells = [interval(row[c], digits) for c in columns]
        print("| " + " | ".join((*key, *cells)) + " |", flush=True)


def empty() -> Table:
    """Rows of lists of values, one a seed."""
    return defaultdict(lambda: defaultdict(list))


def fitted(
    name: str, x: np.ndarray, s: np.ndarray, y: np.ndarray, prior: float, seed: int
) -> PUModel:
    """A method told the true prior of the unlabeled; the oracle is told the truth."""
    method = pu_method(name, prior=prior, learner=TREES_OF.get(name, TREES), seed=seed)
    return method.fit(x, y if name == "oracle" else s)


def gaussians(
    n: int, prior: float, seed: int, columns: int = 10
) -> tuple[np.ndarray, np.ndarray, np.random.Generator]:
    """Two unit Gaussians in ten dimensions, four standard deviations apart."""
    rng = np.random.default_rng(seed)
    y = (rng.random(n) < prior).astype(int)
    x = rng.normal(size=(n, columns)).astype(np.float32)
    x[:, 0] += 4 * y
    return x, y, rng


def synthetic(seeds: int) -> None:
    """(a) Are π and c recovered, and how near are the methods to the optimum?"""
    priors, ranks = empty(), empty()
    for prior in (0.2, 0.05, 0.01):
        for c in (0.2, 0.5):
            for seed in range(seeds):
                x, y, rng = gaussians(10_000, prior, seed)
                s = y * (rng.random(len(y)) < c)
                inside = float(y[s == 0].mean())
                found = estimate_priors(x, s, learner=TREES, seed=seed)
                row = priors[(f"{prior}", f"{c}")]
                model = fitted("elkan_noto", x, s, y, inside, seed)
                assert model.label_frequency is not None
                row["c of Elkan-Noto / c"].append(model.label_frequency.value / s[y == 1].mean())
                for name, estimate in found.by_name.items():
                    row[f"{name} / π"].append(estimate.value / inside)
                row["warned"].append(float(bool(found.warnings)))
                fresh, truth, _ = gaussians(20_000, prior, seed + 1000)
                posterior = expit(4 * fresh[:, 0] - 8 + logit(prior))
                for name in METHODS:
                    model = fitted(name, x, s, y, inside, seed)
                    moved = shift_prior(model.decision(fresh), model.prior.value, prior)
                    cell = ranks[(f"{prior}", f"{c}", name)]
                    cell["average precision"].append(
                        ranking_metrics(moved, truth)["average_precision"]
                    )
                    cell["error of P"].append(
                        float(np.abs(expit(moved) - posterior).mean()) / prior
                    )
                best = ranks[(f"{prior}", f"{c}", "optimum")]
                best["average precision"].append(
                    ranking_metrics(fresh[:, 0], truth)["average_precision"]
                )
                best["error of P"].append(0.0)
    show("Estimates as a ratio to the truth", ("π", "c"), priors, 2)
    show("Ranking; mean error of the probability, in units of π", ("π", "c", "method"), ranks)


def digits(seeds: int) -> None:
    """(b) Digits 3, 5 and 8 against the others, half of each held out."""
    images, numbers = load_digits(return_X_y=True)
    images, positive = images.astype(np.float32), np.isin(numbers, (3, 5, 8)).astype(int)
    table, estimates = empty(), empty()
    for prior in (0.3, 0.1):
        for c in (0.5, 0.2):
            for seed in range(seeds):
                rng = np.random.default_rng(seed)
                order = rng.permutation(len(images))
                train, test = order[::2], order[1::2]
                others = train[positive[train] == 0]
                n = round(len(others) * prior / (1 - prior))
                rows = np.concatenate([others, train[positive[train] == 1][:n]])
                x, y = images[rows], positive[rows]
                s = np.zeros(len(y), dtype=int)
                s[rng.choice(np.flatnonzero(y), round(c * n), replace=False)] = 1
                inside = float(y[s == 0].mean())
                for name in METHODS:
                    model = fitted(name, x, s, y, inside, seed)
                    metrics = ranking_metrics(model.decision(images[test]), positive[test])
                    cell = table[(f"{prior}", f"{c}", name)]
                    for metric in ("average_precision", "recall_fpr_1e-2", "auroc"):
                        cell[metric.replace("_", " ")].append(metrics[metric])
                row = estimates[(f"{prior}", f"{c}")]
                row["labeled"].append(float(s.sum()))
                for name, e in estimate_priors(x, s, learner=TREES, seed=seed).by_name.items():
                    row[f"{name} / π"].append(e.value / inside)
    show("Digits", ("π", "c", "method"), table)
    show("Class prior as a ratio to the truth", ("π", "c"), estimates, 2)


def simulate(lens_fraction: float, n: int, seed: int) -> dict[str, np.ndarray]:
    """Grid features of simulated HSC objects, all lenses or none, and the lenses' arc S/N."""
    survey = get_survey("hsc")
    bands = tuple(survey.band(name) for name in "gri")
    simulator = SurveySimulator(survey, bands, SIZE_PX, lens_fraction, seed)
    frame = simulator.frame
    measure = grid_features()
    assert frame.zero_points_mag == measure.geometry.zero_points_mag
    features, snr = [], []
    for start in range(0, n, 256):
        batch = simulator.batch(start, min(start + 256, n))
        features.append(measure(batch.flux))
        snr += [float(scene.truth.get("arc_snr", np.nan)) for scene in batch.scenes]
    return {"features": np.concatenate(features), "arc_snr": np.array(snr)}


def grid_features() -> GridFeatures:
    """Of HSC cutouts in g, r and i, 60 pixels (10 arcsec) a side."""
    survey = get_survey("hsc")
    bands = tuple(survey.band(name) for name in "gri")
    return GridFeatures(
        CutoutGeometry(
            survey.name,
            tuple("gri"),
            SIZE_PX,
            survey.pixel_scale_arcsec,
            "flux",
            tuple(band.zero_point_mag for band in bands),
            tuple(band.psf_fwhm_arcsec for band in bands),
        )
    )


def simulated(folder: Path) -> tuple[np.ndarray, np.ndarray]:
    """Features of lenses and of non-lenses, simulated or from the folder."""
    made = []
    for name, fraction, n, seed in (("lenses", 1.0, N_LENSES, 11), ("others", 0.0, N_OTHERS, 12)):
        path = folder / f"pu-{name}-{n}.npz"
        if not path.exists():
            folder.mkdir(parents=True, exist_ok=True)
            np.savez(path, **simulate(fraction, n, seed))
        with np.load(path) as stored:
            made.append(stored["features"])
    return made[0], made[1]


def survey_draw(
    lenses: np.ndarray, others: np.ndarray, n_labeled: int, prior: float, seed: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Known lenses and an unlabeled survey with lenses hidden in it: x, s, y."""
    rng = np.random.default_rng(seed)
    hidden = round(prior * UNLABELED)
    picked = rng.permutation(len(lenses))[: n_labeled + hidden]
    x = np.concatenate([lenses[picked], rng.permutation(others)[: UNLABELED - hidden]])
    s, y = np.zeros(len(x), dtype=int), np.zeros(len(x), dtype=int)
    s[:n_labeled], y[: n_labeled + hidden] = 1, 1
    return x, s, y


def surveys(seeds: int, folder: Path, priors: list[float]) -> None:
    """(c) Simulated lens surveys: what the methods find in a test set of their own."""
    lenses, others = simulated(folder)
    test = np.concatenate([lenses[: N_TEST["lenses"]], others[: N_TEST["others"]]])
    truth = np.repeat([1, 0], list(N_TEST.values()))
    lenses, others = lenses[N_TEST["lenses"] :], others[N_TEST["others"] :]
    base = float(truth.mean())
    table, estimates, swings = empty(), empty(), empty()
    for prior in priors:
        for n_labeled in (50, 200, 1000):
            start = time.perf_counter()
            for seed in range(seeds):
                x, s, y = survey_draw(lenses, others, n_labeled, prior, seed)
                for name in ("naive", "elkan_noto", "nnpu", "bagging", "oracle"):
                    model = fitted(name, x, s, y, prior, seed)
                    z = shift_prior(model.decision(test), model.prior.value, base)
                    metrics, calibration = ranking_metrics(z, truth), reliability(z, truth)
                    cell = table[(f"{prior:g}", f"{n_labeled}", name)]
                    cell["TPR0"].append(metrics["tpr0"])
                    cell["TPR10"].append(metrics["tpr10"])
                    cell["recall at FPR 1e-3"].append(metrics["recall_fpr_1e-3"])
                    cell["average precision"].append(metrics["average_precision"])
                    cell["ECE"].append(calibration.ece_equal_mass)
                    cell["Brier"].append(calibration.brier)
                if n_labeled == 200:
                    row = estimates[(f"{prior:g}", f"{n_labeled}")]
                    found = estimate_priors(x, s, learner=TREES, seed=seed)
                    for name, estimate in found.by_name.items():
                        row[f"{name} / π"].append(estimate.value / prior)
                    row["warned"].append(float(bool(found.warnings)))
                    nnpu = pu_method("nnpu", prior=prior, seed=seed)
                    for moved in prior_sensitivity(nnpu, x, s, ranked=test, top=500):
                        cell = swings[(f"{prior:g}", f"{moved.factor:g}")]
                        cell["first 500 kept"].append(moved.top_kept)
                        cell["rank correlation"].append(moved.rank_correlation)
            print(f"π {prior:g}, {n_labeled} labeled: {time.perf_counter() - start:.0f} s")
    show("Simulated surveys", ("π", "labeled", "method"), table)
    show("Class prior as a ratio to the truth", ("π", "labeled"), estimates, 2)
    show("nnPU told another π", ("π", "told × "), swings)


def bright_gaussians(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Features without the brightness, of which bright positives show their class more clearly."""
    y = np.repeat([1, 0], [1750, 14_750])
    brightness = rng.normal(size=len(y))
    x = rng.normal(size=(len(y), 10)).astype(np.float32)
    x[:, 0] += y * (3.5 + brightness)
    return x, y, brightness


def bright_lenses(
    lenses: np.ndarray, others: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Simulated objects; the brightness is one of the features that the models read."""
    x = np.concatenate([rng.permutation(lenses)[:1750], rng.permutation(others)[:14_750]])
    column = grid_features().schema.names.index("ring0_mean_i")
    return x, np.repeat([1, 0], [1750, 14_750]), x[:, column].astype(float)


def check(
    row: dict[str, list[float]], x: np.ndarray, s: np.ndarray, brightness: np.ndarray
) -> None:
    """Return whether the check cries, and by how much the brightness differs."""
    bagging = pu_method("bagging", prior=0.05, learner=TREES_OF["bagging"], bags=8)
    found = scar_check(out_of_fold(bagging, x, s), s, {"brightness": brightness})
    row["alarm"].append(float(found.verdict == "differs"))
    row["AUROC of brightness"].append(
        found.covariates[0].auroc if found.covariates else float("nan")
    )


def biased(seeds: int, folder: Path) -> None:
    """(d) 150 labeled lenses, at random or of the brightest third; 250 hidden in 5,000."""
    table, checks = empty(), empty()
    lenses, others = simulated(folder)
    for seed in range(seeds):
        for problem in ("Gaussians", "simulated HSC"):
            rng = np.random.default_rng(seed)
            x, y, brightness = (
                bright_gaussians(rng)
                if problem == "Gaussians"
                else bright_lenses(lenses, others, rng)
            )
            bright = brightness > np.quantile(brightness[y == 1], 2 / 3)
            # Rows are in random order within each class.
            known, hidden, test = np.split(np.arange(1750), [500, 750])
            unlabeled = np.concatenate([hidden, np.arange(1750, 6500)])
            held = np.concatenate([test, np.arange(6500, 16_500)])
            for labels in ("at random", "bright only"):
                labeled = (known[bright[known]] if labels == "bright only" else known)[:150]
                used = np.concatenate([labeled, unlabeled])
                s = np.repeat([1, 0], [len(labeled), len(unlabeled)])
                for name in ("naive", "elkan_noto", "nnpu", "bagging", "oracle"):
                    model = fitted(name, x[used], s, y[used], 0.05, seed)
                    z = model.decision(x[held])
                    cell = table[(problem, labels, name)]
                    for which, kept in (("bright", bright[held]), ("faint", ~bright[held])):
                        rows = (y[held] == 0) | kept
                        metrics = ranking_metrics(z[rows], y[held][rows])
                        cell[f"recall of {which} ones"].append(metrics["recall_fpr_1e-2"])
                    moved = shift_prior(z, model.prior.value, float(y[held].mean()))
                    cell["mean P of faint lenses"].append(
                        float(expit(moved[(y[held] == 1) & ~bright[held]]).mean())
                    )
                blind = blind_to(x[used], brightness[used], s)
                for reads, features in (("all features", x[used]), ("blind", blind)):
                    check(checks[(problem, labels, reads)], features, s, brightness[used])
    show("Recall at FPR 1e-2", ("problem", "labeled", "method"), dict(sorted(table.items())))
    show(
        "What the check sees",
        ("problem", "labeled", "model reads"),
        dict(sorted(checks.items())),
        2,
    )


def main() -> None:
    """Run one part."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--what", choices=("synthetic", "digits", "surveys", "biased"), required=True
    )
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--cache", type=Path, default=Path("artifacts"), help="simulated features")
    parser.add_argument("--prior", type=float, nargs="+", default=[1e-2, 1e-3], help="of surveys")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    start = time.perf_counter()
    if arguments.what == "synthetic":
        synthetic(arguments.seeds)
    elif arguments.what == "digits":
        digits(arguments.seeds)
    elif arguments.what == "surveys":
        surveys(arguments.seeds, arguments.cache, arguments.prior)
    else:
        biased(arguments.seeds, arguments.cache)
    print(f"\n{time.perf_counter() - start:.0f} s")


if __name__ == "__main__":
    main()
