from __future__ import annotations

from uuid import uuid4

import numpy as np
import pytest
import sqlalchemy as sa
from grading import AT, grade_all

from lensing_core.consensus import PRIOR, SCHEMES, Thresholds
from lensing_core.errors import BadInputError, NotFoundError
from lensing_core.store import open_database
from lensing_core.store.consensus import aggregate_votes, schemes_in_use, update_consensus
from lensing_core.store.consensus_choice import (
    ConsensusSettings,
    count_votes_in_sight,
    current_consensus_settings,
    ensemble_as_prior,
    is_stale,
)
from lensing_core.store.consensus_list import consensus_page, count_states
from lensing_core.store.labels import NewEvent, append_events, grader_named
from lensing_core.store.ranking import RankingQuery, count_rows
from lensing_core.store.tables import Candidate, Consensus, LabelSession, Score, SessionItem


@pytest.fixture
def database(filled_workspace):
    return open_database(filled_workspace)


@pytest.fixture
def ids(database):
    with database.session() as session:
        statement = sa.select(Score.candidate_id).order_by(Score.candidate_id).limit(60)
        return list(session.scalars(statement))


def grade(database, votes: dict[int, dict[str, str]]) -> list[str]:
    """Grades by candidate and grader; returns the events' UUIDs."""
    with database.session() as session:
        return grade_all(session, votes)


def stored(database, method="dawid_skene") -> dict[int, Consensus]:
    with database.session() as session:
        rows = session.scalars(sa.select(Consensus).where(Consensus.method == method))
        return {row.candidate_id: row for row in rows}


def update(database, **fields):
    options = {k: fields.pop(k) for k in ("only_if_new",) if k in fields}
    with database.session() as session:
        return update_consensus(session, ConsensusSettings(**fields), **options)


def unanimous(ids) -> dict[int, dict[str, str]]:
    """Six lenses, the rest no lenses, by three graders."""
    return {
        key: dict.fromkeys(("Ana", "Bo", "Cy"), "A" if k < 6 else "X") for k, key in enumerate(ids)
    }


def test_the_table_holds_posteriors_states_and_votes_needed(database, ids):
    votes = unanimous(ids)
    votes[ids[10]] = {"Ana": "A", "Bo": "X"}
    grade(database, votes)
    aggregated = update(database, thresholds=Thresholds(0.95, 1e-3))
    rows = stored(database)
    assert set(rows) == set(ids)
    assert all(rows[key].state == "accepted" and rows[key].posterior > 0.99 for key in ids[:6])
    assert all(rows[key].state == "retired" for key in ids[20:])
    torn = rows[ids[10]]
    assert torn.state == "open"
    assert torn.n_votes == 2
    assert 1 <= torn.votes_needed <= 5
    assert rows[ids[0]].votes_needed is None
    assert all(0 <= r.low_95 <= r.posterior <= r.high_95 <= 1 for r in rows.values())
    assert aggregated.metrics.n_accepted == 6
    assert aggregated.metrics.purity[0] > 0.99
    with database.session() as session:
        assert count_states(session, "dawid_skene") == {"open": 1, "accepted": 6, "retired": 53}


def test_only_rows_that_moved_are_written_and_those_without_votes_go(database, ids):
    grade(database, unanimous(ids))
    update(database)
    before = {key: row.updated_at for key, row in stored(database).items()}
    assert update(database, only_if_new=True) is None
    update(database)
    assert {key: row.updated_at for key, row in stored(database).items()} == before

    with database.session() as session:
        (extra,) = session.scalars(sa.select(Candidate.id).where(Candidate.id.not_in(ids)).limit(1))
    (uuid,) = grade(database, {extra: {"Ana": "C"}})
    assert update(database, only_if_new=True) is not None
    assert stored(database)[extra].n_votes == 1
    with database.session() as session:
        ana = grader_named(session, "Ana").id
        append_events(
            session,
            [NewEvent(str(uuid4()), "undo", ana, extra, "abcx", AT, undoes=uuid)],
        )
        assert is_stale(session, "dawid_skene")
    update(database, only_if_new=True)
    assert extra not in stored(database)
    with database.session() as session:
        assert not is_stale(session, "dawid_skene")
        assert is_stale(session, "swap")


def test_gold_teaches_swap_and_gets_no_row(database, ids):
    gold, free = ids[:20], ids[20:22]
    votes = {
        key: {"Ana": "A" if k < 10 else "X", "Bo": "A" if k % 2 else "X"}
        for k, key in enumerate(gold)
    }
    votes |= {free[0]: {"Ana": "A"}, free[1]: {"Bo": "A"}}
    grade(database, votes)
    with database.session() as session:
        session.add(
            LabelSession(id="s", name="s", scheme=SCHEMES["abcx"].to_json(), queue={}, options={})
        )
        session.flush()
        session.add_all(
            SessionItem(
                session_id="s", position=k, candidate_id=key, kind="gold", answer=int(k < 10)
            )
            for k, key in enumerate(gold)
        )
    update(database, method="swap")
    rows = stored(database, "swap")
    assert set(rows) == set(free)
    assert rows[free[0]].prior == pytest.approx(PRIOR)
    # Ana was right 20 of 20 times: P_L = 11/12; her "lens" for what hardly is one counts against
    # her, P_D = 11/13. Bo was right as often as a coin.
    odds = PRIOR / (1 - PRIOR) * (11 / 12) / (2 / 13)
    assert rows[free[0]].posterior == pytest.approx(odds / (1 + odds), rel=0.01)
    assert rows[free[1]].posterior == pytest.approx(PRIOR, rel=0.15)


def test_the_prior_may_be_that_of_the_ensemble(database, ids):
    grade(database, {ids[0]: {"Ana": "A"}, ids[1]: {"Ana": "X"}})
    with database.session() as session:
        for key, p in ((ids[0], 0.4), (ids[1], 1e-9)):
            session.get_one(Score, (1, key)).probability = p
        aggregated = aggregate_votes(session, ConsensusSettings("swap", ensemble_id=1))
    assert aggregated.estimate.prior[:, 0] == pytest.approx([0.4, 1e-6])
    assert aggregated.estimate.posterior[0, 0] > 0.4


def test_lists_follow_the_method_that_was_joined_last(database, ids):
    """The filter of Review and the queue of a grader look at one consensus, not at any."""
    grade(database, {ids[0]: dict.fromkeys(("Ana", "Bo", "Cy"), "A"), ids[1]: {"Ana": "X"}})
    accepted = RankingQuery(ensemble_id=1, consensus=("accepted",))

    def found() -> int:
        with database.session() as session:
            return count_rows(session, accepted).n

    assert found() == 0
    with database.session() as session:
        assert current_consensus_settings(session) is None
    update(database, thresholds=Thresholds(0.9, 1e-3))
    assert found() == 1
    update(database, method="swap", ensemble_id=1, prior=1e-4)
    assert found() == 0  # three graders are not enough from one in ten thousand
    with database.session() as session:
        assert current_consensus_settings(session) == ConsensusSettings("swap", 1e-4, 1)
        assert current_consensus_settings(session, "dawid_skene") == ConsensusSettings(
            thresholds=Thresholds(0.9, 1e-3)
        )
        assert ensemble_as_prior(session, "first") == 1
        with pytest.raises(NotFoundError, match="no ensemble none"):
            ensemble_as_prior(session, "none")
        assert count_votes_in_sight(session) == 0
        ana = grader_named(session, "Ana").id
        seen = {"blind": False, "ensemble_id": 1}
        append_events(
            session,
            [
                NewEvent(
                    str(uuid4()), "grade", ana, ids[2], "abcx", AT, grade="C", p_lens=0.3,
                    visible=seen,
                )
            ],
        )  # fmt: skip
        assert count_votes_in_sight(session) == 1


def test_pages_of_the_list_follow_one_another(database, ids):
    grade(database, unanimous(ids))
    update(database)
    with database.session() as session:
        whole = consensus_page(session, "dawid_skene", limit=100)
        first = consensus_page(session, "dawid_skene", limit=25)
        then = consensus_page(session, "dawid_skene", limit=100, after=first[-1].key)
        assert [e.key for e in first + then] == [e.key for e in whole]
        assert np.all(np.diff([e.consensus.posterior for e in whole]) <= 0)
        assert whole[0].grades == (("Ana", "A"), ("Bo", "A"), ("Cy", "A"))
        accepted = consensus_page(session, "dawid_skene", state="accepted")
        assert {e.candidate.id for e in accepted} == set(ids[:6])
        with pytest.raises(BadInputError, match="'done'"):
            consensus_page(session, "dawid_skene", state="done")


def test_without_votes_there_is_nothing_and_wrong_rules_are_refused(database):
    aggregated = update(database)
    assert stored(database) == {}
    assert aggregated.metrics.n_graded == 0
    with pytest.raises(BadInputError, match="'vote'"):
        ConsensusSettings("vote")
    with pytest.raises(BadInputError, match="between 0 and 1"):
        ConsensusSettings(prior=1.0)


def test_schemes_of_sessions_are_known(database):
    own = {**SCHEMES["binary"].to_json(), "name": "arcs", "title": "Arcs"}
    with database.session() as session:
        session.add(LabelSession(id="s", name="s", scheme=own, queue={}, options={}))
        session.flush()
        assert schemes_in_use(session)["arcs"].title == "Arcs"
        more = {**own, "grades": [*own["grades"][:1], {**own["grades"][1], "key": "no"}]}
        session.add(LabelSession(id="t", name="t", scheme=more, queue={}, options={}))
        session.flush()
        keys = [grade.key for grade in schemes_in_use(session)["arcs"].grades]
        assert keys == ["lens", "not", "no"]
