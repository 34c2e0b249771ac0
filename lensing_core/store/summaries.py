"""Summaries of catalogs, quarantined rows, ensembles and scores: small, read-only answers.

Every function opens a session of its own and returns frozen dataclasses, so that a caller may run
it in a thread. Costs follow the number of catalogs or an index, never a whole table in memory.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
from sqlalchemy import func, literal, or_, select, union_all
from sqlalchemy.orm import Session

from lensing_core.models.manifest_types import EnsembleManifest
from lensing_core.store.catalog_rows import quarantine_reasons
from lensing_core.store.tables import Candidate, Catalog, Ensemble, Quarantine, Score

HISTOGRAM_LIMIT_LOGIT = 10.0
_BATCH = 20_000


@dataclass(frozen=True)
class CatalogSummary:
    """A catalog with its counts.

    Attributes
    ----------
    stages : Mapping
        Number of candidates by stage.
    scored : Mapping
        Number of scored candidates by name of the ensemble.
    """

    id: int
    name: str
    survey: str
    survey_title: str
    scale: str
    origin: str
    bands: tuple[str, ...]
    size_px: int
    pixel_scale_arcsec: float
    pixel_kind: str
    n_candidates: int
    n_quarantined: int
    rows_read: int
    complete: bool
    label_source: str | None
    label_confidence: float
    label_policy: str
    notes: Mapping[str, Any]
    created_at: datetime
    stages: Mapping[str, int]
    scored: Mapping[str, int]
    title: str = ""
    archived_at: datetime | None = None

    @property
    def shown_name(self) -> str:
        """Its title, else its name."""
        return self.title or self.name

    @property
    def size_arcsec(self) -> float:
        """Side of the cutouts on the sky."""
        return self.size_px * self.pixel_scale_arcsec


def list_catalog_rows(session: Session, *, archived: bool = False) -> list[Catalog]:
    """All catalogs, newest first, without the counts that take long in a large workspace.

    Parameters
    ----------
    archived : bool, optional
        Archived ones too.
    """
    newest = select(Catalog).order_by(Catalog.created_at.desc(), Catalog.id.desc())
    if not archived:
        newest = newest.where(Catalog.archived_at.is_(None))
    return list(session.scalars(newest))


def list_catalogs(session: Session, *, archived: bool = False) -> list[CatalogSummary]:
    """All catalogs, newest first; ``archived``: archived ones too."""
    catalogs = list_catalog_rows(session, archived=archived)
    stages: dict[int, dict[str, int]] = defaultdict(dict)
    for catalog_id, stage, count in session.execute(
        select(Candidate.catalog_id, Candidate.stage, func.count()).group_by(
            Candidate.catalog_id, Candidate.stage
        )
    ):
        stages[catalog_id][stage] = count
    names = {ensemble.id: ensemble.name for ensemble in session.scalars(select(Ensemble))}
    scored: dict[int, dict[str, int]] = defaultdict(dict)
    for ensemble_id, catalog_id, count in session.execute(
        select(Score.ensemble_id, Score.catalog_id, func.count()).group_by(
            Score.ensemble_id, Score.catalog_id
        )
    ):
        scored[catalog_id][names[ensemble_id]] = count
    return [
        CatalogSummary(
            id=catalog.id,
            name=catalog.name,
            survey=catalog.survey.name,
            survey_title=str(catalog.survey.definition.get("title") or catalog.survey.name),
            scale=catalog.scale,
            origin=catalog.origin,
            bands=tuple(catalog.bands),
            size_px=catalog.size_px,
            pixel_scale_arcsec=catalog.pixel_scale_arcsec,
            pixel_kind=catalog.pixel_kind,
            n_candidates=catalog.n_candidates,
            n_quarantined=catalog.n_quarantined,
            rows_read=catalog.rows_read,
            complete=catalog.complete,
            label_source=catalog.label_source,
            label_confidence=catalog.label_confidence,
            label_policy=catalog.label_policy,
            notes=catalog.notes,
            created_at=catalog.created_at,
            stages=stages[catalog.id],
            scored=scored[catalog.id],
            title=catalog.title,
            archived_at=catalog.archived_at,
        )
        for catalog in catalogs
    ]


@dataclass(frozen=True)
class LabelCounts:
    """Labels as imported."""

    lenses: int
    non_lenses: int
    unknown: int


def count_labels(session: Session, catalog_id: int) -> LabelCounts:
    """Return how many candidates of a catalog are labeled, and as what."""
    counts: dict[int | None, int] = {}
    for label, count in session.execute(
        select(Candidate.label, func.count())
        .where(Candidate.catalog_id == catalog_id)
        .group_by(Candidate.label)
    ):
        counts[label] = count
    return LabelCounts(counts.get(1, 0), counts.get(0, 0), counts.get(None, 0))


@dataclass(frozen=True)
class QuarantinedRow:
    """A source row that was not ingested."""

    row_number: int
    object_id: str | None
    source: str | None
    reason: str
    message: str


def count_quarantine(session: Session, catalog_id: int) -> list[tuple[str, int]]:
    """Quarantined rows of a catalog by reason, the most frequent first."""
    return list(quarantine_reasons(session, catalog_id).items())


def fetch_quarantine(
    session: Session,
    catalog_id: int,
    *,
    reason: str | None = None,
    after_row: int = -1,
    limit: int = 50,
) -> list[QuarantinedRow]:
    """Quarantined rows in the order of the source table, those after row ``after_row``."""
    statement = (
        select(Quarantine)
        .where(Quarantine.catalog_id == catalog_id, Quarantine.row_number > after_row)
        .order_by(Quarantine.row_number)
        .limit(limit)
    )
    if reason is not None:
        statement = statement.where(Quarantine.reason == reason)
    return [
        QuarantinedRow(row.row_number, row.object_id, row.source, row.reason, row.message)
        for row in session.scalars(statement)
    ]


@dataclass(frozen=True)
class EnsembleSummary:
    """An ensemble with its members, in order."""

    id: int
    name: str
    fusion: str
    members: tuple[tuple[str, str], ...]
    manifest: EnsembleManifest
    run_id: str | None
    created_at: datetime
    promoted_at: datetime | None
    problem: str = ""
    title: str = ""
    archived_at: datetime | None = None

    @property
    def shown_name(self) -> str:
        """Its title, else its name."""
        return self.title or self.name


def list_ensembles(
    session: Session, *, archived: bool = False, named: str = ""
) -> list[EnsembleSummary]:
    """All ensembles, newest first; ``members`` are pairs of model id and kind.

    One whose manifest is broken has an empty one, and ``problem`` is the sentence on it.

    Parameters
    ----------
    archived : bool, optional
        Archived ones too.
    named : str, optional
        Name of one that is listed in any case.
    """
    newest = select(Ensemble).order_by(Ensemble.created_at.desc(), Ensemble.id.desc())
    if not archived:
        newest = newest.where(or_(Ensemble.archived_at.is_(None), Ensemble.name == named))
    ensembles = session.scalars(newest).all()
    problems = {ensemble.id: ensemble.problem for ensemble in ensembles}
    return [
        EnsembleSummary(
            id=ensemble.id,
            name=ensemble.name,
            fusion=ensemble.fusion,
            members=tuple((m.model_id, m.model.kind) for m in ensemble.members),
            manifest={} if problems[ensemble.id] else ensemble.manifest,
            problem=problems[ensemble.id],
            run_id=ensemble.run_id,
            created_at=ensemble.created_at,
            promoted_at=ensemble.promoted_at,
            title=ensemble.title,
            archived_at=ensemble.archived_at,
        )
        for ensemble in ensembles
    ]


@dataclass(frozen=True)
class ScoreHistogram:
    """Numbers of candidates in equal bins of the logit.

    Attributes
    ----------
    edges_logit : tuple of float
        One more than there are bins; the first and last bin hold what lies beyond, too.
    counts : Mapping
        Counts by bin, for each label (1, 0 or None).
    """

    edges_logit: tuple[float, ...]
    counts: Mapping[int | None, tuple[int, ...]]

    @property
    def total(self) -> int:
        """Number of scored candidates."""
        return sum(map(sum, self.counts.values()))


def histogram_scores(
    session: Session, ensemble_id: int, catalog_id: int, *, n_bins: int = 40
) -> ScoreHistogram:
    """Histogram of the fused, calibrated logits of a catalog, by imported label.

    All scores are counted along the index, bin by bin; only those of labeled candidates, which
    are few in a survey, are read, and in batches.
    """
    edges = np.linspace(-HISTOGRAM_LIMIT_LOGIT, HISTOGRAM_LIMIT_LOGIT, n_bins + 1)
    inner = [float(edge) for edge in edges[1:-1]]
    of_pair = (Score.ensemble_id == ensemble_id, Score.catalog_id == catalog_id)
    in_bins = union_all(
        *(
            select(literal(k), func.count()).where(
                *of_pair,
                *([Score.logit >= inner[k - 1]] if k else []),
                *([Score.logit < inner[k]] if k < n_bins - 1 else []),
            )
            for k in range(n_bins)
        )
    )
    labeled = (
        select(Candidate.label, Score.logit)
        .join(Score, Score.candidate_id == Candidate.id)
        .where(Candidate.catalog_id == catalog_id, Candidate.label.is_not(None), *of_pair)
        .execution_options(yield_per=_BATCH)
    )
    everything = np.zeros(n_bins, dtype=np.int64)
    counts = {label: np.zeros(n_bins, dtype=np.int64) for label in (0, 1)}
    for k, count in session.execute(in_bins):
        everything[k] = count
    for rows in session.execute(labeled).partitions():
        labels, logits = np.array([tuple(row) for row in rows], dtype=np.float64).T
        bins = np.searchsorted(inner, logits, side="right")
        for label, row in counts.items():
            row += np.bincount(bins[labels == label], minlength=n_bins)
    by_label: list[tuple[int | None, Any]] = [(None, everything - counts[0] - counts[1])]
    by_label += counts.items()
    return ScoreHistogram(
        tuple(float(edge) for edge in edges),
        {label: tuple(int(n) for n in row) for label, row in by_label if row.any()},
    )


def count_above(
    session: Session, ensemble_id: int, catalog_id: int, probabilities: Sequence[float]
) -> list[int]:
    """Return how many candidates of a catalog reach each probability (0 to 1, both excluded)."""
    return [
        session.scalar(
            select(func.count()).where(
                Score.ensemble_id == ensemble_id,
                Score.catalog_id == catalog_id,
                Score.logit >= math.log(p / (1 - p)),
            )
        )
        or 0
        for p in probabilities
    ]


@dataclass(frozen=True)
class Thumbnail:
    """A candidate with what its tile needs; ``probability`` is None where it is not scored."""

    candidate_id: int
    object_id: str
    cutout_index: int
    cutout_sha256: str
    label: int | None
    probability: float | None = None


def fetch_top(
    session: Session, ensemble_id: int, catalog_id: int, *, limit: int = 12
) -> list[Thumbnail]:
    """The candidates of a catalog with the highest score, best first."""
    statement = (
        select(Candidate, Score.probability)
        .join(Score, Score.candidate_id == Candidate.id)
        .where(Score.ensemble_id == ensemble_id, Score.catalog_id == catalog_id)
        .order_by(Score.logit.desc(), Score.candidate_id.desc())
        .limit(limit)
    )
    return [_thumbnail(row, p) for row, p in session.execute(statement)]


def fetch_first(session: Session, catalog_id: int, *, limit: int = 12) -> list[Thumbnail]:
    """The first candidates of a catalog, in the order of its source."""
    statement = (
        select(Candidate)
        .where(Candidate.catalog_id == catalog_id, Candidate.cutout_index < limit)
        .order_by(Candidate.cutout_index)
    )
    return [_thumbnail(row, None) for row in session.scalars(statement)]


def _thumbnail(row: Candidate, probability: float | None) -> Thumbnail:
    return Thumbnail(
        row.id, row.object_id, row.cutout_index, row.cutout_sha256, row.label, probability
    )
