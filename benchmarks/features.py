"""How fast are the features of the classic member, and what does each block of them find?

    python benchmarks/features.py --what rate --n 2000
    python benchmarks/features.py --what blocks

Rate: against a loop over objects with scikit-image, which this needs beside the program (pip
install scikit-image). The loop computes the grid features of one cutout after another: patches by
``view_as_blocks``, edges by ``sobel``, annuli by masks; both tables are compared in the same run.
Then the rate of each block, in this thread (by processor time, which other work on the machine
disturbs less) and on all cores (by the clock).

Blocks: trees are trained on a simulated survey with the grid alone and with further blocks, three
seeds each, and judged on objects that no training has seen, in pairs; the same with the central
galaxy's light left in.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from functools import cached_property
from itertools import pairwise
from pathlib import Path

import numpy as np
from runs_here import run_here
from skimage.filters import sobel
from skimage.util import view_as_blocks
from sqlalchemy import select

from lens_triage.training.settings import SimulateSettings
from lensing_core.cutouts import CutoutGeometry, CutoutStore
from lensing_core.features import (
    BLOCKS,
    ClassicFeatures,
    CutoutBatch,
    FeaturePool,
    compute_features,
)
from lensing_core.features.grid import ANNULI_ARCSEC, GRID
from lensing_core.features.light import Light
from lensing_core.features.robust import frame_mask, median
from lensing_core.metrics import compare_rankings, ranking_metrics_with_intervals
from lensing_core.models.classic import train_trees
from lensing_core.processes import available_cores
from lensing_core.store import open_database
from lensing_core.store.tables import Candidate, Catalog
from lensing_core.workspace import Workspace

BANDS = ("g", "r", "i")
GEOMETRY = CutoutGeometry("hsc", BANDS, 60, 0.168, "flux", (27.0,) * 3, (0.8, 0.75, 0.6))
SHOWN = ("average_precision", "recall_fpr_1e-2", "tpr10")
PIXEL_BLOCKS = ("grid", "segments", "colours", "ridges")


def paint(n: int) -> np.ndarray:
    """Galaxies of different sizes with a companion or an arc, in noise of 1."""
    rng = np.random.default_rng(0)
    axis = np.arange(60) - 29.5
    radius = np.hypot(axis[:, None], axis[None, :])
    angle = np.arctan2(axis[:, None], axis[None, :])
    flux = rng.standard_normal((n, 3, 60, 60))
    for image in flux:
        image += rng.uniform(10, 100) * np.exp(-radius / rng.uniform(2, 5))
        middle, width = rng.uniform(6, 16), rng.uniform(0.3, 2)
        ridge = np.exp(-((radius - middle) ** 2) / 6)
        image += rng.uniform(0, 15) * ridge * (np.abs(angle - rng.uniform(-1, 1)) < width)
    return flux.astype(np.float32)


def one_object(cutout: np.ndarray) -> list[float]:
    """The grid features of one cutout, but for the flux in colors, as a plain script has them."""
    side, scale = GEOMETRY.size_px, GEOMETRY.pixel_scale_arcsec
    border = np.ones((side, side), dtype=bool)
    border[side // 10 : -(side // 10), side // 10 : -(side // 10)] = False
    noise = []
    for band in cutout:
        pixels = band[border & np.isfinite(band)]
        noise.append(1.4826 * np.median(np.abs(pixels - np.median(pixels))))
    image = np.nan_to_num(cutout / np.array(noise)[:, None, None])
    patch = side // GRID
    used = image[:, : GRID * patch, : GRID * patch]
    blocks = [view_as_blocks(band, (patch, patch)).reshape(GRID**2, -1) for band in used]
    edges = view_as_blocks(sobel(image.mean(axis=0)) > 3 / np.sqrt(6), (patch, patch))
    out = [np.arcsinh(b[k].mean()) for k in range(GRID**2) for b in blocks]
    out += [np.arcsinh(b[k].std()) for k in range(GRID**2) for b in blocks]
    out += [float(e.mean()) for row in edges for e in row]
    brightness = [np.mean([b[k].mean() for b in blocks]) for k in range(GRID**2)]
    for k in range(GRID**2):
        others = np.mean([b for j, b in enumerate(brightness) if j != k])
        out.append((brightness[k] - others) / (abs(brightness[k]) + abs(others) + 1e-6))
    y, x = np.indices((side, side)) - (side - 1) / 2
    radius = np.hypot(x, y) * scale
    odd = image - image[:, ::-1, ::-1]
    masks = [(radius >= a) & (radius < b) for a, b in pairwise(ANNULI_ARCSEC)]
    out += [np.arcsinh(band[mask].mean()) for mask in masks for band in image]
    out += [np.arcsinh(np.maximum(band[mask], 0).mean()) for mask in masks for band in odd]
    out += [np.arcsinh(np.maximum(band[mask], 0).max()) for mask in masks for band in odd]
    for positive in (False, True):
        for mask in masks:
            magnitudes = []
            for band, (plain, turned) in enumerate(zip(image, odd, strict=True)):
                pixels = np.maximum(turned[mask], 0) if positive else plain[mask]
                soft = noise[band] * 10 ** (-0.4 * 2.0) * np.sqrt(mask.sum())
                total = pixels.sum() / np.sqrt(mask.sum()) / 2
                magnitudes.append(-2.5 / np.log(10) * (np.arcsinh(total) + np.log(soft)))
            out += [a - b for a, b in pairwise(magnitudes)]
    for plain, turned in zip(image, odd, strict=True):
        out.append(np.abs(turned).sum() / (2 * np.abs(plain).sum() + 1e-6))
    out.append(float(np.isfinite(cutout).mean()))
    return out


def seconds(
    run: Callable[[], object], repeats: int = 5, clock: Callable[[], float] = time.process_time
) -> float:
    """The best of some runs."""
    best = np.inf
    for _ in range(repeats):
        start = clock()
        run()
        best = min(best, clock() - start)
    return best


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--what", choices=["rate", "blocks"], default="rate")
    parser.add_argument("--n", type=int, default=2000, help="cutouts")
    parser.add_argument("--loop", type=int, default=300, help="cutouts of the loop")
    parser.add_argument("--train", type=int, default=5000, help="simulated objects to train on")
    parser.add_argument("--test", type=int, default=6000, help="simulated objects to judge on")
    arguments = parser.parse_args()
    if arguments.what == "rate":
        rate(arguments.n, arguments.loop)
    else:
        blocks(arguments.train, arguments.test)


def rate(n: int, n_loop: int) -> None:
    """Print how fast features are computed."""
    flux = paint(n)
    grid = ClassicFeatures(GEOMETRY)
    loop: list[list[float]] = []

    def plain() -> None:
        loop[:] = [one_object(cutout) for cutout in flux[:n_loop]]

    slow = n_loop / seconds(plain, 2)
    names = np.array(grid.schema.names)
    difference = np.abs(grid(flux[:n_loop]) - np.array(loop))
    # Sobel's gradient is not our central difference: edges differ, all else must agree.
    same = np.array(["edge" not in name for name in names])
    assert difference[:, same].max() < 1e-2, names[same][difference[:, same].max(axis=0) > 1e-2]
    fast = len(flux) / seconds(lambda: compute_features(grid, flux))
    print(f"grid features, {len(names)} columns of {'×'.join(map(str, GEOMETRY.shape))} pixels")
    print(f"  a loop over objects with scikit-image: {slow:,.0f}/s")
    print(f"  this program, one thread: {fast:,.0f}/s, ratio {fast / slow:.1f}")
    loop_clock = n_loop / seconds(plain, 2, time.perf_counter)
    cores = available_cores()
    every = pool_rate(grid, flux)
    print(
        f"  this program, a process on each of {cores} cores, by the clock: {every:,.0f}/s, "
        f"ratio {every / loop_clock:.1f}"
    )

    for names_of in (*((name,) for name in BLOCKS), PIXEL_BLOCKS):
        compute = ClassicFeatures(GEOMETRY, names_of)
        one = len(flux) / seconds(lambda c=compute: compute_features(c, flux))
        every = pool_rate(compute, flux)
        columns = len(compute.schema)
        print(
            f"{' + '.join(names_of)}: {columns} columns, {one:,.0f}/s in one thread, "
            f"{every:,.0f}/s in {cores} processes"
        )


def pool_rate(compute: ClassicFeatures, flux: np.ndarray) -> float:
    """Cutouts a second by the clock, in processes that have been started."""
    with FeaturePool(compute, available_cores()) as pool:
        pool.submit(flux)()
        return len(flux) / seconds(lambda: pool.submit(flux)(), clock=time.perf_counter)


class WithLight(CutoutBatch):
    """A scene whose central galaxy is left in."""

    @cached_property
    def light(self) -> Light:
        n, _, side, _ = self.image.shape
        sky = median(self.image[..., frame_mask(side)])[..., None, None]
        axis = np.arange(side) - (side - 1) / 2
        radius = np.broadcast_to(np.hypot(axis[:, None], axis[None, :]), (n, side, side))
        model = np.broadcast_to(sky, self.image.shape).astype(np.float32)
        flat = np.zeros((n, side, side), dtype=np.float32)
        return Light(model, flat, radius.astype(np.float32), np.ones(n, dtype=np.float32))


def table_of(store: CutoutStore, kind: type[CutoutBatch]) -> dict[str, np.ndarray]:
    """Features of a catalog by block."""
    features = ClassicFeatures(store.geometry, PIXEL_BLOCKS)
    parts: dict[str, list[np.ndarray]] = {name: [] for name in PIXEL_BLOCKS}
    for _, flux in store.batches(32):
        scene = kind(np.asarray(flux), store.geometry)
        for name, block in zip(PIXEL_BLOCKS, features.blocks, strict=True):
            parts[name].append(block.of(scene))
    return {name: np.concatenate(found) for name, found in parts.items()}


def logits(train: np.ndarray, labels: np.ndarray, test: np.ndarray) -> np.ndarray:
    """Mean of three seeds, each stopped by another sixth of the training objects."""
    names = tuple(str(k) for k in range(train.shape[1]))
    found = []
    for seed in range(3):
        order = np.random.default_rng(seed).permutation(len(labels))
        held, used = order[: len(labels) // 6], order[len(labels) // 6 :]
        booster = train_trees(
            (train[used], labels[used]), (train[held], labels[held]), names=names,
            learning_rate=0.05, leaves=31, rounds=600, patience=50, seed=seed, threads=1,
        )  # fmt: skip
        found.append(np.asarray(booster.predict(test, raw_score=True)))
    return np.mean(found, axis=0)


def blocks(n_train: int, n_test: int) -> None:
    """Print what trees find with each block."""
    survey = {"survey": "hsc", "bands": list(BANDS), "size_arcsec": 10.0}
    tables: dict[str, dict[str, dict[str, np.ndarray]]] = {"taken out": {}, "left in": {}}
    labels = {}
    with tempfile.TemporaryDirectory() as folder:
        workspace = Workspace.create(Path(folder) / "ws")
        for name, n, seed in (("train", n_train, 70), ("test", n_test, 71)):
            settings = SimulateSettings(catalog=name, n_objects=n, seed=seed, **survey)
            run_here(workspace, settings, name)
            store = CutoutStore(workspace.catalog_cutouts(name))
            for light, kind in (("taken out", CutoutBatch), ("left in", WithLight)):
                tables[light][name] = table_of(store, kind)
            query = select(Candidate.label).join(Catalog, Catalog.id == Candidate.catalog_id)
            query = query.where(Catalog.name == name).order_by(Candidate.cutout_index)
            with open_database(workspace).session() as session:
                labels[name] = np.array(session.scalars(query).all())

    def judged(names: tuple[str, ...], light: str = "taken out") -> np.ndarray:
        found = {part: np.hstack([tables[light][part][name] for name in names]) for part in labels}
        scores = logits(found["train"], labels["train"], found["test"])
        metrics = ranking_metrics_with_intervals(scores, labels["test"])
        shown = ", ".join(f"{metric} {metrics[metric]}" for metric in SHOWN)
        print(f"{' + '.join(names)}, light {light}: {shown}", flush=True)
        return scores

    def compared(before: np.ndarray, after: np.ndarray) -> None:
        for name, d in compare_rankings(before, after, labels["test"]).items():
            if name in SHOWN:
                print(f"  difference in {name}: {d.value:+.4f} [{d.low_95:+.4f}, {d.high_95:+.4f}]")

    grid = judged(("grid",))
    for further in (("segments",), ("colours",), ("ridges",)):
        compared(grid, judged(("grid", *further)))
    whole = judged(PIXEL_BLOCKS)
    compared(grid, whole)
    print("the same, galaxies' light taken out instead of left in:")
    compared(judged(PIXEL_BLOCKS, "left in"), whole)


if __name__ == "__main__":
    main()
