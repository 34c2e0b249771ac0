"""Queues from the database, against the same strategies on arrays."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import uuid4

import numpy as np
import pytest
import sqlalchemy as sa

from lensing_core.acquisition import (
    STRATEGIES,
    CandidatePool,
    QueueRequest,
    choose_queue,
    order_pool,
    random_keys,
)
from lensing_core.errors import BadInputError, NotFoundError
from lensing_core.models.member import MemberOutput
from lensing_core.models.outputs import OutputWriter
from lensing_core.store import open_database
from lensing_core.store.labels import NewEvent, append_events, grader_named
from lensing_core.store.ranking import RankingQuery
from lensing_core.store.tables import Candidate, Catalog, Ensemble, Score

ON_BOTH_DATABASES = True
NO_SCORES = {"ensemble_id": None, "sort": "object_id"}
GRADES = {"A": (1, 0.95), "C": (None, 0.3), "X": (0, 0.02)}


@pytest.fixture
def database(filled_workspace):
    return open_database(filled_workspace)


@pytest.fixture
def scores(database):
    """Arrays of the scored catalog in the order of ids."""
    with database.session() as session:
        rows = session.execute(
            sa.select(
                Score.candidate_id, Score.logit, Score.epistemic, Score.disagreement,
                Score.ood_distance,
            ).order_by(Score.candidate_id)
        ).all()  # fmt: skip
    return np.array(rows, dtype=float)


def grade(database, votes: dict[int, dict[str, str]]) -> None:
    """Grades by candidate and grader."""
    with database.session() as session:
        append_events(
            session,
            [
                NewEvent(
                    str(uuid4()), "grade", grader_named(session, who).id, key, "abcx",
                    datetime(2026, 5, 1, tzinfo=UTC), grade=said, is_lens=GRADES[said][0],
                    p_lens=GRADES[said][1],
                )
                for key, found in votes.items()
                for who, said in found.items()
            ],
        )  # fmt: skip


def queue(database, workspace, strategy: str, n: int = 30, **fields) -> list:
    query = RankingQuery(**{"ensemble_id": 1, **fields.pop("query", {})})
    with database.session() as session:
        return choose_queue(session, workspace, QueueRequest(strategy, n, query, **fields))


def test_indexes_give_the_order_of_the_arrays(database, filled_workspace, scores):
    ids = scores[:, 0].astype(int)
    graded = np.isin(ids, ids[::4])
    grade(database, {int(key): {"Ana": "X"} for key in ids[graded]})
    pool = CandidatePool(*scores[:, 1:4].T, ood_distance=scores[:, 4])
    for strategy in ("top", "uncertain", "epistemic", "margin", "disagreement", "anomalous"):
        expected = ids[order_pool(strategy, pool, 30, graded=graded)]
        found = queue(database, filled_workspace, strategy)
        assert [e.candidate_id for e in found] == expected.tolist(), strategy
        assert all(0 < len(e.why) <= 255 for e in found)
    first = queue(database, filled_workspace, "top", 1)[0]
    best = scores[scores[:, 0] == first.candidate_id][0, 1]
    rank = int((scores[:, 1] > best).sum()) + 1
    assert first.why == f"p = {1 / (1 + np.exp(-best)):.3g}, rank {rank} of 140"


def test_graded_and_labeled_objects_come_back_only_where_asked_for(
    database, filled_workspace, scores
):
    first = queue(database, filled_workspace, "top", 3)
    with database.session() as session:
        session.get_one(Candidate, first[0].candidate_id).label = 1
    grade(database, {first[1].candidate_id: {"Ana": "A"}})
    ids = [e.candidate_id for e in first]

    def kept(**options) -> list[int]:
        found = queue(database, filled_workspace, "top", 200, **options)
        return [e.candidate_id for e in found if e.candidate_id in ids]

    assert kept() == ids[2:]
    assert kept(keep_labeled=True) == [ids[0], ids[2]]
    assert kept(keep_graded=True, keep_labeled=True) == ids
    drawn = {e.candidate_id for e in queue(database, filled_workspace, "random", 200)}
    assert len(drawn) == 138
    assert not drawn & set(ids[:2])


def test_a_random_queue_is_drawn_from_a_stream_and_needs_no_scores(
    database, filled_workspace, scores
):
    ids = scores[:, 0].astype(int)
    found = queue(database, filled_workspace, "random", 25, seed=8)
    smallest = ids[np.argsort(random_keys(ids, 8))[:25]]
    assert [e.candidate_id for e in found] == smallest.tolist()
    assert found[0].why == "random sample of 140 candidates"
    everything = queue(database, filled_workspace, "random", 500, query=NO_SCORES)
    assert len(everything) == 140 + 12  # those of `simulated` are labeled


def test_graders_who_differ_most_come_first(database, filled_workspace, scores):
    a, b, c, d = scores[:4, 0].astype(int).tolist()
    grade(
        database,
        {
            a: {"Ana": "A", "Bo": "C"},
            b: {"Ana": "X", "Bo": "A", "Cy": "X"},
            c: {"Ana": "A", "Bo": "A"},
            d: {"Ana": "X"},
        },
    )
    found = queue(database, filled_workspace, "graders")
    assert [(e.candidate_id, e.why) for e in found] == [
        (b, "graders differ: 1 × A, 2 × X"),
        (a, "graders differ: 1 × A, 1 × C"),
    ]


@pytest.mark.parametrize(("strategy", "kind"), [("diverse", "embedding"), ("clusters", "features")])
def test_diverse_queues_read_what_members_have_stored(
    database, filled_workspace, scores, strategy, kind
):
    with pytest.raises(NotFoundError, match="score the catalog with it again"):
        queue(database, filled_workspace, strategy)
    ids = scores[:, 0].astype(int)
    group = np.arange(len(ids)) % 5
    table = np.eye(5, dtype="f4")[group] + np.random.default_rng(0).normal(0, 0.01, (140, 5))
    if kind == "features":
        table[::11, 2] = np.nan
    with database.session() as session:
        model = session.get_one(Ensemble, 1).members[1].model_id
        cosmos = session.query(Catalog).filter_by(name="cosmos").one()
        rows = dict(
            session.execute(
                sa.select(Candidate.id, Candidate.cutout_index).where(
                    Candidate.catalog_id == cosmos.id
                )
            ).all()
        )
    stored = np.empty_like(table)
    stored[[rows[key] for key in ids.tolist()]] = table
    output = {"embedding": None, "features": None, kind: stored}
    OutputWriter(filled_workspace, model, "cosmos", 140).write(
        0, MemberOutput(np.zeros(140), **output)
    )
    found = queue(database, filled_workspace, strategy, 5)
    place = {key: k for k, key in enumerate(ids.tolist())}
    assert {int(group[place[e.candidate_id]]) for e in found} == set(range(5))
    assert "by score" in found[0].why
    if strategy == "diverse":  # graded groups are far from nothing any more
        seen = [key for key in ids.tolist() if group[place[key]] in (0, 1, 2)][:60]
        grade(database, {key: {"Ana": "X"} for key in seen})
        two = queue(database, filled_workspace, strategy, 2)
        assert {int(group[place[e.candidate_id]]) for e in two} == {3, 4}


def test_experts_get_what_was_flagged_and_then_what_graders_differ_on(database, filled_workspace):
    with database.session() as session:
        ids = session.scalars(sa.select(Candidate.id).order_by(Candidate.id).limit(6)).all()
    grade(database, {k: {"Ana": "A", "Bo": "X"} for k in ids[:2]} | {ids[2]: {"Ana": "A"}})
    flags = [("flag", 3, "Ana"), ("flag", 1, "Ana"), ("flag", 1, "Bo"), ("flag", 4, "Ana"),
             ("unflag", 4, "Ana"), ("flag", 5, "Bo"), ("undo", 5, "Bo")]  # fmt: skip
    with database.session() as session:
        last = None
        for kind, k, who in flags:
            given = (str(uuid4()), kind, grader_named(session, who).id, ids[k], "abcx")
            undoes = last if kind == "undo" else None
            append_events(session, [NewEvent(*given, datetime.now(UTC), undoes=undoes)])
            last = given[0]
    found = queue(database, filled_workspace, "experts", 10, query=NO_SCORES)
    assert [(entry.candidate_id, entry.why) for entry in found] == [
        (ids[1], "flagged by 2 graders; graders differ: 1 × A, 1 × X"),
        (ids[3], "flagged by 1 grader"),
        (ids[0], "graders differ: 1 × A, 1 × X"),
    ]


def test_a_mixture_says_of_each_why_it_is_there(database, filled_workspace):
    shares = {"top": 2, "random": 1, "anomalous": 1}
    found = queue(database, filled_workspace, "mixed", 40, shares=shares)
    assert len({e.candidate_id for e in found}) == 40
    said = [e.why.split(",")[0].split(" of ")[0] for e in found]
    assert sum(s.startswith("p = ") for s in said) == 20
    assert sum(s.startswith("random sample") for s in said) == 10


def test_a_filter_keeps_its_order_and_its_conditions(database, filled_workspace, scores):
    query = {"sort": "magnitude", "descending": False, "probability_min": 0.02}
    found = queue(database, filled_workspace, "filter", 200, query=query)
    with database.session() as session:
        magnitudes = [session.get_one(Candidate, e.candidate_id).magnitude for e in found]
    assert magnitudes == sorted(magnitudes)
    assert len(found) == (1 / (1 + np.exp(-scores[:, 1])) >= 0.02).sum()


def test_what_cannot_be_chosen_is_said(database, filled_workspace):
    with pytest.raises(BadInputError, match="score the catalog"):
        queue(database, filled_workspace, "top", query=NO_SCORES)
    with pytest.raises(BadInputError, match="'best'"):
        QueueRequest("best", 5)
    with pytest.raises(BadInputError, match="1 to 50,000"):
        QueueRequest("random", 0)
    assert all(strategy.title and strategy.text for strategy in STRATEGIES.values())
    assert QueueRequest("random", 5).to_json()["query"]["label"] is None
