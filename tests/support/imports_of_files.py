"""Small imports, from files on disk to a catalog, and what they leave."""

from __future__ import annotations

import numpy as np
from astropy.io import fits
from astropy.table import Table
from sqlalchemy import select

from lens_triage.training.jobs.ingest import run
from lens_triage.training.runner.context import JobContext
from lens_triage.training.settings import IngestSettings
from lensing_core.cutouts import writing
from lensing_core.store import open_database
from lensing_core.store.tables import Candidate, Catalog, Quarantine, Run

BANDS = ("g", "r", "i")
SIZE = 12


def header(**more) -> dict:
    wcs = {"CTYPE1": "RA---TAN", "CTYPE2": "DEC--TAN", "CD1_1": -0.168 / 3600}
    return {**wcs, "CD1_2": 0.0, "CD2_1": 0.0, "CD2_2": 0.168 / 3600, "MAGZERO": 27.0, **more}


def write_fits(path, planes, names=BANDS, **cards):
    hdus = [fits.PrimaryHDU()]
    for name, plane in zip(names, planes, strict=True):
        hdu = fits.ImageHDU(np.asarray(plane, "f4"), name=name)
        hdu.header.update(header(**cards))
        hdus.append(hdu)
    path.parent.mkdir(parents=True, exist_ok=True)
    fits.HDUList(hdus).writeto(path)


def settings_of(folder, **changes) -> IngestSettings:
    values = {"catalog": "mine", "table": str(folder / "objects.csv"), "survey": "hsc", **changes}
    return IngestSettings(**values)


def context_for(workspace, settings, run_id="run-1") -> JobContext:
    with open_database(workspace).session() as session:
        if session.get(Run, run_id) is None:
            session.add(
                Run(id=run_id, kind="ingest", title=settings.title(), settings=settings.to_json())
            )
    return JobContext(workspace, run_id)


def ingest(workspace, settings) -> dict:
    return run(context_for(workspace, settings), settings)


def candidates(workspace, catalog="mine") -> list[Candidate]:
    with open_database(workspace).session() as session:
        rows = session.scalars(
            select(Candidate)
            .join(Catalog, Catalog.id == Candidate.catalog_id)
            .where(Catalog.name == catalog)
            .order_by(Candidate.cutout_index)
        ).all()
        for row in rows:
            assert row.observation is not None
        return list(rows)


def catalog_of(workspace, name="mine") -> Catalog:
    with open_database(workspace).session() as session:
        return session.scalars(select(Catalog).where(Catalog.name == name)).one()


def quarantine(workspace) -> list[Quarantine]:
    with open_database(workspace).session() as session:
        return list(session.scalars(select(Quarantine).order_by(Quarantine.row_number)))


def contents(workspace, name="mine"):
    """All that an import leaves: shards, rows and quarantine, without times."""
    folder = workspace.catalog_cutouts(name)
    files = {path.name: path.read_bytes() for path in sorted(folder.iterdir())}
    rows = [
        {k: str(v) for o in (c, c.observation) for k, v in vars(o).items() if k[0] != "_"}
        for c in candidates(workspace, name)
    ]
    for row in rows:
        del row["observation"]
    rejected = [
        (q.row_number, q.object_id, q.source, q.reason, q.message) for q in quarantine(workspace)
    ]
    catalog = catalog_of(workspace, name)
    counts = (catalog.n_candidates, catalog.n_quarantined, catalog.rows_read, catalog.complete)
    return files, rows, rejected, counts, catalog.notes


def small_shards(monkeypatch, rows=8):
    monkeypatch.setattr(writing, "SHARD_BYTES", rows * 4 * 3 * SIZE * SIZE)


def add_bad_rows(folder):
    """Duplicates within and across shards, an unreadable file, and odd cells."""
    table = Table.read(folder / "objects.csv", format="ascii.csv")
    table["label"] = ["1", "0", "x"] * 20
    for row, name in ((9, "obj008"), (20, "obj001"), (30, "absent")):
        table["id"][row] = name
    table.write(folder / "objects.csv", overwrite=True)
