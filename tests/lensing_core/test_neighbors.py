"""Neighbors with a known answer, and which labels count."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import uuid4

import numpy as np
import pytest
from rows import add_catalog_row
from sqlalchemy import select

from lensing_core import neighbors
from lensing_core.models.member import MemberOutput
from lensing_core.models.outputs import OutputWriter
from lensing_core.neighbors import LabeledEmbeddings, NeighborIndex
from lensing_core.store import open_database
from lensing_core.store.labels import NewEvent, append_events, grader_named
from lensing_core.store.tables import Candidate

N = 60


@pytest.fixture
def filled(workspace):
    """Two catalogs; candidate k lies at angle k in a plane, imported labels on every third."""
    database = open_database(workspace)
    with database.session() as session:
        for name in ("one", "two"):
            catalog_id = add_catalog_row(session, name, n_candidates=N)
            session.add_all(
                Candidate(
                    catalog_id=catalog_id,
                    object_id=f"{name}-{k}",
                    cutout_index=k,
                    cutout_sha256=f"{name}{k}".ljust(64, "0"),
                    label=(k // 3) % 2 if k % 3 == 0 else None,
                )
                for k in range(N)
            )
    angle = 2 * np.pi * np.arange(N) / N
    embedding = np.stack([5 + np.cos(angle), 7 + np.sin(angle)], axis=1).astype("f4")
    embedding[6] = np.nan
    for name in ("one", "two"):
        writer = OutputWriter(workspace, "network-1", name, N)
        writer.write(0, MemberOutput(np.zeros(N), embedding))
    return database


def ids(database, *names: str) -> list[int]:
    with database.session() as session:
        found = dict(session.execute(select(Candidate.object_id, Candidate.id)).all())
    return [found[name] for name in names]


def test_the_nearest_of_both_kinds_come_first(workspace, filled) -> None:
    index = NeighborIndex(workspace, filled)
    embedding = index.embedding("network-1", "one", 20)
    (own,) = ids(filled, "one-20")
    found = index.labeled("network-1").nearest(embedding, 3, without=own)
    lenses = [n.candidate_id for n in found if n.is_lens]
    others = [n.candidate_id for n in found if not n.is_lens]
    # Labeled 21 is a lens (7 is odd), 18 is none (6 is even); both catalogs have each.
    assert set(lenses[:2]) == set(ids(filled, "one-21", "two-21"))
    assert set(others[:2]) == set(ids(filled, "one-18", "two-18"))
    assert len(lenses) == len(others) == 3
    assert found[0].similarity == pytest.approx(np.cos(2 * np.pi / N), abs=0.02)
    similarities = [n.similarity for n in found if n.is_lens]
    assert similarities == sorted(similarities, reverse=True)


def test_a_candidate_is_no_neighbor_of_itself(workspace, filled) -> None:
    index = NeighborIndex(workspace, filled)
    (own, twin) = ids(filled, "one-21", "two-21")
    found = index.labeled("network-1").nearest(
        index.embedding("network-1", "one", 21), 2, without=own
    )
    assert found[0].candidate_id == twin
    assert own not in {n.candidate_id for n in found}


def test_grades_stand_before_imported_labels_and_count_at_once_after_the_pause(
    workspace, filled, monkeypatch
) -> None:
    monkeypatch.setattr(neighbors, "_FRESH_S", 0.0)
    index = NeighborIndex(workspace, filled)
    wrong, new, even = ids(filled, "one-21", "one-20", "one-18")
    before = index.labeled("network-1")
    assert index.labeled("network-1") is before  # nothing has changed
    with filled.session() as session:
        ada, vera = grader_named(session, "Ada").id, grader_named(session, "Vera").id
        for grader, candidate, is_lens in (
            (ada, wrong, 0),
            (ada, new, 1),
            (ada, even, 1),
            (vera, even, 0),
        ):
            event = NewEvent(
                str(uuid4()), "grade", grader, candidate, "abcx", datetime.now(UTC),
                grade="A" if is_lens else "X", is_lens=is_lens,
            )  # fmt: skip
            append_events(session, [event])
    after = index.labeled("network-1")
    truth = dict(zip(after.candidate_id.tolist(), after.is_lens.tolist(), strict=True))
    assert truth[wrong] is False
    assert truth[new] is True
    assert truth[even] is False  # graders have not decided: the imported label stands
    assert len(truth) == len(before.candidate_id) + 1


def test_missing_embeddings_are_left_out(workspace, filled) -> None:
    index = NeighborIndex(workspace, filled)
    assert index.embedding("network-1", "one", 6) is None
    assert index.embedding("network-1", "one", N) is None
    assert index.embedding("no-such", "one", 0) is None
    bad = ids(filled, "one-6", "two-6")
    assert not set(bad) & set(index.labeled("network-1").candidate_id.tolist())
    assert index.labeled("no-such").nearest(np.zeros(1, "f4"), 3, without=0) == []


def test_where_no_labeled_candidate_has_an_embedding_there_are_no_neighbors(
    workspace, filled
) -> None:
    with filled.session() as session:
        for candidate in session.scalars(select(Candidate)):
            candidate.label = None
    index = NeighborIndex(workspace, filled)
    embedding = index.embedding("network-1", "one", 20)
    assert embedding.shape == (2,)
    assert index.labeled("network-1").nearest(embedding, 3, without=0) == []


def test_more_labels_than_fit_are_sampled_and_counted(workspace, filled) -> None:
    found = NeighborIndex(workspace, filled, most_labeled=10).labeled("network-1")
    assert found.left_out == 30
    assert len(found.candidate_id) <= 10
    again = NeighborIndex(workspace, filled, most_labeled=10).labeled("network-1")
    assert found.candidate_id.tolist() == again.candidate_id.tolist()


def test_against_brute_force() -> None:
    rng = np.random.default_rng(0)
    vectors = rng.normal(3, 1, (500, 8)).astype("f4")
    truth = rng.random(500) < 0.3
    found = LabeledEmbeddings.of(np.arange(500), truth, vectors).nearest(vectors[7], 5, without=7)
    centered = vectors - vectors.mean(axis=0)
    lengths = np.linalg.norm(centered, axis=1)
    cosine = (centered @ centered[7]) / lengths / lengths[7]
    cosine[7] = -2
    for side in (True, False):
        expected = [k for k in np.argsort(-cosine) if truth[k] == side][:5]
        assert [n.candidate_id for n in found if n.is_lens == side] == expected
