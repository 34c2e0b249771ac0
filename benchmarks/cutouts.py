"""How fast are cutouts read from ``.npy`` shards, against one HDF5 file?

    python benchmarks/cutouts.py --n 20000

Writes the same random cutouts (3 x 64 x 64 float32) both ways, then reads all in order in batches
and single ones at random. The best of five rounds
counts, so both come from the page cache.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np

from lensing_core.cutouts import CutoutGeometry, CutoutStore, CutoutWriter

SHAPE = (3, 64, 64)
BATCH = 256


def best_of(action: Callable[[], None], repeats: int = 5) -> float:
    """Shortest wall time in seconds."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        action()
        times.append(time.perf_counter() - start)
    return min(times)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--n", type=int, default=20_000, help="cutouts")
    parser.add_argument("--random", type=int, default=2_000, help="single reads at random")
    arguments = parser.parse_args()
    n = arguments.n
    rng = np.random.default_rng(0)
    picks = rng.integers(0, n, arguments.random)

    with tempfile.TemporaryDirectory() as folder:
        geometry = CutoutGeometry(
            "hsc", ("g", "r", "i"), 64, 0.168, "flux", (27.0,) * 3, (0.7,) * 3
        )
        writer = CutoutWriter(Path(folder) / "shards", geometry)
        with h5py.File(Path(folder) / "cutouts.h5", "w") as file:
            dataset = file.create_dataset("images", (n, *SHAPE), "f4", chunks=(1, *SHAPE))
            for shard, first in enumerate(range(0, n, writer.rows_per_shard)):
                count = min(writer.rows_per_shard, n - first)
                pixels = rng.standard_normal((count, *SHAPE), dtype="f4")
                writer.write_shard(shard, pixels)
                dataset[first : first + count] = pixels

        store = CutoutStore(Path(folder) / "shards")
        with h5py.File(Path(folder) / "cutouts.h5") as file:
            images = file["images"]

            def shards_in_order() -> None:
                for _, batch in store.batches(BATCH):
                    del batch  # as the other loop drops its own

            def hdf5_in_order() -> None:
                for first in range(0, n, BATCH):
                    images[first : first + BATCH]

            def shards_at_random() -> None:
                for k in picks:
                    store.read(k)

            def hdf5_at_random() -> None:
                for k in picks:
                    images[k]

            for name, ours, theirs, count in (
                ("in order", shards_in_order, hdf5_in_order, n),
                ("at random", shards_at_random, hdf5_at_random, len(picks)),
            ):
                fast, slow = best_of(ours), best_of(theirs)
                print(
                    f"{name}: shards {count / fast:,.0f}/s ({1e6 * fast / count:.1f} us each), "
                    f"HDF5 {count / slow:,.0f}/s ({1e6 * slow / count:.1f} us each), "
                    f"ratio {slow / fast:.1f}"
                )


if __name__ == "__main__":
    main()
