"""Each filter of a ranking against the same choice made in Python."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime

import astropy.units as u
import numpy as np
import pytest
import sqlalchemy as sa
from astropy.coordinates import SkyCoord
from astropy_healpix import HEALPix
from rows import add_catalog_row

from lensing_core.errors import BadInputError
from lensing_core.store import open_database, ranking_order
from lensing_core.store.chart_columns import (
    columns_version,
    fetch_columns,
    fetch_passing,
    histogram_of,
    logit_histogram,
)
from lensing_core.store.consensus_choice import ConsensusSettings, keep_choice
from lensing_core.store.labels import NewEvent, append_events, grader_named
from lensing_core.store.ranking import (
    Cone,
    Range,
    RankingQuery,
    contains,
    count_rows,
    fetch_page,
)
from lensing_core.store.selections import find_selection, keep_selection
from lensing_core.store.tables import (
    Candidate,
    CandidateTag,
    Consensus,
    Crossmatch,
    CrossmatchEntry,
    Ensemble,
    Remark,
    Run,
    Score,
    Selection,
    SelectionItem,
    utc_now,
)

ON_BOTH_DATABASES = True
N = 300
CLUSTERS = range(200, N)  # the second catalog
ADA, VERA = 1, 2
VOTES = {0: {ADA: "A"}, 1: {ADA: "B", VERA: "X"}, 2: {VERA: "A"}, 250: {ADA: "X"}, 251: {VERA: "B"}}
TAGS = {3: ("ring",), 4: ("ring", "quad"), 205: ("quad",), 206: ("dust",)}
NOTES = [(20, "note", "An arc, 50%_ faint"), (21, "note", "50 % faint"), (22, "stage", "50%_")]
STATES = {5: "accepted", 6: "retired", 7: "open", 207: "accepted"}
MATCHES = {10: "matched", 11: "review", 12: "matched", 13: "review"}  # 12, 13: not with lenses


def sky() -> SkyCoord:
    """Positions around (0, 88) deg, so that cones meet the pole and the end of right ascension."""
    rng = np.random.default_rng(3)
    return SkyCoord(rng.uniform(0, 360, N) * u.deg, rng.uniform(84, 90, N) * u.deg)


@pytest.fixture(scope="module")
def database(module_workspace):
    database = open_database(module_workspace)
    position = sky()
    pixel = HEALPix(64, "nested").lonlat_to_healpix(position.ra, position.dec)
    with database.session() as session:
        session.add(Ensemble(id=1, name="e", fusion="mean", manifest={}))
        for key, scale, n in ((1, "galaxy", 200), (2, "cluster", 100)):
            add_catalog_row(session, scale, id=key, scale=scale, n_candidates=n)
        for k in range(N):
            session.add(
                Candidate(
                    id=k + 1,
                    catalog_id=2 if k in CLUSTERS else 1,
                    object_id=f"o{k}",
                    cutout_index=k,
                    cutout_sha256="",
                    ra_deg=position.ra.deg[k],
                    dec_deg=position.dec.deg[k],
                    healpix=int(pixel[k]),
                    magnitude=None if k % 5 == 0 else 17 + k / 50,
                    arc_length_arcsec=k / 100 if k % 2 else None,
                    arc_galaxy_color_mag=-k / 200 if k % 3 else None,
                )
            )
        session.flush()
        session.add_all(
            Score(
                ensemble_id=1,
                candidate_id=k + 1,
                catalog_id=2 if k in CLUSTERS else 1,
                logit=float(k),
                probability=k / N,
                epistemic=(k % 10) / 100,
                aleatoric=0.1,
                disagreement=0.1,
                ood_distance=None if k % 4 else float(k),
            )
            for k in range(N)
        )
        assert [grader_named(session, name).id for name in ("ada", "vera")] == [ADA, VERA]
        append_events(
            session,
            [
                NewEvent(
                    str(uuid.UUID(int=1000 * k + who, version=4)),
                    "grade",
                    who,
                    k + 1,
                    "abcx",
                    datetime(2026, 1, 1, tzinfo=UTC),
                    grade=grade,
                )
                for k, given in VOTES.items()
                for who, grade in given.items()
            ],
        )
        session.add_all(
            Remark(candidate_id=k + 1, grader_id=VERA, kind=kind, text=text)
            for k, kind, text in NOTES
        )
        flag_some(session)
        session.add_all(CandidateTag(candidate_id=k + 1, tag=t) for k in TAGS for t in TAGS[k])
        keep_choice(session, ConsensusSettings("swap"), 1)
        session.add_all(
            Consensus(
                candidate_id=k + 1,
                method="swap",
                posterior=0.5,
                low_95=0.1,
                high_95=0.9,
                prior=0.1,
                n_votes=2,
                state=state,
                last_event_id=1,
            )
            for k, state in STATES.items()
        )
        match_some(session)
    return database


def flag_some(session) -> None:
    """Flags that stand on 30 and 32; taken away on 31, undone on 33, given again on 34."""
    said = [(30, ADA, "flag"), (31, VERA, "flag"), (31, VERA, "unflag"), (32, VERA, "flag"),
            (33, ADA, "flag"), (33, ADA, "undo"), (34, ADA, "flag"), (34, ADA, "unflag"),
            (34, ADA, "undo")]  # fmt: skip
    last = ""
    for n, (k, who, kind) in enumerate(said):
        comment = "at 50%_ of the arc" if k == 32 else ""
        event = NewEvent(str(uuid.UUID(int=10**7 + n, version=4)), kind, who, k + 1, "abcx",
                         datetime(2026, 1, 1, tzinfo=UTC), comment=comment,
                         undoes=last if kind == "undo" else None)  # fmt: skip
        append_events(session, [event])
        last = event.uuid


def match_some(session) -> None:
    """Of the first catalog: an old match that says more, newer ones, one that reached nothing."""
    for key, (reference, kind, state) in enumerate(
        (
            ("lenscat", "lens", "complete"),  # superseded
            ("lenscat", "lens", "complete"),
            ("simbad", "object", "complete"),
            ("simbad", "object", "unreachable"),  # does not hide the one before it
            ("self", "duplicate", "complete"),
        ),
        start=1,
    ):
        session.add(
            Crossmatch(
                id=key,
                catalog_id=1,
                reference=reference,
                title=reference,
                kind=kind,
                version="1",
                radius_arcsec=1,
                max_normalized=5,
                candidate_error_arcsec=0.1,
                reference_error_arcsec=0.1,
                state=state,
                asked_all=True,
                n_candidates=200,
                n_unplaced=0,
                n_matched=1,
                n_review=1,
                n_references=10,
            )
        )
    session.flush()
    entries = [(1, 20, "matched"), (5, 21, "matched")]
    entries += [(3 if k >= 12 else 2, k, status) for k, status in MATCHES.items()]
    session.add_all(
        CrossmatchEntry(crossmatch_id=match, candidate_id=k + 1, status=status)
        for match, k, status in entries
    )


def within(ra: float, dec: float, radius: float) -> set[int]:
    near = sky().separation(SkyCoord(ra * u.deg, dec * u.deg)) <= radius * u.deg
    return set(np.flatnonzero(near).tolist())


ALL = set(range(N))
CASES = {
    "scale": ({"scales": ("cluster",)}, set(CLUSTERS)),
    "magnitude": (
        {"ranges": (Range("magnitude", 18, 19),)},
        {k for k in ALL if k % 5 and 50 <= k <= 100},
    ),
    "epistemic": ({"ranges": (Range("epistemic", 0.085, None),)}, {k for k in ALL if k % 10 == 9}),
    "ood is known": ({"ranges": (Range("ood"),)}, {k for k in ALL if k % 4 == 0}),
    "two ranges": (
        {"ranges": (Range("arc_length", 1, 2), Range("arc_color", None, -0.75))},
        {k for k in ALL if k % 2 and k % 3 and 150 <= k <= 200},
    ),
    "mine": ({"votes": "mine"}, {0, 1, 250}),
    "my A or X": ({"votes": "mine", "grades": ("A", "X")}, {0, 250}),
    "not mine": ({"votes": "not_mine"}, ALL - {0, 1, 250}),
    "not mine but A": ({"votes": "not_mine", "grades": ("A",)}, {2}),
    "others": ({"votes": "others"}, {1, 2, 251}),
    "anyone": ({"votes": "anyone"}, set(VOTES)),
    "nobody": ({"votes": "nobody"}, ALL - set(VOTES)),
    "grade": ({"grades": ("B",)}, {1, 251}),
    "consensus": ({"consensus": ("accepted", "open")}, {5, 7, 207}),
    "a tag": ({"tags": ("ring",)}, {3, 4}),
    "tags": ({"tags": ("dust", "quad")}, {4, 205, 206}),
    "all tags": ({"tags": ("ring", "quad"), "all_tags": True}, {4}),
    "a note": ({"note": "FAINT"}, {20, 21}),
    "a note, or what was said with a flag": ({"note": "50%_"}, {20, 32}),
    "no such note": ({"note": "spiral"}, set()),
    "flagged": ({"flagged": "anyone"}, {30, 32, 34}),
    "flagged by me": ({"flagged": "mine"}, {30, 34}),
    "flagged by no one": ({"flagged": "nobody"}, ALL - {30, 32, 34}),
    "known lens": ({"match": "known_lens"}, {10}),
    "matched": ({"match": "matched"}, {10, 12}),
    "review": ({"match": "review"}, {11, 13}),
    "unmatched": ({"match": "unmatched"}, set(range(200)) - set(MATCHES)),
    "cone": ({"cone": Cone(10, 87, 1)}, within(10, 87, 1)),
    "cone at the edge": ({"cone": Cone(0.2, 88, 1.5)}, within(0.2, 88, 1.5)),
    "cone on the pole": ({"cone": Cone(200, 89.5, 2)}, within(200, 89.5, 2)),
    "half the sky": ({"cone": Cone(200, 10, 79)}, within(200, 10, 79)),
    "jointly few": (
        {
            "ranges": (Range("epistemic", 0, 0.045),),
            "tags": ("ring", "quad"),
            "scales": ("galaxy",),
        },
        {3, 4},
    ),
    "contradiction": ({"tags": ("ring",), "scales": ("cluster",)}, set()),
}


@pytest.mark.parametrize(
    ("sort", "few", "some"), [("score", 0, 0), ("magnitude", 6000, 0), ("epistemic", 0, 6000)]
)
@pytest.mark.parametrize("name", CASES)
def test_a_filter_leaves_what_it_says(database, monkeypatch, sort, few, some, name):
    monkeypatch.setattr(ranking_order, "_FEW", few)
    monkeypatch.setattr(ranking_order, "_SOME", some)
    chosen, expected = CASES[name]
    with database.session() as session:
        query = RankingQuery(1, sort=sort, grader_id=ADA, **chosen)
        rows = fetch_page(session, query, limit=1000).rows
        assert {row.candidate.id - 1 for row in rows} == expected
        assert count_rows(session, query).n == len(expected)
        assert len(rows) == len(expected)
        for k in (0, 3, 10, 250):
            assert contains(session, query, k + 1) == (k in expected)
        if few == 0 and not query.score_ranges:
            bare = RankingQuery(None, sort="object_id", grader_id=ADA, **chosen)
            assert {r.candidate.id - 1 for r in fetch_page(session, bare, limit=1000).rows} == (
                expected
            )
            assert charted(session, bare) == expected
        assert charted(session, query) == expected


def charted(session, query: RankingQuery) -> set[int]:
    """What charts show of a ranking."""
    whole = fetch_columns(session, query.ensemble_id)
    return {k - 1 for k in whole.take(fetch_passing(session, query)).candidate_id.tolist()}


@pytest.mark.parametrize("catalogs", [(), (2,), (1, 2)])
def test_counts_along_the_index_are_those_of_the_columns(database, catalogs):
    query = RankingQuery(1, catalog_ids=catalogs, sort="object_id")
    with database.session() as session:
        columns = fetch_columns(session, 1).take(None, catalogs)
        counted, expected = logit_histogram(session, query, 7), histogram_of(columns, 7)
        assert counted.counts.sum() == len(columns) == (100 if catalogs == (2,) else N)
        np.testing.assert_array_equal(counted.counts, expected.counts)
        np.testing.assert_allclose(counted.edges, expected.edges)
        np.testing.assert_allclose(counted.probabilities, expected.probabilities)
        assert logit_histogram(session, RankingQuery(1, probability_min=0.5), 7) is None
        assert logit_histogram(session, RankingQuery(1, tags=("ring",)), 7) is None


def test_columns_are_read_anew_when_a_run_starts_or_ends(workspace):
    with open_database(workspace).session() as session:
        seen = [columns_version(session)]
        session.add(Run(id="score-1", kind="score", title="", settings={}, status="running"))
        session.flush()
        seen.append(columns_version(session))
        run = session.get_one(Run, "score-1")
        run.done = 5
        session.flush()
        assert columns_version(session) == seen[-1]  # else each answer would read all anew
        run.status, run.finished_at = "succeeded", utc_now()
        session.flush()
        seen.append(columns_version(session))
        assert columns_version(session) == seen[-1]
    assert len(set(seen)) == 3


def test_the_cones_hold_something():
    assert all(within(*c) for c in ((10, 87, 1), (0.2, 88, 1.5), (200, 89.5, 2)))
    inside = sky()[sorted(within(0.2, 88, 1.5))].ra.deg
    assert inside.min() < 90
    assert inside.max() > 270


def test_a_selection_limits_the_list_and_is_forgotten_in_time(database):
    with database.session() as session:
        kept = keep_selection(session, [9, 3, 3, 260], "Sky map")
        again = keep_selection(session, [260, 9, 3], "Sky map")
        assert (kept.id, kept.n, again.id) == (again.id, 3, kept.id)
        rows = fetch_page(session, RankingQuery(1, selection=kept.id)).rows
        assert [row.candidate.id for row in rows] == [260, 9, 3]
        with pytest.raises(BadInputError, match="No candidate"):
            keep_selection(session, [], "Sky map")
        with pytest.raises(BadInputError, match="up to 250,000"):
            keep_selection(session, np.arange(300_000), "Sky map")
        kept.used_at = datetime(2020, 1, 1, tzinfo=UTC)
        session.flush()
        keep_selection(session, [5], "Scores")
        session.expire_all()
        assert find_selection(session, kept.id) is None
        assert session.scalar(sa.select(sa.func.count(SelectionItem.candidate_id))) == 1
        assert session.scalars(sa.select(Selection.used_at)).one() <= utc_now()


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Range("beauty", 0, 1), "choose one of epistemic"),
        (lambda: Range("magnitude", 3, 1), "smaller first"),
        (lambda: Range("magnitude", float("nan")), "two numbers"),
        (lambda: Cone(400, 0, 1), "right ascension from 0 to 360"),
        (lambda: Cone(0, 0, 0), "more than 0"),
        (lambda: RankingQuery(1, votes="mine"), "Sign in to list"),
        (lambda: RankingQuery(1, votes="all", grader_id=1), "choose one of mine"),
        (lambda: RankingQuery(1, scales=("group",)), "choose one of galaxy"),
        (lambda: RankingQuery(None, sort="object_id", ranges=(Range("ood"),)), "no scores"),
        (lambda: RankingQuery(1, ranges=(Range("ood"), Range("ood"))), "once"),
    ],
)
def test_impossible_filters_are_refused(make, words):
    with pytest.raises(BadInputError, match=words):
        make()
