"""Results of a catalog's cross-matches: references, recovered lenses, completeness, warnings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import panel as pn
import panel_material_ui as pmui

from lens_triage.app.context import AppContext
from lens_triage.app.crossmatch.rows import (
    DOUBTS,
    MISSED,
    NO_RECALL,
    RECALL,
    RECOVERED,
    REFERENCES,
    metrics_html,
    missed_row,
    new_html,
    pair_row,
    recall_rows,
    reference_row,
)
from lens_triage.app.viewer.stamps import stamps
from lens_triage.app.visits import remember
from lens_triage.app.widgets.live import in_background
from lens_triage.app.widgets.section import (
    columns,
    html,
    section,
    stack,
)
from lens_triage.app.widgets.skeleton import skeleton
from lens_triage.app.widgets.table import Table
from lens_triage.app.widgets.thumbnails import THUMBNAILS_CSS
from lensing_core.crossmatch.report import CrossmatchReport, make_report
from lensing_core.store import Session
from lensing_core.store.candidates import nearest_candidate
from lensing_core.store.crossmatches import latest_crossmatches
from lensing_core.store.ensembles import by_preference
from lensing_core.store.summaries import (
    CatalogSummary,
    EnsembleSummary,
    list_catalogs,
    list_ensembles,
)
from lensing_core.store.tables import Crossmatch

_CSS = """
p { margin: 0; color: var(--lt-muted); line-height: 1.5; }
.figures { display: flex; flex-wrap: wrap; gap: 8px 34px; align-items: end; }
.figures div { line-height: 1.35; }
.figures b { display: block; font-size: 17px; font-weight: 500; }
.figures span { color: var(--lt-muted); font-size: 12px; }
"""
_NOTHING = (
    "<p>No catalog has been matched yet: choose a catalog and references above, and press "
    "Cross-match. Known lenses, own tables and duplicates need no network.</p>"
)
_ELSEWHERE_ARCSEC = 5.0
_Key = tuple[str, str, str]
_Elsewhere = dict[int, tuple[int, str]]
_Found = tuple[list[Crossmatch], CrossmatchReport, dict[int, str], _Elsewhere]


class CrossmatchBoard(pn.viewable.Viewer):
    """Shows one catalog, with the ranking of one ensemble and one list of known lenses."""

    def __init__(self, context: AppContext, *, catalog: str = "", ensemble: str = "") -> None:
        self._context = context
        self._catalogs: dict[str, CatalogSummary] = {}
        self._ensembles: dict[str, EnsembleSummary] = {}
        self._asked = {"catalog": catalog, "ensemble": ensemble}
        self._shown: _Key | None = None
        self._silent = False
        style = {"size": "small", "width": 240, "margin": 0}
        self.catalog = pmui.Select(label="Matched catalog", **style)
        self.ensemble = pmui.Select(label="Ranking of", **style)
        self.lenses = pmui.Select(label="Known lenses", **style)
        self._metrics = html(skeleton(2), css=_CSS)
        self.references = Table(columns=REFERENCES, label="References", empty="None yet.")
        self.recall = Table(columns=RECALL, label="Recall", empty=NO_RECALL)
        self.recovered = Table(
            columns=RECOVERED, label="Known lenses recovered", empty="None was recovered."
        )
        self.warnings = Table(
            columns=DOUBTS, label="Disagreements", empty="No contradictions and no doubtful pairs."
        )
        self.missed = Table(columns=MISSED, label="Known lenses missed", empty="None is missing.")
        self._new = html(skeleton(), css=THUMBNAILS_CSS)
        self._titles = {name: html("", css=_CSS) for name in ("recovered", "warnings", "missed")}
        self._empty = html(_NOTHING, css=_CSS)
        self._results = stack(
            columns(
                section("References", self.references),
                section(
                    "Completeness of the ranking",
                    self.recall,
                    note="Share of the known lenses in the footprint that are among the first k; "
                    "95\N{NO-BREAK SPACE}% Clopper-Pearson intervals.",
                ),
                template="minmax(0, 1.5fr) minmax(0, 1fr)",
            ),
            section(
                "To review",
                self._titles["warnings"],
                _rolling(self.warnings),
                note="Several counterparts or candidates in a pair, separations beyond their "
                "errors, known lenses ranked low, and candidates that a service classifies as a "
                "star.",
            ),
            columns(
                section(
                    "Known lenses recovered", self._titles["recovered"], _rolling(self.recovered)
                ),
                section("Known lenses missed", self._titles["missed"], _rolling(self.missed)),
                template="minmax(0, 1.7fr) minmax(0, 1fr)",
            ),
            section(
                "New candidates",
                self._new,
                note="The highest-ranked candidates that are in no list of known or probable "
                "lenses. A score is not a confirmation.",
            ),
        )
        choosers = pn.Row(
            self.catalog, self.ensemble, self.lenses, margin=0, styles={"gap": "12px"}
        )
        self._head = section("Results", choosers, self._metrics)
        self._nothing = section("Results", self._empty)
        self._view = stack(self._nothing, self._head, self._results)
        super().__init__()
        for chooser in (self.catalog, self.ensemble, self.lenses):
            chooser.param.watch(lambda event: self._chosen(event.obj is self.catalog), "value")
        self.reload()

    def __panel__(self) -> pn.viewable.Viewable:
        return self._view

    def reload(self, catalog: str = "") -> None:
        """Look again at what has been matched; show ``catalog`` where it has been."""
        database = self._context.database
        self._catalogs = {c.name: c for c in database.ask(list_catalogs)}
        self._ensembles = {e.name: e for e in database.ask(list_ensembles)}
        with database.session() as session:
            matched = [
                c.name for c in self._catalogs.values() if latest_crossmatches(session, c.id)
            ]
        self._shown = None
        wanted = catalog or self._asked["catalog"] or self.catalog.value
        with self._quiet():
            _offer(self.catalog, dict.fromkeys(matched), wanted)
        self._chosen(new_catalog=True)

    @contextmanager
    def _quiet(self) -> Iterator[None]:
        """While choosers are filled, nothing is shown yet."""
        self._silent = True
        try:
            yield
        finally:
            self._silent = False

    def _chosen(self, new_catalog: bool) -> None:
        if self._silent:
            return
        catalog = self._catalogs.get(self.catalog.value)
        self._nothing.visible = catalog is None
        self._head.visible = self._results.visible = catalog is not None
        if catalog is None:
            return
        if new_catalog:
            self._offer_of(catalog)
        key = (catalog.name, self.ensemble.value or "", self.lenses.value or "")
        if key == self._shown:
            return
        if self._shown is not None:
            remember(catalog=catalog.name, ensemble=key[1])
        self._shown = key
        in_background(lambda: self._read(catalog, key), lambda found: self._show(key, *found))

    def _offer_of(self, catalog: CatalogSummary) -> None:
        with self._context.database.session() as session:
            latest = latest_crossmatches(session, catalog.id)
        lists = {c.title: c.reference for c in latest if c.kind == "lens"}
        scored = [self._ensembles[name] for name in catalog.scored]
        names = [e.name for e in by_preference(scored, [catalog.survey])]
        with self._quiet():
            _offer(self.ensemble, dict.fromkeys(names), self._asked["ensemble"])
            _offer(self.lenses, lists, self.lenses.value)
            self.ensemble.visible = bool(names)
            self.lenses.visible = len(lists) > 1

    def _read(self, catalog: CatalogSummary, key: _Key) -> _Found:
        database = self._context.database
        ensemble = self._ensembles.get(key[1])
        with database.session() as session:
            report = make_report(session, catalog.id, ensemble.id if ensemble else None, key[2])
            pairs = [*report.recovered, *report.disagreements]
            pictures = stamps(session, {pair.candidate_id for pair in pairs})
            latest = latest_crossmatches(session, catalog.id)
            return latest, report, pictures, _elsewhere(session, report)

    def _show(
        self,
        key: _Key,
        latest: list[Crossmatch],
        report: CrossmatchReport,
        pictures: dict[int, str],
        elsewhere: _Elsewhere,
    ) -> None:
        if key != self._shown:
            return  # something else was chosen meanwhile
        catalog, ensemble = key[0], key[1]
        trained = self._trained_on(ensemble, catalog)
        self._metrics.object = metrics_html(report, trained=trained)
        self.references.update([reference_row(crossmatch) for crossmatch in latest])
        self.recall.update(recall_rows(report.recall, report.recall_with_review))
        self.recovered.update(
            [
                pair_row(p, k, catalog, ensemble, pictures.get(p.candidate_id, ""))
                for k, p in enumerate(report.recovered)
            ]
        )
        self.warnings.update(
            [
                pair_row(p, k, catalog, ensemble, pictures.get(p.candidate_id, ""))
                for k, p in enumerate(report.disagreements)
            ]
        )
        self.missed.update(
            [missed_row(lens, k, elsewhere.get(k)) for k, lens in enumerate(report.missed)]
        )
        self._titles["recovered"].object = _extent(len(report.recovered), report.n_recovered)
        self._titles["warnings"].object = _extent(len(report.disagreements), report.n_disagreements)
        self._titles["missed"].object = _extent(len(report.missed), report.n_missed)
        self._new.object = new_html(report.new, catalog=catalog, ensemble=ensemble)

    def _trained_on(self, ensemble: str, catalog: str) -> bool:
        found = self._ensembles.get(ensemble)
        return found is not None and catalog in found.manifest.get("catalogs", ())


def _rolling(table: Table) -> pn.Column:
    """A long table in a frame of its own height, so that the next section stays near."""
    return pn.Column(
        table,
        sizing_mode="stretch_width",
        margin=0,
        styles={"max-height": "420px", "overflow-y": "auto"},
    )


def _offer(select: Any, options: Mapping[str, Any], wanted: Any) -> None:
    """Fill a chooser; keep what is wanted where it is there."""
    values = [value if value is not None else text for text, value in options.items()]
    select.options = dict(zip(options, values, strict=True))
    select.value = wanted if wanted in values else (values[0] if values else None)


def _extent(shown: int, total: int) -> str:
    return f"<p>The first {shown:,} of {total:,}.</p>" if shown < total else ""


def _elsewhere(session: Session, report: CrossmatchReport) -> _Elsewhere:
    """Candidates of other catalogs at the places of missed lenses, by the lens's number."""
    near = {
        k: key
        for k, lens in enumerate(report.missed)
        if (key := nearest_candidate(session, lens.ra_deg, lens.dec_deg, _ELSEWHERE_ARCSEC))
    }
    pictures = stamps(session, near.values())
    return {k: (key, pictures[key]) for k, key in near.items()}
