"""Report of a catalog's cross-matches: lenses recovered and missed, new candidates, warnings."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from lensing_core.arrays import Float64Array, IntArray
from lensing_core.crossmatch.choices import LENS_KINDS
from lensing_core.crossmatch.completeness import (
    RecallAtK,
    pessimistic_ranks,
    recall_at,
    steps_of,
)
from lensing_core.store import Session
from lensing_core.store.crossmatches import (
    count_entries,
    entries_of_candidates,
    entries_with_scores,
    latest_crossmatches,
    lone_references,
    unlisted_candidates,
)
from lensing_core.store.scores import read_logits
from lensing_core.store.tables import Candidate, Crossmatch, CrossmatchEntry, Score

MOST_ROWS = 200
FIRST_RANKS = 1000
"""Stars are looked for among so many of the ranking: what lies below misleads nobody."""
STAR_SIGMA = 5.0
_STAR_TYPES = frozenset(("*", "star", "!*", "**", "pm*", "high pm*", "v*", "wd*"))


@dataclass(frozen=True)
class MatchedPair:
    """A candidate with a counterpart, as a row of a table.

    Attributes
    ----------
    rank : int or None
        In the ranking of the ensemble, ties last; None without a score.
    note : str
        Why it is shown; '' where the table says it.
    """

    candidate_id: int
    object_id: str
    rank: int | None
    probability: float | None
    reference: str
    kind: str
    status: str
    counterpart: str
    separation_arcsec: float
    normalized: float
    properties: Mapping[str, Any]
    note: str = ""


@dataclass(frozen=True)
class Missed:
    """A known lens of the footprint without a candidate."""

    name: str
    ra_deg: float
    dec_deg: float
    properties: Mapping[str, Any]


@dataclass(frozen=True)
class UnlistedCandidate:
    """One of the first of the ranking that no list of lenses has."""

    candidate_id: int
    object_id: str
    rank: int
    probability: float
    cutout_index: int
    cutout_sha256: str
    elsewhere: tuple[str, ...]


@dataclass(frozen=True)
class CrossmatchReport:
    """Everything of one catalog, one ensemble and one list of known lenses.

    Attributes
    ----------
    recall, recall_with_review : list of RecallAtK
        Of matched lenses alone, and with those for review; empty without a ranking.
    n_ranked : int
        Candidates that the ensemble has scored.
    """

    lenses: Crossmatch | None
    recovered: list[MatchedPair]
    n_recovered: int
    missed: list[Missed]
    n_missed: int
    new: list[UnlistedCandidate]
    disagreements: list[MatchedPair]
    n_disagreements: int
    recall: list[RecallAtK]
    recall_with_review: list[RecallAtK]
    n_ranked: int


def make_report(
    session: Session, catalog_id: int, ensemble_id: int | None, reference: str = ""
) -> CrossmatchReport:
    """Read the newest cross-matches of a catalog.

    Parameters
    ----------
    ensemble_id : int or None
        Whose ranking; None: without one.
    reference : str, optional
        Key of the list of known lenses; '' takes the first there is.
    """
    latest = latest_crossmatches(session, catalog_id)
    lists = [c for c in latest if c.kind == "lens"]
    lenses = next((c for c in lists if c.reference == reference), lists[0] if lists else None)
    logits = (
        np.empty(0)
        if ensemble_id is None
        else np.sort(read_logits(session, catalog_id, ensemble_id))
    )
    reader = _Reader(session, ensemble_id, logits, {c.id: c for c in latest})
    matched = reader.pairs([lenses] if lenses else [], ("matched", "review"))
    recovered = [pair for pair in matched if pair.status == "matched"]
    disagreements, n_disagreements = _disagreements(reader, latest)
    known = (lenses.n_in_footprint or 0) if lenses else 0
    n_missed, missed = _missed(session, lenses)
    steps = steps_of(len(logits)) if lenses else []
    return CrossmatchReport(
        lenses=lenses,
        recovered=recovered[:MOST_ROWS],
        n_recovered=len(recovered),
        missed=missed,
        n_missed=n_missed,
        new=reader.new(catalog_id, [c.id for c in latest if c.kind in LENS_KINDS]),
        disagreements=disagreements[:MOST_ROWS],
        n_disagreements=n_disagreements,
        recall=recall_at(_ranks(recovered), known, steps),
        recall_with_review=recall_at(_best_ranks(matched, known), known, steps),
        n_ranked=len(logits),
    )


def _ranks(pairs: Sequence[MatchedPair]) -> IntArray:
    return np.array([pair.rank for pair in pairs if pair.rank is not None], dtype=np.int64)


def _best_ranks(pairs: Sequence[MatchedPair], known: int) -> IntArray:
    """The best rank of each counterpart: a lens is found with the first of its candidates."""
    best: dict[tuple[str, str], int] = {}
    for pair in pairs:
        if pair.rank is not None:
            key = (pair.reference, pair.counterpart)
            best[key] = min(pair.rank, best.get(key, pair.rank))
    return np.sort(np.fromiter(best.values(), dtype=np.int64))[:known]


class _Reader:
    """Reads entries of some cross-matches with the candidates' places in a ranking."""

    def __init__(
        self,
        session: Session,
        ensemble_id: int | None,
        logits: Float64Array,
        crossmatches: Mapping[int, Crossmatch],
    ) -> None:
        self.session = session
        self.logits = logits
        self._ensemble_id = ensemble_id
        self._crossmatches = crossmatches

    def rows(
        self, crossmatches: Iterable[Crossmatch], statuses: Sequence[str], limit: int | None = None
    ) -> list[tuple[MatchedPair, Candidate]]:
        """Pairs with their candidates, the best of the ranking first."""
        keys = [c.id for c in crossmatches]
        entries = entries_with_scores(self.session, keys, statuses, self._ensemble_id, limit=limit)
        scored = [score.logit for _, _, score in entries if score is not None]
        ranks = iter(pessimistic_ranks(self.logits, np.array(scored)).tolist())
        return [
            (self._pair(e, c, s, next(ranks) if s is not None else None), c) for e, c, s in entries
        ]

    def count(self, crossmatches: Iterable[Crossmatch], status: str) -> int:
        """Pairs of a status."""
        return count_entries(self.session, [c.id for c in crossmatches], status)

    def pairs(
        self, crossmatches: Iterable[Crossmatch], statuses: Sequence[str]
    ) -> list[MatchedPair]:
        """Return all pairs like :meth:`rows`, without the candidates."""
        return [pair for pair, _ in self.rows(crossmatches, statuses)]

    def _pair(
        self, entry: CrossmatchEntry, candidate: Candidate, score: Score | None, rank: int | None
    ) -> MatchedPair:
        crossmatch = self._crossmatches[entry.crossmatch_id]
        return MatchedPair(
            candidate_id=candidate.id,
            object_id=candidate.object_id,
            rank=rank,
            probability=None if score is None else score.probability,
            reference=crossmatch.title,
            kind=crossmatch.kind,
            status=entry.status,
            counterpart=entry.counterpart_name or "",
            separation_arcsec=entry.separation_arcsec or 0.0,
            normalized=entry.normalized or 0.0,
            properties=entry.counterpart or {},
            note=entry.reason,
        )

    def new(
        self, catalog_id: int, lists: Sequence[int], limit: int = 60
    ) -> list[UnlistedCandidate]:
        """The first of the ranking without a counterpart in any list of lenses."""
        if self._ensemble_id is None or not lists:
            return []
        candidates = unlisted_candidates(self.session, catalog_id, self._ensemble_id, lists, limit)
        elsewhere = self._elsewhere([candidate.id for candidate, _ in candidates])
        ranks = pessimistic_ranks(self.logits, np.array([score.logit for _, score in candidates]))
        return [
            UnlistedCandidate(
                c.id,
                c.object_id,
                int(rank),
                s.probability,
                c.cutout_index,
                c.cutout_sha256,
                tuple(elsewhere[c.id]),
            )
            for (c, s), rank in zip(candidates, ranks, strict=True)
        ]

    def _elsewhere(self, candidate_ids: Sequence[int]) -> dict[int, list[str]]:
        names_elsewhere: dict[int, list[str]] = defaultdict(list)
        for entry in entries_of_candidates(self.session, candidate_ids, self._crossmatches):
            title = self._crossmatches[entry.crossmatch_id].title
            doubt = "?" if entry.status == "review" else ""
            kind = object_type(entry.counterpart or {})
            name = entry.counterpart_name or ""
            names_elsewhere[entry.candidate_id or 0].append(
                f"{title}: {name}{f' ({kind})' if kind else ''}{doubt}"
            )
        return names_elsewhere


def _missed(session: Session, lenses: Crossmatch | None) -> tuple[int, list[Missed]]:
    if lenses is None:
        return 0, []
    n, rows = lone_references(session, lenses.id, limit=MOST_ROWS)
    return n, [
        Missed(
            row.counterpart_name or "",
            row.counterpart_ra_deg or 0.0,
            row.counterpart_dec_deg or 0.0,
            row.counterpart or {},
        )
        for row in rows
    ]


def _disagreements(reader: _Reader, latest: Sequence[Crossmatch]) -> tuple[list[MatchedPair], int]:
    """Return what a person should look at, the best of the ranking first, and how much there is in
    all.
    """
    pairs = [pair for pair, _ in reader.rows(latest, ("review",), limit=MOST_ROWS)]
    n_unread = reader.count(latest, "review") - len(pairs)
    for pair, candidate in reader.rows([c for c in latest if c.kind == "lens"], ("matched",)):
        note = lens_doubt(candidate.label, candidate.stage, pair.rank, len(reader.logits))
        if note:
            pairs.append(_noted(pair, note))
    non_lens_catalogs = [c for c in latest if c.kind in ("star", "object")]
    for pair, _ in reader.rows(non_lens_catalogs, ("matched",), limit=FIRST_RANKS):
        note = star_doubt(pair.properties)
        if note and (pair.rank is None or pair.rank <= FIRST_RANKS):
            pairs.append(_noted(pair, note))
    pairs.sort(key=lambda pair: math.inf if pair.rank is None else pair.rank)
    return pairs, len(pairs) + n_unread


def _noted(pair: MatchedPair, note: str) -> MatchedPair:
    return MatchedPair(**{**vars(pair), "note": note})


def lens_doubt(label: int | None, stage: str, rank: int | None, n_ranked: int) -> str:
    """Reason to inspect a candidate on a known lens; '' where everything agrees."""
    if label == 0:
        return "a known lens, labeled as none"
    if stage == "rejected":
        return "a known lens, but rejected"
    if rank is not None and rank > n_ranked / 2:
        return f"a known lens in the lower half of the ranking ({rank:,} of {n_ranked:,})"
    return ""


def star_doubt(properties: Mapping[str, Any]) -> str:
    """Evidence that a counterpart is a star: proper motion, parallax or classification."""
    for names in _MOTIONS:
        values = [_number(properties.get(name)) for name in names]
        if None not in values:
            ra, ra_error, dec, dec_error = (v for v in values if v is not None)
            if ra_error > 0 and dec_error > 0:
                sigma = math.hypot(ra / ra_error, dec / dec_error)
                if sigma > STAR_SIGMA:
                    return f"moves like a star: proper motion of {sigma:.0f}σ"
    for name, error_name in (("Plx", "e_Plx"), ("parallax", "parallax_error")):
        parallax, error = _number(properties.get(name)), _number(properties.get(error_name))
        if parallax is not None and error and parallax / error > STAR_SIGMA:
            return f"near like a star: parallax of {parallax / error:.0f}σ"
    kind = object_type(properties)
    return f"called a star ({kind})" if kind.strip().lower() in _STAR_TYPES else ""


_MOTIONS = (
    ("pmRA", "e_pmRA", "pmDE", "e_pmDE"),
    ("pmra", "pmra_error", "pmdec", "pmdec_error"),
)


def object_type(properties: Mapping[str, Any]) -> str:
    """Return what a service calls an object; '' where it does not say."""
    for name in ("main_type", "otype", "Type", "type"):
        if properties.get(name):
            return str(properties[name])
    return ""


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) else None
