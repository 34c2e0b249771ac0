"""The run: one reference after the other, each kept as soon as it is matched."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from lens_triage.training.jobs.crossmatch.offline import (
    match_catalog,
    match_reference,
    match_self,
    read_table,
)
from lens_triage.training.jobs.crossmatch.online import (
    Say,
    match_service,
    rows_to_ask,
)
from lens_triage.training.runner.context import JobContext
from lens_triage.training.settings import CrossmatchSettings
from lensing_core.crossmatch.lenscat import BUNDLED, read_lenscat
from lensing_core.crossmatch.records import Setting
from lensing_core.crossmatch.reference import Reference
from lensing_core.crossmatch.service_list import SERVICES, vizier_service
from lensing_core.errors import BadInputError
from lensing_core.store import open_database
from lensing_core.store.catalogs import find_catalog
from lensing_core.store.crossmatches import read_positions, references_done

RADIUS_ARCSEC = {"galaxy": 5.0, "cluster": 60.0}
"""Centroids of lens and candidate agree to about an arcsec; centers of clusters do not."""
REFERENCE_ERROR_ARCSEC = {"galaxy": 1.0, "cluster": 15.0}

_SHARES = 100  # steps of progress a reference
_LENSCAT = {"lenscat": "confident", "lenscat_probable": "probable"}
Match = Callable[[Say], dict[str, Any]]
Step = tuple[str, str, Match]


def run(context: JobContext, settings: CrossmatchSettings) -> dict[str, Any]:
    """Match the catalog with each reference in turn; those that are done stay as they are."""
    began = time.perf_counter()
    setting = _setting(context, settings)
    with open_database(context.workspace).session() as session:
        done = references_done(session, context.run_id)
    steps = [*_offline(context, settings, setting), *_online(context, settings, setting)]
    results: dict[str, dict[str, Any]] = {}
    for k, (key, title, match) in enumerate(steps):
        context.progress(k * _SHARES, len(steps) * _SHARES, title)
        if key in done:
            context.log(f"{title} is done already.")
            continue

        def say(text: str, share: float, k: int = k) -> None:
            context.progress(round((k + share) * _SHARES), len(steps) * _SHARES, text)

        results[key] = match(say)
    context.progress(len(steps) * _SHARES, len(steps) * _SHARES, "Done")
    silent = sorted(key for key, result in results.items() if result["state"] != "complete")
    return {
        "catalog": settings.catalog,
        "candidates": len(setting.candidates.id),
        "seconds": round(time.perf_counter() - began, 2),
        "references": {key: result["counts"] for key, result in results.items()},
        "not_reached": silent,
    }


def _setting(context: JobContext, settings: CrossmatchSettings) -> Setting:
    with open_database(context.workspace).session() as session:
        catalog = find_catalog(session, settings.catalog)
        candidates = read_positions(session, catalog.id)
    placed = int(np.isfinite(candidates.ra_deg).sum())
    if not placed:
        raise BadInputError(
            f"No candidate of {settings.catalog} has a position, so none can be matched."
        )
    if placed < len(candidates.id):
        context.log(f"{len(candidates.id) - placed:,} candidates have no position.", "warning")
    return Setting(
        catalog.id,
        catalog.name,
        candidates,
        settings.radius_arcsec or RADIUS_ARCSEC[catalog.scale],
        settings.candidate_error_arcsec,
        settings.reference_error_arcsec or REFERENCE_ERROR_ARCSEC[catalog.scale],
        settings.max_normalized,
    )


def _offline(context: JobContext, settings: CrossmatchSettings, setting: Setting) -> Iterator[Step]:
    """Key, title and action of every reference that needs no network."""

    def listed(read: Callable[[], Reference]) -> Match:
        return lambda _say: match_reference(context, setting, read())

    def known(other: str) -> Match:
        return lambda _say: match_catalog(context, setting, other)

    lenscat = Path(settings.lenscat_table) if settings.lenscat_table else BUNDLED
    for key, grading in _LENSCAT.items():
        if key in settings.references:
            read = partial(read_lenscat, grading, lenscat)
            yield key, f"Matching with lenscat, {grading}", listed(read)
    for key, name in _table_keys(settings.tables):
        read = partial(read_table, context, settings, key, Path(name))
        yield key, f"Matching with {Path(name).name}", listed(read)
    if "duplicates" in settings.references:
        yield "duplicates", "Looking for duplicates", lambda _say: match_self(context, setting)
    for other in dict.fromkeys(settings.catalogs):
        yield f"catalog:{other}", f"Matching with {other}", known(other)


def _online(context: JobContext, settings: CrossmatchSettings, setting: Setting) -> Iterator[Step]:
    """Key, title and action of every service."""
    services = [SERVICES[key] for key in settings.references if key in SERVICES]
    services += [vizier_service(table, kind) for table, kind in settings.vizier.items()]
    if not services:
        return
    asked = rows_to_ask(context, settings, setting)
    for service in services:
        match = partial(match_service, context, settings, setting, service, asked)
        yield service.key, f"Asking {service.title}", match


def _table_keys(names: list[str]) -> list[tuple[str, str]]:
    """A key for each file; files of one name in several folders are told apart by a number."""
    keys: dict[str, str] = {}
    for name in dict.fromkeys(names):
        key = f"table:{Path(name).name}"
        same = sum(1 for used in keys if used == key or used.startswith(f"{key} ("))
        keys[f"{key} ({same + 1})" if same else key] = name
    return list(keys.items())
