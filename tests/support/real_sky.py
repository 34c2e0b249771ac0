"""Real objects of Pan-STARRS1 as a catalog without labels."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np

from lensing_core.cutouts import CutoutGeometry
from lensing_core.ingest.catalog_writer import CatalogSpec, CatalogWriter, NewCandidate
from lensing_core.surveys import get_survey
from lensing_core.workspace import Workspace


def add_real_sky(workspace: Workspace, real_data: Path, n: int) -> None:
    """The first ``n`` of 98 objects in g, r and i, as catalog 'sky'."""
    folder = real_data / "ps1_real_sky"
    flux = np.load(folder / "objects_grizy_48.npz")["flux"][:n, :3]
    with (folder / "objects.csv").open(encoding="utf-8") as stream:
        table = list(csv.DictReader(stream))[:n]
    survey = get_survey("ps1")
    fwhm = tuple(survey.band(name).psf_fwhm_arcsec for name in "gri")
    geometry = CutoutGeometry("ps1", ("g", "r", "i"), 48, 0.25, "flux", (25.0,) * 3, fwhm)
    writer = CatalogWriter(workspace, CatalogSpec("sky", geometry, survey.to_json()))
    rows = [
        NewCandidate(f"o{k}", float(row["ra"]), float(row["dec"])) for k, row in enumerate(table)
    ]
    writer.append(flux, rows, rows_read=n)
    writer.finish()
