"""Results of probes on a ranking, and which of them are warnings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.stats import spearmanr

from lensing_core.arrays import Float64Array, IntArray
from lensing_core.evaluation.appearance import Appearance
from lensing_core.evaluation.measures import baseline_scores, scores_by
from lensing_core.evaluation.pixel_probes import PixelProbe
from lensing_core.metrics import RankingCurve
from lensing_core.metrics.resampling import group_resamples

N_BOOTSTRAP = 300
NEARLY = 0.02
"""A probe whose AUROC is at most this much below the ensemble's scores nearly as well."""
LEAST_CORRELATION = 0.9
_NOT_LENSES = {"center_only", "brightness alone", "color alone", "center alone"}
"""Probes that see no arc: what they can do, the ensemble may have learned."""


@dataclass(frozen=True)
class ProbeResult:
    """One probe.

    Attributes
    ----------
    name, title : str
    auroc : tuple of float
        Value and 95 % interval (bootstrap by groups).
    drop : tuple of float, or None
        The ensemble's AUROC less this, on the same draws; None for shuffled labels.
    correlation : float or None
        Of the ranks with those of the unchanged cutouts, for pixels that are turned.
    sentence : str
        Why it is a warning; '' where it is none.
    """

    name: str
    title: str
    auroc: tuple[float, float, float]
    drop: tuple[float, float, float] | None = None
    correlation: float | None = None
    sentence: str = ""

    def to_json(self) -> dict[str, Any]:
        """Plain JSON, intervals as objects."""
        drop = None if self.drop is None else _interval_json(self.drop)
        return {
            "name": self.name,
            "title": self.title,
            "auroc": _interval_json(self.auroc),
            "drop": drop,
            "correlation": self.correlation,
            "sentence": self.sentence,
        }


def judge_probes(
    original: Float64Array,
    changed: Mapping[PixelProbe, Float64Array],
    appearance: Appearance,
    labels: IntArray,
    groups: IntArray,
    *,
    seed: int = 0,
) -> list[ProbeResult]:
    """Measure probes on labeled objects; the first result is the ensemble on unchanged cutouts.

    Brightness, color and center alone are the cross-fitted models of
    :func:`~lensing_core.evaluation.measures.baseline_scores`; with shuffled labels (whole groups
    exchange theirs) such a model must do no better than chance, else folds share objects.

    Parameters
    ----------
    original : ndarray of shape (n,)
        Scores of unchanged cutouts.
    changed : mapping of PixelProbe to ndarray of shape (n,)
        Scores of changed ones.
    labels, groups : ndarray of shape (n,)
        1 for lenses; what is drawn as a whole.
    """
    draws = list(group_resamples(groups, labels == 1, N_BOOTSTRAP, seed))
    ensemble = _aurocs(original, labels, draws)
    results = [ProbeResult("ensemble", "The ensemble, all pixels", _interval(ensemble))]
    for probe, scores in changed.items():
        correlation = (
            float(spearmanr(original, scores).statistic) if probe.kind == "turned" else None
        )
        found = _compared(probe.name, probe.title, ensemble, _aurocs(scores, labels, draws))
        results.append(_judged(found, probe.kind, ensemble[0], correlation))
    for name, scores in baseline_scores(appearance, labels, groups, seed=seed).items():
        title = f"A model of {name} alone"
        found = _compared(f"{name} alone", title, ensemble, _aurocs(scores, labels, draws))
        results.append(_judged(found, "model", ensemble[0]))
    results.append(_shuffled(appearance, labels, groups, seed))
    return results


def _aurocs(scores: Float64Array, labels: IntArray, draws: list[Any]) -> Float64Array:
    """AUROC of all objects, then of each draw."""
    whole = RankingCurve.of(scores, labels).auroc()
    return np.array(
        [whole, *(RankingCurve.of(scores[rows], labels[rows]).auroc() for rows in draws)]
    )


def _interval(values: Float64Array) -> tuple[float, float, float]:
    low, high = np.percentile(values[1:], [2.5, 97.5])
    return float(values[0]), float(low), float(high)


def _interval_json(interval: tuple[float, float, float]) -> dict[str, float]:
    return dict(zip(("value", "low_95", "high_95"), interval, strict=True))


def _compared(name: str, title: str, ensemble: Float64Array, probe: Float64Array) -> ProbeResult:
    return ProbeResult(name, title, _interval(probe), _interval(ensemble - probe))


def _judged(
    found: ProbeResult, kind: str, ensemble: float, correlation: float | None = None
) -> ProbeResult:
    """The result with the sentence that it earns."""
    value, low, high = found.auroc
    assert found.drop is not None  # noqa: S101 - made by _compared
    drop = found.drop
    sentence = ""
    if found.name in _NOT_LENSES:
        if low > 0.5 and (drop[0] <= NEARLY or drop[1] <= 0):
            sentence = (
                f"{found.title}: AUROC {value:.3f}, nearly that of the ensemble ({ensemble:.3f}), "
                "though no arc is seen: nothing shows that the ensemble has learned arcs."
            )
    elif kind in ("gray", "band") and drop[1] > 0 and low <= 0.5:
        without = "Without colors" if kind == "gray" else found.title
        sentence = (
            f"{without} the ranking falls to chance (AUROC {value:.3f} [{low:.3f}, {high:.3f}]): "
            f"it hangs on {'colors' if kind == 'gray' else 'that band'}."
        )
    elif correlation is not None and (correlation < LEAST_CORRELATION or drop[1] > NEARLY):
        sentence = (
            f"{found.title}, objects are ranked otherwise (rank correlation {correlation:.2f}, "
            f"AUROC {value:.3f} instead of {ensemble:.3f}): the sky has no such direction."
        )
    return ProbeResult(found.name, found.title, found.auroc, drop, correlation, sentence)


def _shuffled(appearance: Appearance, labels: IntArray, groups: IntArray, seed: int) -> ProbeResult:
    """A model of brightness, colors and size whose labels are exchanged between groups."""
    _, first, member = np.unique(groups, return_index=True, return_inverse=True)
    of_group = labels[first]
    mixed = np.random.default_rng(seed).permutation(of_group)[member]
    scores = scores_by(appearance.matching.astype(np.float32), mixed, groups, seed=seed)
    draws = list(group_resamples(groups, mixed == 1, N_BOOTSTRAP, seed))
    auroc = _interval(_aurocs(scores, mixed, draws))
    sentence = ""
    if auroc[1] > 0.5 + NEARLY:
        sentence = (
            f"With shuffled labels a model still ranks them (AUROC {auroc[0]:.3f} [{auroc[1]:.3f}, "
            f"{auroc[2]:.3f}]): one object stands on both sides of a fold."
        )
    return ProbeResult("shuffled", "Shuffled labels", auroc, sentence=sentence)
