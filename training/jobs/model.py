"""The job that tests candidates for a lens, one after another, and keeps every result."""

from __future__ import annotations

import math
import time
from collections import Counter
from pathlib import Path
from typing import Any

from lens_triage.training.runner.context import JobContext
from lens_triage.training.settings import ModelSettings
from lensing_core.cutouts import CutoutStore
from lensing_core.errors import BadInputError
from lensing_core.lens_test import LensTestSettings
from lensing_core.lens_test.candidates import keep, key_of, outcome
from lensing_core.store import Session, open_database
from lensing_core.store.candidates import candidates_named, cutout_places
from lensing_core.store.catalogs import find_catalog
from lensing_core.store.ensembles import best_ensemble
from lensing_core.store.lens_tests import latest_lens_tests, untested
from lensing_core.store.ranking import RankingQuery, fetch_page

_PAGE = 1000
_MOST_NAMED = 5


def run(context: JobContext, settings: ModelSettings) -> dict[str, Any]:
    """Test the candidates that have no test with these settings yet; so a run is resumed.

    Returns
    -------
    dict
        How many were ``candidates`` and ``tested`` now, and of all of them how many have which
        verdict.
    """
    database = open_database(context.workspace)
    chosen = lens_test_settings(settings)
    with database.session() as session:
        candidates = candidates_to_test(session, settings)
        waiting = untested(session, candidates, key_of(chosen))
        places = cutout_places(session, waiting)
    store = CutoutStore(context.workspace.catalog_cutouts(settings.catalog))
    done, began = len(candidates) - len(waiting), time.perf_counter()
    if done:
        context.log(f"{done:,} of {len(candidates):,} candidates were tested before.")
    for k, candidate in enumerate(waiting):
        context.progress(done + k, len(candidates), f"Fitting {places[candidate].object_id}")
        found = outcome(store, places[candidate].cutout_index, chosen)
        with database.session() as session:
            keep(session, candidate, places[candidate], chosen, found)
    seconds = time.perf_counter() - began
    with database.session() as session:
        verdicts = Counter(row.verdict for row in latest_lens_tests(session, candidates).values())
    context.progress(len(candidates), len(candidates), "Done")
    return {
        "catalog": settings.catalog,
        "candidates": len(candidates),
        "tested": len(waiting),
        "seconds_each": round(seconds / len(waiting), 2) if waiting else 0.0,
        **{name: verdicts[name] for name in ("supports", "no_lens", "unclear", "failed")},
    }


def lens_test_settings(settings: ModelSettings) -> LensTestSettings:
    """The settings of each test."""
    return LensTestSettings(
        max_theta_e_arcsec=float(settings.max_theta_e_arcsec) or math.nan,
        starts=int(settings.starts),
    )


def candidates_to_test(session: Session, settings: ModelSettings) -> list[int]:
    """Ids of the candidates that a run is about, in its order.

    Raises
    ------
    BadInputError
        If ids are of no candidate, or no ensemble has scored the catalog.
    NotFoundError
        If there is no such catalog or ensemble.
    """
    catalog = find_catalog(session, settings.catalog)
    if settings.ids:
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
    lines = Path(settings.ids).read_text(encoding="utf-8").splitlines()
    names = list(dict.fromkeys(line.strip() for line in lines if line.strip()))
    if not names:
        raise BadInputError(f"{settings.ids} names no object: give one id a line.")
    known = candidates_named(session, names, {catalog_id})
    missing = [name for name in names if name not in known]
    if missing:
        more = f" and {len(missing) - _MOST_NAMED:,} more" if len(missing) > _MOST_NAMED else ""
        raise BadInputError(
            f"{settings.catalog} has no object {', '.join(missing[:_MOST_NAMED])}{more}, which "
            f"{settings.ids} names."
        )
    return [known[name][0].id for name in names]
