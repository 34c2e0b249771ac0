"""How fast are the features of the classic member, against a loop over objects with scikit-image?

    python benchmarks/features.py --n 2000

The loop computes the grid features of one cutout after another, as one would write it with
scikit-image (which this needs beside the program: pip install scikit-image): patches by
``view_as_blocks``, edges by ``sobel``, annuli by masks. Its table is compared with ours in the same
run. Then the rate of each block of features, in this thread and on all cores. Rates of one thread
are by processor time, which other work on the machine disturbs less; those of all cores by the
clock.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable
from itertools import pairwise

import numpy as np
from skimage.filters import sobel
from skimage.util import view_as_blocks

from lensing_core.cutouts import CutoutGeometry
from lensing_core.features import BLOCKS, ClassicFeatures
from lensing_core.features.grid import ANNULI_ARCSEC, GRID
from lensing_core.models.classic import compute_features

BANDS = ("g", "r", "i")
GEOMETRY = CutoutGeometry("hsc", BANDS, 60, 0.168, "flux", (27.0,) * 3, (0.8, 0.75, 0.6))
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
    """The grid features of one cutout, but for the flux in colours, as a plain script has them."""
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
    parser.add_argument("--n", type=int, default=2000, help="cutouts")
    parser.add_argument("--loop", type=int, default=300, help="cutouts of the loop")
    arguments = parser.parse_args()
    flux = paint(arguments.n)
    parts = [flux[k : k + 32] for k in range(0, len(flux), 32)]

    grid = ClassicFeatures(GEOMETRY)
    loop: list[list[float]] = []

    def plain() -> None:
        loop[:] = [one_object(cutout) for cutout in flux[: arguments.loop]]

    slow = arguments.loop / seconds(plain, 2)
    names = np.array(grid.schema.names)
    difference = np.abs(grid(flux[: arguments.loop]) - np.array(loop))
    # Sobel's gradient is not our central difference: edges differ, all else must agree.
    same = np.array(["edge" not in name for name in names])
    assert difference[:, same].max() < 1e-2, names[same][difference[:, same].max(axis=0) > 1e-2]
    fast = len(flux) / seconds(lambda: [grid(part) for part in parts])
    print(f"grid features, {len(names)} columns of {'×'.join(map(str, GEOMETRY.shape))} pixels")
    print(f"  a loop over objects with scikit-image: {slow:,.0f}/s")
    print(f"  this program, one thread: {fast:,.0f}/s, ratio {fast / slow:.1f}")

    for names_of in (*((name,) for name in BLOCKS), PIXEL_BLOCKS):
        compute = ClassicFeatures(GEOMETRY, names_of)
        one = len(flux) / seconds(lambda c=compute: [c(part) for part in parts])
        every = len(flux) / seconds(
            lambda c=compute: compute_features(c, flux), clock=time.perf_counter
        )
        columns = len(compute.schema)
        print(
            f"{' + '.join(names_of)}: {columns} columns, {one:,.0f}/s in one thread, "
            f"{every:,.0f}/s with {os.cpu_count()}"
        )


if __name__ == "__main__":
    main()
