"""What the charts of Review cost with 1,000,000 candidates, answer by answer.

Asks the server's own code for each chart as a page does: after a start (nothing kept), again
(another zoom), what is under the pointer, and a lasso; for the whole list and for a filtered one.
Prints seconds by the wall clock and of the processor. The database of ``ranking.py`` is made in a
temporary folder and removed; embeddings are random.

    python benchmarks/charts.py [rows] [--keep FOLDER]
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from ranking import SHARES, fill

from lens_triage.app.context import AppContext
from lens_triage.app.review import charts as review_charts
from lens_triage.app.review.charts import ReviewCharts
from lens_triage.app.review.query import query_to_json
from lensing_core.models.outputs import outputs_path
from lensing_core.store import open_database
from lensing_core.store.ranking import RankingQuery
from lensing_core.store.tables import Ensemble, EnsembleMember, Model
from lensing_core.workspace import Workspace

WIDTH = 256
SIZE = {"width": 640, "height": 300}
KINDS = ("uncertainty", "embedding", "sky")
QUERIES = {
    "all": RankingQuery(1),
    "scores above 0.01": RankingQuery(1, probability_min=0.01),
    "a tag": RankingQuery(1, tags=("ring",)),
}
MARKED = 12345
LASSO = np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)])  # in fiftieths of the chart


def add_embeddings(workspace: Workspace, n: int) -> None:
    """A network in the ensemble, with embeddings of all catalogs."""
    rng = np.random.default_rng(3)
    with open_database(workspace).session() as session:
        session.add(Model(id="network-1", kind="network", manifest={}))
        session.flush()
        session.get_one(Ensemble, 1).members = [EnsembleMember(model_id="network-1", position=0)]
    for k, share in enumerate(SHARES):
        path = outputs_path(workspace, "network-1", f"catalog-{k}", "embedding")
        path.parent.mkdir(parents=True, exist_ok=True)
        shape = (round(n * share), WIDTH)
        table = np.lib.format.open_memmap(path, mode="w+", dtype="f4", shape=shape)
        for start in range(0, len(table), 50_000):
            part = rng.normal(size=(min(50_000, len(table) - start), WIDTH)).astype("f4")
            table[start : start + len(part)] = part * np.geomspace(5, 0.1, WIDTH, dtype="f4")
        table.flush()


def forget() -> None:
    """As after a start of the server: nothing is kept in memory."""
    for kept in (review_charts._whole, review_charts._columns, review_charts._charts):
        kept._made.clear()


class Clock:
    """Times answers and prints them."""

    def __init__(self, workspace: Workspace) -> None:
        self._context = AppContext.of(workspace)
        self._answers = ReviewCharts(self._context, 1).answers()

    def ask(self, what: str, type_: str, **message: Any) -> dict[str, Any]:
        """One answer, as the page gets it."""
        wall, busy = time.perf_counter(), time.process_time()
        with self._context.database.session() as session:
            answer = self._answers[type_](session, message)
        size = len(json.dumps(answer))
        wall, busy = time.perf_counter() - wall, time.process_time() - busy
        print(f"{what:>48} {wall:7.2f} s {busy:7.2f} s of processor {size / 1024:7.0f} kB")
        return answer


def charts(workspace: Workspace) -> None:
    """All answers of all charts."""
    clock = Clock(workspace)
    for name, ranking in QUERIES.items():
        query = query_to_json(ranking)
        forget()
        clock.ask(f"histogram, {name}, first", "histogram", query=query)
        clock.ask(f"histogram, {name}, again", "histogram", query=query)
        for kind in KINDS:
            asked = {"kind": kind, "query": query}
            forget()
            whole = clock.ask(f"{kind}, {name}, first", "chart", **asked, **SIZE, view=None)
            left, right, bottom, top = whole["whole"]
            corner, sides = np.array([left, bottom]), np.array([right - left, top - bottom])
            view = [left, left + sides[0] / 2, bottom, bottom + sides[1] / 2]
            clock.ask(f"{kind}, zoomed", "chart", **asked, **SIZE, view=view)
            x, y = corner + sides / 2
            dx, dy = sides / 50
            clock.ask(f"{kind}, pointer", "chart_near", **asked, x=x, y=y, dx=dx, dy=dy)
            place = clock.ask(f"{kind}, mark", "chart_place", **asked, id=MARKED)["place"]
            if place is None:  # filtered out
                continue
            lasso = (np.array(place) + LASSO * sides / 50).tolist()
            clock.ask(f"{kind}, lasso", "chart_select", **asked, corners=lasso)


def main() -> None:
    """Fill a workspace and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("rows", type=int, nargs="?", default=1_000_000)
    parser.add_argument("--keep", type=Path, help="make the workspace here, or use the one there")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        root = options.keep or Path(folder) / "workspace"
        if not root.exists():
            workspace = Workspace.create(root)
            fill(workspace, options.rows)
            add_embeddings(workspace, options.rows)
        charts(Workspace.open(root))


if __name__ == "__main__":
    main()
