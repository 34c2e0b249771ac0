"""Scores of an ensemble on a catalog: histogram, counts, and the first of the ranking."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

import panel as pn
import panel_material_ui as pmui

from lens_triage.app.context import AppContext
from lens_triage.app.runs.shift import SHIFT_CSS, shift_html
from lens_triage.app.score.histogram import Histogram
from lens_triage.app.visits import remember
from lens_triage.app.widgets import format as fmt
from lens_triage.app.widgets.live import in_background
from lens_triage.app.widgets.section import (
    html,
    row,
    section,
    stack,
)
from lens_triage.app.widgets.skeleton import skeleton
from lens_triage.app.widgets.steps import address
from lens_triage.app.widgets.thumbnails import (
    THUMBNAILS_CSS,
    thumbnails_html,
)
from lensing_core.store import summaries
from lensing_core.store.runs import last_shift
from lensing_core.store.summaries import CatalogSummary, EnsembleSummary, ScoreHistogram, Thumbnail

_LEVELS = (0.01, 0.1, 0.5, 0.9)
_PER_ROW = 12
_Found = tuple[ScoreHistogram, list[int], list[Thumbnail], Mapping[str, Any] | None]
_METRICS_CSS = """
.figures { display: flex; flex-wrap: wrap; gap: 8px 34px; align-items: end; }
.figures div { line-height: 1.35; }
.figures b { display: block; font-size: 17px; font-weight: 500; }
.figures span { color: var(--lt-muted); font-size: 12px; }
.figures a { margin-left: auto; background: var(--lt-accent); color: var(--lt-surface);
  padding: 6px 16px; border-radius: 8px; font-weight: 500; }
.figures a:hover { text-decoration: none; filter: brightness(1.08); }
p { margin: 0; color: var(--lt-muted); }
"""


class ScoreResults(pn.viewable.Viewer):
    """Shows one pair of ensemble and catalog, of those that have scores."""

    def __init__(self, context: AppContext, *, ensemble: str = "", catalog: str = "") -> None:
        self._context = context
        self._shown: tuple[str, str, int] | None = None
        style = {"size": "small", "width": 260, "margin": 0}
        self.catalog = pmui.Select(label="Catalog", **style)
        self.ensemble = pmui.Select(label="Ensemble", **style)
        self._metrics = html("", css=_METRICS_CSS)
        self._histogram = Histogram()
        self._top = html("", css=THUMBNAILS_CSS)
        self._shift = html("", css=SHIFT_CSS, visible=False)
        self._content = stack(
            self._histogram, self._metrics, self._top, self._shift, gap=12, visible=False
        )
        self._waiting = html(skeleton(9))
        self._empty = html(
            "<p>Nothing is scored yet: choose an ensemble and a catalog, and press Score.</p>",
            css=_METRICS_CSS,
        )
        self._choosers = row(self.catalog, self.ensemble)
        self._view = section("Scores", self._choosers, self._empty, self._waiting, self._content)
        super().__init__()
        self._catalogs: dict[str, CatalogSummary] = {}
        self._ensembles: dict[str, EnsembleSummary] = {}
        self.reload()
        self.choose(ensemble, catalog)
        self.catalog.param.watch(lambda _: self._catalog_chosen(), "value")
        self.ensemble.param.watch(lambda _: self._display(), "value")

    def __panel__(self) -> pn.viewable.Viewable:
        return self._view

    def reload(self) -> None:
        """Look again which catalogs have scores, and how many."""
        database = self._context.database
        self._catalogs = {c.name: c for c in database.ask(summaries.list_catalogs) if c.scored}
        self._ensembles = {e.name: e for e in database.ask(summaries.list_ensembles)}
        names = list(self._catalogs)
        if names != self.catalog.options:
            chosen = self.catalog.value
            self.catalog.options = names
            self.catalog.value = chosen if chosen in names else (names[0] if names else None)
        self._catalog_chosen()

    def choose(self, ensemble: str, catalog: str) -> None:
        """Show a pair, where it has scores."""
        if catalog in self._catalogs:
            self.catalog.value = catalog
            self._catalog_chosen()
            if ensemble in self.ensemble.options:
                self.ensemble.value = ensemble
        self._display()

    def _catalog_chosen(self) -> None:
        found = self._catalogs.get(self.catalog.value)
        names = sorted(found.scored, key=lambda n: -found.scored[n]) if found else []
        if names != self.ensemble.options:
            chosen = self.ensemble.value
            self.ensemble.options = names
            self.ensemble.value = chosen if chosen in names else (names[0] if names else None)
        self._display()

    def _display(self) -> None:
        catalog = self._catalogs.get(self.catalog.value)
        ensemble = self._ensembles.get(self.ensemble.value)
        ready = catalog is not None and ensemble is not None and ensemble.name in catalog.scored
        self._empty.visible = not ready
        self._choosers.visible = ready
        if not ready:
            self._content.visible = self._waiting.visible = False
        elif not self._content.visible:
            self._waiting.visible = True
        if catalog is None or ensemble is None or not ready:
            self._shown = None
            return
        shown = (catalog.name, ensemble.name, catalog.scored[ensemble.name])
        if shown == self._shown:
            return
        if self._shown is not None:
            remember(catalog=catalog.name, ensemble=ensemble.name)
        self._shown = shown
        in_background(
            lambda: (shown, self._read(catalog, ensemble)),
            lambda found: self._show(catalog, ensemble, *found),
        )

    def _read(self, catalog: CatalogSummary, ensemble: EnsembleSummary) -> _Found:
        database, pair = self._context.database, (ensemble.id, catalog.id)
        return (
            database.ask(summaries.histogram_scores, *pair),
            database.ask(summaries.count_above, *pair, _LEVELS),
            database.ask(summaries.fetch_top, *pair, limit=2 * _PER_ROW),
            database.ask(last_shift, ensemble.name, catalog.name),
        )

    def _show(
        self,
        catalog: CatalogSummary,
        ensemble: EnsembleSummary,
        shown: tuple[str, str, int],
        found: _Found,
    ) -> None:
        if shown != self._shown:
            return  # something else was chosen meanwhile
        self._waiting.visible, self._content.visible = False, True
        histogram, above, top, shift = found
        self._histogram.display(histogram)
        self._metrics.object = metrics_html(catalog, ensemble, above)
        self._top.object = thumbnails_html(
            top, catalog=catalog.name, ensemble=ensemble.name, per_row=_PER_ROW
        )
        self._shift.object = (
            shift_html(shift, catalog=catalog.name, ensemble=ensemble.name) if shift else ""
        )
        self._shift.visible = shift is not None


def metrics_html(catalog: CatalogSummary, ensemble: EnsembleSummary, above: Sequence[int]) -> str:
    """Return how many are scored, how many reach each probability, the prior, and the way to
    Review.
    """
    scored = catalog.scored[ensemble.name]
    metrics = [(fmt.count(scored), f"of {fmt.count(catalog.n_candidates)} scored")]
    metrics += [
        (fmt.count(count), f"at {level:g} or more")
        for level, count in zip(_LEVELS, above, strict=True)
    ]
    if rule := ensemble.manifest.get("rule"):
        metrics.append((fmt.number(rule["survey_prior"], digits=2), "share of lenses assumed"))
    href = address("review", catalog=catalog.name, ensemble=ensemble.name)
    items = "".join(f"<div><b>{value}</b><span>{text}</span></div>" for value, text in metrics)
    return f'<div class="figures">{items}<a href="{escape(href)}">Review</a></div>'
