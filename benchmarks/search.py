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
from committees import CLEAR, LENSES, NAMES, Looks, lenses_of
from runs_here import do, scores_of
from sqlalchemy import select

from lens_triage.training.bundled import import_ensemble
from lens_triage.training.defaults import DEFAULTS, search_settings
from lens_triage.training.real_sky import write_sky
from lens_triage.training.settings import RunSettings, ScoreSettings
from lensing_core.arrays import BoolArray, Float64Array
from lensing_core.datasets.groups import object_groups
from lensing_core.evaluation import (
    baseline_scores,
    compare_measured,
    measure_scores,
)
from lensing_core.evaluation.appearance import Appearance
from lensing_core.store import open_database
from lensing_core.store.tables import Ensemble
from lensing_core.workspace import Workspace


class Objects:
    """Objects of one catalog: scores, and what is known without them, by cutout."""

    def __init__(self, workspace: Workspace, ensemble: str, catalog: str) -> None:
        self.logit, self.label = scores_of(workspace, ensemble, catalog)
        self.looks = Looks.of(workspace, catalog)
        self.appearance, self.place = self.looks.appearance, self.looks.place


def tell(what: str, first: Objects, rows: BoolArray, second: Objects, others: BoolArray) -> None:
    """Rows of metrics with 95 % intervals: the ensemble, and what looks alone do."""
    labels = np.repeat([1, 0], [rows.sum(), others.sum()])
    place = np.concatenate([first.place[rows], second.place[others]])
    groups = object_groups(len(labels), ra_deg=place[:, 0], dec_deg=place[:, 1], block_nside=None)
    parts = [
        side.appearance.part(np.flatnonzero(chosen))
        for side, chosen in ((first, rows), (second, others))
    ]
    appearance = Appearance.concatenate(parts)
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
        metrics = measured.metrics
        print(f"| {name} | {metrics['auroc']} | {at} | {metrics['tpr10']} | {measured.matched} |")
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
    """Make the ensemble where it is not there, score, and print metrics."""
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
    runs.append(ScoreSettings(catalog=LENSES, ensemble=name, device="cpu"))
    for settings in runs:
        do(workspace, settings)
    if not arguments.exported:
        tell_held_out(workspace, name)
    lenses = Objects(workspace, name, LENSES)
    sky = Objects(workspace, name, search.catalog)
    real = sky.looks.real
    if arguments.survey == "ps1":
        seen = lenses.looks.visible
        clear = np.array([name.startswith(CLEAR) for name in lenses.looks.folders])
        tell("all confirmed lenses against real objects", lenses, lenses.label == 1, sky, real)
        tell("clear and doubtful arcs against real objects", lenses, seen, sky, real)
        tell("clear arcs against real objects", lenses, clear, sky, real)
        return
    tell("grade >= 2 against real objects", lenses, lenses.label == 1, sky, real)
    tell("grade >= 2 against < 1", lenses, lenses.label == 1, lenses, lenses.label == 0)


if __name__ == "__main__":
    main()
