"""Do frozen encoders with few real labels tell real lenses from look-alikes?

    python benchmarks/graded_cutouts.py DATA --workspace FOLDER

DATA holds ``spacewarps_cfhtls`` (210 CFHTLS color pictures with the mean grade of three experts,
all candidates that volunteers had passed; More et al. 2016). Grade 2 and above against below 1.
Heads are linear probes; everything about them (columns, layers, target, penalty) is chosen inside
the training folds, in groups by sky position. Beside them stand the bundled ensemble, which saw
none of these labels, and brightness, color and center alone. Run it again to go on.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from runs_here import candidates_of, do, expert_grades, graded_stamps, scores_of
from sqlalchemy import select

from lens_triage.training.bundled import make_workspace
from lens_triage.training.settings import EncodeSettings, ScoreSettings
from lensing_core.cutouts import CutoutStore
from lensing_core.datasets.groups import object_groups
from lensing_core.datasets.splits import group_folds
from lensing_core.datasets.uses import LENS, OTHER, UNLABELED
from lensing_core.evaluation import (
    baseline_scores,
    compare_measured,
    measure_appearance,
    measure_scores,
)
from lensing_core.models.manifest import ENCODER, HEAD
from lensing_core.models.outputs import StoredOutputs
from lensing_core.pu.probes import ColumnBlock, ProbeData, ProbeMethod, fit_probe, probe_inputs
from lensing_core.store import open_database
from lensing_core.store.ensembles import find_ensemble
from lensing_core.store.tables import Model
from lensing_core.workspace import Workspace

CATALOG, BUNDLED = "cfhtls-graded", "default-cfhtls-pictures"
OUTER_FOLDS = 10
MEAN = "mean of all inputs"
ENCODERS = {
    "Lite0, 9 and 18 arcsec": {"encoder": "efficientnet_lite0"},
    "Lite0, 12 and 18 arcsec": {"encoder": "efficientnet_lite0", "crops": [12, 18]},
    "Lite0, 9 and 24 arcsec": {"encoder": "efficientnet_lite0", "crops": [9, 24]},
    "Lite1, 9 and 18 arcsec": {"encoder": "efficientnet_lite1"},
    "Lite2, 9 and 18 arcsec": {"encoder": "efficientnet_lite2"},
}


def prepare(workspace: Workspace, data: Path, encoders: list[str]) -> None:
    """Import the cutouts, score them with the bundled ensemble, and encode them."""
    do(workspace, graded_stamps(data, CATALOG))
    do(workspace, ScoreSettings(ensemble=BUNDLED, catalog=CATALOG))
    for name in encoders:
        do(workspace, EncodeSettings(catalog=CATALOG, **ENCODERS[name]))


def read_columns(workspace: Workspace, n: int) -> tuple[np.ndarray, list[ColumnBlock]]:
    """Return what encoders and members of the bundled ensemble stored, side by side."""
    parts, blocks, at = [], [], 0
    with open_database(workspace).session() as session:
        # Heads stand on what another member stored, and encoders are listed below.
        members = [
            member.model_id
            for member in find_ensemble(session, BUNDLED).members
            if member.model.kind not in (HEAD, ENCODER)
        ]
        encoders = session.scalars(select(Model).where(Model.kind == "encoder")).all()
        listed = [
            (model.id, model.manifest["blocks"], model.manifest["encoder"])
            for model in encoders
            if not model.manifest["has_head"]  # those of bundled ensembles
        ]
    for key in members:
        stored = StoredOutputs.read(workspace, key, CATALOG, n)
        kind = "embedding" if stored.embedding is not None else "features"
        values = getattr(stored, kind)[:]
        parts.append(np.where(np.isfinite(values), values, np.nan))
        blocks.append(
            ColumnBlock(f"bundled {kind} {key.split('-')[0]}", kind, at, at + values.shape[1])
        )
        at += values.shape[1]
    for key, parts_of, spec in listed:
        parts.append(StoredOutputs.read(workspace, key, CATALOG, n).embedding[:])
        crops = " and ".join(f"{crop:g}" for crop in spec["crops_arcsec"])
        for part in parts_of:
            name = f"{spec['backbone'].removeprefix('tf_')} {crops} arcsec"
            blocks.append(ColumnBlock(name, part["layer"], at, at + part["columns"]))
            at += part["columns"]
    return np.concatenate(parts, axis=1), blocks


def read_objects(workspace: Workspace) -> dict[str, np.ndarray]:
    """Grade, bundled score and group of each cutout, in the order of the cutouts."""
    grade = expert_grades(workspace, CATALOG)
    with open_database(workspace).session() as session:
        rows = candidates_of(session, CATALOG)
        position = np.array([(row.ra_deg, row.dec_deg) for row in rows])
    return {
        "grade": grade,
        "bundled": scores_of(workspace, BUNDLED, CATALOG)[0],
        "group": object_groups(len(grade), ra_deg=position[:, 0], dec_deg=position[:, 1]),
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--workspace", type=Path, required=True)
    parser.add_argument("--encoders", nargs="*", default=list(ENCODERS), choices=list(ENCODERS))
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    workspace = make_workspace(arguments.workspace)
    prepare(workspace, arguments.data.resolve(), arguments.encoders)

    objects = read_objects(workspace)
    grade, group = objects["grade"], objects["group"]
    state = np.where(grade >= 2, LENS, np.where(grade < 1, OTHER, UNLABELED)).astype(np.int8)
    x, blocks = read_columns(workspace, len(grade))
    data = ProbeData(x.astype("f4"), state, np.ones(len(grade)), group, grade / 3)
    inputs = probe_inputs(blocks, graded=True)
    fold = group_folds(group, state == LENS, OUTER_FOLDS, seed=arguments.seed)
    found = {f"{given.name}, {given.target}": np.empty(len(grade)) for given in inputs}
    found["chosen inside the training folds"] = np.empty(len(grade))
    found[MEAN] = np.empty(len(grade))
    for k in range(OUTER_FOLDS):
        train, held = data.rows(np.flatnonzero(fold != k)), fold == k
        fitted = ProbeMethod(tuple(inputs), seed=arguments.seed).fit(train)
        found["chosen inside the training folds"][held] = fitted.scorer(x[held])
        for given, metrics in zip(inputs, fitted.metrics, strict=True):
            scorer = fit_probe(train, given, metrics.penalty)
            found[f"{given.name}, {given.target}"][held] = scorer(x[held])
        # Their targets have one scale, so that nothing is chosen and nothing fitted.
        found[MEAN][held] = np.mean(
            [found[f"{given.name}, {given.target}"][held] for given in inputs], axis=0
        )
        print(f"# fold {k}: {fitted.chosen.name}, {fitted.chosen.target}", flush=True)

    clear = state != UNLABELED
    labels, groups = (state[clear] == LENS).astype(int), group[clear]
    store = CutoutStore(workspace.catalog_cutouts(CATALOG))
    appearance = measure_appearance(store.read_many(np.flatnonzero(clear)), store.geometry)
    scores = {"bundled ensemble": objects["bundled"][clear]}
    scores |= {name: values[clear] for name, values in found.items()}
    baselines = baseline_scores(appearance, labels, groups, seed=arguments.seed)
    scores |= {f"{name} alone": values for name, values in baselines.items()}
    print(
        f"\n{labels.sum()} of grade >= 2, {(labels == 0).sum()} below 1, {len(set(group))} groups"
    )
    print("| score | AUROC | TPR10 | matched separation |\n| --- | --- | --- | --- |")
    for name, values in scores.items():
        measured = measure_scores(values, labels, appearance.matching, groups)
        auroc, tpr10 = measured.metrics["auroc"], measured.metrics["tpr10"]
        print(f"| {name} | {auroc} | {tpr10} | {measured.matched} |", flush=True)
    means = {}
    for source in dict.fromkeys(block.source for block in blocks):
        mine = [given for given in inputs if {block.source for block in given.blocks} == {source}]
        values = [found[f"{given.name}, {given.target}"][clear] for given in mine]
        means[f"mean of inputs of {source}"] = np.mean(values, axis=0)
    scores |= means
    print("\n| difference, on the same draws of groups | AUROC | TPR10 | matched separation |")
    print("| --- | --- | --- | --- |")
    chosen, bundled = "chosen inside the training folds", "bundled ensemble"
    first, *others = means
    pairs = [(name, bundled) for name in (chosen, MEAN, *(f"{b} alone" for b in baselines), first)]
    for one, other in [*pairs, *((name, first) for name in others)]:
        apart = compare_measured(scores[other], scores[one], labels, appearance.matching, groups)
        cells = [
            f"{d.value:+.3f} [{d.low_95:+.3f}, {d.high_95:+.3f}]"
            for d in (apart[key] for key in ("auroc", "tpr10", "matched"))
        ]
        print(f"| {one}, less {other} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
