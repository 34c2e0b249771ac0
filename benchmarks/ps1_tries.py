"""Tries to raise the recall of the Pan-STARRS1 ensemble, chosen without any held-out object.

    python benchmarks/ps1_tries.py DATA --workspace FOLDER      (that of steps.py, or a new one)

Development: half of the 98 real objects of ``ps1_real_sky``, and arcs painted onto hosts that
members did not see (red galaxies of DES on Pan-STARRS1 sky). Test: the other half of the real
objects, and all 35 confirmed lenses, of which 14 have arcs that can be seen. Halves are drawn by
sky blocks, before anything was scored. Each stage takes the way that is best on development and
keeps it; the test objects are scored by the first way and by the last, once. All ways stand on the
same painted sets and embeddings.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from committees import (
    Bench,
    Contest,
    Looks,
    Scored,
    contests_of,
    default_of,
    tell_whole,
)

from lens_triage.training.jobs.search.committee import fit_committee
from lens_triage.training.jobs.search.sets import SearchData
from lens_triage.training.settings import SearchSettings
from lensing_core.arrays import Float32Array, Float64Array, IntArray
from lensing_core.datasets.groups import object_groups
from lensing_core.datasets.splits import fold_of_groups
from lensing_core.evaluation import compare_measured
from lensing_core.metrics import RankingCurve
from lensing_core.pu import LogisticLearner

SEEDS = (7, 17, 27)
"""Of the divisions of development objects and hosts; arcs are painted once."""


@dataclass(frozen=True)
class Way:
    """One way to make the ensemble.

    Attributes
    ----------
    committee : dict
        Settings of the search that differ from those of the bundled ensemble.
    layer : str
        'middle', 'last', or '' for both.
    inverse_penalty : float
        Of the members' regression.
    fusion : str
    """

    committee: dict[str, Any] = field(default_factory=dict)
    layer: str = ""
    inverse_penalty: float = 0.0003
    fusion: str = "mean"


def stages(way: Way) -> list[tuple[str, dict[str, Way]]]:
    """What is tried, in the order of effect in the literature; each from ``way``."""

    def committee(**changes: Any) -> Way:
        return replace(way, committee={**way.committee, **changes})

    return [
        (
            "weight of unlabeled objects",
            {f"{w:g}": committee(field_weight=float(w)) for w in (1, 3, 30, 100)},
        ),
        (
            "mining",
            {
                f"{n} objects a set, {m} mined": committee(n_negatives=n, most_mined=m)
                for n, m in ((30, 500), (60, 500), (4000, 0))
            },
        ),
        ("layers", {layer: replace(way, layer=layer) for layer in ("middle", "last")}),
        (
            "inverse penalty",
            {
                f"{c:g}": replace(way, inverse_penalty=c)
                for c in (0.00003, 0.0001, 0.001, 0.003, 0.03)
            },
        ),
        ("fusion", {name: replace(way, fusion=name) for name in ("stacking", "isotonic_bayes")}),
    ]


def development_half(sky: Looks) -> np.ndarray:
    """Real objects of the half that may be looked at; whole sky blocks on one side."""
    group = object_groups(len(sky), ra_deg=sky.place[:, 0], dec_deg=sky.place[:, 1])
    return sky.real & (fold_of_groups(group, 2, seed=0) == 0)


class Tries:
    """Ways to make the ensemble, and what they do on development objects and on the test."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.mine = development_half(bench.sky)
        self.theirs = bench.sky.real & ~self.mine
        self.sets = bench.paint(default_of("ps1", seed=SEEDS[0]))
        self.encoder = bench.encode(self.sets)

    def given(
        self, way: Way, seed: int, hidden: np.ndarray
    ) -> tuple[SearchData, Float32Array, Float32Array, SearchSettings]:
        """Objects with ``hidden`` ones held out, their columns, those of lenses, the settings."""
        settings = default_of("ps1", seed=seed, **way.committee)
        data = self.bench.gather(settings, self.sets)
        split = data.split.copy()
        split[np.isin(data.parent, np.flatnonzero(hidden))] = "reserved"
        data = replace(data, split=split)
        x = self.bench.columns([self.encoder], data)
        lenses = self.bench.lens_columns([self.encoder])
        if way.layer:
            columns = self.bench.layer(self.encoder, way.layer)
            x, lenses = x[:, columns], lenses[:, columns]
        return data, x, lenses, settings

    def development(self, way: Way) -> Float64Array:
        """Recall of painted arcs at a development FPR of 0.05, and AUROC above their hosts.

        Shape (seeds, 2). Real objects are scored by members that did not see them; painted arcs and
        hosts belong to the test split of the search.
        """
        found = []
        for seed in SEEDS:
            data, x, _, settings = self.given(way, seed, self.theirs)
            committee = fit_committee(
                data, x, settings, learner=LogisticLearner(way.inverse_penalty), fusion=way.fusion
            )
            own = np.flatnonzero(self.mine)
            seen = committee.seen(len(data))[own]
            field = committee.rule(committee.raw(x[own]), without=seen).logit
            painted = np.flatnonzero(data.painted & (data.split == "test"))
            arcs = committee.rule(committee.raw(x[painted])).logit
            hosts = committee.rule(committee.raw(x[data.parent[painted]])).logit
            label = np.repeat([1, 0], len(painted))
            curve = RankingCurve.of(np.concatenate([arcs, hosts]), label)
            found.append([float((arcs > np.quantile(field, 0.95)).mean()), curve.auroc()])
        return np.array(found)

    def test(self, way: Way, hidden: np.ndarray) -> Scored:
        """Score real objects and lenses, the former by members that did not see them."""
        data, x, lenses, settings = self.given(way, SEEDS[0], hidden)
        committee = fit_committee(
            data, x, settings, learner=LogisticLearner(way.inverse_penalty), fusion=way.fusion
        )
        n = len(self.bench.sky)
        seen = committee.seen(len(data))[:n]
        sky = committee.rule(committee.raw(x[:n]), without=seen).logit
        return Scored(sky, committee.rule(committee.raw(lenses)).logit)


def choose(tries: Tries) -> Way:
    """The way that is best on development objects, stage by stage."""
    way = Way()
    best = tries.development(way)
    print("| stage | way | recall at field FPR 0.05 | AUROC above hosts | less the kept way |")
    print("| --- | --- | --- | --- | --- |")
    _tell_try("as bundled", "", best, best)
    for number in range(len(stages(way))):
        name, options = stages(way)[number]
        found = {label: tries.development(one) for label, one in options.items()}
        for label, values in found.items():
            _tell_try(name, label, values, best)
        label = max(found, key=lambda key: found[key].mean())
        if found[label].mean() > best.mean():
            way, best = options[label], found[label]
            print(f"# kept: {name}, {label}", flush=True)
    return way


def _tell_try(stage: str, label: str, values: Float64Array, kept: Float64Array) -> None:
    recall, auroc = values.mean(axis=0)
    apart = (values - kept).mean(axis=1)
    print(
        f"| {stage} | {label} | {recall:.3f} | {auroc:.3f} | {apart.mean():+.3f} "
        f"({apart.min():+.3f} to {apart.max():+.3f}) |",
        flush=True,
    )


def compare(bench: Bench, contest: Contest, first: Scored, second: Scored) -> None:
    """Print figures of both, recall with one false positive in a hundred, and differences."""
    appearance, groups = contest.looks(bench)
    for name, scored in (("as bundled", first), ("chosen", second)):
        tell_whole(bench, contest, scored, name)
        values, label = contest.scores(scored), contest.labels
        limit = np.quantile(values[label == 0], 0.99)
        found: IntArray = values[label == 1] > limit
        print(f"  recall at real FPR 0.01: {found.sum()}/{len(found)}")
    differences = compare_measured(
        contest.scores(first), contest.scores(second), contest.labels, appearance.matching, groups
    )
    for key in ("auroc", "recall_fpr_0.05", "matched"):
        d = differences[key]
        print(f"  chosen less bundled, {key}: {d.value:+.3f} [{d.low_95:+.3f}, {d.high_95:+.3f}]")


def main() -> None:
    """Choose on development objects, then look at the test once."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--workspace", type=Path, required=True)
    arguments = parser.parse_args()
    bench = Bench.open(arguments.workspace, "ps1", arguments.data.resolve())
    tries = Tries(bench)
    print(f"{tries.mine.sum()} real objects for development, {tries.theirs.sum()} for the test")
    way = choose(tries)
    print(f"chosen: {way}\n")
    nothing = np.zeros(len(bench.sky), dtype=bool)
    for hidden, others, what in (
        (tries.theirs, tries.theirs, "real objects of the test half, of which nothing was trained"),
        (nothing, bench.sky.real, "all real objects, by members that did not see them"),
    ):
        first, second = tries.test(Way(), hidden), tries.test(way, hidden)
        for contest in contests_of(bench):
            against = replace(contest, others=others)
            print(f"\n{contest.name}; {what}: {contest.rows.sum()} against {others.sum()}")
            compare(bench, against, first, second)


if __name__ == "__main__":
    main()
