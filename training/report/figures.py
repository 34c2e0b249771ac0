"""Figures of a report, drawn by matplotlib for print, each with the numbers that it shows."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from lens_triage.training.report.measured import FALSE_POSITIVE_RATE, Measured
from lensing_core.store.summaries import ScoreHistogram

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

DPI = 300
FORMATS = ("png", "pdf", "svg")
_COLUMN_IN = (3.5, 2.7)  # the width of a column of a journal
BLUE, GRAY, _RED = "#2166ac", "#6b7683", "#b2182b"
_STYLE: Mapping[Any, Any] = {
    "font.size": 8,
    "axes.labelsize": 8,
    "axes.linewidth": 0.6,
    "xtick.labelsize": 7,
    "ytick.labelsize": 7,
    "xtick.direction": "in",
    "ytick.direction": "in",
    "xtick.top": True,
    "ytick.right": True,
    "legend.fontsize": 7,
    "legend.frameon": False,
    "lines.linewidth": 1.2,
    "pdf.fonttype": 42,
    "svg.hashsalt": "lens-triage",
}
Columns = Mapping[str, Any]


@dataclass(frozen=True)
class Drawn:
    """A figure.

    Attributes
    ----------
    name : str
        Of its files.
    title, caption : str
    figure : matplotlib.figure.Figure
    data : mapping
        Columns of what it shows, arrays or lists of one length.
    """

    name: str
    title: str
    caption: str
    figure: Figure
    data: Columns

    def save(self, folder: Path) -> list[Path]:
        """Write it as PNG (300 dpi), PDF and SVG, and its data as CSV; returns the files."""
        paths = []
        with styled():
            for kind in FORMATS:
                path = folder / f"{self.name}.{kind}"
                # Without a date: the same search gives the same files.
                dated = {"pdf": "CreationDate", "svg": "Date"}.get(kind)
                self.figure.savefig(
                    path, dpi=DPI, metadata={dated: None} if dated else {"Software": "lens-triage"}
                )
                paths.append(path)
        path = folder / f"{self.name}.csv"
        with path.open("w", encoding="utf-8", newline="") as stream:
            writer = csv.writer(stream)
            writer.writerow(self.data)
            writer.writerows(zip(*map(_plain_cells, self.data.values()), strict=True))
        return [*paths, path]


def _plain_cells(values: Any) -> list[Any]:
    return list(np.asarray(values).tolist())


@contextmanager
def styled() -> Iterator[None]:
    """Draw in the style of the report, whatever settings of matplotlib the account has."""
    import matplotlib as mpl  # here: half a second at the start of every command

    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(_STYLE)
        yield


def new_axes() -> tuple[Figure, Axes]:
    """A figure of one column's width, with its axes."""
    from matplotlib.figure import Figure

    made = Figure(figsize=_COLUMN_IN, layout="constrained")
    return made, made.subplots()


def charts(
    measured: Measured | None, histogram: ScoreHistogram | None, n_candidates: int
) -> list[Drawn]:
    """Every chart that there are numbers for."""
    made = []
    with styled():
        if measured is not None:
            made += [
                roc(measured),
                purity_by_rank(measured, n_candidates),
                completeness_by_rank(measured, n_candidates),
                confusion(measured),
            ]
            if measured.reliability is not None:
                made.insert(1, calibration(measured.reliability.bins))
        if histogram is not None and histogram.total:
            made.append(score_distribution(histogram))
    return made


def roc(measured: Measured) -> Drawn:
    """Recall against the false-positive rate."""
    band = measured.curve.roc()
    figure, axes = new_axes()
    axes.fill_between(band.fpr, band.low_95, band.high_95, step="post", color=BLUE, alpha=0.2,
                      linewidth=0)  # fmt: skip
    axes.step(band.fpr, band.recall, where="post", color=BLUE)
    axes.set(xscale="log", xlabel="False-positive rate", ylabel="Recall", ylim=(0, 1.02))
    axes.set_xlim(band.fpr[0], 1)
    caption = (
        f"Recall against the false-positive rate on {measured.on}, with 95 % intervals; the curve "
        f"begins where one of {measured.n_others:,} non-lenses passes."
    )
    data = {"false_positive_rate": band.fpr, "recall": band.recall, "recall_low_95": band.low_95,
            "recall_high_95": band.high_95}  # fmt: skip
    return Drawn("roc", "ROC curve", caption, figure, data)


def calibration(bins: Sequence[Mapping[str, float]]) -> Drawn:
    """Share of lenses against the predicted probability."""
    column = {name: np.array([b[name] for b in bins]) for name in bins[0]}
    p, share = column["probability"], column["share"]
    figure, axes = new_axes()
    axes.plot([0, 1], [0, 1], color=GRAY, linestyle="--", linewidth=0.8)
    errors = np.clip([share - column["low"], column["high"] - share], 0, None)
    axes.errorbar(p, share, yerr=errors, fmt="o", markersize=3, color=BLUE, linewidth=0.8)
    axes.set(xlabel="Predicted probability", ylabel="Share of lenses", xlim=(-0.02, 1.02),
             ylim=(-0.02, 1.02))  # fmt: skip
    caption = (
        "Reliability at the class prior of the test objects: bins of equal mass with 68 % "
        "intervals; perfect calibration is the diagonal."
    )
    data = {"probability": p, "share_of_lenses": share, "share_low_68": column["low"],
            "share_high_68": column["high"], "objects": column["count"]}  # fmt: skip
    return Drawn("reliability", "Reliability", caption, figure, data)


def purity_by_rank(measured: Measured, n_candidates: int) -> Drawn:
    """Purity of the first candidates of the ranking at the class prior of the survey."""
    d = measured.deployment
    rank = n_candidates * d.share
    figure, axes = new_axes()
    _band(axes, rank, d.purity, np.maximum(d.purity_low, 1e-7), d.purity_high)
    axes.set(xscale="log", yscale="log", xlabel="Rank", ylabel="Purity of the list up to the rank")
    axes.set_ylim(top=1.2)
    caption = (
        f"Purity expected among the first of {n_candidates:,} candidates at the class prior "
        f"{d.prior:g}, from recall and false-positive rate on {measured.on}; bounds hold with "
        "90 % at least."
    )
    data = {"rank": rank, "purity": d.purity, "purity_low": d.purity_low,
            "purity_high": d.purity_high}  # fmt: skip
    return Drawn("purity", "Purity against rank", caption, figure, data)


def completeness_by_rank(measured: Measured, n_candidates: int) -> Drawn:
    """Share of the lenses among the first candidates of the ranking."""
    d = measured.deployment
    rank = n_candidates * d.share
    figure, axes = new_axes()
    _band(axes, rank, d.recall, d.recall_low, d.recall_high)
    axes.set(xscale="log", xlabel="Rank", ylabel="Completeness", ylim=(0, 1.02))
    caption = (
        f"Share of the lenses expected among the first of {n_candidates:,} candidates at the "
        f"class prior {d.prior:g}, with 95 % intervals."
    )
    data = {"rank": rank, "completeness": d.recall, "completeness_low_95": d.recall_low,
            "completeness_high_95": d.recall_high}  # fmt: skip
    return Drawn("completeness", "Completeness against rank", caption, figure, data)


def _band(axes: Axes, x: Any, y: Any, low: Any, high: Any) -> None:
    axes.fill_between(x, low, high, color=BLUE, alpha=0.2, linewidth=0)
    axes.plot(x, y, color=BLUE, marker="o" if len(x) < 20 else None, markersize=2.5)


def confusion(measured: Measured) -> Drawn:
    """Counts of labeled objects by what they are and whether they pass."""
    names = ("true_positives", "false_negatives", "false_positives", "true_negatives")
    counts = np.array([len(measured.part(name)) for name in names]).reshape(2, 2)
    figure, axes = new_axes()
    share = counts / counts.sum(axis=1, keepdims=True)
    axes.imshow(share, cmap="Blues", vmin=0, vmax=1)
    for (row, column), n in np.ndenumerate(counts):
        axes.text(column, row, f"{n:,}\n{share[row, column]:.1%}", ha="center", va="center",
                  color="white" if share[row, column] > 0.5 else "black")  # fmt: skip
    axes.set_xticks([0, 1], ["passes", "does not pass"])
    axes.set_yticks([0, 1], ["lens", "non-lens"], rotation=90, va="center")
    axes.set(xlabel="By the ensemble", ylabel="By label")
    axes.tick_params(length=0)
    caption = (
        f"Confusion matrix on {measured.on}; objects pass from the logit "
        f"{measured.threshold:.2f}, which at most {FALSE_POSITIVE_RATE:.0%} of the non-lenses "
        "reach (one, of fewer than 100)."
    )
    data = {"label": ["lens", "lens", "non-lens", "non-lens"],
            "passes": [True, False, True, False], "objects": counts.ravel()}  # fmt: skip
    return Drawn("confusion", "Confusion matrix", caption, figure, data)


def score_distribution(histogram: ScoreHistogram) -> Drawn:
    """Number of candidates by logit, labeled ones apart."""
    edges = np.array(histogram.edges_logit)
    figure, axes = new_axes()
    data: dict[str, Any] = {"logit_from": edges[:-1], "logit_to": edges[1:]}
    for label, name, color in ((None, "unlabeled", GRAY), (0, "non-lenses", BLUE),
                               (1, "lenses", _RED)):  # fmt: skip
        counts = histogram.counts.get(label)
        if counts is None:
            continue
        axes.stairs(counts, edges, color=color, label=name, fill=label is None,
                    alpha=0.35 if label is None else 1.0, linewidth=1.2)  # fmt: skip
        data[name] = counts
    axes.set(yscale="log", xlabel="Score (calibrated logit)", ylabel="Candidates per bin")
    axes.set_ylim(bottom=0.6)
    axes.legend()
    caption = "Distribution of scores in the catalog, by imported label."
    return Drawn("scores", "Score distribution", caption, figure, data)
