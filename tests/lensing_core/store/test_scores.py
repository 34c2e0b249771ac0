"""Scores by id, and what is left to score."""

from __future__ import annotations

import numpy as np
import pytest
from rows import add_catalog, score_row

from lensing_core.store import open_database
from lensing_core.store.scores import (
    count_unscored,
    delete_scores,
    first_of_ranking,
    logits_of,
    read_logits,
)
from lensing_core.store.tables import Ensemble


@pytest.fixture
def session(workspace):
    """Two catalogs of three; the ensemble ``first`` has scored the first two of ``mine``."""
    with open_database(workspace).session() as session:
        session.add(Ensemble(id=1, name="first", fusion="mean", manifest={}))
        session.flush()
        mine = add_catalog(session, "mine", 3)
        add_catalog(session, "yours", 3)
        session.add_all(
            score_row(1, 1, key, logit=value)
            for key, value in zip(mine[:2], (-1.0, 2.0), strict=True)
        )
        session.flush()
        yield session


def test_logits_come_in_the_order_asked_for_and_are_nan_where_there_is_none(session):
    logits = logits_of(session, 1, np.array([3, 2, 1], dtype=np.int64))
    np.testing.assert_array_equal(logits, [np.nan, 2.0, -1.0])
    assert np.isnan(logits_of(session, 2, np.array([1]))).all()
    assert logits_of(session, 1, np.empty(0, dtype=np.int64)).shape == (0,)


def test_a_ranking_of_one_catalog(session):
    assert first_of_ranking(session, 1, 1, 5) == [2, 1]
    assert first_of_ranking(session, 2, 1, 5) == []
    assert sorted(read_logits(session, 1, 1)) == [-1.0, 2.0]


def test_candidates_without_a_score_are_counted_over_catalogs(session):
    assert count_unscored(session, "first", ["mine"]) == 1
    assert count_unscored(session, "first", ["mine", "yours"]) == 4
    assert count_unscored(session, "nobody", ["mine"]) == 3


def test_scores_of_some_candidates_are_removed(session):
    delete_scores(session, 1, [2, 3])
    assert first_of_ranking(session, 1, 1, 5) == [1]
