"""Tables of how good an ensemble is: metrics, calibration, fusions, prediction sets, features."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

import numpy as np

from lens_triage.app.runs.rows import METRICS
from lens_triage.app.widgets import format as fmt
from lens_triage.app.widgets.glossary import with_terms
from lens_triage.app.widgets.table import (
    Row,
    column,
)
from lens_triage.training.evaluation import Evaluation
from lensing_core.metrics import Deployment, Metric, interval_text
from lensing_core.store.summaries import EnsembleSummary

SHORT = {
    "tpr0": "TPR0",
    "tpr10": "TPR10",
    "recall_fpr_1e-4": "Recall, FPR 1e-4",
    "recall_fpr_1e-3": "Recall, FPR 1e-3",
    "recall_fpr_1e-2": "Recall, FPR 1e-2",
    "average_precision": "Average precision",
    "auroc": "AUROC",
}
MEMBER_COLUMNS = [
    column("name", "Scores of"),
    *(
        column(name, title, align="right", width="12%", help_text=METRICS[name])
        for name, title in SHORT.items()
    ),
]
CSS = """
p { margin: 0; color: var(--lt-muted); line-height: 1.5; }
p b { color: var(--lt-text); font-weight: 500; }
p.warning { color: var(--lt-warning); }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th { font-weight: 500; color: var(--lt-muted); text-align: right; font-size: 12px; }
td { text-align: right; } th:first-child, td:first-child { text-align: left; }
th, td { padding: 5px 8px; border-bottom: 1px solid var(--lt-line); }
th:first-child, td:first-child { padding-left: 0; }
th:last-child, td:last-child { padding-right: 0; }
tr.quiet td, td.quiet { color: var(--lt-muted); }
tr.chosen td { font-weight: 500; } tr.chosen td:first-child::after {
  content: " · used"; color: var(--lt-accent); }
td .bar { display: inline-block; height: 8px; border-radius: 2px; background: var(--lt-accent);
  opacity: .6; vertical-align: 0; }
td.share { width: 42%; text-align: left; }
"""
_CALIBRATION = {
    "ece_equal_mass": ("ECE, bins of equal mass", "0"),
    "ece_equal_width": ("ECE, bins of equal width", "0"),
    "mce": ("Largest error of a bin", "0"),
    "brier": ("Brier score", "0"),
    "nll": ("Negative log-likelihood", "0"),
    "skill": ("Log-loss skill over the class prior alone", "1"),
    "slope": ("Slope of log-odds", "1"),
    "intercept": ("Intercept of log-odds", "0"),
}
_RATES = {"1e-4": 1e-4, "1e-3": 1e-3, "1e-2": 1e-2, "0.1": 0.1}
_NOTES = {
    "tpr0": " (TPR0)",
    "tpr10": " (TPR10)",
    "auroc": ", which says little about rare objects",
}
_KINDS = {"lightgbm": "trees", "network": "network", "pu_head": "head"}
_ROWS_OF_IMPORTANCE = 12


def about_html(ensemble: EnsembleSummary, found: Evaluation) -> str:
    """HTML on the objects that all metrics are measured on, and whether they are simulated."""
    parts = []
    for source in found.sources:
        if found.chosen in ("", source.catalog):
            kind = "simulated" if source.origin == "simulated" else "observed"
            labels = f", labels from {source.label_source}" if source.label_source else ""
            parts.append(
                f"<b>{source.lenses:,} lenses and {source.others:,} non-lenses</b> of "
                f"{escape(source.catalog)} ({kind}{escape(labels)})"
            )
    if parts:
        sentences = [f"Measured on {'; '.join(parts)}. Nothing was fitted on them."]
        if any(s.origin == "simulated" for s in found.sources if found.chosen in ("", s.catalog)):
            sentences.append(
                "Metrics on simulated objects show that the pipeline works; real lenses are "
                "found less often."
            )
    else:
        names = ", ".join(ensemble.manifest.get("catalogs", [])) or "catalogs that it does not name"
        origins = (ensemble.manifest.get("origins") or {}).values()
        simulated = " simulated" if set(origins) == {"simulated"} else ""
        counted = (
            f"<b>{found.lenses:,} lenses and {found.others:,} non-lenses</b>"
            if found.lenses
            else "Objects"
        )
        sentences = [
            f"{counted} of the test split of{simulated} {escape(names)}, which this workspace "
            f"does not "
            "have: the metrics are those that came with the ensemble."
        ]
        if simulated:
            sentences.append("Real lenses are found less often.")
    if "unlabeled objects" in ensemble.manifest.get("figures_on", ""):
        sentences.append(
            "The non-lenses are unlabeled, with a few lenses among them: metrics are slightly "
            "too low, never too high."
        )
    if note := ensemble.manifest.get("calibration_note"):
        sentences.append(escape(note))
    return f"<p>{' '.join(sentences)}</p>"


def metrics_html(metrics: Mapping[str, Metric]) -> str:
    """Each metric with its 68 and 95 % intervals; AUROC last and quiet."""
    rows = []
    for name in SHORT:
        metric = metrics.get(name)
        if metric is None:
            continue
        if metric.value != metric.value:
            cells = '<td class="quiet" colspan="3">not measurable</td>'
        else:
            cells = "".join(
                f"<td>{text}</td>"
                for text in (
                    f"{metric.value:.3f}",
                    f"{metric.low_68:.3f} – {metric.high_68:.3f}",
                    f"{metric.low_95:.3f} – {metric.high_95:.3f}",
                )
            )
        quiet = ' class="quiet"' if name == "auroc" else ""
        title = with_terms(METRICS[name] + _NOTES.get(name, ""))
        rows.append(f"<tr{quiet}><td>{title}</td>{cells}</tr>")
    head = "<tr><th>Metric</th><th>Value</th><th>68 %</th><th>95 %</th></tr>"
    return f"<table>{head}{''.join(rows)}</table>"


def member_rows(ensemble: EnsembleSummary) -> list[Row]:
    """A row for each member, with the metrics of its manifest."""
    stored: Mapping[str, Any] = ensemble.manifest.get("figures") or {}
    kinds = dict(ensemble.members)
    return [
        {
            "key": name,
            "name": {
                "text": f"All, {fmt.words(ensemble.fusion).lower()}"
                if name == "ensemble"
                else name.removeprefix(f"{ensemble.name}-"),
                "note": _KINDS.get(kinds.get(name, ""), kinds.get(name, "")),
            },
            **{key: interval_text(found[key]) if key in found else "" for key in SHORT},
        }
        for name, found in stored.items()
    ]


def calibration_html(found: Mapping[str, Any]) -> str:
    """The metrics of calibration, with what a perfect one has."""
    rows = "".join(
        f"<tr><td>{with_terms(title)}</td><td>{fmt.number(found[name])}</td>"
        f'<td class="quiet">{best}</td></tr>'
        for name, (title, best) in _CALIBRATION.items()
        if name in found
    )
    return f"<table><tr><th>Metric</th><th>Value</th><th>Perfect</th></tr>{rows}</table>"


def deployment_html(found: Deployment, n_candidates: int, seconds_each: float) -> str:
    """Thresholds of round false-positive rates at the survey's prior, and what they cost."""
    rows = []
    for name, rate in _RATES.items():
        title = with_terms(f"FPR {name}")
        k = found.at_fpr(rate)
        if k is None:
            rows.append(
                f'<tr><td>{title}</td><td class="quiet" colspan="5">not measurable with '
                f"{round(1 / found.fpr[0]):,} non-lenses</td></tr>"
            )
            continue
        passing = n_candidates * found.share[k]
        cells = (
            f"{found.recall[k]:.3f} [{found.recall_low[k]:.3f}, {found.recall_high[k]:.3f}]",
            f"{_percent(found.purity[k])} [{_percent(found.purity_low[k])}, "
            f"{_percent(found.purity_high[k])}]",
            f"{round(passing):,}",
            fmt.duration(passing * seconds_each),
            fmt.number(n_candidates * found.prior * found.recall[k]),
        )
        rows.append(f"<tr><td>{title}</td>{''.join(f'<td>{c}</td>' for c in cells)}</tr>")
    head = "".join(
        f"<th>{t}</th>"
        for t in ("Threshold", "Recall", "Purity", "To review", "Time", "Lenses among them")
    )
    return f"<table><tr>{head}</tr>{''.join(rows)}</table>"


def _percent(share: float) -> str:
    return f"{fmt.number(100 * float(share), digits=2)} %"


def fusion_html(choice: Mapping[str, Mapping[str, Any]], used: str) -> str:
    """The rules that were compared, by cross-fitted metrics of the calibration split."""
    names = [name for name in SHORT if name in next(iter(choice.values()))]
    head = "".join(f"<th>{with_terms(SHORT[name])}</th>" for name in names)
    rows = "".join(
        f"<tr{' class=chosen' if rule == used else ''}><td>{escape(fmt.words(rule))}</td>"
        + "".join(f"<td>{fmt.number(metrics[name])}</td>" for name in names)
        + "</tr>"
        for rule, metrics in choice.items()
    )
    return f"<table><tr><th>Rule</th>{head}</tr>{rows}</table>"


def conformal_html(found: Mapping[str, Any]) -> str:
    """Return how often the conformal sets hold the truth, by class."""
    coverage, wanted = found["coverage"], 1 - found["error_rate"]
    rows = "".join(
        f'<tr><td>{title}</td><td>{100 * coverage[name]:.1f} %</td><td class="quiet">'
        f"{100 * wanted:.0f} %</td></tr>"
        for name, title in (("lens", "Of lenses"), ("other", "Of other objects"))
        if name in coverage
    )
    return (
        "<table><tr><th>Sets that contain the true class</th><th>Measured</th><th>Wanted</th></tr>"
        f"{rows}<tr><td>Mean number of classes in a set</td>"
        f"<td>{fmt.number(coverage.get('mean_size'))}</td><td></td></tr></table>"
    )


def importance_html(found: Sequence[tuple[str, str, float]]) -> str:
    """Features by their share of what all splits gained, the largest with bars."""
    shown = found[:_ROWS_OF_IMPORTANCE]
    most = max((share for _, _, share in shown), default=1.0) or 1.0
    rows = "".join(
        f"<tr><td>{escape(fmt.words(name))}{f' ({escape(unit)})' if unit else ''}</td>"
        f'<td class="share"><span class="bar" style="width: {100 * share / most:.0f}%"></span></td>'
        f"<td>{100 * share:.1f} %</td></tr>"
        for name, unit, share in shown
    )
    rest = float(np.sum([share for _, _, share in found[_ROWS_OF_IMPORTANCE:]]))
    if rest:
        rows += (
            f'<tr class="quiet"><td>{len(found) - len(shown)} others</td><td></td>'
            f"<td>{100 * rest:.1f} %</td></tr>"
        )
    return f"<table>{rows}</table>"
