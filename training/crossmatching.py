"""The job that matches a catalog with its references: files at once, services in batches."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lensing_core.crossmatch.completeness import (
    area_deg2,
    fitting_footprint,
    in_footprint,
)
from lensing_core.crossmatch.lenscat import SHIPPED, read_lenscat
from lensing_core.crossmatch.matching import (
    Matches,
    Positions,
    Status,
    crossmatch,
    self_match,
)
from lensing_core.crossmatch.records import (
    ALONE,
    NOBODY,
    Describe,
    Setting,
    describe_reference,
    pair_entries,
)
from lensing_core.crossmatch.reference import Reference
from lensing_core.crossmatch.service_list import SERVICES, Service, vizier_service
from lensing_core.crossmatch.table_reference import read_reference_table
from lensing_core.errors import BadInputError
from lensing_core.store import open_database
from lensing_core.store.candidates import object_names
from lensing_core.store.catalogs import find_catalog
from lensing_core.store.crossmatches import (
    CatalogPositions,
    first_of_ranking,
    read_positions,
    references_done,
    write_crossmatch,
)
from lensing_core.store.ensembles import best_ensemble
from lensing_core.store.tables import Crossmatch, Run
from training.jobs.context import JobContext
from training.settings import CrossmatchSettings

RADIUS_ARCSEC = {"galaxy": 5.0, "cluster": 60.0}
"""Centroids of lens and candidate agree to about an arcsec; centres of clusters do not."""
REFERENCE_ERROR_ARCSEC = {"galaxy": 1.0, "cluster": 15.0}

_SHARES = 100  # steps of progress a reference
Say = Callable[[str, float], None]
Match = Callable[[Say], dict[str, Any]]
Step = tuple[str, str, Match]


def run(context: JobContext, settings: CrossmatchSettings) -> dict[str, Any]:
    """Match the catalog with each reference in turn; those that are done stay as they are."""
    began = time.perf_counter()
    setting = _setting(context, settings)
    with open_database(context.workspace).session() as session:
        done = references_done(session, context.run_id)
    steps = _steps(context, settings, setting)
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
        settings.max_normalised,
    )


def _steps(context: JobContext, settings: CrossmatchSettings, setting: Setting) -> list[Step]:
    """Key, title and action of every reference: what needs no network first."""

    def offline(read: Callable[[], Reference]) -> Match:
        return lambda say: _match_reference(context, setting, read())

    steps: list[Step] = []
    lenscat = Path(settings.lenscat_table) if settings.lenscat_table else SHIPPED
    for key, grading in (("lenscat", "confident"), ("lenscat_probable", "probable")):
        if key in settings.references:
            read = _lenscat_reader(grading, lenscat)
            steps.append((key, f"Matching with lenscat, {grading}", offline(read)))
    for key, name in _table_keys(settings.tables):
        reader = _table_reader(context, settings, key, Path(name))
        steps.append((key, f"Matching with {Path(name).name}", offline(reader)))
    if "duplicates" in settings.references:
        steps.append(
            ("duplicates", "Looking for duplicates", lambda say: _match_self(context, setting))
        )
    for other in dict.fromkeys(settings.catalogs):
        steps.append(
            (f"catalog:{other}", f"Matching with {other}", _other_matcher(context, setting, other))
        )
    services = [SERVICES[key] for key in settings.references if key in SERVICES]
    services += [vizier_service(table, kind) for table, kind in settings.vizier.items()]
    if services:
        asked = _asked(context, settings, setting)
        for service in services:
            matcher = _service_matcher(context, settings, setting, service, asked)
            steps.append((service.key, f"Asking {service.title}", matcher))
    return steps


def _lenscat_reader(grading: str, path: Path) -> Callable[[], Reference]:
    return lambda: read_lenscat(grading, path)


def _table_keys(names: list[str]) -> list[tuple[str, str]]:
    """A key for each file; files of one name in several folders are told apart by a number."""
    keys: dict[str, str] = {}
    for name in dict.fromkeys(names):
        key = f"table:{Path(name).name}"
        same = sum(1 for used in keys if used == key or used.startswith(f"{key} ("))
        keys[f"{key} ({same + 1})" if same else key] = name
    return list(keys.items())


def _table_reader(
    context: JobContext, settings: CrossmatchSettings, key: str, path: Path
) -> Callable[[], Reference]:
    def read() -> Reference:
        reference, notes = read_reference_table(
            path,
            settings.table_kind,
            columns=settings.columns,
            position_unit=settings.position_unit,
            error_column=settings.error_column,
        )
        for note in notes:
            context.log(note, "warning")
        return Reference(**{**vars(reference), "key": key})

    return read


def _match_reference(context: JobContext, setting: Setting, reference: Reference) -> dict[str, Any]:
    """Match with a list of positions; lenses of the footprint without a candidate are kept."""
    theirs = reference.positions(setting.reference_error_arcsec)
    matches = crossmatch(
        setting.positions(), theirs, setting.radius_arcsec, max_normalised=setting.max_normalised
    )
    values: dict[str, Any] = {}
    missed: list[int] = []
    if reference.kind in ("lens", "probable"):
        at = setting.candidates
        nside, cells = fitting_footprint(at.ra_deg, at.dec_deg)
        inside = in_footprint(reference.ra_deg, reference.dec_deg, cells, nside)
        inside |= matches.reference_status != Status.UNMATCHED  # a pair across the border counts
        inside &= theirs.placed
        values = {
            "footprint_nside": nside,
            "footprint_deg2": area_deg2(len(cells), nside),
            "n_in_footprint": int(inside.sum()),
        }
        missed = np.flatnonzero(inside & (matches.reference_status == Status.UNMATCHED)).tolist()
    record = setting.record(
        context.run_id,
        matches,
        reference=reference.key,
        title=reference.title,
        kind=reference.kind,
        version=reference.version,
        n_references=int(theirs.placed.sum()),
        **values,
    )
    describe = describe_reference(reference)
    entries = [*pair_entries(matches, setting.candidates.id, describe)]
    entries += [{**ALONE, "status": "unmatched", **describe(k)} for k in missed]
    return _write(context, record, entries)


def _match_self(context: JobContext, setting: Setting) -> dict[str, Any]:
    """Duplicates within the catalog; each pair is kept once."""
    matches = self_match(
        setting.positions(), setting.radius_arcsec, max_normalised=setting.max_normalised
    )
    at = setting.candidates
    describe = _candidate_describer(context, setting.catalog, at, matches)
    record = setting.record(
        context.run_id,
        matches,
        reference="duplicates",
        title="Duplicates within the catalog",
        kind="duplicate",
        version=f"{len(at.id):,} candidates",
        n_references=len(at.id) - matches.count(Status.UNPLACED),
    )
    pairs = pair_entries(matches, at.id, describe)
    once = (e for e in pairs if e["candidate_id"] < e["counterpart"]["candidate_id"])
    return _write(context, record, once)


def _other_matcher(context: JobContext, setting: Setting, other: str) -> Match:
    def match(say: Say) -> dict[str, Any]:
        with open_database(context.workspace).session() as session:
            theirs = read_positions(session, find_catalog(session, other).id)
        positions = Positions.of(theirs.ra_deg, theirs.dec_deg, setting.candidate_error_arcsec)
        matches = crossmatch(
            setting.positions(),
            positions,
            setting.radius_arcsec,
            max_normalised=setting.max_normalised,
        )
        record = setting.record(
            context.run_id,
            matches,
            reference=f"catalog:{other}",
            title=f"Catalog {other}",
            kind="duplicate",
            version=f"{len(theirs.id):,} candidates",
            n_references=int(positions.placed.sum()),
            reference_error_arcsec=setting.candidate_error_arcsec,
        )
        describe = _candidate_describer(context, other, theirs, matches)
        return _write(context, record, pair_entries(matches, setting.candidates.id, describe))

    return match


def _candidate_describer(
    context: JobContext, catalog: str, at: CatalogPositions, matches: Matches
) -> Describe:
    with open_database(context.workspace).session() as session:
        names = object_names(session, at.id[np.unique(matches.reference)].tolist())

    def describe(k: int) -> dict[str, Any]:
        candidate_id = int(at.id[k])
        return {
            "counterpart_name": names[candidate_id],
            "counterpart_ra_deg": float(at.ra_deg[k]),
            "counterpart_dec_deg": float(at.dec_deg[k]),
            "counterpart": {"catalog": catalog, "candidate_id": candidate_id},
        }

    return describe


def _asked(context: JobContext, settings: CrossmatchSettings, setting: Setting) -> NDArray[np.intp]:
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


def _service_matcher(
    context: JobContext,
    settings: CrossmatchSettings,
    setting: Setting,
    service: Service,
    asked: NDArray[np.intp],
) -> Match:
    def match(say: Say) -> dict[str, Any]:
        # Only here, so that matching with files needs none of the clients.
        from lensing_core.crossmatch.answers import AnswerCache
        from lensing_core.crossmatch.services import Asking, ServiceError, ServiceReference

        with open_database(context.workspace).session() as session:
            queued = session.get_one(Run, context.run_id).created_at
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
            max_normalised=setting.max_normalised,
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
        return _write(context, record, entries)

    return match


def _write(context: JobContext, record: Crossmatch, entries: Any) -> dict[str, Any]:
    """Keep a cross-match, whole or not at all; say what came out."""
    with open_database(context.workspace).session() as session:
        write_crossmatch(session, record, entries)
    counts = {
        "candidates": record.n_candidates,
        "matched": record.n_matched,
        "review": record.n_review,
        "unmatched": record.n_candidates - record.n_matched - record.n_review,
    }
    if record.state != "unreachable":
        context.log(
            f"{record.title} ({record.version}): {record.n_matched:,} matched, "
            f"{record.n_review:,} to review, {counts['unmatched']:,} without a counterpart."
        )
    return {"state": record.state, "counts": counts}
