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

import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import Session

from lensing_core.store import open_database
from lensing_core.store.ranking import (
    Cursor,
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
    """Three catalogs of unequal size and one ensemble; 1 % labelled, 0.2 % past detection."""
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
    connection = sqlite3.connect(workspace.database)
    connection.execute("PRAGMA synchronous=OFF")
    connection.executemany(
        "INSERT INTO candidate (id, catalog_id, object_id, cutout_index, cutout_sha256, stage,"
        " label, magnitude) VALUES (?, ?, ?, ?, '', ?, ?, ?)",
        (
            (
                k + 1,
                c,
                f"J{(k * 7919) % total:09d}",
                i,
                s,
                None if y < 0 else y,
                m if m > 15 else None,
            )
            for k, (c, i, s, y, m) in enumerate(
                zip(*(a.tolist() for a in (catalog, index, stage, label, magnitude)), strict=True)
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
    connection.commit()
    connection.close()


def p95_ms(function: Callable[[int], object], repeats: int = REPEATS) -> float:
    """95th percentile of the wall time of ``function(k)``, ms."""
    function(0)
    times = []
    for k in range(repeats):
        start = time.perf_counter()
        function(k)
        times.append(time.perf_counter() - start)
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
    print(f"\n{'filter':>44} {'page':>7} {'middle':>7} {'count':>7} {'rank':>7}  ms (p95)")
    cases = [
        RankingQuery(1),
        RankingQuery(1, label="lens"),
        RankingQuery(1, label="unlabelled"),
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
    ]
    for query in cases:
        first = fetch_page(session, query)
        middle = cursor_of(session, query, n // 3)
        times = [
            p95_ms(lambda _, q=query: fetch_page(session, q), 8),
            p95_ms(lambda _, q=query, c=middle: fetch_page(session, q, after=c), 8),
            p95_ms(lambda _, q=query: count_rows(session, q), 3),
            p95_ms(lambda _, q=query, c=middle: rank_of(session, q, c), 3),
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
