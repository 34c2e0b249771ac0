"""How fast is a whole ingest, against a plain astropy loop that only opens files and stacks HDUs?

    python benchmarks/ingest.py --n 10000

Writes survey-like FITS files (three HDUs of 64 x 64 float32 with a WCS and a zero point) and their
table. The ingest reads the table, decodes, checks headers, hashes, and writes shards and database
rows; the loop does ``numpy.stack([hdu.data for hdu in hdus[1:]])`` and throws the pixels away. Both
read files that are in the page cache.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from pathlib import Path

import numpy as np
from astropy.io import fits

from lens_triage.training.jobs.ingest import request_of
from lens_triage.training.settings import IngestSettings
from lensing_core.cutouts import CutoutStore
from lensing_core.ingest.catalog_writer import CatalogSpec
from lensing_core.ingest.importing import import_catalog
from lensing_core.ingest.planning import make_plan
from lensing_core.processes import available_cores
from lensing_core.store import open_database
from lensing_core.workspace import Workspace

BANDS = ("g", "r", "i")
SIDE_PX = 64


def write_files(folder: Path, n: int) -> None:
    """Make ``n`` files and a table of their positions."""
    rng = np.random.default_rng(0)
    positions = np.column_stack([rng.uniform(130, 190, n), rng.uniform(-5, 5, n)])
    header = {
        "CTYPE1": "RA---TAN",
        "CTYPE2": "DEC--TAN",
        "CRPIX1": SIDE_PX / 2 + 0.5,
        "CRPIX2": SIDE_PX / 2 + 0.5,
        "CD1_1": -0.168 / 3600,
        "CD1_2": 0.0,
        "CD2_1": 0.0,
        "CD2_2": 0.168 / 3600,
        "MAGZERO": 27.0,
        "EXPTIME": 600.0,
    }
    with (folder / "objects.csv").open("w") as table:
        table.write("id,ra,dec,mag_i,zphot\n")
        for k, (ra, dec) in enumerate(positions):
            table.write(f"{k:08d},{ra:.6f},{dec:.6f},{20 + k % 5},{0.2 + k % 7 / 10}\n")
            hdus = fits.HDUList([fits.PrimaryHDU()])
            for band in BANDS:
                pixels = rng.standard_normal((SIDE_PX, SIDE_PX), dtype="f4")
                hdu = fits.ImageHDU(pixels, name=band)
                hdu.header.update({**header, "CRVAL1": ra, "CRVAL2": dec, "FILTER": band})
                hdus.append(hdu)
            hdus.writeto(folder / f"{k:08d}.fits")


def astropy_loop(folder: Path) -> float:
    """Seconds to open and stack every file."""
    paths = sorted(folder.glob("*.fits"))
    start = time.perf_counter()
    for path in paths:
        with fits.open(path) as hdus:
            np.stack([hdu.data for hdu in hdus[1:]])
    return time.perf_counter() - start


def ingest(folder: Path, root: Path, workers: int) -> float:
    """Seconds from the table to a complete catalog."""
    workspace = Workspace.create(root)
    open_database(workspace)
    start = time.perf_counter()
    settings = IngestSettings(catalog="bench", table=str(folder / "objects.csv"), survey="hsc")
    plan = make_plan(request_of(settings), workspace)
    spec = CatalogSpec("bench", plan.geometry, plan.survey.to_json())
    report = import_catalog(workspace, plan, spec, workers=workers)
    seconds = time.perf_counter() - start
    assert report.ingested == len(plan.table), report
    assert len(CutoutStore(workspace.catalog_cutouts("bench"))) == report.ingested
    return seconds


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--n", type=int, default=10_000, help="files")
    parser.add_argument("--workers", type=int, default=0, help="processes; 0: one a core")
    parser.add_argument("--rounds", type=int, default=3, help="the best of each counts")
    arguments = parser.parse_args()
    n = arguments.n
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "files"
        folder.mkdir()
        write_files(folder, n)
        os.sync()  # or else what is timed waits for these files to reach the disk
        loops, ingests = [], []
        for k in range(arguments.rounds):
            loops.append(astropy_loop(folder))
            ingests.append(ingest(folder, Path(name) / f"workspace-{k}", arguments.workers))
    cores = arguments.workers or available_cores()
    print(f"{n} files of three HDUs, {SIDE_PX} px; {cores} processes")
    print(f"astropy loop (reading only): {n / min(loops):8,.0f} files/s")
    print(f"whole ingest:                {n / min(ingests):8,.0f} files/s")
    print(f"ratio:                       {min(loops) / min(ingests):8.1f}")


if __name__ == "__main__":
    main()
