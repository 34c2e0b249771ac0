"""A ranking on real objects of a survey, beside brightness, color and center alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

import panel as pn
import panel_material_ui as pmui

from lens_triage.app.context import AppContext
from lens_triage.app.evaluate.tables import CSS
from lens_triage.app.viewer.tiles import tile_url
from lens_triage.app.widgets.action_button import ActionButton
from lens_triage.app.widgets.choices import catalog_choices
from lens_triage.app.widgets.fields import CHIPS_LOOK
from lens_triage.app.widgets.live import in_thread
from lens_triage.app.widgets.notice import Notice
from lens_triage.app.widgets.section import html, section
from lens_triage.app.widgets.steps import address
from lensing_core.errors import LensTriageError
from lensing_core.metrics import interval_text
from lensing_core.store.candidates import CutoutPlace, cutout_places
from lensing_core.store.summaries import CatalogSummary

_COLUMNS = {
    "auroc": "AUROC",
    "tpr10": "TPR10",
    "recall_fpr_0.001": "Recall, FPR 1e-3",
    "recall_fpr_0.01": "Recall, FPR 1e-2",
    "recall_fpr_0.05": "Recall, FPR 5e-2",
}
_MATCHED = "Matched separation"
_NOTE = (
    "Lenses are labels and grades of catalogs that the ensemble has scored; what it has learned "
    "from is left out. Matched separation: the share of lenses that rank above one of their five "
    "nearest non-lenses in brightness, color and size. A ranking that brightness alone equals has "
    "not learned what a lens is."
)
_REAL_CSS = f"""{CSS}
table + p, p + table, table + table {{ margin-top: 10px; }}
caption {{ text-align: left; padding: 10px 0 4px; color: var(--lt-text); font-weight: 500; }}
td.beaten {{ color: var(--lt-warning); }}
ul {{ list-style: none; display: flex; flex-wrap: wrap; gap: 8px; padding: 0; margin: 8px 0 0; }}
img {{ width: 96px; height: 96px; display: block; border-radius: 4px; background: var(--lt-line); }}
"""
_LOW = {
    "& .MuiInputBase-root": {"height": "32px"},
    "& .MuiInputLabel-root:not(.MuiInputLabel-shrink)": {"top": "-4px"},
}
"""As low as the choosers beside it."""
_NO_CATALOG = "/"
"""Stands for none where a catalog can be chosen: above an empty value the label would lie on the
text. No catalog has such a name."""
Found = dict[str, Any]


class RealObjects(pn.viewable.Viewer):
    """Choosers, a button, and what was measured; hidden while no real catalog is scored."""

    def __init__(self, context: AppContext) -> None:
        self._context = context
        self._ensemble = ""
        self._catalogs: dict[str, CatalogSummary] = {}
        style: dict[str, Any] = {"size": "small", "margin": 0}
        self.catalog = pmui.Select(label="Lenses of", width=250, **style)
        self.beside = pmui.MultiChoice(
            label="Non-lenses also of", width=300, margin=0, **CHIPS_LOOK
        )
        self.painted = pmui.Select(
            label="Painted arcs to compare with real ones", width=270, **style
        )
        self.visibility = pmui.TextInput(
            label="Visibility of arcs by", width=190, description=_VISIBILITY, sx=_LOW, **style
        )
        self.button = ActionButton(self._measure, label="Measure")
        self._notice = Notice()
        self._results = html("", css=_REAL_CSS)
        self._view = section(
            "On real objects",
            pn.Row(
                self.catalog,
                self.beside,
                self.painted,
                self.visibility,
                self.button,
                margin=(6, 0, 0, 0),
                styles={"gap": "14px", "align-items": "center", "flex-wrap": "wrap"},
            ),
            self._notice,
            self._results,
            note=_NOTE,
        )
        super().__init__()
        self.catalog.param.watch(lambda _: self._offer_beside(), "value")

    def __panel__(self) -> pn.viewable.Viewable:
        return self._view

    def offer(self, ensemble: str, catalogs: Sequence[CatalogSummary]) -> None:
        """Let the catalogs be chosen that the ensemble has scored; observed ones first."""
        scored = [c for c in catalogs if c.scored.get(ensemble)]
        scored.sort(key=lambda c: c.origin == "simulated")
        names = list(catalog_choices(scored).values())
        if ensemble == self._ensemble and names == list(self._catalogs):
            return
        if ensemble != self._ensemble:
            self._results.object = ""
            self._notice.clear()
        self._ensemble = ensemble
        self._catalogs = {c.name: c for c in scored if c.name in names}
        self._view.visible = bool(names)
        chosen = self.catalog.value
        self.catalog.options = names
        self.catalog.value = chosen if chosen in names else next(iter(names), None)
        made = [n for n, c in self._catalogs.items() if c.origin == "simulated"]
        self.painted.options = {"none": _NO_CATALOG, **{name: name for name in made}}
        self.painted.value = _NO_CATALOG
        self._offer_beside()

    def _offer_beside(self) -> None:
        mine = self._catalogs.get(self.catalog.value or "")
        others = [
            name
            for name, c in self._catalogs.items()
            if mine is not None and c.survey == mine.survey and name != mine.name
        ]
        self.beside.param.update(
            options=others,
            value=[name for name in self.beside.value or () if name in others],
            visible=bool(others),
        )

    async def _measure(self) -> None:
        self._notice.clear()
        asked = (
            self._ensemble,
            [self.catalog.value, *(self.beside.value or ())],
            "" if self.painted.value == _NO_CATALOG else self.painted.value,
            self.visibility.value.strip(),
        )
        try:
            found = await in_thread(lambda: self._found(*asked), self.button)
        except LensTriageError as error:
            self._results.object = ""
            self._notice.say(str(error))
            return
        if asked[0] == self._ensemble:
            self._results.object = real_html(found)

    def _found(self, ensemble: str, catalogs: list[str], painted: str, visibility: str) -> Found:
        from lens_triage.training.real_evaluation import evaluate_real  # loads torch
        from lens_triage.training.realism import check_realism

        workspace = self._context.workspace
        found = evaluate_real(workspace, ensemble, catalogs, visibility=visibility).to_json()
        if painted:
            found["realism"] = check_realism(workspace, painted, catalogs, ensemble)
            shown = [key for gate in found["realism"] for key in gate["candidates"]]
            found["places"] = self._context.database.ask(cutout_places, shown)
        return found


_VISIBILITY = (
    "A column of the imported table that says how visible the arcs of a lens are, or the word "
    "grades for what was graded in labeling sessions of that scheme: recall is given for each "
    "class."
)


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
    head = "".join(f"<th>{escape(title)}</th>" for title in (*_COLUMNS.values(), _MATCHED))
    rows = []
    for name, of in measured.items():
        metrics = [*(of["figures"][key] for key in _COLUMNS), of["matched"]]
        quiet = "" if name == "ensemble" else ' class="quiet"'
        cells = "".join(f"<td>{interval_text(metric)}</td>" for metric in metrics)
        rows.append(f"<tr{quiet}><td>{escape(name.capitalize())}</td>{cells}</tr>")
    for name, differences in comparison["differences"].items():
        cells = "".join(_difference(differences[key]) for key in (*_COLUMNS, "matched"))
        rows.append(f"<tr><td>Ensemble − {escape(name)}</td>{cells}</tr>")
    return (
        f"<table><caption>On {escape(comparison['sentence'])}</caption>"
        f"<tr><th>Score</th>{head}</tr>{''.join(rows)}</table>{_warning(comparison)}"
    )


def _warning(comparison: Mapping[str, Any]) -> str:
    """Which baseline is not shown to be worse than the ensemble, in AUROC."""
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
    return f"<td{beaten}>{said}</td>"


def _visibility(rows: Sequence[Mapping[str, Any]]) -> str:
    body = "".join(
        f"<tr><td>{escape(row['name'])}</td><td>{row['found']:,} of {row['lenses']:,}</td>"
        f"<td>{row['recall']:.2f} [{row['low_95']:.2f}, {row['high_95']:.2f}]</td></tr>"
        for row in rows
    )
    return (
        "<table><caption>Lenses by how visible their arcs are, at FPR 1e-2</caption>"
        f"<tr><th>Arcs</th><th>Found</th><th>Recall</th></tr>{body}</table>"
    )


def _gate(gate: Mapping[str, Any], places: Mapping[int, CutoutPlace]) -> str:
    warning = "" if gate["passed"] else ' class="warning"'
    pictures = "".join(_giveaway(key, places[key]) for key in gate["candidates"] if key in places)
    given_away = f"<p>What gives painted objects away most:</p><ul>{pictures}</ul>"
    return f"<p{warning}>{escape(gate['sentence'])}</p>{given_away if pictures else ''}"


def _giveaway(candidate: int, place: CutoutPlace) -> str:
    href = address("review", catalog=place.catalog, candidate=candidate)
    source = tile_url(place.catalog, place.cutout_index, place.cutout_sha256, size=96)
    name = escape(place.object_id)
    return (
        f'<li><a href="{escape(href)}"><img src="{escape(source)}" alt="{name}" title="{name}" '
        'loading="lazy"></a></li>'
    )
