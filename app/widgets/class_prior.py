"""A retraining's results on class prior and labels, as HTML: for Train and Evaluate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

CSS = """
p { margin: 0 0 8px; color: var(--lt-muted); line-height: 1.5; }
p.warning { color: var(--lt-warning); }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums;
  margin: 0 0 12px; }
th { font-weight: 500; color: var(--lt-muted); text-align: right; font-size: 12px; }
td { text-align: right; } th:first-child, td:first-child { text-align: left; }
th, td { padding: 5px 8px; border-bottom: 1px solid var(--lt-line); }
th:first-child, td:first-child { padding-left: 0; }
th:last-child, td:last-child { padding-right: 0; }
"""
_ESTIMATORS = {
    "Elkan-Noto": "too high where classes overlap or labels are few",
    "ROC curve": "too high where even the top of the ranking is impure",
    "two components": "only as good as its normal curve of the non-lenses",
}


def class_prior_html(pu: Mapping[str, Any]) -> str:
    """Return estimates with intervals and warnings, the scan of the prior, and the SCAR check.

    ``pu`` is what the manifest of a retrained ensemble stores; '' where it stores nothing.
    """
    return "".join(
        (
            _estimates(pu.get("priors"), pu.get("survey_prior")),
            _scan(pu.get("prior_scan") or ()),
            _sample(pu.get("scar")),
        )
    )


def _estimates(priors: Mapping[str, Any] | None, used: float | None) -> str:
    if not priors:
        return ""
    rows = "".join(
        f'<tr><td title="{escape(_ESTIMATORS.get(name, ""))}">{escape(name)}</td>'
        f"<td>{_number(one.get('value'))}</td>"
        f"<td>{_number(one.get('low'))} to {_number(one.get('high'))}</td></tr>"
        for name, one in priors["estimates"].items()
    )
    if used is not None:
        rows += f"<tr><td>Used by the run</td><td>{_number(used)}</td><td></td></tr>"
    warnings = "".join(f'<p class="warning">{escape(w)}</p>' for w in priors["warnings"])
    return (
        f"<table><tr><th>Class prior of {priors['n_unlabeled']:,} unlabeled objects</th>"
        f"<th>Estimate</th><th>95 % interval</th></tr>{rows}</table>{warnings}"
    )


def _scan(scan: Sequence[Mapping[str, Any]]) -> str:
    if not scan:
        return ""
    rows = "".join(
        f"<tr><td>{escape(str(one['head']))}, {_times(one['factor'])} the prior</td>"
        f"<td>{one['rank_correlation']:.3f}</td>"
        f"<td>{100 * one['top_kept']:.0f} % of {one['top']:,}</td></tr>"
        for one in scan
    )
    return (
        "<table><tr><th>Ranking at another class prior</th><th>Rank correlation</th>"
        f"<th>Stay at the top</th></tr>{rows}</table>"
    )


def _sample(scar: Mapping[str, Any] | None) -> str:
    if not scar:
        return ""
    rows = "".join(
        f"<tr><td>{escape(str(one['name']))}</td><td>{_number(one['labeled_median'])}</td>"
        f"<td>{_number(one['unlabeled_median'])}</td>"
        f"<td>{_number(one['auroc'])} ({_number(one['low'])} to {_number(one['high'])})</td></tr>"
        for one in scar.get("covariates", ())
    )
    table = (
        "<table><tr><th>Labeled lenses against probable unlabeled ones</th><th>Median, labeled</th>"
        "<th>Median, unlabeled</th><th>P(labeled is higher), 0.5 if equal</th></tr>"
        f"{rows}</table>"
        if rows
        else ""
    )
    kind = ' class="warning"' if scar["verdict"] == "differs" else ""
    return f"{table}<p{kind}>{escape(scar['sentence'])}</p>"


def _times(factor: float) -> str:
    return {0.5: "half", 2.0: "twice"}.get(factor, f"{factor:g} times")


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3g}"
