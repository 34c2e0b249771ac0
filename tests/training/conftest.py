"""A small labeled catalog: blobs, with a blue ring around those that count as lenses."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from lens_triage.training.runner.context import JobContext
from lens_triage.training.settings import RunSettings
from lensing_core.cutouts import CutoutGeometry
from lensing_core.ingest.catalog_writer import CatalogSpec, CatalogWriter, NewCandidate
from lensing_core.store import open_database
from lensing_core.store.tables import Run
from lensing_core.workspace import Workspace

SIZE = 32


def blobs_and_rings(n: int, seed: int, size_px: int = SIZE) -> tuple[np.ndarray, np.ndarray]:
    """Flux (n, 2, size, size) in two bands with noise 1, and labels."""
    rng = np.random.default_rng(seed)
    labels = (np.arange(n) % 3 == 0).astype(int)
    axis = np.arange(size_px) - (size_px - 1) / 2
    r = np.hypot(axis[:, None], axis[None, :])
    flux = rng.normal(size=(n, 2, size_px, size_px))
    blob = rng.uniform(10, 40, n)[:, None, None] * np.exp(-0.5 * (r / 3) ** 2)
    radius = rng.uniform(6, 9, n)[:, None, None]
    ring = 4.0 * labels[:, None, None] * np.exp(-0.5 * ((r - radius) / 1.2) ** 2)
    flux[:, 0] += 0.5 * blob + ring
    flux[:, 1] += blob + 0.3 * ring
    return flux.astype("f4"), labels


@pytest.fixture
def make_catalog(workspace: Workspace) -> Callable[..., np.ndarray]:
    """Write a catalog of blobs and rings; returns the labels."""

    def make(
        name: str, n: int, seed: int, *, labeled: bool = True, size_px: int = SIZE, **spec: object
    ) -> np.ndarray:
        flux, labels = blobs_and_rings(n, seed, size_px)
        geometry = CutoutGeometry(
            "hsc", ("g", "i"), size_px, 0.168, "flux", (27.0, 27.0), (0.8, 0.6)
        )
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
        writer = CatalogWriter(
            workspace, CatalogSpec(name, geometry, {}, origin="simulated", **spec)
        )
        for first in range(0, n, 200):
            part = slice(first, min(first + 200, n))
            writer.append(flux[part], rows[part], rows_read=part.stop)
        writer.finish()
        return labels

    return make


@pytest.fixture
def make_context(workspace: Workspace) -> Callable[[RunSettings], JobContext]:
    """A context for running a job function in this process."""

    def make(settings: RunSettings, run_id: str = "test-run") -> JobContext:
        with open_database(workspace).session() as session:
            if session.get(Run, run_id) is None:
                session.add(
                    Run(id=run_id, kind=settings.kind, title="test", settings=settings.to_json())
                )
        return JobContext(workspace, run_id)

    return make
