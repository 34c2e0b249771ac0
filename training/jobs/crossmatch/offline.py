"""Matching with what is on this machine: files of positions, other catalogs, the catalog itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from lens_triage.training.jobs.crossmatch.keeping import keep
from lens_triage.training.runner.context import JobContext
from lens_triage.training.settings import CrossmatchSettings
from lensing_core.crossmatch.completeness import area_deg2, fitting_footprint, in_footprint
from lensing_core.crossmatch.matching import Matches, Positions, Status, crossmatch, self_match
from lensing_core.crossmatch.records import (
    ALONE,
    Describe,
    Setting,
    describe_reference,
    pair_entries,
)
from lensing_core.crossmatch.reference import Reference
from lensing_core.crossmatch.table_reference import read_reference_table
from lensing_core.store import open_database
from lensing_core.store.candidates import object_names
from lensing_core.store.catalogs import find_catalog
from lensing_core.store.crossmatches import CatalogPositions, read_positions


def read_table(
    context: JobContext, settings: CrossmatchSettings, key: str, path: Path
) -> Reference:
    """A user's own table, under a key of its own; what was odd about it goes to the log."""
    reference, notes = read_reference_table(
        path,
        settings.table_kind,
        columns=settings.columns,
        position_unit=settings.position_unit,
        position_frame=settings.position_frame,
        error_column=settings.error_column,
    )
    for note in notes:
        context.log(note, "warning")
    return Reference(**{**vars(reference), "key": key})


def match_reference(context: JobContext, setting: Setting, reference: Reference) -> dict[str, Any]:
    """Match with a list of positions; lenses of the footprint without a candidate are kept."""
    theirs = reference.positions(setting.reference_error_arcsec)
    matches = crossmatch(
        setting.positions(), theirs, setting.radius_arcsec, max_normalized=setting.max_normalized
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
    return keep(context, record, entries)


def match_self(context: JobContext, setting: Setting) -> dict[str, Any]:
    """Duplicates within the catalog; each pair is kept once."""
    matches = self_match(
        setting.positions(), setting.radius_arcsec, max_normalized=setting.max_normalized
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
    return keep(context, record, once)


def match_catalog(context: JobContext, setting: Setting, other: str) -> dict[str, Any]:
    """Match with another catalog of the workspace."""
    with open_database(context.workspace).session() as session:
        theirs = read_positions(session, find_catalog(session, other).id)
    positions = Positions.of(theirs.ra_deg, theirs.dec_deg, setting.candidate_error_arcsec)
    matches = crossmatch(
        setting.positions(), positions, setting.radius_arcsec, max_normalized=setting.max_normalized
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
    return keep(context, record, pair_entries(matches, setting.candidates.id, describe))


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
