from __future__ import annotations

from datetime import UTC, datetime
from uuid import uuid4

import numpy as np
import sqlalchemy as sa

from lensing_core.acquisition import QueueRequest, choose_queue
from lensing_core.acquisition.promotion import promote
from lensing_core.consensus import SCHEMES
from lensing_core.store import open_database
from lensing_core.store.labels import NewEvent, append_events, grader_named
from lensing_core.store.ranking import RankingQuery
from lensing_core.store.tables import Ensemble, LabelSession, Score, SessionItem


def test_promotion_puts_what_is_ungraded_into_the_new_order(filled_workspace):
    database = open_database(filled_workspace)
    rng = np.random.default_rng(0)
    with database.session() as session:
        entries = choose_queue(
            session, filled_workspace, QueueRequest("top", 20, RankingQuery(ensemble_id=1))
        )
        ids = [e.candidate_id for e in entries]
        for key, strategy, status in (("a", "top", "open"), ("b", "random", "open"),
                                      ("c", "top", "closed")):  # fmt: skip
            session.add(
                LabelSession(
                    id=key, name=key, scheme=SCHEMES["abcx"].to_json(), status=status,
                    queue={"strategy": strategy}, options={}, ensemble_id=1,
                )
            )  # fmt: skip
            session.flush()
            session.add_all(
                SessionItem(session_id=key, position=k, candidate_id=c, why="old")
                for k, c in enumerate(ids)
            )
        session.add(
            SessionItem(session_id="a", position=20, candidate_id=150, kind="gold", answer=1)
        )
        ana = grader_named(session, "Ana").id
        append_events(
            session,
            [
                NewEvent(
                    str(uuid4()), "grade", ana, c, "abcx", datetime(2026, 5, 1, tzinfo=UTC),
                    session_id="a", grade="X", is_lens=0, p_lens=0.02,
                )
                for c in ids[:3]
            ],
        )  # fmt: skip
        session.add(Ensemble(id=2, name="second", fusion="mean", manifest={}))
        session.flush()
        for row in session.scalars(sa.select(Score).where(Score.ensemble_id == 1)).all():
            logit = float(rng.normal())
            session.add(
                Score(
                    ensemble_id=2, candidate_id=row.candidate_id, catalog_id=row.catalog_id,
                    logit=logit, probability=0.5, epistemic=0, aleatoric=0, disagreement=0,
                )
            )  # fmt: skip
    with database.session() as session:
        moved = promote(session, "second")
    assert set(moved) == {"a"}
    with database.session() as session:
        after = {
            key: session.execute(
                sa.select(SessionItem.candidate_id, SessionItem.why)
                .where(SessionItem.session_id == key)
                .order_by(SessionItem.position)
            ).all()
            for key in "abc"
        }
        logit = dict(
            session.execute(
                sa.select(Score.candidate_id, Score.logit).where(Score.ensemble_id == 2)
            ).all()
        )
        assert session.get_one(LabelSession, "a").ensemble_id == 2
    order = [row[0] for row in after["a"]]
    assert order[:3] == ids[:3]
    assert order[20] == 150
    assert sorted(order[3:20]) == sorted(ids[3:])
    scores = [logit[key] for key in order[3:20]]
    assert scores == sorted(scores, reverse=True)
    assert after["a"][3][1] == "rank 1 of the ungraded candidates, by second"
    assert [row[0] for row in after["b"]] == [row[0] for row in after["c"]] == ids
