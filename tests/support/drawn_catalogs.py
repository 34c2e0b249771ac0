"""Labeled catalogs that are drawn in a moment: blobs, with a blue ring around the lenses."""

from __future__ import annotations

import numpy as np

from lensing_core.cutouts import CutoutGeometry
from lensing_core.ingest.catalog_writer import CatalogSpec, CatalogWriter, NewCandidate
from lensing_core.workspace import Workspace

SIZE_PX = 32
TWO_BANDS = CutoutGeometry("hsc", ("g", "i"), SIZE_PX, 0.168, "flux", (27.0, 27.0), (0.8, 0.6))
_AT_ONCE = 200


def blobs_and_rings(
    n: int, seed: int, size_px: int = SIZE_PX, n_bands: int = 2
) -> tuple[np.ndarray, np.ndarray]:
    """Flux (n, n_bands, size, size) with noise 1, and labels: every third object has a ring."""
    rng = np.random.default_rng(seed)
    labels = (np.arange(n) % 3 == 0).astype(int)
    axis = np.arange(size_px) - (size_px - 1) / 2
    r = np.hypot(axis[:, None], axis[None, :])
    flux = rng.normal(size=(n, n_bands, size_px, size_px))
    blob = rng.uniform(10, 40, n)[:, None, None] * np.exp(-0.5 * (r / 3) ** 2)
    radius = rng.uniform(6, 9, n)[:, None, None]
    ring = 4.0 * labels[:, None, None] * np.exp(-0.5 * ((r - radius) / 1.2) ** 2)
    flux[:, 0] += 0.5 * blob + ring
    flux[:, 1:] += (blob + 0.3 * ring)[:, None]
    return flux.astype("f4"), labels


def draw_catalog(
    workspace: Workspace,
    name: str,
    n: int,
    seed: int,
    *,
    labeled: bool = True,
    geometry: CutoutGeometry = TWO_BANDS,
    **spec: object,
) -> np.ndarray:
    """Write a catalog of blobs and rings, as that of a simulation; return the labels."""
    flux, labels = blobs_and_rings(n, seed, geometry.size_px, len(geometry.bands))
    if geometry.pixel_kind == "rendered":
        flux = np.clip(64 + 4 * flux, 0, 255)
    rng = np.random.default_rng(seed)
    rows = [
        NewCandidate(
            f"{name}-{k}",
            float(rng.uniform(0, 60)),
            float(rng.uniform(-20, 20)),
            label=int(labels[k]) if labeled else None,
        )
        for k in range(n)
    ]
    writer = CatalogWriter(workspace, CatalogSpec(name, geometry, {}, origin="simulated", **spec))
    for first in range(0, n, _AT_ONCE):
        part = slice(first, min(first + _AT_ONCE, n))
        writer.append(flux[part], rows[part], rows_read=part.stop)
    writer.finish()
    return labels
