"""The ranking against a brute-force sort in Python, and the plans that SQLite makes for it."""

from __future__ import annotations

import itertools
import math
import random
import re
import uuid
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa
from rows import add_catalog_row
from sqlalchemy import event

from lensing_core.errors import BadInputError, NotFoundError
from lensing_core.store import open_database, ranking_order
from lensing_core.store.labels import NewEvent, append_events, grader_named
from lensing_core.store.ranking import (
    SORT_KEYS,
    Cursor,
    RankingQuery,
    contains,
    count_rows,
    cursor_of,
    fetch_page,
    rank_of,
)
from lensing_core.store.tables import Candidate, Ensemble, Score, Vote

ON_BOTH_DATABASES = True
SIZES = {1: 60, 2: 31, 3: 0, 4: 9}
ATTRIBUTE = {
    "score": "logit",
    "epistemic": "epistemic",
    "disagreement": "disagreement",
    "ood": "ood_distance",
    "magnitude": "magnitude",
    "theta_e": "theta_e_proxy_arcsec",
    "arc_radius": "arc_radius_arcsec",
    "object_id": "object_id",
}


@pytest.fixture(scope="module")
def database(module_workspace):
    return filled(open_database(module_workspace))


def filled(database):
    """Four catalogs (one empty), two ensembles; ties, NULLs and unscored candidates."""
    rng = random.Random(4)  # noqa: S311 - test data
    with database.session() as session:
        session.add_all(Ensemble(id=k, name=f"e{k}", fusion="mean", manifest={}) for k in (1, 2))
        for key, size in SIZES.items():
            add_catalog_row(session, f"c{key}", id=key, n_candidates=size)
        for key, size in SIZES.items():
            for k in range(size):
                candidate = Candidate(
                    catalog_id=key,
                    object_id=f"{rng.choice('JabX')}{rng.randrange(10**6)}_{k}%",
                    cutout_index=k,
                    cutout_sha256="",
                    stage=rng.choice(["detection", "detection", "triage", "rejected"]),
                    label=rng.choice([None, None, 0, 1]),
                    magnitude=rng.choice([None, 18.5, 19.0, rng.uniform(15, 25)]),
                    theta_e_proxy_arcsec=rng.choice([None, 8.0, rng.uniform(5, 40)]),
                    arc_radius_arcsec=rng.choice([None, rng.uniform(0.5, 5)]),
                )
                session.add(candidate)
                session.flush()
                for ensemble in (1, 2):
                    if rng.random() < 0.85:
                        logit = rng.choice([0.0, 2.0, rng.gauss(-2, 3)])
                        session.add(
                            Score(
                                ensemble_id=ensemble,
                                candidate_id=candidate.id,
                                catalog_id=key,
                                logit=logit,
                                probability=1 / (1 + math.exp(-logit - 1)),
                                epistemic=rng.choice([0.1, rng.random()]),
                                aleatoric=rng.random(),
                                disagreement=rng.choice([0.5, rng.random()]),
                                ood_distance=rng.choice([None, 3.0, rng.random()]),
                            )
                        )
        grade_some(session, rng)
    return database


def grade_some(session, rng: random.Random) -> None:
    """A third of the candidates graded, some twice."""
    graders = [grader_named(session, name).id for name in ("ada", "vera")]
    graded = rng.sample(range(1, sum(SIZES.values()) + 1), 33)
    append_events(
        session,
        [
            NewEvent(
                str(uuid.UUID(int=rng.getrandbits(128), version=4)),
                "grade",
                grader,
                candidate,
                "abcx",
                datetime(2026, 1, 1, tzinfo=UTC),
                grade=rng.choice("ABCX"),
            )
            for candidate in graded
            for grader in rng.choice([graders[:1], graders, graders[::-1]])
        ],
    )


_ROWS: dict[tuple[str, int | None], tuple[list, dict, dict]] = {}


def rows_of(session, ensemble_id: int | None) -> tuple[list, dict, dict]:
    """Candidates, their scores and their last votes; read once, as no test here changes them."""
    key = (str(session.get_bind().url), ensemble_id)
    if key not in _ROWS:
        scores = session.scalars(sa.select(Score).where(Score.ensemble_id == ensemble_id))
        votes = sa.select(Vote.candidate_id, sa.func.max(Vote.event_id))
        _ROWS[key] = (
            session.scalars(sa.select(Candidate)).all(),
            {score.candidate_id: score for score in scores},
            dict(session.execute(votes.group_by(Vote.candidate_id)).all()),
        )
    return _ROWS[key]


def brute_force(session, query: RankingQuery) -> list[int]:
    """The ids that the query means, sorted by Python."""
    candidates, scores, last_vote = rows_of(session, query.ensemble_id)
    labels = {"lens": {1}, "not_lens": {0}, "labeled": {0, 1}, "unlabeled": {None}, None: None}
    kept = []
    for c in candidates:
        score = scores.get(c.id)
        if (
            (not query.catalog_ids or c.catalog_id in query.catalog_ids)
            and (query.ensemble_id is None or score is not None)
            and (
                score is None or query.probability_min <= score.probability <= query.probability_max
            )
            and (not query.stages or c.stage in query.stages)
            and (labels[query.label] is None or c.label in labels[query.label])
            and query.object_id.lower() in c.object_id.lower()
            and (query.sort != "graded" or c.id in last_vote)
        ):
            if query.sort == "graded":
                kept.append((last_vote[c.id], c.id))
                continue
            source = score if query.sort in ("score", "epistemic", "disagreement", "ood") else c
            kept.append((getattr(source, ATTRIBUTE[query.sort]), c.id))
    valued = sorted((k for k in kept if k[0] is not None), reverse=query.descending)
    return [k[1] for k in valued] + sorted(k[1] for k in kept if k[0] is None)


def walk(session, query: RankingQuery, limit: int) -> list[int]:
    """All ids, page by page."""
    ids: list[int] = []
    cursor = None
    while True:
        page = fetch_page(session, query, after=cursor, limit=limit)
        assert page.has_before == (cursor is not None)
        ids += [row.candidate.id for row in page.rows]
        if not page.has_after:
            return ids
        assert len(page.rows) == limit
        cursor = page.rows[-1].cursor


FILTERS = [
    {},
    {"probability_min": 0.3},
    {"probability_min": 0.05, "probability_max": 0.6},
    {"stages": ("triage", "rejected")},
    {"label": "lens"},
    {"label": "unlabeled", "stages": ("detection",)},
    {"label": "labeled", "probability_max": 0.5},
    {"label": "not_lens", "object_id": "x"},
    {"object_id": "_1"},
    {"object_id": "%"},
    {"object_id": "no such"},
]


@pytest.mark.parametrize("few", [0, 6000], ids=["along the index", "in memory"])
@pytest.mark.parametrize("sort", SORT_KEYS)
@pytest.mark.parametrize("descending", [True, False])
def test_pages_are_the_sorted_list(database, monkeypatch, few, sort, descending):
    monkeypatch.setattr(ranking_order, "_FEW", few)
    with database.session() as session:
        chosen_catalogs = [(4, 2)]
        if session.get_bind().dialect.name == "sqlite":  # the other takes three times as long
            chosen_catalogs += [(), (1,), (3,)]
        for chosen, catalogs in itertools.product(FILTERS, chosen_catalogs):
            query = RankingQuery(1, catalogs, sort, descending, **chosen)
            expected = brute_force(session, query)
            assert walk(session, query, 23) == expected, query
            assert str(count_rows(session, query)) == f"{len(expected)}"


@pytest.mark.parametrize("few", [0, 6000], ids=["along the index", "in memory"])
@pytest.mark.parametrize("sort", SORT_KEYS)
def test_walking_back_and_ranks(database, monkeypatch, few, sort):
    monkeypatch.setattr(ranking_order, "_FEW", few)
    with database.session() as session:
        for chosen in ({}, {"label": "unlabeled"}, {"probability_min": 0.2}):
            query = RankingQuery(2, (1, 2), sort, **chosen)
            expected = brute_force(session, query)
            for place in (0, 1, 5, len(expected) // 2, len(expected) - 1):
                cursor = cursor_of(session, query, expected[place])
                assert rank_of(session, query, cursor) == place + 1
                page = fetch_page(session, query, before=cursor, limit=5)
                first = max(0, place - 5)
                assert [row.candidate.id for row in page.rows] == expected[first:place]
                assert page.has_before == (first > 0)
                assert page.has_after


def test_all_candidates_without_an_ensemble(database):
    with database.session() as session:
        for sort, chosen in itertools.product(("magnitude", "object_id"), ({}, {"label": "lens"})):
            query = RankingQuery(None, (), sort, descending=False, **chosen)
            assert walk(session, query, 20) == brute_force(session, query)
        assert count_rows(session, RankingQuery(None, sort="object_id")).n == 100


def test_a_cursor_holds_when_its_row_no_longer_passes(database):
    """The row that a page ended with may have been labeled since."""
    query = RankingQuery(1, (), "score", label="unlabeled")
    with database.session() as session:
        expected = brute_force(session, query)
        outside = brute_force(session, RankingQuery(1, (), "score", label="lens"))[2]
        cursor = cursor_of(session, query, outside)
        assert not contains(session, query, outside)
        assert contains(session, query, expected[0])
        place = rank_of(session, query, cursor) - 1
        rows = fetch_page(session, query, after=cursor, limit=200).rows
        assert [row.candidate.id for row in rows] == expected[place:]


def test_rows_carry_their_score(database):
    with database.session() as session:
        for row in fetch_page(session, RankingQuery(2), limit=50).rows:
            assert row.score.ensemble_id == 2
            assert row.score.candidate_id == row.candidate.id
            assert row.cursor == Cursor(row.score.logit, row.candidate.id)
        assert fetch_page(session, RankingQuery(None, sort="object_id")).rows[0].score is None
        assert fetch_page(session, RankingQuery(99)).rows == ()


def test_large_counts_are_estimates_that_say_so(database, monkeypatch):
    query = RankingQuery(1, (1, 2), stages=("detection",), label="unlabeled")
    with database.session() as session:
        true = len(brute_force(session, query))
        monkeypatch.setattr(ranking_order, "_COUNTED", 0)
        monkeypatch.setattr(ranking_order, "_FEW", 0)
        monkeypatch.setattr(ranking_order, "_LEAST_PASSED", 1)
        found = count_rows(session, query)
        assert str(found) == f"about {true}"  # the sample holds every candidate here
        monkeypatch.setattr(ranking_order, "_LEAST_PASSED", 1000)
        assert str(count_rows(session, query)) == str(true)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"sort": "beauty"}, "choose one of score"),
        ({"label": "maybe"}, "choose one of lens"),
        ({"stages": ("done",)}, "choose one of detection"),
        ({"probability_min": 0.7, "probability_max": 0.2}, "the smaller first"),
        ({"probability_min": float("nan")}, "from 0 to 1"),
        ({"ensemble_id": None}, "no scores to sort"),
        ({"ensemble_id": None, "sort": "magnitude", "probability_min": 0.1}, "no scores"),
    ],
)
def test_impossible_queries_are_refused(fields, words):
    with pytest.raises(BadInputError, match=words):
        RankingQuery(**{"ensemble_id": 1, **fields})


def test_bad_calls_are_refused(database):
    cursor = Cursor(0.0, 1)
    with database.session() as session:
        with pytest.raises(BadInputError, match="one cursor"):
            fetch_page(session, RankingQuery(1), after=cursor, before=cursor)
        with pytest.raises(BadInputError, match="1 to 1000"):
            fetch_page(session, RankingQuery(1), limit=5000)
        with pytest.raises(NotFoundError, match="9999"):
            cursor_of(session, RankingQuery(1), 9999)


INDEX = {
    "score": "ix_score_catalog_logit",
    "epistemic": "ix_score_epistemic",
    "disagreement": "ix_score_disagreement",
    "ood": "ix_score_ood",
    "magnitude": "ix_candidate_catalog_id_magnitude_id",
    "theta_e": "ix_candidate_theta_e",
    "arc_radius": "ix_candidate_arc_radius",
    "graded": "ix_vote_event_id_candidate_id",
    "object_id": "sqlite_autoindex_candidate",
}


def plans(session, query: RankingQuery, **cursors) -> list[list[str]]:
    """What EXPLAIN QUERY PLAN says of each statement that looks for a page's keys."""
    seen: list[tuple[str, tuple]] = []

    def record(_connection, _cursor, statement, parameters, _context, _many) -> None:
        seen.append((statement, parameters))

    engine = session.get_bind()
    event.listen(engine, "before_cursor_execute", record)
    try:
        fetch_page(session, query, limit=10, **cursors)
    finally:
        event.remove(engine, "before_cursor_execute", record)
    found = []
    for statement, parameters in seen:
        if "ORDER BY" in statement and "EXISTS" not in statement.split("WHERE")[0]:
            rows = session.connection().exec_driver_sql(
                f"EXPLAIN QUERY PLAN {statement}", parameters
            )
            found.append([row[3] for row in rows])
    return found


@pytest.mark.sqlite  # the plans that it makes
@pytest.mark.parametrize("sort", SORT_KEYS)
@pytest.mark.parametrize("descending", [True, False])
@pytest.mark.parametrize("place", ["first", "after", "before"])
def test_pages_of_one_catalog_come_from_an_index_without_sorting(
    database, monkeypatch, sort, descending, place
):
    monkeypatch.setattr(ranking_order, "_FEW", 0)
    with database.session() as session:
        for chosen in ({}, {"stages": ("triage",)}, {"label": "unlabeled"}):
            query = RankingQuery(1, (1,), sort, descending, **chosen)
            ids = brute_force(session, query)
            cursor = cursor_of(session, query, ids[len(ids) // 2])
            where = {} if place == "first" else {place: cursor}
            found = plans(session, query, **where)
            assert found
            for plan in found:
                assert not any("TEMP B-TREE" in step for step in plan), plan
                index = INDEX[sort]
                if (
                    index.startswith("ix_candidate") and index not in plan[0]
                ):  # those without, by id
                    index = "ix_candidate_(catalog_id_(stage|label)|theta_e|arc_radius)"
                assert re.match(rf"(SEARCH|SCAN) \w+ USING .*INDEX {index}\w*", plan[0]), plan


@pytest.mark.sqlite  # the plan that it makes
def test_several_catalogs_are_merged_from_their_indexes(database, monkeypatch):
    monkeypatch.setattr(ranking_order, "_FEW", 0)
    with database.session() as session:
        (plan,) = plans(session, RankingQuery(1))
        searches = [k for k, step in enumerate(plan) if "SEARCH" in step]
        assert len(searches) == len(SIZES)
        for k in searches:  # each is read from its index and cut to a page before any sorting
            assert "COVERING INDEX ix_score_catalog_logit (" in plan[k]
            assert plan[k - 1].startswith("CO-ROUTINE")
            assert plan[k + 1].startswith("SCAN")
