"""The rows of a ranking for export: pages in its order, with all that is known of each."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from lensing_core.export.columns import ExportRow, PixelFrame, Value
from lensing_core.store.consensus_choice import current_consensus_method
from lensing_core.store.database import Database
from lensing_core.store.ensembles import get_ensemble, version_of
from lensing_core.store.lens_tests import latest_lens_tests
from lensing_core.store.presence import blind_candidates
from lensing_core.store.ranking import (
    Cursor,
    RankedCandidate,
    RankingQuery,
    fetch_page,
    load_rows,
)
from lensing_core.store.ranking_filters import votes_told
from lensing_core.store.tables import (
    CandidateTag,
    Catalog,
    Consensus,
    Observation,
    Vote,
)

_PAGE = 1000


def export_rows(
    database: Database, query: RankingQuery, *, limit: int | None = None
) -> Iterator[ExportRow]:
    """Rows in the order of ``query``, a page in memory at a time; at most ``limit``.

    Each page is read in a session of its own, so that no transaction stays open while it is
    written.
    """
    cursor, rank = None, 0
    while limit is None or rank < limit:
        wanted = _PAGE if limit is None else min(_PAGE, limit - rank)
        with database.session() as session:
            page = fetch_page(session, query, after=cursor, limit=wanted)
            made = _rows(session, query, page.rows, rank)
        yield from made
        rank += len(made)
        if not page.has_after:
            return
        cursor = page.rows[-1].cursor


def export_candidates(
    session: Session, query: RankingQuery, candidate_ids: Sequence[int]
) -> list[ExportRow]:
    """The rows of some candidates, in the order given, whether or not the filters pass them."""
    rows = load_rows(session, query, [Cursor(None, key) for key in candidate_ids])
    return _rows(session, query, rows, 0)


def _rows(
    session: Session, query: RankingQuery, page: Sequence[RankedCandidate], rank: int
) -> list[ExportRow]:
    ids = [row.candidate.id for row in page]
    blind = blind_candidates(session, ids) if query.hides_blind else set()
    catalogs = {
        row.id: row.name
        for row in session.execute(
            select(Catalog.id, Catalog.name).where(
                Catalog.id.in_({row.candidate.catalog_id for row in page})
            )
        )
    }
    observed = {
        row.candidate_id: row
        for row in session.execute(
            select(
                Observation.candidate_id,
                Observation.z_spec,
                Observation.z_phot,
                Observation.z_err,
                Observation.properties["ingest"].label("ingest"),
            ).where(Observation.candidate_id.in_(ids))
        )
    }
    tags: defaultdict[int, list[str]] = defaultdict(list)
    for tag in session.scalars(
        select(CandidateTag).where(CandidateTag.candidate_id.in_(ids)).order_by(CandidateTag.tag)
    ):
        tags[tag.candidate_id].append(tag.tag)
    votes = {
        row[0]: (row[1], row[2])
        for row in session.execute(
            select(Vote.candidate_id, func.count(), func.count().filter(Vote.is_lens == 1))
            .where(Vote.candidate_id.in_(ids), *votes_told(query))
            .group_by(Vote.candidate_id)
        )
    }
    agreed = {
        row.candidate_id: row
        for row in session.scalars(
            select(Consensus).where(
                Consensus.candidate_id.in_(ids), Consensus.method == current_consensus_method()
            )
        )
    }
    tested = latest_lens_tests(session, ids)
    given_by = _given_by(session, query.ensemble_id)
    made = []
    for k, row in enumerate(page, start=rank + 1):
        c, score = row.candidate, row.score
        seen = observed.get(c.id)
        consensus = None if c.id in blind else agreed.get(c.id)
        label = None if c.id in blind else c.label
        n_grades, n_lens = votes.get(c.id, (0, 0))
        values: dict[str, Value] = {
            "rank": k,
            "candidate": c.id,
            "catalog": catalogs[c.catalog_id],
            "object_id": c.object_id,
            "ra": c.ra_deg,
            "dec": c.dec_deg,
            "magnitude": c.magnitude,
            "theta_e_proxy": c.theta_e_proxy_arcsec,
            "arc_radius": c.arc_radius_arcsec,
            "arc_length": c.arc_length_arcsec,
            "stage": c.stage,
            "label": {None: "", 0: "not_lens", 1: "lens"}[label],
            "tags": ",".join(tags[c.id]),
            "n_grades": n_grades,
            "n_lens": n_lens,
            "consensus": None if consensus is None else consensus.posterior,
            "consensus_state": "" if consensus is None else consensus.state,
        }
        if seen is not None:
            values |= {name: getattr(seen, name) for name in ("z_spec", "z_phot", "z_err")}
        if (test := tested.get(c.id)) is not None:
            values |= {
                "lens_test": test.verdict,
                "lens_test_theta_e": test.theta_e_arcsec,
                "lens_test_theta_e_err": test.theta_e_error_arcsec,
                "lens_test_chi2": test.reduced_chi2,
                "lens_test_chi2_no_lens": test.reduced_chi2_no_lens,
                "lens_test_version": str(test.version),
            }
        if score is not None:
            names = ("probability", "logit", "epistemic", "aleatoric", "disagreement")
            values |= {name: getattr(score, name) for name in (*names, "ood_distance")} | given_by
        frame = _frame(None if seen is None else seen.ingest)
        made.append(ExportRow(values, catalogs[c.catalog_id], c.cutout_index, frame))
    return made


def _given_by(session: Session, ensemble_id: int | None) -> dict[str, Value]:
    """Name and version of the ensemble of a list; no version where its manifest is broken."""
    if ensemble_id is None:
        return {}
    ensemble = get_ensemble(session, ensemble_id)
    version = None if ensemble.problem else version_of(ensemble)
    return {"ensemble": ensemble.name, "version": version}


def _frame(ingest: dict[str, Any] | None) -> PixelFrame:
    """Return what ingest wrote of the WCS."""
    known = ingest or {}
    x, y = known.get("centre_px") or (None, None)
    matrix = known.get("sky_matrix_arcsec")
    return PixelFrame(
        x,
        y,
        known.get("north_deg"),
        bool(known.get("is_mirrored", False)),
        None if matrix is None else ((matrix[0][0], matrix[0][1]), (matrix[1][0], matrix[1][1])),
    )
