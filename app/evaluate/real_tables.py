"""Tables of a ranking on labeled objects, beside brightness, color and center alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from lens_triage.app.evaluate.tables import CSS
from lens_triage.app.viewer.tiles import tile_url
from lens_triage.app.widgets.glossary import with_terms
from lens_triage.app.widgets.steps import address
from lensing_core.metrics import interval_text
from lensing_core.store.candidates import CutoutPlace

_COLUMNS = {
    "tpr0": "TPR0",
    "tpr10": "TPR10",
    "recall_fpr_0.001": "Recall, FPR 1e-3",
    "recall_fpr_0.01": "Recall, FPR 1e-2",
    "recall_fpr_0.05": "Recall, FPR 5e-2",
    "average_precision": "AP",
    "auroc": "AUROC",
}
_MATCHED = "Matched separation"
REAL_CSS = f"""{CSS}
.wide + p, p + .wide, .wide + .wide, p + p, ul + p {{ margin-top: 8px; }}
caption {{ text-align: left; padding: 10px 0 4px; color: var(--lt-text); font-weight: 500; }}
th, td {{ min-width: 60px; vertical-align: top; }}
div.wide {{ overflow-x: auto; }}
td.beaten {{ color: var(--lt-warning); }}
ul {{ list-style: none; display: flex; flex-wrap: wrap; gap: 8px; padding: 0; margin: 8px 0 0; }}
img {{ width: 96px; height: 96px; display: block; border-radius: 4px; background: var(--lt-line); }}
"""


def real_html(found: Mapping[str, Any]) -> str:
    """Tables of :class:`~lens_triage.training.real_evaluation.RealEvaluation` as JSON, and gates.

    ``realism`` and ``places`` (by candidate id) are shown where they are given.
    """
    parts = [f"<p>{escape(note)}</p>" for note in found["notes"]]
    parts += [_comparison(comparison) for comparison in found["comparisons"]]
    if found["visibility"]:
        parts.append(_visibility(found["visibility"]))
    places: Mapping[int, CutoutPlace] = found.get("places", {})
    parts += [_gate(gate, places) for gate in found.get("realism", ())]
    return "".join(parts)


def _comparison(comparison: Mapping[str, Any]) -> str:
    measured = comparison["measured"]
    titles = [title.replace("-", "\N{NON-BREAKING HYPHEN}") for title in _COLUMNS.values()]
    head = "".join(f"<th>{with_terms(title)}</th>" for title in (*titles, _MATCHED))
    rows = []
    for name, of in measured.items():
        metrics = [*(of["figures"][key] for key in _COLUMNS), of["matched"]]
        quiet = "" if name == "ensemble" else ' class="quiet"'
        cells = "".join(f"<td>{_kept(interval_text(metric))}</td>" for metric in metrics)
        rows.append(f"<tr{quiet}><td>{escape(name.capitalize())}</td>{cells}</tr>")
    for name, differences in comparison["differences"].items():
        cells = "".join(_difference(differences[key]) for key in (*_COLUMNS, "matched"))
        rows.append(f"<tr><td>Ensemble − {escape(name)}</td>{cells}</tr>")
    return (
        f'<div class="wide"><table><caption>On {escape(comparison["sentence"])}</caption>'
        f"<tr><th>Score</th>{head}</tr>{''.join(rows)}</table></div>{_warning(comparison)}"
    )


def _warning(comparison: Mapping[str, Any]) -> str:
    """Sentence on a baseline that is not shown to be worse than the ensemble in AUROC."""
    equal = [
        name
        for name, differences in comparison["differences"].items()
        if (low := differences["auroc"]["low_95"]) is None or not low > 0
    ]
    if not equal:
        return ""
    last = equal.pop()
    named = f"{', '.join(equal)} and {last}" if equal else last
    return (
        f'<p class="warning">The ensemble is not shown to be better than {escape(named)} on these '
        "objects: the 95 % interval of the difference in AUROC does not lie above 0.</p>"
    )


def _difference(difference: Mapping[str, Any]) -> str:
    value, low, high = (difference[key] for key in ("value", "low_95", "high_95"))
    if value is None or low is None:
        return '<td class="quiet">not measurable</td>'
    beaten = ' class="beaten"' if high < 0 else ""
    said = f"{value:+.3f} [{low:+.3f}, {high:+.3f}]".replace("-", "\N{MINUS SIGN}")
    return f"<td{beaten}>{_kept(said)}</td>"


def _kept(text: str) -> str:
    """An interval that stays on one line, below its value where there is no room beside it."""
    value, bracket, interval = text.partition(" [")
    return value + bracket + interval.replace(" ", "\N{NO-BREAK SPACE}")


def _visibility(rows: Sequence[Mapping[str, Any]]) -> str:
    body = "".join(
        f"<tr><td>{escape(row['name'])}</td><td>{row['found']:,} of {row['lenses']:,}</td>"
        f"<td>{row['recall']:.2f} [{row['low_95']:.2f}, {row['high_95']:.2f}]</td></tr>"
        for row in rows
    )
    return (
        "<table><caption>Lenses by how visible their arcs are, "
        f"{with_terms('at FPR 1e-2')}</caption>"
        f"<tr><th>Arcs</th><th>Found</th><th>Recall</th></tr>{body}</table>"
    )


def _gate(gate: Mapping[str, Any], places: Mapping[int, CutoutPlace]) -> str:
    warning = "" if gate["passed"] else ' class="warning"'
    pictures = "".join(_giveaway(key, places[key]) for key in gate["candidates"] if key in places)
    given_away = f"<p>Most recognizable painted objects:</p><ul>{pictures}</ul>"
    return f"<p{warning}>{escape(gate['sentence'])}</p>{given_away if pictures else ''}"


def _giveaway(candidate: int, place: CutoutPlace) -> str:
    href = address("review", catalog=place.catalog, candidate=candidate)
    source = tile_url(place.catalog, place.cutout_index, place.cutout_sha256, size=96)
    name = escape(place.object_id)
    return (
        f'<li><a href="{escape(href)}"><img src="{escape(source)}" alt="{name}" title="{name}" '
        'loading="lazy"></a></li>'
    )
