"""Reports on cross-matches with a known answer: recall, doubts, stars, new candidates."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from rows import add_catalog_row, score_row
from scipy.stats import beta
from sqlalchemy import select

from lensing_core.crossmatch.report import (
    CrossmatchReport,
    lens_doubt,
    make_report,
    star_doubt,
)
from lensing_core.store import open_database
from lensing_core.store.crossmatches import (
    counterparts_of,
    read_positions,
    write_crossmatch,
)
from lensing_core.store.scores import first_of_ranking
from lensing_core.store.tables import Candidate, Catalog, Crossmatch, Ensemble
from lensing_core.workspace import Workspace

N = 20


@pytest.fixture
def ids(workspace: Workspace) -> list[int]:
    """Twenty candidates whose rank is their place in the list."""
    with open_database(workspace).session() as session:
        session.add(Ensemble(id=1, name="first", fusion="mean", manifest={}))
        session.flush()
        add_catalog_row(session, "field", n_candidates=N)
        rows = [
            Candidate(
                catalog_id=1,
                object_id=f"c{k}",
                ra_deg=10.0 + k if k else None,
                dec_deg=0.0 if k else None,
                cutout_index=k,
                cutout_sha256="0" * 64,
            )
            for k in range(N)
        ]
        session.add_all(rows)
        session.flush()
        session.add_all(
            score_row(1, 1, row.id, logit=float(N - k), probability=0.5)
            for k, row in enumerate(rows)
        )
        return [row.id for row in rows]


def entry(candidate_id: int | None, status: str = "matched", **values: Any) -> dict[str, Any]:
    return {
        "candidate_id": candidate_id,
        "status": status,
        "reason": "2 counterparts within the radius" if status == "review" else "",
        "separation_arcsec": 0.5,
        "normalized": 0.5,
        "n_counterparts": 1,
        "n_rivals": 1,
        "counterpart_name": f"L{candidate_id}",
        "counterpart_ra_deg": 10.0,
        "counterpart_dec_deg": 0.0,
        "counterpart": {},
        **values,
    }


def add(workspace: Workspace, reference: str, kind: str, entries: list[dict[str, Any]], **v: Any):
    values = {
        "title": reference,
        "version": "1",
        "radius_arcsec": 5.0,
        "max_normalized": 3.5,
        "candidate_error_arcsec": 0.3,
        "reference_error_arcsec": 1.0,
        "state": "complete",
        "asked_all": True,
        "n_candidates": N,
        "n_unplaced": 0,
        "n_matched": 0,
        "n_review": 0,
        "n_references": 10,
        "n_in_footprint": len(entries),
        **v,
    }
    with open_database(workspace).session() as session:
        write_crossmatch(
            session, Crossmatch(catalog_id=1, reference=reference, kind=kind, **values), entries
        )


def report(workspace: Workspace, **options: Any) -> CrossmatchReport:
    with open_database(workspace).session() as session:
        return make_report(session, 1, **{"ensemble_id": 1, **options})


def test_recall_counts_lenses_of_the_footprint_once(workspace, ids):
    add(
        workspace,
        "lenscat",
        "lens",
        [
            entry(ids[1]),
            entry(ids[14]),
            entry(ids[3], "review", counterpart_name="double"),
            entry(ids[16], "review", counterpart_name="double"),
            entry(None, "unmatched", counterpart_name="missed"),
        ],
        n_in_footprint=4,
    )
    found = report(workspace)
    assert [(r.k, r.found, r.known) for r in found.recall] == [(10, 1, 4), (20, 2, 4)]
    assert [r.found for r in found.recall_with_review] == [2, 3]  # the better of two claims
    assert found.recall[0].low_95 == pytest.approx(beta.ppf(0.025, 1, 4))
    assert [p.rank for p in found.recovered] == [2, 15]
    assert (found.n_missed, found.missed[0].name) == (1, "missed")


def test_doubts_are_review_pairs_low_lenses_labels_and_stars(workspace, ids):
    with open_database(workspace).session() as session:
        session.get_one(Candidate, ids[2]).label = 0
    add(workspace, "lenscat", "lens", [entry(ids[1]), entry(ids[2]), entry(ids[15])])
    moving = {"pmRA": -6.0, "e_pmRA": 1.0, "pmDE": 1.0, "e_pmDE": 1.0}
    add(workspace, "gaia", "star", [entry(ids[0], counterpart=moving), entry(ids[5])])
    add(workspace, "duplicates", "duplicate", [entry(ids[7], "review")])
    doubts = [(p.object_id, p.note) for p in report(workspace).disagreements]
    assert doubts == [
        ("c0", "moves like a star: proper motion of 6σ"),
        ("c2", "a known lens, labeled as none"),
        ("c7", "2 counterparts within the radius"),
        ("c15", "a known lens in the lower half of the ranking (16 of 20)"),
    ]


def test_more_doubts_than_are_shown_are_counted(workspace, ids, monkeypatch):
    monkeypatch.setattr("lensing_core.crossmatch.report.MOST_ROWS", 3)
    add(workspace, "duplicates", "duplicate", [entry(k, "review") for k in ids[:7]])
    add(workspace, "lenscat", "lens", [entry(ids[15])])
    found = report(workspace)
    assert [p.object_id for p in found.disagreements] == ["c0", "c1", "c2"]
    assert found.n_disagreements == 8


def test_new_candidates_are_those_that_no_list_of_lenses_has(workspace, ids):
    assert report(workspace).new == []  # nothing was matched: nothing is known to be new
    add(workspace, "lenscat", "lens", [entry(ids[0])])
    add(workspace, "lenscat_probable", "probable", [entry(ids[1], "review")])
    add(
        workspace,
        "simbad",
        "object",
        [entry(ids[2], counterpart={"main_type": "Galaxy"}), entry(ids[3], "unmatched")],
    )
    new = report(workspace).new
    assert [item.object_id for item in new[:3]] == ["c2", "c3", "c4"]
    assert [item.rank for item in new[:3]] == [3, 4, 5]
    assert new[0].elsewhere == (f"simbad: L{ids[2]} (Galaxy)",)
    assert new[1].elsewhere == ()
    assert len(new) == N - 2


def test_the_newest_cross_match_of_a_reference_counts(workspace, ids):
    add(workspace, "lenscat", "lens", [entry(ids[0])], n_in_footprint=1)
    add(workspace, "lenscat", "lens", [entry(ids[1])], n_in_footprint=1)
    assert [p.object_id for p in report(workspace).recovered] == ["c1"]


def test_the_list_of_lenses_can_be_chosen(workspace, ids):
    add(workspace, "lenscat", "lens", [entry(ids[0])], n_in_footprint=1)
    add(workspace, "table:own.csv", "lens", [entry(ids[4])], n_in_footprint=1)
    assert report(workspace).lenses.reference == "lenscat"
    chosen = report(workspace, reference="table:own.csv")
    assert [p.object_id for p in chosen.recovered] == ["c4"]


def test_without_an_ensemble_there_is_no_rank_and_no_recall(workspace, ids):
    add(workspace, "lenscat", "lens", [entry(ids[0])], n_in_footprint=1)
    found = report(workspace, ensemble_id=None)
    assert (found.recovered[0].rank, found.recall, found.new) == (None, [], [])


def test_the_counterparts_of_one_candidate(workspace, ids):
    add(workspace, "lenscat", "lens", [entry(ids[0], counterpart_name="old")])
    add(workspace, "lenscat", "lens", [entry(ids[0]), entry(ids[1])])
    two = [entry(ids[0], "review", separation_arcsec=s) for s in (2.0, 1.0)]
    add(workspace, "simbad", "object", [*two, entry(ids[2], "unmatched")])
    add(workspace, "simbad", "object", [], state="unreachable")
    with open_database(workspace).session() as session:
        found = [
            (c.reference, e.counterpart_name, e.separation_arcsec)
            for c, e in counterparts_of(session, ids[0])
        ]
        assert found == [
            ("lenscat", f"L{ids[0]}", 0.5),
            ("simbad", f"L{ids[0]}", 1.0),
            ("simbad", f"L{ids[0]}", 2.0),
        ]
        assert counterparts_of(session, ids[2]) == []


def test_positions_come_in_order_with_nan_for_none(workspace, ids):
    with open_database(workspace).session() as session:
        found = read_positions(session, 1)
        assert found.id.tolist() == ids
        assert np.isnan(found.ra_deg[0])
        assert found.ra_deg[1:].tolist() == [10.0 + k for k in range(1, N)]
        assert read_positions(session, 2).id.size == 0
        assert first_of_ranking(session, 1, 1, 3) == ids[:3]


def test_deleting_a_catalog_takes_its_cross_matches(workspace, ids):
    add(workspace, "lenscat", "lens", [entry(ids[0])])
    with open_database(workspace).session() as session:
        session.delete(session.get_one(Catalog, 1))
    with open_database(workspace).session() as session:
        assert session.scalars(select(Crossmatch)).all() == []


@pytest.mark.parametrize(
    ("properties", "expected"),
    [
        ({"pmRA": 4.9, "e_pmRA": 1.0, "pmDE": 0.0, "e_pmDE": 1.0}, ""),
        ({"pmra": 3.0, "pmra_error": 0.5, "pmdec": 4.0, "pmdec_error": 0.5}, "motion of 10σ"),
        ({"pmRA": 4.9, "e_pmRA": None, "pmDE": 0.0, "e_pmDE": 1.0}, ""),
        ({"Plx": 0.6, "e_Plx": 0.1}, "parallax of 6σ"),
        ({"Plx": -0.6, "e_Plx": 0.1}, ""),
        ({"main_type": "Star"}, "called a star"),
        ({"Type": "*"}, "called a star"),
        ({"main_type": "Galaxy"}, ""),
        ({}, ""),
    ],
)
def test_what_looks_like_a_star(properties: dict[str, Any], expected: str):
    found = star_doubt(properties)
    assert expected in found
    assert bool(expected) == bool(found)


def test_what_is_doubtful_of_a_known_lens():
    assert lens_doubt(None, "detection", 10, 20) == ""
    assert lens_doubt(1, "triage", None, 0) == ""
    assert "lower half" in lens_doubt(None, "detection", 11, 20)
    assert "labeled as none" in lens_doubt(0, "detection", 1, 20)
    assert "rejected" in lens_doubt(None, "rejected", 1, 20)
