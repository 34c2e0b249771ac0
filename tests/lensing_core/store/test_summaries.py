"""The counts that pages show, against counting row by row."""

from __future__ import annotations

import math
from collections import Counter

import pytest
from sqlalchemy import select

from lensing_core.store import open_database, summaries
from lensing_core.store.catalogs import find_catalog
from lensing_core.store.tables import Candidate, Catalog, Ensemble, Quarantine, Score


@pytest.fixture
def database(filled_workspace):
    return open_database(filled_workspace)


def ids(database) -> tuple[int, int]:
    """Ids of the ensemble and of the catalog that it scored."""
    with database.session() as session:
        return (
            session.scalars(select(Ensemble.id)).one(),
            session.scalars(select(Catalog.id).where(Catalog.name == "cosmos")).one(),
        )


def logits(database) -> list[float]:
    with database.session() as session:
        return list(session.scalars(select(Score.logit)))


def test_catalogs_come_newest_first_with_their_counts(database):
    with database.session() as session:
        session.scalars(select(Candidate)).first().stage = "validation"
        newest = session.scalars(select(Catalog.name).order_by(Catalog.id.desc())).all()
    found = database.ask(summaries.list_catalogs)
    assert [c.name for c in found] == newest
    cosmos = next(c for c in found if c.name == "cosmos")
    assert dict(cosmos.stages) == {"detection": 139, "validation": 1}
    assert dict(cosmos.scored) == {"first": 140}
    assert cosmos.n_quarantined == 37
    assert cosmos.size_arcsec == pytest.approx(48 * 0.168)
    assert not dict(next(c for c in found if c.name == "simulated").scored)


def test_an_empty_workspace_has_nothing(workspace):
    database = open_database(workspace)
    assert database.ask(summaries.list_catalogs) == []
    assert database.ask(summaries.list_ensembles) == []
    assert database.ask(summaries.count_quarantine, 1) == []
    assert database.ask(summaries.histogram_scores, 1, 1).total == 0


def test_labels_are_counted(database):
    with database.session() as session:
        simulated = find_catalog(session, "simulated")
        labels = Counter(
            session.scalars(select(Candidate.label).where(Candidate.catalog_id == simulated.id))
        )
    found = database.ask(summaries.count_labels, simulated.id)
    assert (found.lenses, found.non_lenses, found.unknown) == (labels[1], labels[0], labels[None])
    assert found.lenses > 0
    unknown = database.ask(summaries.count_labels, ids(database)[1])
    assert (unknown.lenses, unknown.non_lenses, unknown.unknown) == (0, 0, 140)


def test_quarantine_by_reason_and_page_by_page(database):
    _, catalog_id = ids(database)
    with database.session() as session:
        reasons = Counter(session.scalars(select(Quarantine.reason)))
    counted = database.ask(summaries.count_quarantine, catalog_id)
    assert dict(counted) == dict(reasons)
    assert [n for _, n in counted] == sorted(reasons.values(), reverse=True)

    seen, after = [], -1
    while page := database.ask(summaries.fetch_quarantine, catalog_id, after_row=after, limit=10):
        assert len(page) <= 10
        seen += [row.row_number for row in page]
        after = page[-1].row_number
    assert seen == list(range(200, 237))
    alone = database.ask(summaries.fetch_quarantine, catalog_id, reason="all_nan", limit=10)
    assert [row.reason for row in alone] == ["all_nan"] * reasons["all_nan"]


@pytest.mark.parametrize("n_bins", [5, 40])
def test_histogram_counts_every_score_once(database, n_bins):
    found = database.ask(summaries.histogram_scores, *ids(database), n_bins=n_bins)
    edges, values = found.edges_logit, logits(database)
    expected = [0] * n_bins
    for value in values:
        k = sum(value >= edge for edge in edges[1:-1])
        expected[k] += 1
    assert list(found.counts[None]) == expected
    assert found.total == len(values) == 140
    assert len(edges) == n_bins + 1


def test_histogram_keeps_what_lies_beyond_its_ends(database):
    ensemble_id, catalog_id = ids(database)
    with database.session() as session:
        low, high = session.scalars(select(Score)).all()[:2]
        low.logit, high.logit = -400.0, 30.0
    counts = database.ask(summaries.histogram_scores, ensemble_id, catalog_id).counts[None]
    assert counts[0] >= 1
    assert counts[-1] == 1
    assert sum(counts) == 140


def test_histogram_is_split_by_label_where_there_are_labels(database):
    ensemble_id, catalog_id = ids(database)
    with database.session() as session:
        for k, candidate in enumerate(
            session.scalars(select(Candidate).where(Candidate.catalog_id == catalog_id))
        ):
            candidate.label = (1, 0, None)[k % 3]
    found = database.ask(summaries.histogram_scores, ensemble_id, catalog_id)
    assert {label: sum(row) for label, row in found.counts.items()} == {1: 47, 0: 47, None: 46}


def test_counts_above_a_probability(database):
    levels = (0.01, 0.5, 0.9)
    expected = [sum(v >= math.log(p / (1 - p)) for v in logits(database)) for p in levels]
    assert database.ask(summaries.count_above, *ids(database), levels) == expected


def test_top_is_sorted_and_first_is_in_order(database):
    ensemble_id, catalog_id = ids(database)
    top = database.ask(summaries.fetch_top, ensemble_id, catalog_id, limit=7)
    assert len(top) == 7
    best = sorted((1 / (1 + math.exp(-v)) for v in logits(database)), reverse=True)[:7]
    assert [item.probability for item in top] == pytest.approx(best)
    first = database.ask(summaries.fetch_first, catalog_id, limit=5)
    assert [item.cutout_index for item in first] == [0, 1, 2, 3, 4]
    assert first[0].probability is None


def test_ensembles_have_their_members_in_order(database):
    (found,) = database.ask(summaries.list_ensembles)
    assert found.members == (("first-lightgbm", "lightgbm"), ("first-timm", "network"))
    assert found.promoted_at is not None
