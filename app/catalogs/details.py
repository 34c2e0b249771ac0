"""One catalog in full: what it is, its first cutouts, its notes and its quarantined rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from html import escape
from typing import Any

import panel as pn

from lens_triage.app.catalogs.quarantine import QuarantineReport
from lens_triage.app.context import AppContext
from lens_triage.app.widgets import format as fmt
from lens_triage.app.widgets.catalog_view import POLICIES
from lens_triage.app.widgets.paths import cleaned, sees_paths
from lens_triage.app.widgets.section import (
    columns,
    heading,
    html,
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
from lensing_core.store.summaries import CatalogSummary, LabelCounts

_FACTS_CSS = """
dl { display: grid; grid-template-columns: max-content minmax(0, 1fr); gap: 3px 20px; margin: 0;
  font-size: 12.5px; }
dt { color: var(--lt-muted); max-width: 260px; }
dt, dd { margin: 0; min-width: 0; overflow-wrap: anywhere; }
summary { cursor: pointer; color: var(--lt-muted); font-size: 12px; margin-top: 8px; }
dd a { text-decoration: underline; text-underline-offset: 2px; }
details dl { margin-top: 6px; font-size: 12px; }
"""
_PER_ROW = 6


class CatalogDetails(pn.viewable.Viewer):
    """Shows the catalog that :meth:`show_catalog` names.

    Before that it shows that it loads, where ``expected``, and else nothing.
    """

    def __init__(self, context: AppContext, *, expected: bool = False) -> None:
        self._context = context
        self._catalog: CatalogSummary | None = None
        self._title = heading("")
        self._facts = html(skeleton(6), css=_FACTS_CSS)
        self._pictures = html(skeleton(6), css=THUMBNAILS_CSS)
        self._quarantine = QuarantineReport(context)
        self._quarantined = section("Quarantine", self._quarantine, visible=False)
        self._view = stack(
            columns(
                section("About this catalog", self._facts),
                section("First cutouts", self._pictures),
                template="minmax(0, 1fr) minmax(0, 1fr)",
            ),
            self._quarantined,
            visible=expected,
        )
        super().__init__()

    def __panel__(self) -> pn.viewable.Viewable:
        return self._view

    def show_catalog(self, catalog: CatalogSummary | None) -> None:
        """Show a catalog, or nothing; looks again only where something has changed."""
        if catalog == self._catalog:
            return
        before, self._catalog = self._catalog, catalog
        self._view.visible = catalog is not None
        if catalog is None:
            return
        database = self._context.database
        if not sees_paths(self._context):
            catalog = replace(catalog, notes=cleaned(catalog.notes))
        self._facts.object = facts_html(catalog, database.ask(summaries.count_labels, catalog.id))
        self._pictures.object = thumbnails_html(
            database.ask(summaries.fetch_first, catalog.id, limit=3 * _PER_ROW),
            catalog=catalog.name,
            per_row=_PER_ROW,
            empty="No cutouts yet.",
        )
        self._quarantined.visible = bool(catalog.n_quarantined)
        if before is None or (before.id, before.n_quarantined) != (
            catalog.id,
            catalog.n_quarantined,
        ):
            self._quarantine.open_catalog(catalog.id)


def facts_html(catalog: CatalogSummary, labels: LabelCounts) -> str:
    """A catalog's facts and provenance; what its import or simulation noted, folded."""
    policy = POLICIES.get(catalog.label_policy, catalog.label_policy)
    kind = "linear flux" if catalog.pixel_kind == "flux" else "rendered, 8-bit color"
    source = catalog.label_source or "none"
    if catalog.label_source:
        source += f", for {policy}, confidence {fmt.number(catalog.label_confidence)}"
    survey = catalog.survey
    if catalog.survey_title != survey:
        survey = f"{catalog.survey_title} ({survey})"
    facts = {
        "Name": catalog.name,
        **({"Shown as": catalog.title} if catalog.title else {}),
        "Survey": survey,
        "Scale": f"{catalog.scale}-scale lenses",
        "Origin": catalog.origin,
        "Pixels": kind,
        "Bands": ", ".join(catalog.bands),
        "Cutouts": f"{catalog.size_px} px, {fmt.number(catalog.size_arcsec)}″ at "
        f"{fmt.number(catalog.pixel_scale_arcsec)}″ per pixel",
        "Source rows read": fmt.count(catalog.rows_read),
        "Candidates": fmt.count(catalog.n_candidates),
        "Label source": source,
        "Labels": f"{fmt.plural(labels.lenses, 'lens', 'lenses')}, "
        f"{fmt.count(labels.non_lenses)} non-lenses, {fmt.count(labels.unknown)} unknown",
        "Made": fmt.moment(catalog.created_at),
    }
    scored = " · ".join(
        f'<a href="{escape(address("review", catalog=catalog.name, ensemble=name))}">'
        f"{escape(name)}</a> {fmt.count(n)}"
        for name, n in sorted(catalog.scored.items())
    )
    rows = [f"<dt>{name}</dt><dd>{escape(value)}</dd>" for name, value in facts.items()]
    rows.append(f"<dt>Scored by</dt><dd>{scored or 'nothing yet'}</dd>")
    notes = _flat(catalog.notes)
    folded = ""
    if notes:
        items = "".join(
            f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>" for name, value in notes.items()
        )
        folded = f"<details><summary>How it was made</summary><dl>{items}</dl></details>"
    search = ""
    if catalog.complete and catalog.scale == "galaxy" and catalog.origin == "observed":
        href = escape(address("catalogs", tab="search", catalog=catalog.name))
        search = f'<p><a href="{href}">Search this catalog</a></p>'
    return f"<dl>{''.join(rows)}</dl>{search}{folded}"


def _flat(notes: Mapping[str, Any], before: str = "") -> dict[str, str]:
    """Nested notes as one list of names and texts; empty ones left out."""
    flat: dict[str, str] = {}
    for name, value in notes.items():
        if isinstance(value, Mapping) and not before:
            flat |= _flat(value, f"{fmt.words(name)}: ")
        elif value not in (None, "", [], {}):
            title = name.replace("_", " ")
            flat[f"{before}{title}" if before else fmt.words(name)] = fmt.quantity(value)
    return flat
