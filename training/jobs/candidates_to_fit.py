"""Candidates to which a run fits lenses: named ones, or the top of a ranking."""

from __future__ import annotations

from pathlib import Path

from lens_triage.training.settings import ModelSettings
from lensing_core.errors import BadInputError
from lensing_core.store import Session
from lensing_core.store.candidates import candidates_named
from lensing_core.store.catalogs import find_catalog
from lensing_core.store.ensembles import best_ensemble
from lensing_core.store.ranking import RankingQuery, fetch_page

_PAGE = 1000
_MOST_NAMED = 5


def candidates_to_fit(session: Session, settings: ModelSettings) -> list[int]:
    """Ids of the candidates that a run is about, in its order.

    Raises
    ------
    BadInputError
        If ids are of no candidate, or no ensemble has scored the catalog.
    NotFoundError
        If there is no such catalog or ensemble.
    """
    catalog = find_catalog(session, settings.catalog)
    if settings.ids or settings.objects:
        return _named(session, settings, catalog.id)
    ensemble = best_ensemble(session, catalog.id, settings.ensemble)
    if ensemble is None:
        raise BadInputError(
            f"No ensemble has scored {settings.catalog}: score it first, or give a file of ids."
        )
    query = RankingQuery(ensemble_id=ensemble.id, catalog_ids=(catalog.id,))
    found: list[int] = []
    cursor = None
    while len(found) < settings.top:
        limit = min(_PAGE, settings.top - len(found))
        page = fetch_page(session, query, after=cursor, limit=limit)
        found += [row.candidate.id for row in page.rows]
        if not page.has_after:
            break
        cursor = page.rows[-1].cursor
    return found


def _named(session: Session, settings: ModelSettings, catalog_id: int) -> list[int]:
    lines = settings.objects or Path(settings.ids).read_text(encoding="utf-8").splitlines()
    names = list(dict.fromkeys(line.strip() for line in lines if line.strip()))
    if not names:
        raise BadInputError(f"{settings.ids} names no object: give one id a line.")
    known = candidates_named(session, names, {catalog_id})
    missing = [name for name in names if name not in known]
    if missing:
        more = f" and {len(missing) - _MOST_NAMED:,} more" if len(missing) > _MOST_NAMED else ""
        raise BadInputError(
            f"{settings.catalog} has no object {', '.join(missing[:_MOST_NAMED])}{more}"
            + (f", which {settings.ids} names." if settings.ids else ".")
        )
    return [known[name][0].id for name in names]
