"""Queues of candidates in a workspace: what to grade next, and why each is there.

Strategies that go by one stored number walk along its index and stop when the queue is full; a
random sample is drawn from a stream. Neither holds more than a queue in memory. Diverse queues hold
the embeddings of a pool of bounded size.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from itertools import islice
from typing import Any

import numpy as np
from scipy.special import expit

from lensing_core.acquisition.diversity import cluster_leaders, k_center, reduced
from lensing_core.acquisition.embeddings import read_embeddings
from lensing_core.acquisition.strategies import (
    DEFAULT_SHARES,
    STRATEGIES,
    check_shares,
    interleave,
    pool_size,
)
from lensing_core.acquisition.utilities import entropy, grade_spread, random_keys
from lensing_core.arrays import Float64Array
from lensing_core.errors import BadInputError
from lensing_core.store import Session
from lensing_core.store.queues import (
    differing_votes,
    expected_lenses,
    flagged_candidates,
    graded_of,
    labeled_of,
    last_graded,
    stream_free,
)
from lensing_core.store.ranking import Cursor, RankingQuery, SortKey, count_rows
from lensing_core.store.ranking_order import RankingOrder
from lensing_core.workspace import Workspace

MOST = 50_000
_AT_ONCE = 500
_MOST_CENTERS = 2000


@dataclass(frozen=True)
class QueueRequest:
    """Settings by which a queue is chosen.

    Attributes
    ----------
    strategy : of :data:`~lensing_core.acquisition.strategies.STRATEGIES`
    n : int
        Length of the queue, 1 to 50,000; shorter where there is no more.
    query : RankingQuery
        Ensemble, catalogs and filters; its order counts for the strategy ``filter`` alone.
    seed : int
        Of random and clustered choices.
    shares : mapping of str to float
        Of the strategies of a mixture, in any unit.
    keep_graded, keep_labeled : bool
        Whether objects that anybody has graded, or with an imported label, may be in it.
    """

    strategy: str
    n: int
    query: RankingQuery = field(default_factory=lambda: RankingQuery(sort="object_id"))
    seed: int = 0
    shares: Mapping[str, float] = field(default_factory=lambda: dict(DEFAULT_SHARES))
    keep_graded: bool = False
    keep_labeled: bool = False

    def __post_init__(self) -> None:
        if self.strategy not in STRATEGIES:
            raise BadInputError(
                f"Strategy {self.strategy!r}: choose one of {', '.join(STRATEGIES)}."
            )
        if not 1 <= self.n <= MOST:
            raise BadInputError(f"A queue of {self.n:,}: give 1 to {MOST:,}.")
        parts = check_shares(self.shares) if self.strategy == "mixed" else (self.strategy,)
        if self.query.ensemble_id is None and any(STRATEGIES[p].needs_scores for p in parts):
            raise BadInputError(
                f"{STRATEGIES[self.strategy].title}: score the catalog with an ensemble first."
            )

    def to_json(self) -> dict[str, Any]:
        """Form in which it is stored with a session."""
        return asdict(self) | {"shares": dict(self.shares)}


@dataclass(frozen=True)
class QueueEntry:
    """A candidate of a queue, and in one line why it is there."""

    candidate_id: int
    why: str


def choose_queue(session: Session, workspace: Workspace, request: QueueRequest) -> list[QueueEntry]:
    """The next candidates to grade, in order.

    Raises
    ------
    NotFoundError
        If a diverse strategy finds no stored embeddings or features.
    """
    if request.strategy == "mixed":
        shares = check_shares(request.shares)
        lists = {
            name: choose_queue(session, workspace, replace(request, strategy=name))
            for name in shares
        }
        why = {(name, e.candidate_id): e.why for name, entries in lists.items() for e in entries}
        ids = {name: [e.candidate_id for e in entries] for name, entries in lists.items()}
        return [QueueEntry(k, why[name, k]) for name, k in interleave(ids, shares, request.n)]
    return list(islice(_CHOOSERS[request.strategy](session, workspace, request), request.n))


# -- along an index ------------------------------------------------------------------------------


def _ranked(sort: SortKey, describe: Callable[[float], str]) -> Callable[..., Iterator[QueueEntry]]:
    """A chooser that walks down one stored column."""

    def choose(
        session: Session, _workspace: Workspace, request: QueueRequest
    ) -> Iterator[QueueEntry]:
        query = replace(request.query, sort=sort, descending=True)
        total = count_rows(session, query)
        for rank, key in _free(session, request, _walk(RankingOrder(session, query), None)):
            if not isinstance(key.value, float | int):
                return  # unknown values come last
            why = f"{describe(float(key.value))}, rank {rank:,} of {total}"
            yield QueueEntry(key.candidate_id, why)

    return choose


def _describe_score(logit: float) -> str:
    return f"p = {expit(logit):.3g}"


def _uncertain(
    session: Session, _workspace: Workspace, request: QueueRequest
) -> Iterator[QueueEntry]:
    for rank, key in _nearest(session, request, 0.0):
        p = float(expit(key.value))
        why = f"entropy {float(entropy(p)):.3f} nat (p = {p:.3g}), rank {rank:,}"
        yield QueueEntry(key.candidate_id, why)


def _margin(session: Session, _workspace: Workspace, request: QueueRequest) -> Iterator[QueueEntry]:
    query = request.query
    boundary, expected = expected_lenses(session, query.ensemble_id, query.catalog_ids)
    for _, key in _nearest(session, request, boundary):
        away = float(key.value) - boundary  # type: ignore[arg-type]  # logits are never NULL
        why = f"{away:+.2f} log-odds from the end of the list of {expected:,} expected lenses"
        yield QueueEntry(key.candidate_id, why)


def _nearest(session: Session, request: QueueRequest, logit: float) -> Iterator[tuple[int, Cursor]]:
    """Free candidates by distance of their logit from a value; rank among all and key."""
    order = RankingOrder(session, replace(request.query, sort="score", descending=True))
    start = Cursor(logit, 0)  # below every id: ties with the value lie above it
    sides = (_walk(order, start), _walk(order, start, backward=True))
    merged = heapq.merge(*sides, key=lambda key: abs(float(key.value) - logit))  # type: ignore[arg-type]
    yield from _free(session, request, merged)


def _filter(session: Session, _workspace: Workspace, request: QueueRequest) -> Iterator[QueueEntry]:
    total = count_rows(session, request.query)
    walk = _walk(RankingOrder(session, request.query), None)
    for rank, key in _free(session, request, walk):
        yield QueueEntry(key.candidate_id, f"rank {rank:,} of {total} by {request.query.sort}")


def _walk(order: RankingOrder, start: Cursor | None, *, backward: bool = False) -> Iterator[Cursor]:
    while keys := order.keys(start, _AT_ONCE, backward=backward):
        yield from keys
        start = keys[-1]


def _free(
    session: Session, request: QueueRequest, keys: Iterable[Cursor]
) -> Iterator[tuple[int, Cursor]]:
    """Rank and key of those that may be in the queue."""
    rank, walk = 0, iter(keys)
    while part := list(islice(walk, _AT_ONCE)):
        taken = _taken(session, request, [key.candidate_id for key in part])
        for key in part:
            rank += 1
            if key.candidate_id not in taken:
                yield rank, key


def _taken(session: Session, request: QueueRequest, ids: list[int]) -> set[int]:
    """Ids of those candidates that may not enter the queue."""
    taken: set[int] = set()
    if not request.keep_graded:
        taken |= graded_of(session, ids)
    if not request.keep_labeled:
        taken |= labeled_of(session, ids)
    return taken


# -- from a stream -------------------------------------------------------------------------------


def _random(session: Session, _workspace: Workspace, request: QueueRequest) -> Iterator[QueueEntry]:
    stream = stream_free(
        session,
        request.query,
        keep_graded=request.keep_graded,
        keep_labeled=request.keep_labeled,
    )
    keys, ids = np.empty(0, dtype=np.uint64), np.empty(0, dtype=np.int64)
    total = 0
    for new in stream:
        total += len(new)
        keys = np.concatenate([keys, random_keys(new, request.seed)])
        ids = np.concatenate([ids, new])
        first = np.argsort(keys, kind="stable")[: request.n]
        keys, ids = keys[first], ids[first]
    for candidate_id in ids.tolist():
        yield QueueEntry(candidate_id, f"random sample of {total:,} candidates")


def _graders(
    session: Session, _workspace: Workspace, request: QueueRequest
) -> Iterator[QueueEntry]:
    """Graded objects whose grades differ most; imported labels do not matter here."""
    grades: dict[int, list[tuple[float, str]]] = {}
    for candidate_id, p, grade in differing_votes(session, request.query):
        grades.setdefault(candidate_id, []).append((p, grade))
    spread = {k: grade_spread([p for p, _ in votes]) for k, votes in grades.items()}
    for k in sorted(grades, key=lambda k: (-spread[k], -len(grades[k]), k)):
        counts = Counter(grade for _, grade in sorted(grades[k], reverse=True))
        said = ", ".join(f"{n} × {grade}" for grade, n in counts.items())
        yield QueueEntry(k, f"graders differ: {said}")


def _experts(session: Session, workspace: Workspace, request: QueueRequest) -> Iterator[QueueEntry]:
    """Candidates that graders flagged, most flags first; then those on which they disagree."""
    differing = {entry.candidate_id: entry for entry in _graders(session, workspace, request)}
    flags = flagged_candidates(session, request.query)
    for k in sorted(flags, key=lambda k: (-flags[k], k)):
        noun = "grader" if flags[k] == 1 else "graders"
        said = f"; {differing[k].why}" if k in differing else ""
        yield QueueEntry(k, f"flagged by {flags[k]} {noun}{said}")
    yield from (entry for k, entry in differing.items() if k not in flags)


# -- from a pool ---------------------------------------------------------------------------------


def _diverse(session: Session, workspace: Workspace, request: QueueRequest) -> Iterator[QueueEntry]:
    ranks, ids, x, centers = _pool(session, workspace, request)
    chosen = k_center(x, request.n, centers=centers)
    for k, distance in zip(chosen.order.tolist(), chosen.distance.tolist(), strict=True):
        away = "the best" if not np.isfinite(distance) else f"distance {distance:.1f} to the others"
        yield QueueEntry(int(ids[k]), f"{away}, rank {ranks[k]:,} by score")


def _clusters(
    session: Session, workspace: Workspace, request: QueueRequest
) -> Iterator[QueueEntry]:
    ranks, ids, x, _ = _pool(session, workspace, request)
    leaders = cluster_leaders(x, request.n, seed=request.seed)
    for k, size in zip(leaders.order.tolist(), leaders.distance.tolist(), strict=True):
        yield QueueEntry(int(ids[k]), f"best of {size:,.0f} alike, rank {ranks[k]:,} by score")


def _pool(
    session: Session, workspace: Workspace, request: QueueRequest
) -> tuple[list[int], list[int], Float64Array, Float64Array]:
    """Ranks, ids and embeddings of the best free candidates, and embeddings of graded ones."""
    query = replace(request.query, sort="score", descending=True)
    walk = _free(session, request, _walk(RankingOrder(session, query), None))
    best = list(islice(walk, pool_size(request.n)))
    ids = [key.candidate_id for _, key in best]
    free = set(ids)
    centers = last_graded(session, query.ensemble_id, query.catalog_ids, _MOST_CENTERS)
    graded = [k for k in centers if k not in free]
    table = read_embeddings(session, workspace, query.ensemble_id, [*ids, *graded])
    x = reduced(table, seed=request.seed) if len(table) else np.empty((0, 1))
    return [rank for rank, _ in best], ids, x[: len(ids)], x[len(ids) :]


_CHOOSERS: dict[str, Callable[[Session, Workspace, QueueRequest], Iterator[QueueEntry]]] = {
    "top": _ranked("score", _describe_score),
    "uncertain": _uncertain,
    "epistemic": _ranked("epistemic", lambda value: f"epistemic {value:.3g} nat"),
    "margin": _margin,
    "disagreement": _ranked("disagreement", lambda value: f"members differ by {value:.2f} (σ)"),
    "graders": _graders,
    "experts": _experts,
    "diverse": _diverse,
    "clusters": _clusters,
    "anomalous": _ranked("ood", lambda value: f"{value:.1f} σ from labeled objects"),
    "random": _random,
    "filter": _filter,
}
