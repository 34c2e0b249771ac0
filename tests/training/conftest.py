"""A small labeled catalog, and jobs that run in the process of the test."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from drawn_catalogs import SIZE_PX, TWO_BANDS, draw_catalog

from lens_triage.training.runner.context import JobContext
from lens_triage.training.settings import RunSettings
from lensing_core.store import open_database
from lensing_core.store.tables import Run
from lensing_core.workspace import Workspace


@pytest.fixture
def make_catalog(workspace: Workspace) -> Callable[..., np.ndarray]:
    """Write a catalog of blobs and rings; returns the labels."""

    def make(name: str, n: int, seed: int, *, size_px: int = SIZE_PX, **rest: object) -> np.ndarray:
        geometry = replace(TWO_BANDS, size_px=size_px)
        return draw_catalog(workspace, name, n, seed, geometry=geometry, **rest)

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
