"""Filters of a ranking in SQL.

Each filter is a condition on a candidate, checked row by row along an index, and, where an index
can list the candidates that pass it, that list: a filter that leaves few is applied first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sqlalchemy import (
    ColumnElement,
    Select,
    and_,
    exists,
    func,
    literal_column,
    or_,
    select,
    union_all,
)
from sqlalchemy.orm import aliased

from lensing_core.store.blinding import graded_blind, may_see_vote
from lensing_core.store.consensus_choice import current_consensus_method
from lensing_core.store.ranking_query import RANGE_COLUMNS, Cone, Range, RankingQuery
from lensing_core.store.tables import (
    Candidate,
    CandidateTag,
    Catalog,
    Consensus,
    Crossmatch,
    CrossmatchEntry,
    LabelEvent,
    Remark,
    Score,
    SelectionItem,
    Vote,
)
from lensing_core.store.text_search import holds_text

_NSIDE = 64  # of Candidate.healpix, nested
# Written into the statement: an index of these rows alone is used for no parameter.
_FLAG: ColumnElement[str] = literal_column("'flag'")
_NOTHING: ColumnElement[str] = literal_column("''")
_WIDEST_DEG = 10.0  # radius up to which the cells of a cone (some 400) are named


@dataclass(frozen=True)
class Filter:
    """One filter.

    Attributes
    ----------
    condition : ColumnElement
        On the candidate of the enclosing statement.
    ids : Select or None
        Ids of candidates (repeats allowed) that pass, read from an index; None: no index knows.
    """

    condition: ColumnElement[bool]
    ids: Select[Any] | None = None


def candidate_filters(query: RankingQuery, catalog_ids: Sequence[int] = ()) -> list[Filter]:
    """The filters that need no score.

    Parameters
    ----------
    catalog_ids : sequence of int
        Catalogs that lists of ids are confined to, where their index begins with the catalog.
    """
    mine = Candidate.catalog_id.in_(catalog_ids)

    def listed(condition: ColumnElement[bool]) -> Filter:
        return Filter(condition, select(Candidate.id).where(mine, condition))

    conditions: list[Filter] = []
    if query.scales:
        scaled = select(Catalog.id).where(Catalog.scale.in_(query.scales))
        conditions.append(Filter(Candidate.catalog_id.in_(scaled)))
    if query.stages:
        conditions.append(listed(Candidate.stage.in_(query.stages)))
    if query.label is not None:
        conditions.append(listed(_labeled(query)))
    for limits in query.ranges:
        if limits not in query.score_ranges:
            listing = select(Candidate.id).where(mine, _between(limits))
            conditions.append(Filter(_checked(limits), listing))
    if query.cone is not None:
        conditions.append(_cone(query.cone))
    conditions += _graded(query)
    if query.consensus:
        agreed = (
            Consensus.method == current_consensus_method(),
            Consensus.state.in_(query.consensus),
            *([Consensus.candidate_id.not_in(graded_blind())] if query.hides_blind else []),
        )
        conditions.append(
            Filter(
                exists().where(Consensus.candidate_id == Candidate.id, *agreed),
                select(Consensus.candidate_id).where(*agreed),
            )
        )
    for tags in ([tag] for tag in query.tags) if query.all_tags else [query.tags]:
        if tags:
            tagged = CandidateTag.tag.in_(tags)
            conditions.append(
                Filter(
                    exists().where(CandidateTag.candidate_id == Candidate.id, tagged),
                    select(CandidateTag.candidate_id).where(tagged),
                )
            )
    if query.flagged is not None:
        conditions.append(_flagged(query))
    if query.match is not None:
        conditions.append(_matched(query.match))
    if query.selection:
        chosen = SelectionItem.selection_id == query.selection
        conditions.append(
            Filter(
                exists().where(SelectionItem.candidate_id == Candidate.id, chosen),
                select(SelectionItem.candidate_id).where(chosen),
            )
        )
    if query.object_id:  # the slowest to list: last
        conditions.append(listed(holds_text(Candidate.object_id, query.object_id)))
    if query.note:
        conditions.append(_noted(query))
    return conditions


def candidate_conditions(query: RankingQuery) -> list[ColumnElement[bool]]:
    """The filters that need no score as conditions, catalogs left out."""
    return [part.condition for part in candidate_filters(query)]


def score_conditions(query: RankingQuery) -> list[ColumnElement[bool]]:
    """The filters on columns of the score table."""
    conditions: list[ColumnElement[bool]] = []
    if query.limits_probability:
        conditions.append(Score.probability.between(query.probability_min, query.probability_max))
    return conditions + [_checked(limits) for limits in query.score_ranges]


def score_filters(
    query: RankingQuery,
    catalog_ids: Sequence[int],
    logit_bounds: Sequence[ColumnElement[bool]],
) -> list[Filter]:
    """The same, with their lists; the range of the order itself is left to its own index."""

    def listed(*conditions: ColumnElement[bool]) -> Filter:
        return Filter(
            and_(*conditions),
            select(Score.candidate_id).where(
                Score.ensemble_id == query.ensemble_id,
                Score.catalog_id.in_(catalog_ids),
                *conditions,
            ),
        )

    filters = []
    if logit_bounds and query.sort != "score":
        filters.append(listed(*logit_bounds))
    for limits in query.score_ranges:
        if limits.name != query.sort:
            filters.append(listed(_between(limits)))
    return filters


def scored(query: RankingQuery) -> ColumnElement[bool]:
    """Condition that the candidate of the enclosing statement has a score in range."""
    return exists().where(
        Score.ensemble_id == query.ensemble_id,
        Score.candidate_id == Candidate.id,
        *score_conditions(query),
    )


def _between(limits: Range) -> ColumnElement[bool]:
    """A range that an index can list."""
    return _within(limits, RANGE_COLUMNS[limits.name])


def _checked(limits: Range) -> ColumnElement[bool]:
    """A range checked row by row: plus 0, its index does not tempt the planner off the order's."""
    return _within(limits, RANGE_COLUMNS[limits.name] + 0)


def _within(limits: Range, column: Any) -> ColumnElement[bool]:
    parts = []
    if limits.low is not None:
        parts.append(column >= limits.low)
    if limits.high is not None:
        parts.append(column <= limits.high)
    return and_(*parts) if parts else column.is_not(None)


def _labeled(query: RankingQuery) -> ColumnElement[bool]:
    """The state of the imported label."""
    blind = Candidate.id.in_(graded_blind())
    if query.label == "unlabeled":
        unlabeled = Candidate.label.is_(None)
        return or_(unlabeled, blind) if query.hides_blind else unlabeled
    labels = {"lens": (1,), "not_lens": (0,)}.get(query.label or "", (0, 1))
    labeled = Candidate.label.in_(labels)
    return and_(labeled, ~blind) if query.hides_blind else labeled


def votes_told(query: RankingQuery, vote: Any = Vote) -> list[ColumnElement[bool]]:
    """Conditions on votes that are told to who asks."""
    return [may_see_vote(query.grader_id, vote)] if query.hides_blind else []


def _graded(query: RankingQuery) -> list[Filter]:
    """Condition on graders and their grades."""
    visible = votes_told(query)

    def voted(*conditions: ColumnElement[bool]) -> Filter:
        conditions = (*conditions, *visible)
        return Filter(
            exists().where(Vote.candidate_id == Candidate.id, *conditions),
            select(Vote.candidate_id).where(*conditions),
        )

    mine = Vote.grader_id == query.grader_id
    by = {"mine": [mine], "others": [Vote.grader_id != query.grader_id]}.get(query.votes or "", [])
    said = [Vote.grade.in_(query.grades)] if query.grades else []
    filters = []
    if query.votes == "not_mine":
        filters.append(Filter(~voted(mine).condition))
    elif query.votes == "nobody":
        filters.append(Filter(~voted().condition))
    if said or query.by_vote or query.votes in ("mine", "others", "anyone"):
        filters.append(voted(*by, *said))
    return filters


def _flagged(query: RankingQuery) -> Filter:
    """Filter by active flags: neither removed by their author nor undone."""
    flag, later = aliased(LabelEvent), aliased(LabelEvent)

    def undone(event: Any) -> ColumnElement[bool]:
        undo = aliased(LabelEvent)
        return exists().where(
            undo.candidate_id == event.candidate_id,
            undo.kind == "undo",
            undo.undoes == event.uuid,
        )

    stands = [
        flag.kind == _FLAG,
        ~undone(flag),
        ~exists().where(
            later.candidate_id == flag.candidate_id,
            later.grader_id == flag.grader_id,
            later.id > flag.id,
            later.kind == "unflag",
            ~undone(later),
        ),
        *votes_told(query, flag),
        *([flag.grader_id == query.grader_id] if query.flagged == "mine" else []),
    ]
    found = exists().where(flag.candidate_id == Candidate.id, *stands)
    if query.flagged == "nobody":
        return Filter(~found)
    return Filter(found, select(flag.candidate_id).where(*stands))


def _noted(query: RankingQuery) -> Filter:
    """Filter by the text of notes and of comments on grades."""
    note = (Remark.kind == "note", holds_text(Remark.text, query.note), *votes_told(query, Remark))
    said = (
        LabelEvent.comment != _NOTHING,
        holds_text(LabelEvent.comment, query.note),
        *votes_told(query, LabelEvent),
    )
    either = union_all(
        select(Remark.candidate_id).where(*note), select(LabelEvent.candidate_id).where(*said)
    ).subquery()
    return Filter(
        or_(
            exists().where(Remark.candidate_id == Candidate.id, *note),
            exists().where(LabelEvent.candidate_id == Candidate.id, *said),
        ),
        select(either.c.candidate_id),
    )


def _matched(state: str) -> Filter:
    """Filter by the newest cross-match of each catalog with each reference that was reached."""
    newest = (
        select(func.max(Crossmatch.id))
        .where(Crossmatch.state != "unreachable", Crossmatch.kind != "duplicate")
        .group_by(Crossmatch.catalog_id, Crossmatch.reference)
    )
    if state == "known_lens":
        newest = newest.where(Crossmatch.kind == "lens")
    status = {"known_lens": ("matched",), "unmatched": ("matched", "review")}.get(state, (state,))
    entry = (CrossmatchEntry.crossmatch_id.in_(newest), CrossmatchEntry.status.in_(status))
    matched = exists().where(
        CrossmatchEntry.candidate_id == Candidate.id,
        # plus 0: by the candidate's index, not by that of a whole cross-match
        (CrossmatchEntry.crossmatch_id + 0).in_(newest),
        CrossmatchEntry.status.in_(status),
    )
    if state == "unmatched":
        asked = select(Crossmatch.catalog_id).where(Crossmatch.id.in_(newest))
        return Filter(and_(~matched, Candidate.catalog_id.in_(asked)))
    return Filter(
        matched,
        select(CrossmatchEntry.candidate_id).where(
            *entry, CrossmatchEntry.candidate_id.is_not(None)
        ),
    )


def _cone(cone: Cone) -> Filter:
    """HEALPix cells that touch the cone, then the haversine of the distance."""
    dec, dec_0 = func.radians(Candidate.dec_deg), float(np.radians(cone.dec_deg))
    half_dec = func.sin((dec - dec_0) / 2)
    half_ra = func.sin(func.radians(Candidate.ra_deg - cone.ra_deg) / 2)
    haversine = half_dec * half_dec + func.cos(dec) * float(np.cos(dec_0)) * half_ra * half_ra
    inside = and_(
        Candidate.dec_deg.between(cone.dec_deg - cone.radius_deg, cone.dec_deg + cone.radius_deg),
        haversine <= float(np.sin(np.radians(cone.radius_deg) / 2) ** 2),
    )
    if cone.radius_deg > _WIDEST_DEG:
        return Filter(inside)
    import astropy.units as u  # here: most rankings have no cone, and most commands no ranking
    from astropy_healpix import HEALPix

    pixels = HEALPix(_NSIDE, "nested").cone_search_lonlat(
        cone.ra_deg * u.deg, cone.dec_deg * u.deg, cone.radius_deg * u.deg
    )
    near = or_(
        *(Candidate.healpix.between(low, high) for low, high in _runs(np.sort(pixels).tolist()))
    )
    return Filter(inside, select(Candidate.id).where(near, inside))


def _runs(numbers: list[int]) -> list[tuple[int, int]]:
    """First and last of each run of consecutive numbers."""
    runs: list[tuple[int, int]] = []
    for number in numbers:
        if runs and number == runs[-1][1] + 1:
            runs[-1] = (runs[-1][0], number)
        else:
            runs.append((number, number))
    return runs
