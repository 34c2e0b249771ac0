"""What each step of a search brings on real lenses: paired differences, a step left out at a time.

    python benchmarks/steps.py DATA --workspace FOLDER --survey ps1
    python benchmarks/steps.py DATA --workspace FOLDER --survey cfhtls --pixels --seeds 7 17
    python benchmarks/steps.py DATA --workspace FOLDER --survey cfhtls --as-stamps

Each row is the search that made the bundled ensembles, of fewer hosts, less the same with one step
left out or one thing changed: the same real lenses and real objects, drawn together in each
bootstrap draw of whole groups by sky position. Real objects are scored by members that did not see
them, labels of lenses are cross-fitted. Nothing is chosen by these metrics. Several seeds: all is
painted and divided anew for each, and rows hold the mean of their log-odds, with the difference of
each seed's matched separation. ``--pixels``: the steps that need cutouts painted, simulated or
encoded anew, too; Lite1 and Lite2 need the packages of ``lens-triage[encoders]``. ``--as-stamps``:
the survey's pictures go through the enlargement of the graded stamps before anything looks at them,
so that it tells nothing apart (a workspace of its own). Run it again to go on after an
interruption.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from committees import (
    COPIES,
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
from more_objects import simulated, with_simulated_field, with_simulated_lenses

from lens_triage.training.settings import SearchSettings
from lensing_core.arrays import Float32Array, IntArray
from lensing_core.cutouts import CutoutStore
from lensing_core.datasets.groups import object_groups
from lensing_core.datasets.splits import group_folds
from lensing_core.datasets.uses import LENS, UNLABELED
from lensing_core.evaluation import baseline_scores, compare_measured, measure_scores
from lensing_core.metrics.comparison import Difference
from lensing_core.pu.probes import ColumnBlock, ProbeData, ProbeInput, ProbeMethod

FOLDS = 5
SEED = 7
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
    seed : int
        Of what is painted, and of how objects are divided and drawn.
    """

    def __init__(self, bench: Bench, seed: int = SEED) -> None:
        self.bench = bench
        self.seed = seed
        self.settings = self.default()
        self.sets = bench.paint(self.settings)
        self.encoder = bench.encode(self.sets)
        self.whole = self.committee()

    def default(self, name: str = "", **changes: Any) -> SearchSettings:
        """The search of this seed with some settings changed; ``name`` is part of its sets'."""
        ensemble = f"{NAMES[self.bench.survey]}-{self.seed}{name}"
        return default_of(self.bench.survey, seed=self.seed, ensemble=ensemble, **changes)

    def committee(self, **changes: Any) -> Scored:
        """On the same painted sets, with other settings of the committee."""
        settings = self.default(**changes)
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

    def painted(self, name: str, **changes: Any) -> Scored:
        """On sets painted with other settings."""
        settings = self.default(f"-{name}")
        sets = self.bench.paint(settings, **changes)
        return self.fitted(settings, sets, [self.bench.encode(sets)])

    def simulated(self, *, lenses: bool = False, field: bool = False) -> Scored:
        """With simulated lenses and galaxies, a simulated field of non-lenses, or both."""
        data = self.bench.gather(self.settings, self.sets)
        x = [self.bench.columns([self.encoder], data)]
        n_lenses = n_field = 0
        if lenses:
            data, n_lenses = with_simulated_lenses(data)
            x.append(self.simulations(n_lenses, lenses=True))
        if field:
            data, n_field = with_simulated_field(data)
        x.append(self.simulations(n_lenses + n_field))
        lens_columns = self.bench.lens_columns([self.encoder])
        n_sky = len(self.bench.sky)
        return score_without_labels(data, np.concatenate(x), lens_columns, self.settings, n_sky)

    def simulations(self, n: int, *, lenses: bool = False) -> Float32Array:
        """Embeddings of simulated objects."""
        workspace = self.bench.workspace
        geometry = CutoutStore(workspace.catalog_cutouts(self.settings.catalog)).geometry
        catalog = simulated(workspace, geometry, n, lenses=lenses)
        return self.bench.embedding(self.bench.encode([catalog]), catalog)

    def folds(self) -> IntArray:
        """Fold of each lens, in whole groups by sky position."""
        place = self.bench.lenses.place
        group = object_groups(
            len(place),
            ra_deg=place[:, 0],
            dec_deg=place[:, 1],
            block_nside=None if self.bench.survey == "ps1" else 64,
        )
        return group_folds(group, states_of(self.bench) == LENS, FOLDS, seed=0)

    def labeled(self, **changes: Any) -> Scored:
        """With labels of other lenses, cross-fitted in groups by sky position."""
        settings = self.default(**changes)
        data = self.bench.gather(settings, self.sets)
        return score_with_labels(
            data,
            self.bench.columns([self.encoder], data),
            self.bench.lens_columns([self.encoder]),
            settings,
            len(self.bench.sky),
            state=states_of(self.bench),
            fold=self.folds(),
        )

    def labels_alone(self) -> Scored:
        """By a linear probe on labels of other lenses and real objects, without painted arcs."""
        n, state = len(self.bench.sky), states_of(self.bench)
        sky = self.bench.embedding(self.encoder, self.settings.catalog)
        x = np.concatenate([self.bench.lens_columns([self.encoder]), sky])
        fold = np.concatenate([self.folds(), np.arange(n) % FOLDS])
        data = ProbeData(
            x,
            np.concatenate([state, np.full(n, UNLABELED)]).astype(np.int8),
            np.concatenate([state != UNLABELED, self.bench.sky.real]).astype(np.float64),
            fold,
        )
        given = ProbeInput("embedding", (ColumnBlock("embedding", "embedding", 0, x.shape[1]),))
        scores = np.empty(len(x))
        for k in range(FOLDS):
            rest = data.rows(np.flatnonzero(fold != k))
            scores[fold == k] = ProbeMethod((given,)).fit(rest).scorer(x[fold == k])
        return Scored(scores[len(state) :], scores[: len(state)])

    def layer(self, layer: str) -> Scored:
        """On the columns of one layer of the encoder."""
        columns = self.bench.layer(self.encoder, layer)
        return self.fitted(self.settings, self.sets, [self.encoder], columns)

    def encoded(self, **changes: Any) -> Scored:
        """By another encoder, or one that sees cutouts in another way."""
        return self.fitted(self.settings, self.sets, [self.bench.encode(self.sets, **changes)])


Pair = tuple[Scored, Scored]


def variants(steps: Steps, *, pixels: bool) -> dict[str, Callable[[], Pair]]:
    """By name: scores with, and without. ``whole`` is the search as it is bundled."""
    survey, whole = steps.bench.survey, steps.whole
    few = {"n_negatives": FEW[survey]}
    easy = {"min_arc_snr": 5.0, "min_second_snr": 0.0, "min_magnification": 1.0}
    smaller = [4.5, 9.0] if survey == "ps1" else [6.0, 12.0]
    found: dict[str, Callable[[], Pair]] = {
        "(c) unlabeled objects of all types as non-lenses, less hosts alone": lambda: (
            whole,
            steps.committee(n_negatives=4, field_weight=0.0, most_mined=0),
        ),
        "(c) their weight ten times that of hosts, less as they are": lambda: (
            whole,
            steps.committee(field_weight=0.0),
        ),
        "(d) with labels of other lenses, less without": lambda: (steps.labeled(), whole),
        "(d) labels of weight 50, less of 5": lambda: (
            steps.labeled(label_factor=50.0),
            steps.labeled(),
        ),
        "(d) labels and painted arcs, less labels alone": lambda: (
            steps.labeled(),
            steps.labels_alone(),
        ),
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
    if not pixels:
        return found
    return found | {
        "(a) arcs on real galaxies, less simulated lenses and galaxies": lambda: (
            whole,
            steps.simulated(lenses=True),
        ),
        "(a) red and extended hosts, less hosts of all types": lambda: (
            whole,
            steps.painted("all-hosts", hosts="all"),
        ),
        "(b) real sources, less simulated ones": lambda: (
            whole,
            steps.painted("simulated", sources=["simulated"]),
        ),
        "(b) arcs that can be seen, less arcs down to S/N 5": lambda: (
            whole,
            steps.painted("faint", **easy),
        ),
        "(c) real unlabeled objects, less simulated non-lenses": lambda: (
            whole,
            steps.simulated(field=True),
        ),
        "(a) to (c) the whole search, less simulations alone": lambda: (
            whole,
            steps.simulated(lenses=True, field=True),
        ),
        f"encoder: crops of {smaller} arcsec less the default": lambda: (
            steps.encoded(crops=smaller),
            whole,
        ),
        "encoder: Lite1 less Lite0": lambda: (steps.encoded(encoder="efficientnet_lite1"), whole),
        "encoder: Lite2 less Lite0": lambda: (steps.encoded(encoder="efficientnet_lite2"), whole),
    }


def mean_of(scored: Sequence[Scored]) -> Scored:
    """Mean log-odds of several seeds."""
    return Scored(
        np.mean([one.sky for one in scored], axis=0),
        np.mean([one.lenses for one in scored], axis=0),
    )


def tell(bench: Bench, contest: Contest, name: str, pairs: Sequence[Pair]) -> None:
    """Print a row of differences of the mean, then each seed's difference of matched separation."""
    appearance, groups = contest.looks(bench)

    def compared(first: Scored, second: Scored) -> dict[str, Difference]:
        return compare_measured(
            contest.scores(second),
            contest.scores(first),
            contest.labels,
            appearance.matching,
            groups,
        )

    first, second = zip(*pairs, strict=True)
    found = compared(mean_of(first), mean_of(second))
    seeds = "".join(f" | {compared(*pair)['matched'].value:+.3f}" for pair in pairs)
    cells = " | ".join(_cell(found[key]) for key in METRICS)
    print(f"| {name} | {cells}{seeds if len(pairs) > 1 else ''} |", flush=True)


def _cell(d: Difference) -> str:
    return f"{d.value:+.3f} [{d.low_95:+.3f}, {d.high_95:+.3f}]"


def tell_baselines(bench: Bench, contest: Contest) -> None:
    """Print what brightness, color and center alone do, with labels of other folds."""
    appearance, groups = contest.looks(bench)
    for name, values in baseline_scores(appearance, contest.labels, groups).items():
        measured = measure_scores(values, contest.labels, appearance.matching, groups)
        print(f"# {name} alone: AUROC {measured.metrics['auroc']}, matched {measured.matched}")


def main() -> None:
    """Measure and print tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--workspace", type=Path, required=True)
    parser.add_argument("--survey", choices=tuple(NAMES), required=True)
    parser.add_argument(
        "--pixels", action="store_true", help="steps that paint or encode anew, too"
    )
    parser.add_argument("--seeds", type=int, nargs="+", default=[SEED])
    parser.add_argument("--copies", type=int, default=COPIES, help="of red galaxies; 8 as bundled")
    parser.add_argument("--as-stamps", action="store_true", help="of CFHTLS")
    parser.add_argument("--only", nargs="*", default=[""], help="rows whose names begin so")
    arguments = parser.parse_args()
    if arguments.as_stamps and arguments.survey != "cfhtls":
        parser.error("--as-stamps: the graded stamps are of CFHTLS.")
    bench = Bench.open(
        arguments.workspace,
        arguments.survey,
        arguments.data.resolve(),
        copies=arguments.copies,
        as_stamps=arguments.as_stamps,
    )
    every = [Steps(bench, seed) for seed in arguments.seeds]
    contests = contests_of(bench)
    for contest in contests:
        print(f"{contest.name}: {contest.rows.sum()} against {contest.others.sum()}")
        tell_baselines(bench, contest)
        for steps in every:
            tell_whole(bench, contest, steps.whole, f"the whole search, seed {steps.seed}")
        if len(every) > 1:
            tell_whole(bench, contest, mean_of([s.whole for s in every]), "mean of these")
    seeds = [f"matched, seed {seed}" for seed in arguments.seeds] if len(every) > 1 else []
    print("| " + " | ".join(["difference", *METRICS.values(), *seeds]) + " |")
    print("| --- " * (1 + len(METRICS) + len(seeds)) + "|")
    makers = [variants(steps, pixels=arguments.pixels) for steps in every]
    for name in makers[0]:
        if not name.startswith(tuple(arguments.only)):
            continue
        pairs = [make[name]() for make in makers]
        for contest in contests:
            tell(bench, contest, f"{name}; {contest.name}", pairs)
        if name.startswith(("(d)", "encoder: Lite")):
            for contest in contests:
                first = mean_of([pair[0] for pair in pairs])
                tell_whole(bench, contest, first, f"# the first of these, {contest.name}")
        if name.startswith("(f)"):
            print(f"# mined: {[pair[0].mined for pair in pairs]}")


if __name__ == "__main__":
    main()
