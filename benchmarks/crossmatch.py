"""1,000,000 candidates against the known lenses of lenscat: seconds, and the ratio to astropy.

The candidates are spread as in a survey of 5,000 square degrees; one in a thousand lies on a known
lens. The function is timed against ``SkyCoord.match_to_catalog_sky``, which finds the nearest lens
of each candidate and nothing else; then the whole job, from the rows of the database to the rows
that it writes.

    python benchmarks/crossmatch.py [candidates]
"""

from __future__ import annotations

import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from astropy.coordinates import SkyCoord

from lens_triage.training.jobs.crossmatch import run
from lens_triage.training.runner.context import JobContext
from lens_triage.training.settings import CrossmatchSettings
from lensing_core.crossmatch.lenscat import read_lenscat
from lensing_core.crossmatch.matching import Positions, Status, crossmatch
from lensing_core.store import open_database
from lensing_core.store.tables import Catalog, Run, SurveyRow
from lensing_core.workspace import Workspace

WANTED_S = 10.0
RADIUS_ARCSEC = 5.0


def candidates(n: int) -> tuple[np.ndarray, np.ndarray]:
    """Positions in degrees, of which n/1000 lie within an arcsec of a known lens."""
    rng = np.random.default_rng(1)
    ra = rng.uniform(110, 260, n)
    dec = np.degrees(np.arcsin(rng.uniform(np.sin(0), np.sin(np.radians(35)), n)))
    known = read_lenscat("confident")
    chosen = rng.integers(0, len(known), n // 1000)
    place = rng.choice(n, n // 1000, replace=False)
    ra[place] = known.ra_deg[chosen] + rng.normal(0, 1e-4, len(chosen))
    dec[place] = known.dec_deg[chosen] + rng.normal(0, 1e-4, len(chosen))
    return ra, dec


def timed(action: Callable[[], Any]) -> tuple[float, Any]:
    """Seconds, and what came out."""
    began = time.perf_counter()
    result = action()
    return time.perf_counter() - began, result


def fill(workspace: Workspace, ra: np.ndarray, dec: np.ndarray) -> None:
    """A catalog of these candidates, without cutouts, and a run."""
    with open_database(workspace).session() as session:
        session.add(SurveyRow(id=1, name="test", definition={}))
        session.flush()
        session.add(
            Catalog(
                id=1,
                name="survey",
                survey_id=1,
                scale="galaxy",
                origin="observed",
                bands=["r"],
                size_px=64,
                pixel_scale_arcsec=0.2,
                pixel_kind="flux",
                n_candidates=len(ra),
            )
        )
        session.add(Run(id="run", kind="crossmatch", title="run", settings={}))
    connection = sqlite3.connect(workspace.database)
    connection.executemany(
        "INSERT INTO candidate (catalog_id, object_id, ra_deg, dec_deg, cutout_index, "
        "cutout_sha256, stage) VALUES (1, ?, ?, ?, ?, '', 'detection')",
        (
            (f"c{k}", a, d, k)
            for k, (a, d) in enumerate(zip(ra.tolist(), dec.tolist(), strict=True))
        ),
    )
    connection.commit()
    connection.close()


def main(n: int) -> None:
    """Print seconds and ratios."""
    ra, dec = candidates(n)
    sources = Positions.of(ra, dec, 0.3)
    read_s, known = timed(lambda: read_lenscat("confident"))
    ours_s, matches = timed(lambda: crossmatch(sources, known.positions(1.0), RADIUS_ARCSEC))
    at, theirs = SkyCoord(ra, dec, unit="deg"), SkyCoord(known.ra_deg, known.dec_deg, unit="deg")
    astropy_s, (_, separation, _) = timed(lambda: at.match_to_catalog_sky(theirs))
    near = int(np.count_nonzero(separation.arcsec <= RADIUS_ARCSEC))
    found = matches.count(Status.MATCHED) + matches.count(Status.REVIEW)
    assert found == near, f"{found} candidates near a lens, {near} by astropy"
    print(
        f"function: {n:,} candidates against {len(known):,} lenses in {ours_s:.2f} s "
        f"(reading lenscat {read_s:.2f} s); astropy, nearest only: {astropy_s:.2f} s, "
        f"ratio {astropy_s / ours_s:.1f}; {matches.count(Status.MATCHED):,} matched, "
        f"{matches.count(Status.REVIEW):,} for review"
    )
    with tempfile.TemporaryDirectory() as folder:
        workspace = Workspace.create(folder)
        fill(workspace, ra, dec)
        for references in (["lenscat"], ["lenscat", "lenscat_probable", "duplicates"]):
            settings = CrossmatchSettings(catalog="survey", references=references)
            with open_database(workspace).session() as session:
                session.add(Run(id="-".join(references)[:40], kind="c", title="", settings={}))
            context = JobContext(workspace, "-".join(references)[:40])
            job_s, result = timed(lambda s=settings, c=context: run(c, s))
            verdict = "" if references != ["lenscat"] else f" (less than {WANTED_S:g} s wanted)"
            print(
                f"job with {', '.join(references)}: {job_s:.2f} s{verdict}; {result['references']}"
            )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000)
