"""How long one event of the log takes, sealed and on the disk, and how long its check.

    python benchmarks/recording.py

Appends events one by one, each in a transaction of its own as the view does, and prints p50 and
p95; then times ``lens-triage db verify``, without the start of the program, per 1,000 events. With
the same writes of one row that is neither chained nor sealed as the baseline.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from pathlib import Path
from uuid import uuid4

import numpy as np

from lensing_core.cutouts import CutoutGeometry
from lensing_core.ingest.catalog_writer import CatalogSpec, CatalogWriter, NewCandidate
from lensing_core.store import open_database, sealed_log
from lensing_core.store.label_events import NewEvent
from lensing_core.store.labels import append_events, grader_named
from lensing_core.store.tables import SurveyRow, utc_now
from lensing_core.workspace import Workspace


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--n", type=int, default=1000, help="Events.")
    options.add_argument(
        "--folder", type=Path, help="On the disk to be measured; else a temporary one."
    )
    arguments = options.parse_args()
    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
        measure(Workspace.create(folder), arguments.n)


def measure(workspace: Workspace, n: int) -> None:
    """Print the figures."""
    database = open_database(workspace)
    make_catalog(workspace)
    with database.session() as session:
        grader = grader_named(session, "Ada").id
    plain, events = [], []
    for k in range(n):
        began = time.perf_counter()
        with database.session() as session:
            session.add(SurveyRow(name=f"row-{k}", definition={}))
        plain.append(time.perf_counter() - began)
        began = time.perf_counter()
        with database.session() as session:
            append_events(session, [event(grader, 1 + k % 100)])
        events.append(time.perf_counter() - began)
    began = time.perf_counter()
    report = sealed_log.check(workspace, database)
    checked = time.perf_counter() - began
    for name, taken in (("one plain row", plain), ("one event, sealed", events)):
        p50, p95 = np.percentile(taken, [50, 95]) * 1000
        print(f"{name}: p50 {p50:.1f} ms, p95 {p95:.1f} ms")
    print(f"ratio at p50 {np.median(events) / np.median(plain):.1f}")
    print(f"db verify: {checked / report.n_events * 1e6:.0f} ms per 1,000 events")


def event(grader_id: int, candidate_id: int) -> NewEvent:
    """A grade of now."""
    return NewEvent(
        uuid=str(uuid4()),
        kind="grade",
        grader_id=grader_id,
        candidate_id=candidate_id,
        source="view",
        scheme="abcx",
        grade="A",
        is_lens=1,
        p_lens=0.95,
        given_at=utc_now(),
    )


def make_catalog(workspace: Workspace) -> None:
    """A catalog of 100 objects to grade."""
    geometry = CutoutGeometry("hsc", ("r",), 8, 0.168, "flux", (27.0,), (0.7,))
    writer = CatalogWriter(workspace, CatalogSpec("sky", geometry, {}))
    rows = [NewCandidate(f"object-{k}") for k in range(100)]
    writer.append(np.zeros((100, 1, 8, 8), np.float32), rows, rows_read=100)
    writer.finish()


if __name__ == "__main__":
    main()
