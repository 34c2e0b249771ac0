"""How long does a tile take, and does a thread help the other requests?

Prints, for several cutout sizes, the time to draw and encode one picture, the ratio of lossless
WebP to PNG, and how long a request that costs nothing waits (95th percentile) while 48 tiles are
fetched over six connections (eight candidates ahead, each with a color picture and five bands),
drawn on the event loop and in threads.

    python benchmarks/tiles.py
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from pathlib import Path

import numpy as np

from lens_triage.app.viewer.tiles import (
    TileRequest,
    TileSource,
)
from lensing_core.cutouts import CutoutGeometry, CutoutWriter
from lensing_core.imaging import encode, render_rgb, sky_noise
from lensing_core.workspace import Workspace

BANDS = ("g", "r", "i", "z", "y")


def make(workspace: Workspace, size_px: int) -> str:
    """A catalog of noisy galaxies; its name."""
    geometry = CutoutGeometry("test", BANDS, size_px, 0.2, "flux", (25.0,) * 5, (0.8,) * 5)
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:size_px, :size_px] - size_px / 2
    galaxy = 300 * np.exp(-np.hypot(x, y) / (size_px / 12))
    flux = (galaxy + rng.normal(size=(8, 5, size_px, size_px))).astype(np.float32)
    name = f"side-{size_px}"
    CutoutWriter(workspace.catalog_cutouts(name), geometry).write_shard(0, flux)
    return name


def median_ms(function, repeats: int) -> float:
    """Median wall time of one call, ms."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        function()
        times.append(time.perf_counter() - start)
    return float(np.median(times) * 1e3)


async def wait_behind(source: TileSource, name: str, *, threads: bool) -> tuple[float, float]:
    """Total time of 48 tiles, and how late the event loop answers meanwhile (p95), ms."""
    requests = [TileRequest()] + [TileRequest(kind="band", band=band) for band in BANDS]
    late: list[float] = []
    running = True
    connections = asyncio.Semaphore(6)

    async def heartbeat() -> None:
        while running:
            start = time.perf_counter()
            await asyncio.sleep(0.001)
            late.append(time.perf_counter() - start - 0.001)

    async def tile(index: int, request: TileRequest) -> None:
        async with connections:
            if threads:
                await asyncio.to_thread(source.draw, name, index, request)
            else:
                source.draw(name, index, request)
            await asyncio.sleep(0.0002)  # the client's side

    beat = asyncio.create_task(heartbeat())
    start = time.perf_counter()
    await asyncio.gather(*(tile(k, r) for k in range(8) for r in requests))
    total = time.perf_counter() - start
    running = False
    await beat
    return total * 1e3, float(np.percentile(late, 95)) * 1e3


def main() -> None:
    """Print the table."""
    print(
        f"{'side':>5} {'rgb ms':>7} {'band ms':>8} {'png/webp':>9} | 48 tiles, ms (wait of others)"
    )
    with tempfile.TemporaryDirectory() as folder:
        workspace = Workspace.create(Path(folder))
        source = TileSource(workspace)
        for size in (64, 120, 200, 300, 500, 1000):
            name = make(workspace, size)
            repeats = 5 if size > 300 else 30
            rgb = median_ms(lambda n=name: source.draw(n, 1, TileRequest()), repeats)
            band = TileRequest(kind="band", band="r")
            gray = median_ms(lambda n=name, b=band: source.draw(n, 1, b), repeats)
            store = source.catalog(name, 1).store
            cutout, geometry = store.read(1), store.geometry
            picture = render_rgb(cutout, geometry, sky_noise(cutout))
            png, webp = (
                median_ms(lambda p=picture, f=f: encode(p, f), repeats) for f in ("png", "webp")
            )
            loop = asyncio.run(wait_behind(source, name, threads=False))
            pool = asyncio.run(wait_behind(source, name, threads=True))
            print(
                f"{size:5d} {rgb:7.2f} {gray:8.2f} {png / webp:8.1f}x | "
                f"loop {loop[0]:.0f} ({loop[1]:.1f})  threads {pool[0]:.0f} ({pool[1]:.1f})"
            )


if __name__ == "__main__":
    main()
