"""Matching with online services: who is asked for, and what is kept of their answers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lens_triage.training.jobs.crossmatch.keeping import keep
from lens_triage.training.runner.context import JobContext
from lens_triage.training.settings import CrossmatchSettings
from lensing_core.crossmatch.matching import Status, crossmatch
from lensing_core.crossmatch.records import (
    ALONE,
    NOBODY,
    Setting,
    describe_reference,
    pair_entries,
)
from lensing_core.crossmatch.service_list import Service
from lensing_core.store import open_database
from lensing_core.store.ensembles import best_ensemble
from lensing_core.store.runs import get_run
from lensing_core.store.scores import first_of_ranking

Say = Callable[[str, float], None]


def rows_to_ask(
    context: JobContext, settings: CrossmatchSettings, setting: Setting
) -> NDArray[np.intp]:
    """Rows of the candidates that services are asked for, in order of id; all have a position."""
    at = setting.candidates
    placed = np.isfinite(at.ra_deg) & np.isfinite(at.dec_deg)
    chosen = placed.copy()
    if settings.first and settings.first < placed.sum():
        with open_database(context.workspace).session() as session:
            ensemble = best_ensemble(session, setting.catalog_id, settings.ensemble)
            if ensemble is not None:
                best = first_of_ranking(session, setting.catalog_id, ensemble.id, settings.first)
                chosen &= np.isin(at.id, best)
                context.log(
                    f"Services are asked for the first {chosen.sum():,} by {ensemble.name}."
                )
        if ensemble is None:
            chosen[np.flatnonzero(chosen)[settings.first :]] = False
            context.log(
                f"No ensemble has scored {setting.catalog}: services are asked for the first "
                f"{chosen.sum():,} of the catalog.",
                "warning",
            )
    return np.flatnonzero(chosen)


def match_service(
    context: JobContext,
    settings: CrossmatchSettings,
    setting: Setting,
    service: Service,
    asked: NDArray[np.intp],
    say: Say,
) -> dict[str, Any]:
    """Match with what a service answers; with what it answered until it fell silent, where it did.

    ``asked`` are rows of the candidates, as :func:`rows_to_ask` gives them.
    """
    # Only here, so that matching with files needs none of the clients.
    from lensing_core.crossmatch.answers import AnswerCache
    from lensing_core.crossmatch.services import Asking, ServiceError, ServiceReference

    queued = open_database(context.workspace).ask(get_run, context.run_id).created_at
    cache = AnswerCache(
        context.workspace.cache / "crossmatch", queued if settings.ask_anew else None
    )
    asking = Asking(settings.mirrors, settings.batch_size, settings.pause_s)
    source = ServiceReference(service, asking, cache)
    at, problem = setting.candidates, ""
    try:
        for step in source.collect(at.ra_deg[asked], at.dec_deg[asked], setting.radius_arcsec):
            kept = ", kept answers" if step.from_cache else ""
            say(
                f"Asking {service.title}, {step.done:,} of {step.total:,}{kept}",
                step.done / step.total,
            )
    except ServiceError as error:
        problem = str(error)
        context.log(problem, "warning")
    rows = asked[: source.n_done]
    reference = source.reference()
    matches = crossmatch(
        setting.positions(rows),
        reference.positions(setting.reference_error_arcsec),
        setting.radius_arcsec,
        max_normalized=setting.max_normalized,
    )
    state = "complete" if not problem else "partial" if source.n_done else "unreachable"
    asked_all = state == "complete" and len(asked) == np.isfinite(at.ra_deg).sum()
    record = setting.record(
        context.run_id,
        matches,
        reference=service.key,
        title=service.title,
        kind=service.kind,
        version=reference.version,
        state=state,
        message=problem,
        asked_all=bool(asked_all),
        n_references=len(reference),
    )
    entries = [*pair_entries(matches, at.id[rows], describe_reference(reference))]
    if not asked_all:
        alone = np.flatnonzero(matches.source_status == Status.UNMATCHED)
        entries += [
            {**ALONE, **NOBODY, "candidate_id": int(at.id[rows[k]]), "status": "unmatched"}
            for k in alone
        ]
    return keep(context, record, entries)
