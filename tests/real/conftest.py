"""Real sets as imports: the settings of each, and running them without a process of their own."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lens_triage.training.jobs.ingest import run
from lens_triage.training.runner.context import JobContext
from lens_triage.training.settings import IngestSettings
from lensing_core.store import open_database
from lensing_core.store.tables import Run
from lensing_core.workspace import Workspace

Ingest = Callable[[Workspace, IngestSettings], dict[str, Any]]


@pytest.fixture
def ingest() -> Ingest:
    """Run an import in this process and return its report."""

    def ingest_here(workspace: Workspace, settings: IngestSettings) -> dict[str, Any]:
        run_id = f"import-{settings.catalog}"
        with open_database(workspace).session() as session:
            if session.get(Run, run_id) is None:
                values = settings.to_json()
                session.add(Run(id=run_id, kind="ingest", title=settings.title(), settings=values))
        return run(JobContext(workspace, run_id), settings)

    return ingest_here


@pytest.fixture
def ps1_settings(real_data: Path, tmp_path: Path) -> IngestSettings:
    """Pan-STARRS1: 55 confirmed lenses, one FITS file a band; two of them in two bands only."""
    folder = real_data / "sled_ps1"
    rows = []
    for kind in ("lensed_galaxies", "lensed_quasars"):
        with (folder / f"{kind}.csv").open(encoding="utf-8") as stream:
            rows += [{"kind": kind, **row} for row in csv.DictReader(stream)]
    table = tmp_path / "sled_ps1.csv"
    with table.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, rows[0].keys())
        writer.writeheader()
        writer.writerows(rows)
    return IngestSettings(
        catalog="sled-ps1",
        table=str(table),
        images=str(folder),
        survey="ps1",
        pattern="{kind}/{folder}/{folder}_{band}.fits",
        columns={"id": "name"},
        all_are="lens",
        label_source="obs:sled",
        label_policy="positives_only",
    )


@pytest.fixture
def euclid_settings(real_data: Path, tmp_path: Path) -> IngestSettings:
    """Euclid Q1: four multi-extension files with noise maps and PSFs; one has no position."""
    folder = real_data / "euclid_q1_galaxy"
    table = tmp_path / "euclid.csv"
    lines = ["id,file,ra,dec"]
    for info in sorted(folder.rglob("info.json")):
        known = json.loads(info.read_text())
        (image,) = (p for p in info.parent.glob("*.fits") if not p.name.startswith("mask"))
        position = f"{known.get('target_ra', '')},{known.get('target_dec', '')}"
        name = known.get("id_str", image.stem)
        lines.append(f"{name},{image.relative_to(folder)},{position}")
    table.write_text("\n".join(lines) + "\n")
    return IngestSettings(
        catalog="euclid-q1", table=str(table), images=str(folder), survey="euclid", all_are="lens"
    )


@pytest.fixture
def jwst_settings(real_data: Path) -> IngestSettings:
    """JWST/NIRCam: one object, pixel scales of 0.03 and 0.06 arcsec, no WCS, no table."""
    return IngestSettings(
        catalog="cosmos-web-ring",
        images=str(real_data / "hst_jwst_pyautolens" / "dataset" / "imaging"),
        survey="jwst_nircam",
        pattern="{id}/wavebands/{band}/data.fits",
        bands=["F115W", "F150W", "F277W", "F444W"],
        pixel_scales={"F115W": "0.03", "F150W": "0.03", "F277W": "0.06", "F444W": "0.06"},
        variance_pattern="{id}/wavebands/{band}/noise_map.fits",
        psf_pattern="{id}/wavebands/{band}/psf.fits",
        all_are="lens",
    )


@pytest.fixture
def hst_settings(real_data: Path, tmp_path: Path) -> IngestSettings:
    """HST/ACS: J0946+1006 in one band, without WCS; its table is sexagesimal."""
    table = tmp_path / "hst.csv"
    table.write_text("id,folder,ra,dec\nJ0946+1006,slacs0946+1006,09:46:56.68,+10:06:52.8\n")
    return IngestSettings(
        catalog="slacs-hst",
        table=str(table),
        images=str(real_data / "hst_jwst_pyautolens" / "dataset" / "imaging"),
        survey="hst_acs",
        pattern="{folder}/data.fits",
        bands=["F814W"],
        variance_pattern="{folder}/noise_map.fits",
        psf_pattern="{folder}/psf.fits",
        all_are="lens",
    )


@pytest.fixture
def cfhtls_settings(real_data: Path) -> IngestSettings:
    """CFHTLS: 210 color pictures with a white frame; graded by three experts from 0 to 3."""
    folder = real_data / "spacewarps_cfhtls"
    return IngestSettings(
        catalog="spacewarps",
        table=str(folder / "candidates.txt"),
        images=str(folder / "candidates"),
        survey="cfhtls",
        frame_crop_px=10,
        pixel_scale_arcsec=30 / 464,
        columns={"label": "Expert_Grade"},
        lens_from=2.0,
        nonlens_below=1.0,
        label_source="human:spacewarps",
    )


@pytest.fixture
def real_imports(
    ps1_settings: IngestSettings,
    euclid_settings: IngestSettings,
    jwst_settings: IngestSettings,
    hst_settings: IngestSettings,
    cfhtls_settings: IngestSettings,
) -> dict[str, IngestSettings]:
    """All five, by the name of their catalog."""
    all_settings = (*(ps1_settings, euclid_settings, jwst_settings, hst_settings, cfhtls_settings),)
    return {settings.catalog: settings for settings in all_settings}
