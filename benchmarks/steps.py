"""What each step of a search brings on real lenses: paired differences, a step left out at a time.

    python benchmarks/steps.py DATA --workspace FOLDER --survey ps1
    python benchmarks/steps.py DATA --workspace FOLDER --survey ps1 --pixels

Each row is the search that made the bundled ensembles, of fewer hosts, less the same with one step
left out or one thing changed: the same real lenses and real objects, drawn together in each
bootstrap draw of whole groups by sky position. Real objects are scored by members that did not see
them, labels of lenses are cross-fitted. Nothing is chosen by these metrics. ``--pixels``: the steps
that need cutouts painted or encoded anew, too, which takes an hour. Run it again to go on after an
interruption.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

from committees import (
    NAMES,
    Bench,
    Contest,
    Scored,
    contests_of,
    default_of,
    score_with_labels,
    score_without_labels,
    states_of,
    tell_whole,
)

from lens_triage.training.settings import SearchSettings
from lensing_core.datasets.groups import object_groups
from lensing_core.datasets.splits import group_folds
from lensing_core.datasets.uses import LENS
from lensing_core.evaluation import compare_measured
from lensing_core.metrics.comparison import Difference

FOLDS = 5
FEW = {"ps1": 30, "cfhtls": 100}
"""Unlabeled objects drawn for each training set where some are to be left to mine."""
METRICS = {
    "auroc": "AUROC",
    "recall_fpr_0.05": "recall at FPR 0.05",
    "matched": "matched separation",
}


class Steps:
    """Scores of the whole search and of each variant, made when asked for.

    Parameters
    ----------
    bench : Bench
    """

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.settings = default_of(bench.survey)
        self.sets = bench.paint(self.settings)
        self.encoder = bench.encode(self.sets)

    def committee(self, **changes: Any) -> Scored:
        """On the same painted sets, with other settings of the committee."""
        settings = default_of(self.bench.survey, **changes)
        sets = self.sets[: settings.training_sets]
        return self.fitted(settings, sets, [self.encoder])

    def fitted(
        self, settings: SearchSettings, sets: list[str], encoders: list[str], columns: Any = None
    ) -> Scored:
        """A committee on embeddings, or on some columns of them."""
        data = self.bench.gather(settings, sets)
        x, lenses = self.bench.columns(encoders, data), self.bench.lens_columns(encoders)
        if columns is not None:
            x, lenses = x[:, columns], lenses[:, columns]
        return score_without_labels(data, x, lenses, settings, len(self.bench.sky))

    def painted(self, name: str, *, seed: int | None = None, **changes: Any) -> Scored:
        """On sets painted with other settings."""
        settings = default_of(self.bench.survey, ensemble=f"{self.settings.ensemble}-{name}")
        if seed is not None:
            settings.param.update(seed=seed)
        sets = self.bench.paint(settings, **changes)
        return self.fitted(settings, sets, [self.bench.encode(sets)])

    def labeled(self) -> Scored:
        """With labels of other lenses, cross-fitted in groups by sky position."""
        lenses, state = self.bench.lenses, states_of(self.bench)
        group = object_groups(
            len(lenses),
            ra_deg=lenses.place[:, 0],
            dec_deg=lenses.place[:, 1],
            block_nside=None if self.bench.survey == "ps1" else 64,
        )
        fold = group_folds(group, state == LENS, FOLDS, seed=0)
        data = self.bench.gather(self.settings, self.sets)
        return score_with_labels(
            data,
            self.bench.columns([self.encoder], data),
            self.bench.lens_columns([self.encoder]),
            self.settings,
            len(self.bench.sky),
            state=state,
            fold=fold,
        )

    def layer(self, layer: str) -> Scored:
        """On the columns of one layer of the encoder."""
        columns = self.bench.layer(self.encoder, layer)
        return self.fitted(self.settings, self.sets, [self.encoder], columns)

    def encoded(self, **changes: Any) -> Scored:
        """By another encoder, or one that sees cutouts in another way."""
        return self.fitted(self.settings, self.sets, [self.bench.encode(self.sets, **changes)])


def variants(steps: Steps, *, pixels: bool) -> dict[str, Callable[[], tuple[Scored, Scored]]]:
    """By name: scores with, and without. ``whole`` is the search as it is bundled."""
    survey = steps.bench.survey
    whole = steps.committee()
    few = {"n_negatives": FEW[survey]}
    easy = {"min_arc_snr": 5.0, "min_second_snr": 0.0, "min_magnification": 1.0}
    smaller = [4.5, 9.0] if survey == "ps1" else [6.0, 12.0]
    found: dict[str, Callable[[], tuple[Scored, Scored]]] = {
        "(c) unlabeled objects of all types as non-lenses, less hosts alone": lambda: (
            whole,
            steps.committee(n_negatives=4, field_weight=0.0, most_mined=0),
        ),
        "(c) their weight ten times that of hosts, less as they are": lambda: (
            whole,
            steps.committee(field_weight=0.0),
        ),
        "(d) with labels of other lenses, less without": lambda: (steps.labeled(), whole),
        "(e) three training sets, less the first alone": lambda: (
            whole,
            steps.committee(training_sets=1),
        ),
        f"(f) {FEW[survey]} unlabeled objects a set and mining, less without mining": lambda: (
            steps.committee(**few),
            steps.committee(**few, most_mined=0),
        ),
        "encoder: both layers, less the middle one": lambda: (whole, steps.layer("middle")),
        "encoder: both layers, less the last one": lambda: (whole, steps.layer("last")),
    }
    if pixels:
        found |= {
            "(b) real sources, less simulated ones": lambda: (
                whole,
                steps.painted("simulated", sources=["simulated"]),
            ),
            "(a) red and extended hosts, less hosts of all types": lambda: (
                whole,
                steps.painted("all-hosts", hosts="all"),
            ),
            "(b) arcs that can be seen, less arcs down to S/N 5": lambda: (
                whole,
                steps.painted("faint", **easy),
            ),
            "the same, painted anew (seed 8 less seed 7)": lambda: (
                steps.painted("seed-8", seed=8),
                whole,
            ),
            f"encoder: crops of {smaller} arcsec less the default": lambda: (
                steps.encoded(crops=smaller),
                whole,
            ),
            "encoder: Lite1 less Lite0": lambda: (
                steps.encoded(encoder="efficientnet_lite1"),
                whole,
            ),
        }
    return found


def tell(bench: Bench, contest: Contest, name: str, first: Scored, second: Scored) -> None:
    """Print a row of differences."""
    appearance, groups = contest.looks(bench)
    found = compare_measured(
        contest.scores(second),
        contest.scores(first),
        contest.labels,
        appearance.matching,
        groups,
    )
    print(f"| {name} | " + " | ".join(_cell(found[key]) for key in METRICS) + " |", flush=True)


def _cell(d: Difference) -> str:
    return f"{d.value:+.3f} [{d.low_95:+.3f}, {d.high_95:+.3f}]"


def main() -> None:
    """Measure and print tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--workspace", type=Path, required=True)
    parser.add_argument("--survey", choices=tuple(NAMES), required=True)
    parser.add_argument(
        "--pixels", action="store_true", help="steps that paint or encode anew, too"
    )
    arguments = parser.parse_args()
    bench = Bench.open(arguments.workspace, arguments.survey, arguments.data.resolve())
    steps = Steps(bench)
    contests = contests_of(bench)
    for contest in contests:
        print(f"{contest.name}: {contest.rows.sum()} against {contest.others.sum()}")
        tell_whole(bench, contest, steps.committee(), "the whole search")
    print("| difference | " + " | ".join(METRICS.values()) + " |")
    print("| --- " * (len(METRICS) + 1) + "|")
    for name, make in variants(steps, pixels=arguments.pixels).items():
        first, second = make()
        for contest in contests:
            tell(bench, contest, f"{name}; {contest.name}", first, second)
        if name.startswith("(d)"):
            for contest in contests:
                tell_whole(bench, contest, first, f"# with labels, {contest.name}")
        if name.startswith("(f)"):
            print(f"# mined: {first.mined}")


if __name__ == "__main__":
    main()
