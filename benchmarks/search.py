"""What one search of a real catalog gives: scores of unseen real lenses, brightness beside them.

    python benchmarks/search.py DATA --workspace FOLDER --survey ps1
    python benchmarks/search.py DATA --workspace FOLDER --survey cfhtls

DATA holds ``ps1_real_sky`` and ``sled_ps1``, or ``cfhtls_real_sky`` and ``spacewarps_cfhtls``. Real
objects of the survey's sky become a catalog, ``search`` is run on it with its defaults, and the
ensemble scores real lenses: confirmed ones (Strong Lensing Database, Pan-STARRS1), or graded
candidates (Space Warps, CFHTLS). No label of a real object is used. Real objects are scored by the
members that were not trained on them. Run it again to go on after an interruption.
"""

from __future__ import annotations

import argparse
import csv
from pathlib import Path

import numpy as np
from runs_here import scores_of
from sqlalchemy import select

from lens_triage.training.defaults import run_once
from lens_triage.training.settings import IngestSettings, ScoreSettings, SearchSettings
from lensing_core.cutouts import CutoutGeometry, CutoutStore
from lensing_core.ingest.catalog_writer import CatalogSpec, CatalogWriter, NewCandidate
from lensing_core.metrics import ranking_figures_with_intervals
from lensing_core.simulation.hosts import measure_objects
from lensing_core.store import open_database
from lensing_core.store.tables import Catalog, Ensemble
from lensing_core.surveys import get_survey
from lensing_core.workspace import Workspace


def sky_of_ps1(workspace: Workspace, data: Path) -> None:
    """98 real objects of Pan-STARRS1 as a catalog."""
    folder = data / "ps1_real_sky"
    flux = np.load(folder / "objects_grizy_48.npz")["flux"][:, :3]
    survey = get_survey("ps1")
    fwhm = tuple(survey.band(name).psf_fwhm_arcsec for name in "gri")
    geometry = CutoutGeometry("ps1", ("g", "r", "i"), 48, 0.25, "flux", (25.0,) * 3, fwhm)
    rows = [
        NewCandidate(f"o{k}", float(row["ra"]), float(row["dec"]), magnitude=float(row["r"]))
        for k, row in enumerate(read_table(folder / "objects.csv"))
    ]
    write(workspace, geometry, flux, rows)


def sky_of_cfhtls(workspace: Workspace, data: Path) -> None:
    """Real pictures of CFHTLS field objects in which no arc can be, as a catalog."""
    folder = data / "cfhtls_real_sky"
    table = read_table(folder / "pictures.csv")
    safe = np.array([row["safe"] == "1" for row in table])
    rgb = np.load(folder / "pictures_rgb_65.npz")["rgb"].transpose(0, 3, 1, 2).astype(np.float32)
    geometry = CutoutGeometry(
        "cfhtls", ("R", "G", "B"), 65, 0.186, "rendered", (np.nan,) * 3, (np.nan,) * 3
    )
    rows = [NewCandidate(f"p{k}") for k in np.flatnonzero(safe)]
    write(workspace, geometry, rgb[safe], rows)


def read_table(path: Path) -> list[dict[str, str]]:
    """Rows of a CSV file."""
    with path.open(encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def write(
    workspace: Workspace, geometry: CutoutGeometry, flux: np.ndarray, rows: list[NewCandidate]
) -> None:
    """Make the catalog 'sky' unless it is there."""
    with open_database(workspace).session() as session:
        if session.scalar(select(Catalog.id).where(Catalog.name == "sky")) is not None:
            return
    spec = CatalogSpec("sky", geometry, get_survey(geometry.survey).to_json())
    writer = CatalogWriter(workspace, spec)
    writer.append(flux.astype(np.float32), rows, rows_read=len(rows))
    writer.finish()


def lenses_of(survey: str, data: Path) -> IngestSettings:
    """Import of the real lenses of a survey, on the grid of its sky."""
    if survey == "ps1":
        return IngestSettings(
            catalog="lenses",
            table=str(data / "sled_ps1" / "lensed_galaxies.csv"),
            images=str(data / "sled_ps1" / "lensed_galaxies"),
            survey="ps1",
            pattern="{folder}/{folder}_{band}.fits",
            bands=["g", "r", "i"],
            size_px=48,
            columns={"id": "name"},
            all_are="lens",
            label_source="obs:sled",
            label_policy="positives_only",
        )
    return IngestSettings(
        catalog="lenses",
        table=str(data / "spacewarps_cfhtls" / "candidates.txt"),
        images=str(data / "spacewarps_cfhtls" / "candidates"),
        survey="cfhtls",
        frame_crop_px=10,
        pixel_scale_arcsec=30 / 464,
        grid_scale_arcsec=0.186,
        size_px=65,
        columns={"label": "Expert_Grade"},
        lens_from=2.0,
        nonlens_below=1.0,
        label_source="human:spacewarps",
    )


def brightness_of(workspace: Workspace, catalog: str) -> np.ndarray:
    """Minus the aperture magnitude of a catalog's objects, by cutout; brighter is larger."""
    store = CutoutStore(workspace.catalog_cutouts(catalog))
    flux = store.geometry.pixel_kind == "flux"
    images = store.read_many(np.arange(len(store)))
    found = measure_objects(images, store.geometry.pixel_scale_arcsec, blue_first=flux).magnitude
    zero_point = store.geometry.zero_points_mag[-1] if flux else 0.0
    return -(np.where(np.isfinite(found), found, np.nanmax(found)) + zero_point)


def tell(what: str, lenses: np.ndarray, others: np.ndarray) -> None:
    """One row of figures with 95 % intervals."""
    scores = np.concatenate([lenses, others])
    labels = np.concatenate([np.ones(len(lenses)), np.zeros(len(others))]).astype(int)
    figures = ranking_figures_with_intervals(scores, labels)
    shown = {name: figures[name] for name in ("auroc", "tpr10")}
    row = "  ".join(
        f"{name} {found.value:.3f} [{found.low_95:.2f}, {found.high_95:.2f}]"
        for name, found in shown.items()
    )
    at = {f: np.quantile(others, 1 - f) for f in (0.01, 0.05, 0.1)}
    recalls = "  ".join(f"FPR {f:g}: {(lenses > t).mean():.2f}" for f, t in at.items())
    print(f"{what}: {len(lenses)} against {len(others)}: {row}  recall at {recalls}", flush=True)


def main() -> None:
    """Search, score, and print figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--workspace", type=Path, required=True)
    parser.add_argument("--survey", choices=("ps1", "cfhtls"), required=True)
    arguments = parser.parse_args()
    data: Path = arguments.data.resolve()
    workspace = Workspace.create(arguments.workspace)
    {"ps1": sky_of_ps1, "cfhtls": sky_of_cfhtls}[arguments.survey](workspace, data)
    for settings in (
        SearchSettings(catalog="sky", ensemble="mine", device="cpu"),
        lenses_of(arguments.survey, data),
        ScoreSettings(catalog="lenses", ensemble="mine", device="cpu"),
    ):
        print(f"# {settings.title()}: {run_once(workspace, settings):.0f} s", flush=True)
    with open_database(workspace).session() as session:
        found = session.scalars(select(Ensemble).where(Ensemble.name == "mine")).one().manifest
    auroc = found["figures"]["ensemble"]["auroc"]
    print(f"painted against real, held out: AUROC {auroc['value']:.3f} "
          f"[{auroc['low_95']:.2f}, {auroc['high_95']:.2f}], alone {found['baselines']}, "
          f"splits {found['splits']}, mined {found['search']['mined']}")  # fmt: skip
    logit, label = scores_of(workspace, "mine", "lenses")
    sky, _ = scores_of(workspace, "mine", "sky")
    bright, bright_sky = (brightness_of(workspace, name) for name in ("lenses", "sky"))
    tell("lenses against real objects", logit[label == 1], sky)
    tell("  by brightness alone", bright[label == 1], bright_sky)
    if (label == 0).any():
        tell("grade >= 2 against < 1", logit[label == 1], logit[label == 0])
        tell("  by brightness alone", bright[label == 1], bright[label == 0])


if __name__ == "__main__":
    main()
