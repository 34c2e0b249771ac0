"""Rows of exports: pages in the order of a ranking, with all that is known of each candidate."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from grading import grade_all

from lensing_core.export.columns import COLUMNS
from lensing_core.store import export_rows as exporting
from lensing_core.store import open_database
from lensing_core.store.consensus import update_consensus
from lensing_core.store.consensus_choice import ConsensusSettings
from lensing_core.store.export_rows import export_candidates, export_rows
from lensing_core.store.ranking import fetch_page
from lensing_core.store.ranking_query import RankingQuery
from lensing_core.store.tables import Candidate, CandidateTag, LensTest, Observation, Score

QUERY = RankingQuery(1)


@pytest.fixture
def database(filled_workspace):
    return open_database(filled_workspace)


@pytest.fixture
def ranked(database) -> list[int]:
    """Ids of the candidates in the order of the ranking."""
    page = database.ask(fetch_page, QUERY, limit=1000)
    return [row.candidate.id for row in page.rows]


def grade(database, candidate_id: int, **grades: str) -> None:
    with database.session() as session:
        grade_all(session, {candidate_id: grades})
        update_consensus(session, ConsensusSettings())


@pytest.mark.parametrize("page", [1000, 7, 70])
def test_pages_make_one_list_in_the_order_of_the_ranking(database, ranked, monkeypatch, page):
    monkeypatch.setattr(exporting, "_PAGE", page)
    rows = list(export_rows(database, QUERY))
    assert [row["candidate"] for row in rows] == ranked
    assert [row["rank"] for row in rows] == list(range(1, len(ranked) + 1))
    some = list(export_rows(database, QUERY, limit=10))
    assert [dict(row.values) for row in some] == [dict(row.values) for row in rows[:10]]


def test_rows_hold_scores_redshifts_grades_tags_and_tests(database, ranked):
    first = ranked[0]
    grade(database, first, Ana="A", Bo="A", Cy="X")
    with database.session() as session:
        candidate = session.get_one(Candidate, first)
        candidate.label = 1
        observation = session.scalars(
            sa.select(Observation).where(Observation.candidate_id == first)
        ).one()
        observation.z_spec = 0.31
        observation.properties = {
            "ingest": {
                "north_deg": 12.5,
                "is_mirrored": True,
                "centre_px": [20.5, 22.0],
                "sky_matrix_arcsec": [[-0.2, 0.0], [0.0, 0.2]],
            }
        }
        session.add_all(CandidateTag(candidate_id=first, tag=tag) for tag in ("ring", "arc"))
        session.add(
            LensTest(
                candidate_id=first, settings_key="k", version=3, verdict="supports",
                cutout_sha256=candidate.cutout_sha256, sentence="", result={},
                theta_e_arcsec=1.2, theta_e_error_arcsec=0.1, reduced_chi2=1.01,
                reduced_chi2_no_lens=1.4,
            )
        )  # fmt: skip
        score = session.get_one(Score, (1, first))
    (row,) = export_rows(database, QUERY, limit=1)
    watched = {"ensemble", "version"}  # columns of watch lists alone
    assert set(row.values) == {column.name for column in COLUMNS} | watched
    assert row["catalog"] == row.catalog == "cosmos"
    assert (row["label"], row["tags"], row["z_spec"]) == ("lens", "arc,ring", 0.31)
    assert (row["n_grades"], row["n_lens"]) == (3, 2)
    assert 0 < row.number("consensus") < 1
    assert row["consensus_state"] in ("open", "accepted", "retired")
    assert (row["logit"], row["ood_distance"]) == (score.logit, score.ood_distance)
    assert (row["lens_test"], row["lens_test_theta_e"]) == ("supports", 1.2)
    assert row["lens_test_version"] == "3"
    frame = row.frame
    assert (frame.x_px, frame.y_px, frame.north_deg, frame.is_mirrored) == (20.5, 22.0, 12.5, True)
    assert frame.matrix_arcsec == ((-0.2, 0.0), (0.0, 0.2))


def test_chosen_candidates_come_in_the_order_given_whatever_is_filtered(database, ranked):
    chosen = [ranked[5], ranked[0], ranked[90]]
    narrow = RankingQuery(1, probability_min=0.999)
    rows = database.ask(export_candidates, narrow, chosen)
    assert [row["candidate"] for row in rows] == chosen
    assert [row["rank"] for row in rows] == [1, 2, 3]
    assert all(row["label"] == row["tags"] == row["consensus_state"] == "" for row in rows)
    assert [row["n_grades"] for row in rows] == [0, 0, 0]
    unscored = database.ask(export_candidates, RankingQuery(sort="object_id"), chosen)
    assert [row["probability"] for row in unscored] == [None] * 3
    assert unscored[0].frame.x_px is None
