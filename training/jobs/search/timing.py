"""Time that painting takes on a catalog, measured on the first few of its galaxies.

The shallower a survey, the fewer of the lenses that are drawn can be seen, and the more are drawn
for each that is kept. So no constant is right.
"""

from __future__ import annotations

import json
import threading
import time
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from lens_triage.training.jobs.hosts import (
    MOST_MEASURED,
    hosts_in_order,
    measure_rows,
    painter_of,
)
from lens_triage.training.jobs.inject import typical_fwhm_arcsec
from lens_triage.training.settings import InjectSettings, SearchSettings
from lensing_core.cutouts import CutoutStore
from lensing_core.simulation.hosts import red_and_extended
from lensing_core.store import open_database
from lensing_core.store.catalogs import find_catalog
from lensing_core.surveys import get_survey
from lensing_core.workspace import Workspace

GALAXIES, AT_ONCE = 12, 2
"""Painted to take the time, at most, for each training set; and in one batch."""
MOST_S, LONGEST_S = 0.6, 4.0
"""Of the processor and by the clock, for each training set, after which no batch is begun."""
SAMPLE = 300
"""Objects measured to tell how many of a catalog suit as hosts."""
_lock = threading.Lock()


@dataclass(frozen=True)
class PaintingTime:
    """Time to paint one training set.

    Attributes
    ----------
    seconds : float or None
        Processor time of a galaxy, those that cannot be given arcs among them; None where none of
        the objects that were looked at suits as a host.
    timed : int
        Galaxies.
    possible : int
        Objects of the catalog that may be painted on.
    share : float or None
        Of them that suit by their pixels, in a sample; None where pixels are not asked.
    """

    seconds: float | None
    timed: int
    possible: int
    share: float | None

    def measured(self, n_hosts: int) -> int:
        """Objects whose pixels are measured to find ``n_hosts``."""
        return 0 if self.share is None else min(self.possible, MOST_MEASURED * n_hosts)

    def hosts(self, n_hosts: int) -> int:
        """Galaxies that will be painted on of ``n_hosts`` that are asked for."""
        suited = self.possible if self.share is None else self.share * self.measured(n_hosts)
        return min(n_hosts, round(suited))


def time_painting(workspace: Workspace, settings: SearchSettings) -> list[PaintingTime]:
    """Time of painting for each training set; raises BadInputError where nothing can be painted.

    The same catalog and arcs are timed once in a process.
    """
    with open_database(workspace).session() as session:
        catalog_id = find_catalog(session, settings.catalog).id
    asked = [
        json.dumps({**settings.injection(k).to_json(), "catalog": "", "n_galaxies": GALAXIES})
        for k in range(settings.training_sets)
    ]
    with _lock:  # no two at once, which would slow each other
        return [_timed(workspace, catalog_id, one) for one in asked]


@lru_cache(maxsize=64)
def _timed(workspace: Workspace, catalog_id: int, asked: str) -> PaintingTime:
    settings = InjectSettings.from_json(json.loads(asked))
    with open_database(workspace).session() as session:
        survey = get_survey(find_catalog(session, settings.source).survey.name, workspace)
    store = CutoutStore(workspace.catalog_cutouts(settings.source))
    hosts, by_pixels = hosts_in_order(workspace, settings, catalog_id)
    possible, share = len(hosts), None
    if by_pixels:
        sample = hosts[:SAMPLE]
        rows = np.array([host.row for host in sample], dtype=np.int64)
        suit = red_and_extended(measure_rows(store, rows), typical_fwhm_arcsec(store, survey))
        hosts = [host for host, suits in zip(sample, suit, strict=True) if suits]
        share = len(hosts) / max(1, len(sample))
    hosts = hosts[:GALAXIES]
    if not hosts:
        return PaintingTime(None, 0, possible, share)
    rows = np.array([host.row for host in hosts], dtype=np.int64)
    painter = painter_of(settings, store, survey, rows)
    images, redshifts = store.read_many(rows), [host.redshift for host in hosts]
    painter.paint_many([0], images[:1], redshifts=redshifts[:1])  # the first one loads and compiles
    began, done, latest = time.thread_time(), 0, time.perf_counter() + LONGEST_S
    while done < len(rows) and _goes_on(time.thread_time() - began, latest):
        part = slice(done, min(done + AT_ONCE, len(rows)))
        numbers = list(range(part.start, part.stop))
        painter.paint_many(numbers, images[part], redshifts=redshifts[part])
        done = part.stop
    return PaintingTime((time.thread_time() - began) / done, done, possible, share)


def _goes_on(taken_s: float, latest: float) -> bool:
    return taken_s < MOST_S and time.perf_counter() < latest
