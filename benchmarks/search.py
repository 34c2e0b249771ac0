"""What the bundled ensembles of real sky do on real lenses that they never saw.

    lens-triage make-default WORKSPACE default-ps1 OUTPUT --data DATA
    python benchmarks/search.py DATA --workspace WORKSPACE --survey ps1

DATA holds ``ps1_real_sky``, ``sled_ps1`` and ``des_lrgs``, or ``cfhtls_real_sky``,
``spacewarps_cfhtls`` and ``des_lrgs``. Where the workspace does not hold the ensemble yet, it is
made here by the same settings. It scores real lenses: confirmed ones (Strong Lensing Database,
Pan-STARRS1), or graded candidates (Space Warps, CFHTLS). No label of a real object is used to
train. Real objects of the survey are scored by the members that were not trained on them; red
galaxies that were put on its sky do not count. Run it again to go on after an interruption.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from runs_here import scores_of
from sqlalchemy import select

from lens_triage.training.bundled import import_ensemble
from lens_triage.training.defaults import DEFAULTS, run_once, search_settings
from lens_triage.training.real_sky import write_sky
from lens_triage.training.settings import IngestSettings, RunSettings, ScoreSettings
from lensing_core.arrays import BoolArray, Float64Array
from lensing_core.cutouts import CutoutStore
from lensing_core.datasets.groups import object_groups
from lensing_core.evaluation import (
    baseline_scores,
    compare_measured,
    measure_appearance,
    measure_scores,
)
from lensing_core.evaluation.appearance import Appearance
from lensing_core.store import open_database
from lensing_core.store.tables import Candidate, Catalog, Ensemble
from lensing_core.workspace import Workspace

NAMES = {"ps1": "default-ps1", "cfhtls": "default-cfhtls-pictures"}
CLEAR = ("J1059_4251", "J124451_35_010643_0", "MACSJ2135_2-0102")
DOUBTFUL = (
    *("HAHJ1159_0114", "HAHJ1717_5931", "J014656-092952", "J021652_54-081345_3"),
    *("J235933_53_020823_3", "HAHJ1115_5319", "J0913_4237", "HST12368_6212", "HAHJ1732_1932"),
    *("HAHJ0333-0651", "J163028_15_452036_2"),
)
"""Systems whose arcs can be seen at Pan-STARRS1 depth, graded by one person on pictures of gri,
16 arcsec wide, before any score was looked at."""


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


class Objects:
    """Objects of one catalog: scores, appearance, places and properties, by cutout."""

    def __init__(self, workspace: Workspace, ensemble: str, catalog: str) -> None:
        self.logit, self.label = scores_of(workspace, ensemble, catalog)
        with open_database(workspace).session() as session:
            rows = session.scalars(
                select(Candidate)
                .join(Catalog, Catalog.id == Candidate.catalog_id)
                .where(Catalog.name == catalog)
                .order_by(Candidate.cutout_index)
            ).all()
            self.names = np.array([row.object_id for row in rows])
            known = [row.observation.properties if row.observation else {} for row in rows]
            self.folders = np.array([str((found or {}).get("folder", "")) for found in known])
            place = [(row.ra_deg, row.dec_deg) for row in rows]
        self.place = np.array([[np.nan if v is None else v for v in p] for p in place], dtype=float)
        store = CutoutStore(workspace.catalog_cutouts(catalog))
        self.appearance = measure_appearance(store.read_many(np.arange(len(store))), store.geometry)


def tell(what: str, first: Objects, rows: BoolArray, second: Objects, others: BoolArray) -> None:
    """Rows of figures with 95 % intervals: the ensemble, and what looks alone do."""
    labels = np.repeat([1, 0], [rows.sum(), others.sum()])
    place = np.concatenate([first.place[rows], second.place[others]])
    groups = object_groups(len(labels), ra_deg=place[:, 0], dec_deg=place[:, 1], block_nside=None)
    parts = [
        side.appearance.part(np.flatnonzero(chosen))
        for side, chosen in ((first, rows), (second, others))
    ]
    appearance = Appearance.joined(parts)
    scores: dict[str, Float64Array] = {
        "ensemble": np.concatenate([first.logit[rows], second.logit[others]])
    }
    alone = baseline_scores(appearance, labels, groups)
    scores |= {f"{name} alone": values for name, values in alone.items()}
    print(f"\n{what}: {rows.sum()} against {others.sum()}")
    print("| score | AUROC | recall at FPR 0.01, 0.05 | TPR10 | matched separation |")
    print("| --- | --- | --- | --- | --- |")
    for name, values in scores.items():
        measured = measure_scores(values, labels, appearance.matching, groups)
        found, no = values[labels == 1], values[labels == 0]
        at = ", ".join(f"{(found > np.quantile(no, 1 - f)).mean():.2f}" for f in (0.01, 0.05))
        figures = measured.figures
        print(f"| {name} | {figures['auroc']} | {at} | {figures['tpr10']} | {measured.matched} |")
    better = compare_measured(
        scores["brightness alone"], scores["ensemble"], labels, appearance.matching, groups
    )
    for key in ("auroc", "tpr10", "matched"):
        d = better[key]
        print(
            f"less brightness, {key}: {d.value:+.3f} [{d.low_95:+.3f}, {d.high_95:+.3f}]",
            flush=True,
        )


def tell_held_out(workspace: Workspace, name: str) -> None:
    """Print what the manifest of a search says of painted arcs."""
    with open_database(workspace).session() as session:
        found = session.scalars(select(Ensemble).where(Ensemble.name == name)).one()
        manifest = found.manifest
    auroc = manifest["figures"]["ensemble"]["auroc"]
    print(f"painted against real, held out: AUROC {auroc['value']:.3f} "
          f"[{auroc['low_95']:.2f}, {auroc['high_95']:.2f}], alone {manifest['baselines']}, "
          f"splits {manifest['splits']}, mined {manifest['search']['mined']}")  # fmt: skip


def main() -> None:
    """Make the ensemble where it is not there, score, and print figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--workspace", type=Path, required=True)
    parser.add_argument("--survey", choices=tuple(NAMES), required=True)
    parser.add_argument(
        "--exported", type=Path, help="Folder of another ensemble, to be measured in its place."
    )
    arguments = parser.parse_args()
    data: Path = arguments.data.resolve()
    workspace = Workspace.create(arguments.workspace)
    default = DEFAULTS[NAMES[arguments.survey]]
    search = search_settings(default, device="cpu")
    write_sky(workspace, search.catalog, default.survey, data, copies=default.copies)
    runs: list[RunSettings] = [lenses_of(arguments.survey, data)]
    if arguments.exported:
        import_ensemble(workspace, arguments.exported)
        name = arguments.exported.name
        runs.append(ScoreSettings(catalog=search.catalog, ensemble=name, device="cpu"))
    else:
        name = default.name
        runs.append(search)
    runs.append(ScoreSettings(catalog="lenses", ensemble=name, device="cpu"))
    for settings in runs:
        print(f"# {settings.title()}: {run_once(workspace, settings):.0f} s", flush=True)
    if not arguments.exported:
        tell_held_out(workspace, name)
    lenses = Objects(workspace, name, "lenses")
    sky = Objects(workspace, name, search.catalog)
    real = ~np.char.startswith(sky.names, "lrg")
    if arguments.survey == "ps1":
        seen = np.array([f.startswith((*CLEAR, *DOUBTFUL)) for f in lenses.folders])
        clear = np.array([f.startswith(CLEAR) for f in lenses.folders])
        tell("all confirmed lenses against real objects", lenses, lenses.label == 1, sky, real)
        tell("clear and doubtful arcs against real objects", lenses, seen, sky, real)
        tell("clear arcs against real objects", lenses, clear, sky, real)
        return
    tell("grade >= 2 against real objects", lenses, lenses.label == 1, sky, real)
    tell("grade >= 2 against < 1", lenses, lenses.label == 1, lenses, lenses.label == 0)


if __name__ == "__main__":
    main()
