"""Pages of a ranking of 1,000,000 candidates: keyset against OFFSET, and what filters cost.

Prints, for each order, the 95th percentile of the time of a page of 100 rows at random depths, the
time that OFFSET takes for the same rows, and their ratio; then filters, counts and ranks. The
database is made in a temporary folder and removed.

    python benchmarks/ranking.py [rows]
"""

from __future__ import annotations

import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import astropy.units as u
import numpy as np
from astropy_healpix import HEALPix
from sqlalchemy import select
from sqlalchemy.orm import Session

from lensing_core.store import open_database
from lensing_core.store.ranking import (
    Cone,
    Cursor,
    Range,
    RankingQuery,
    count_rows,
    cursor_of,
    fetch_page,
    rank_of,
)
from lensing_core.store.ranking_query import SORT_COLUMNS
from lensing_core.store.tables import Candidate, Catalog, Ensemble, Score, SurveyRow
from lensing_core.workspace import Workspace

SHARES = (0.85, 0.14, 0.01)
REPEATS = 40


def fill(workspace: Workspace, n: int) -> None:
    """Three catalogs of unequal size and one ensemble; 1 % labeled, 0.2 % past detection."""
    database = open_database(workspace)
    sizes = [round(n * share) for share in SHARES]
    with database.session() as session:
        survey = SurveyRow(name="test", definition={})
        session.add(survey)
        session.flush()
        for k, size in enumerate(sizes):
            session.add(
                Catalog(
                    id=k + 1,
                    name=f"catalog-{k}",
                    survey_id=survey.id,
                    scale="galaxy",
                    origin="simulated",
                    bands=["r"],
                    size_px=64,
                    pixel_scale_arcsec=0.2,
                    pixel_kind="flux",
                    n_candidates=size,
                )
            )
        session.add(Ensemble(id=1, name="first", fusion="mean", manifest={}))
    rng = np.random.default_rng(1)
    total = sum(sizes)
    catalog = np.repeat(np.arange(1, len(sizes) + 1), sizes)
    index = np.concatenate([np.arange(size) for size in sizes])
    logit = rng.normal(-5, 2.5, total)
    magnitude = rng.normal(20, 2, total)
    stage = np.where(rng.random(total) < 0.002, "triage", "detection")
    label = np.where(rng.random(total) < 0.01, rng.integers(0, 2, total), -1)
    probability = 1 / (1 + np.exp(-logit))
    spread = rng.exponential(0.1, (3, total))
    ra = rng.uniform(120, 220, total)
    dec = np.degrees(np.arcsin(rng.uniform(-0.05, 0.6, total)))
    pixel = HEALPix(64, "nested").lonlat_to_healpix(ra * u.deg, dec * u.deg)
    arc = np.where(rng.random(total) < 0.6, rng.exponential(2, total), np.nan)
    connection = sqlite3.connect(workspace.database)
    connection.execute("PRAGMA synchronous=OFF")
    connection.execute("PRAGMA cache_size=-1000000")
    indexes = connection.execute(
        "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL"
    ).fetchall()
    for name, _ in indexes:  # made at the end, as a whole: several times faster
        connection.execute(f'DROP INDEX "{name}"')
    connection.executemany(
        "INSERT INTO candidate (id, catalog_id, object_id, cutout_index, cutout_sha256, stage,"
        " label, magnitude, ra_deg, dec_deg, healpix, arc_radius_arcsec, arc_length_arcsec)"
        " VALUES (?, ?, ?, ?, '', ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            (
                k + 1,
                c,
                f"J{(k * 7919) % total:09d}",
                i,
                s,
                None if y < 0 else y,
                m if m > 15 else None,
                *place,
                r if r == r else None,
                2 * r if r == r else None,
            )
            for k, (c, i, s, y, m, r, *place) in enumerate(
                zip(
                    *(
                        a.tolist()
                        for a in (catalog, index, stage, label, magnitude, arc, ra, dec, pixel)
                    ),
                    strict=True,
                )
            )
        ),
    )
    connection.executemany(
        "INSERT INTO score VALUES (1, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            (k + 1, *row, row[-1] * 30)
            for k, row in enumerate(
                zip(*(a.tolist() for a in (catalog, logit, probability, *spread)), strict=True)
            )
        ),
    )
    fill_labels(connection, rng, total)
    for _, statement in indexes:
        connection.execute(statement)
    connection.commit()
    connection.close()


def fill_labels(connection: sqlite3.Connection, rng: np.random.Generator, total: int) -> None:
    """30 % graded by one of three people, tags on 1 %, a cross-match of the first catalog."""
    connection.executemany(
        "INSERT INTO grader (id, name, role, preferences, created_at)"
        " VALUES (?, ?, 'grader', '{}', '2026-01-01')",
        [(k, f"grader-{k}") for k in (1, 2, 3)],
    )
    graded = rng.permutation(total)[: round(0.3 * total)] + 1
    who, grade = rng.integers(1, 4, len(graded)), rng.integers(0, 4, len(graded))
    connection.executemany(
        "INSERT INTO label_event (id, uuid, kind, grader_id, candidate_id, scheme, grade, comment,"
        " is_repeat, is_gold, source, given_at, received_at, view, visible, previous_hash, hash)"
        " VALUES (?, ?, 'grade', ?, ?, 'abcx', ?, '', 0, 0, 'benchmark', '2026-01-01',"
        " '2026-01-01', '{}', '{}', ?, ?)",
        (
            (k + 1, str(k), w, c, "ABCX"[g], str(k), str(k + 1))
            for k, (c, w, g) in enumerate(
                zip(graded.tolist(), who.tolist(), grade.tolist(), strict=True)
            )
        ),
    )
    connection.execute(
        "INSERT INTO vote (candidate_id, grader_id, event_id, scheme, grade, at)"
        " SELECT candidate_id, grader_id, id, scheme, grade, received_at FROM label_event"
    )
    connection.executemany(
        "INSERT INTO candidate_tag VALUES (?, ?)",
        (
            (int(k) + 1, ("ring", "quad", "dust")[int(k) % 3])
            for k in rng.permutation(total)[: round(0.01 * total)]
        ),
    )
    connection.execute(
        "INSERT INTO crossmatch (id, catalog_id, reference, title, kind, version, radius_arcsec,"
        " max_normalized, candidate_error_arcsec, reference_error_arcsec, state, message,"
        " asked_all, n_candidates, n_unplaced, n_matched, n_review, n_references, created_at)"
        " VALUES (1, 1, 'lenscat', 'lenscat', 'lens', '1', 1, 5, 0.1, 0.1, 'complete', '', 1,"
        " 1, 0, 1, 1, 1, '2026-01-01')"
    )
    connection.executemany(
        "INSERT INTO crossmatch_entry (crossmatch_id, candidate_id, status, reason, n_counterparts,"
        " n_rivals) VALUES (1, ?, ?, '', 1, 1)",
        (
            (int(k) + 1, "review" if k % 10 == 0 else "matched")
            for k in rng.permutation(round(total * SHARES[0]))[: round(0.02 * total)]
        ),
    )
    connection.execute("INSERT INTO selection VALUES ('lasso', 'Lasso', 1, '2026-01-01')")
    chosen = rng.permutation(total)[: round(0.1 * total)] + 1
    connection.executemany(
        "INSERT INTO selection_item VALUES ('lasso', ?)", ((k,) for k in chosen.tolist())
    )


def p95_ms(
    function: Callable[[int], object],
    repeats: int = REPEATS,
    clock: Callable[[], float] = time.perf_counter,
) -> float:
    """95th percentile of the time of ``function(k)``, ms; by the wall clock unless told."""
    function(0)
    times = []
    for k in range(repeats):
        start = clock()
        function(k)
        times.append(clock() - start)
    return float(np.percentile(times, 95) * 1e3)


def by_offset(session: Session, query: RankingQuery, offset: int) -> list[int]:
    """The ids of a page as OFFSET reads them."""
    value = SORT_COLUMNS[query.sort]
    if query.by_score:
        statement = select(Score.candidate_id).where(Score.ensemble_id == 1)
        statement = statement.where(Score.catalog_id.in_(query.catalog_ids))
        keys = (value, Score.candidate_id)
    else:
        statement = select(Candidate.id).where(Candidate.catalog_id.in_(query.catalog_ids))
        keys = (value, Candidate.id)
    return list(
        session.scalars(statement.order_by(*(key.desc() for key in keys)).offset(offset).limit(100))
    )


def orders(session: Session, n: int) -> None:
    """Keyset against OFFSET."""
    rng = np.random.default_rng(2)
    largest = round(n * SHARES[0])
    print(f"{'order':>14} {'catalogs':>9} {'keyset p95 ms':>14} {'OFFSET ms':>10} {'ratio':>7}")
    for sort in SORT_COLUMNS:
        if sort == "graded":
            continue  # has no catalogs; see the filters
        for catalogs in ((1,), ()):
            query = RankingQuery(ensemble_id=1, sort=sort, catalog_ids=catalogs)
            starts = [cursor_of(session, query, int(k)) for k in rng.integers(1, largest, REPEATS)]

            def page(k: int, query: RankingQuery = query, starts: list[Cursor] = starts) -> None:
                fetch_page(session, query, after=starts[k])
                session.expunge_all()

            keyset = p95_ms(page)
            if not catalogs:
                print(f"{sort:>14} {'all':>9} {keyset:14.1f}")
                continue
            start = time.perf_counter()
            by_offset(session, query, largest // 2)
            offset = (time.perf_counter() - start) * 1e3
            print(f"{sort:>14} {'one':>9} {keyset:14.1f} {offset:10.0f} {offset / keyset:6.0f}x")


def filters(session: Session, n: int) -> None:
    """First page, a page in the middle, count and rank under each filter."""
    print(
        f"\n{'filter':>44} {'page':>7} {'(cpu)':>7} {'middle':>7} {'count':>7} {'rank':>7}"
        "  ms (p95)"
    )
    cases = [
        RankingQuery(1),
        RankingQuery(1, label="lens"),
        RankingQuery(1, label="unlabeled"),
        RankingQuery(1, stages=("triage",)),
        RankingQuery(1, stages=("detection",), sort="epistemic"),
        RankingQuery(1, probability_min=0.5),
        RankingQuery(1, probability_min=0.001, probability_max=0.002),
        RankingQuery(1, probability_min=0.5, sort="epistemic"),
        RankingQuery(1, probability_min=0.999, sort="magnitude", descending=False),
        RankingQuery(1, object_id="j00012"),
        RankingQuery(1, object_id="no such name"),
        RankingQuery(1, object_id="99", label="not_lens", sort="disagreement"),
        RankingQuery(1, stages=("triage",), label="lens", probability_min=0.1, sort="ood"),
        RankingQuery(1, sort="graded"),
        RankingQuery(1, sort="graded", votes="mine", grader_id=1, grades=("A",)),
        RankingQuery(1, votes="mine", grader_id=1),
        RankingQuery(1, votes="not_mine", grader_id=1, sort="disagreement"),
        RankingQuery(1, votes="nobody", sort="magnitude", descending=False),
        RankingQuery(1, grades=("A", "B"), sort="epistemic"),
        RankingQuery(1, tags=("ring",)),
        RankingQuery(1, tags=("ring", "quad", "dust"), sort="arc_radius"),
        RankingQuery(1, cone=Cone(150, 2, 0.05)),
        RankingQuery(1, cone=Cone(150, 10, 1), sort="epistemic"),
        RankingQuery(1, cone=Cone(170, 12, 8)),
        RankingQuery(1, cone=Cone(170, 12, 30), sort="magnitude", descending=False),
        RankingQuery(1, match="known_lens"),
        RankingQuery(1, match="unmatched", sort="epistemic"),
        RankingQuery(1, match="review", votes="nobody", sort="ood"),
        RankingQuery(1, ranges=(Range("magnitude", 18, 18.1),)),
        RankingQuery(1, ranges=(Range("epistemic", 0.3, None), Range("magnitude", 17, 19))),
        RankingQuery(1, ranges=(Range("arc_length", 3, 12),), sort="arc_radius"),
        RankingQuery(1, ranges=(Range("arc_length", 20, None),), tags=("ring",)),
        RankingQuery(1, selection="lasso"),
        RankingQuery(1, selection="lasso", tags=("quad",), probability_min=0.01, sort="epistemic"),
    ]
    for query in cases:
        first = fetch_page(session, query)
        middle = first.rows[-1].cursor if query.by_vote else cursor_of(session, query, n // 3)
        times = [
            p95_ms(lambda _, q=query: fetch_page(session, q), 8),
            p95_ms(lambda _, q=query: fetch_page(session, q), 8, time.process_time),
            p95_ms(lambda _, q=query, c=middle: fetch_page(session, q, after=c), 8),
            p95_ms(lambda _, q=query: count_rows(session, q), 3),
            p95_ms(lambda _, q=query, c=middle: rank_of(session, q, c), 1),
        ]
        default = RankingQuery(1)
        text = ", ".join(
            f"{name}={getattr(query, name)}"
            for name in query.__dataclass_fields__
            if getattr(query, name) != getattr(default, name)
        )
        found = f"{len(first.rows)} rows of {count_rows(session, query)}"
        print(f"{text[:44]:>44} " + " ".join(f"{t:7.1f}" for t in times) + f"  {found}")


def main() -> None:
    """Fill a database and print the tables."""
    n = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    with tempfile.TemporaryDirectory() as folder:
        workspace = Workspace.create(Path(folder))
        start = time.perf_counter()
        fill(workspace, n)
        size = workspace.database.stat().st_size / 2**20
        print(f"{n:,} candidates written in {time.perf_counter() - start:.0f} s, {size:.0f} MiB\n")
        with open_database(workspace).session() as session:
            orders(session, n)
            filters(session, n)


if __name__ == "__main__":
    main()
