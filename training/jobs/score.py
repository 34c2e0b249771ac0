"""The job that scores a catalog: one read of the cutouts for all members, in batches."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from lens_triage.training.checks.ensembles import check_score
from lens_triage.training.derived_columns import columns_of_members
from lens_triage.training.device import torch_device
from lens_triage.training.runner.context import JobContext
from lens_triage.training.settings import ScoreSettings
from lens_triage.training.shift import shift_of, training_sample
from lensing_core.cutouts import CutoutStore
from lensing_core.cutouts.verifying import check_shards
from lensing_core.features.composition import count_unsegmented
from lensing_core.models.classic import ClassicMember
from lensing_core.models.files import StoredMember, with_bases
from lensing_core.models.member import MemberOutput
from lensing_core.models.outputs import OutputWriter, rows_stored
from lensing_core.models.predictors import Predictors
from lensing_core.processes import look_ahead
from lensing_core.scoring import fuse, open_ensemble
from lensing_core.shift.collapse import LogitWatch
from lensing_core.store import Database, open_database
from lensing_core.store.candidates import candidates_by_cutout, write_columns
from lensing_core.store.catalogs import find_catalog
from lensing_core.store.ensembles import find_ensemble, rows_scored
from lensing_core.store.metadata import fetch_metadata
from lensing_core.store.scores import delete_scores, write_scores


def run(context: JobContext, settings: ScoreSettings) -> dict[str, Any]:
    """Score every candidate that the ensemble has not scored yet, catalog by catalog."""
    names = list(dict.fromkeys([settings.catalog, *settings.additional_catalogs]))
    check_score(context.workspace, settings)  # what is wrong is said before hours of work
    results = [_score(context, settings, name) for name in names]
    if len(results) == 1:
        return results[0]
    seconds = sum(r["scored"] / r["per_second"] for r in results if r["per_second"])
    scored = sum(r["scored"] for r in results)
    return {
        "ensemble": settings.ensemble,
        "catalogs": names,
        "scored": scored,
        "objects": sum(r["objects"] for r in results),
        "without_segments": sum(r["without_segments"] for r in results),
        "per_second": round(scored / seconds, 1) if seconds else 0.0,
        "shift": {name: shift for r in results for name, shift in r["shift"].items()},
    }


def _score(context: JobContext, settings: ScoreSettings, name: str) -> dict[str, Any]:
    """Score one catalog, in order of its cutouts."""
    database = open_database(context.workspace)
    with database.session() as session:
        catalog = find_catalog(session, name)
        ensemble = find_ensemble(session, settings.ensemble)
        scored = rows_scored(session, ensemble.id, catalog.id)
    device = torch_device(settings.device)
    rule, members = open_ensemble(
        context.workspace, ensemble, device=device, precision=settings.precision
    )
    folder = context.workspace.catalog_cutouts(catalog.name)
    context.progress(0, None, "Checking the cutouts")
    check_shards(
        folder,
        known=context.workspace.verified_cutouts(catalog.name),
        progress=lambda: context.progress(0, None, "Checking the cutouts"),
        n_candidates=catalog.n_candidates,
    )
    store = CutoutStore(folder)
    bases = with_bases(members)
    writers = {
        stored.id: OutputWriter(context.workspace, stored.id, catalog.name, len(store))
        for stored in bases
    }
    # What members compute is kept, for heads that are trained later; where it is missing, the
    # members look at the cutouts again.
    kept = [rows_stored(context.workspace, stored.id, catalog.name) for stored in bases]
    done = min([scored, *kept])
    total = len(store)
    if done:
        context.log(f"Going on at candidate {done:,} of {total:,}.")
    kept_sample = training_sample(context.workspace, ensemble.name)
    watch = LogitWatch(ensemble.name, kept_sample.logits if kept_sample else None)
    names = [stored.id for stored in members]
    began, first = time.perf_counter(), done
    unsegmented = 0
    with Predictors.open(
        bases, store.geometry, catalog.name, total - done, with_variance=rule.needs_variances
    ) as predictors:
        batches = _batches(database, catalog.id, store, done, settings.batch_size, predictors)
        for batch in look_ahead(batches, predictors.ahead):
            activity = _activity(name, batch.start - first, time.perf_counter() - began)
            context.progress(batch.start, total, activity)
            outputs = {key: predict() for key, predict in batch.outputs.items()}
            for key, writer in writers.items():
                writer.write(batch.start, outputs[key])
            unsegmented += _count_unsegmented(bases, outputs)
            scores, distances = fuse(rule, members, outputs)
            watch.look(scores.logit, scores.member_logits, names, batch.start)
            with database.session() as session:
                if batch.start < scored:
                    delete_scores(session, ensemble.id, batch.ids)
                write_scores(session, ensemble, catalog.id, batch.ids, scores, distances)
                write_columns(session, batch.ids, columns_of_members(members, outputs))
    seconds = time.perf_counter() - began
    if unsegmented:
        context.log(
            f"{unsegmented:,} cutouts were scored without features of their segments: they hold no "
            "data, or artifacts in which no segments could be told apart.",
            "warning",
        )
    context.progress(total, total, "Comparing with the training set")
    shift = shift_of(context.workspace, ensemble.name, catalog.name)
    for sentence in shift["alarms"]:
        context.log(f"{catalog.name}: {sentence}", "warning")
    for sentence in shift["notes"]:
        context.log(f"{catalog.name}: {sentence}")
    context.progress(total, total, "Done")
    rate = (total - first) / seconds if total > first else 0.0
    return {
        "ensemble": ensemble.name,
        "catalog": catalog.name,
        "scored": total - first,
        "objects": total,
        "without_segments": unsegmented,
        "per_second": round(rate, 1),
        "shift": {catalog.name: shift},
    }


def _count_unsegmented(members: Sequence[StoredMember], outputs: dict[str, MemberOutput]) -> int:
    """The most cutouts that any classic member of a batch saw without segments."""
    counts = [
        count_unsegmented(stored.member.features["names"], table)
        for stored in members
        if isinstance(stored.member, ClassicMember)
        and (table := outputs[stored.id].features) is not None
    ]
    return max(counts, default=0)


@dataclass(frozen=True)
class _Batch:
    """Candidates whose scoring has begun; ``outputs``: what members will give, by model."""

    start: int
    ids: Sequence[int]
    outputs: dict[str, Callable[[], MemberOutput]]


def _batches(
    database: Database,
    catalog_id: int,
    store: CutoutStore,
    start: int,
    size: int,
    predictors: Predictors,
) -> Iterator[_Batch]:
    """The candidates of a catalog from the cutout ``start`` on."""
    for first, flux in store.batches(size, start=start):
        with database.session() as session:
            ids = list(candidates_by_cutout(session, catalog_id, first, first + len(flux)))
            metadata = fetch_metadata(session, ids) if predictors.conditioned else None
        yield _Batch(first, ids, predictors.begin(flux, metadata))


def _activity(name: str, done: int, seconds: float) -> str:
    return f"Scoring {name}, {done / seconds:,.0f} a second" if done else f"Scoring {name}"
