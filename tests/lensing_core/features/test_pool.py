"""Features in processes: the same as in the calling thread, and one sentence when one is killed."""

from __future__ import annotations

import os
import signal

import numpy as np
import pytest

from lensing_core.errors import LensTriageError
from lensing_core.features import ClassicFeatures, FeaturePool, compute_features
from lensing_core.features.pool import ROWS

from .conftest import GEOMETRY, paint_galaxy


@pytest.fixture(scope="module")
def flux() -> np.ndarray:
    rng = np.random.default_rng(3)
    galaxy = paint_galaxy(40.0)
    return (galaxy + rng.standard_normal((2 * ROWS + 5, 3, *galaxy.shape))).astype(np.float32)


def test_processes_give_what_the_calling_thread_gives(flux):
    compute = ClassicFeatures(GEOMETRY, ("grid", "segments", "catalog"))
    metadata = {"redshift": [None if k % 3 else 0.01 * k for k in range(len(flux))]}
    expected = compute_features(compute, flux, metadata)
    assert expected.shape == (len(flux), len(compute.schema))
    with FeaturePool(compute, processes=1) as pool:
        first, second = pool.submit(flux, metadata), pool.submit(flux[:1])
        np.testing.assert_array_equal(first(), expected)
        np.testing.assert_array_equal(second(), compute_features(compute, flux[:1]))
        (process,) = pool._pool._processes
        os.kill(process, signal.SIGKILL)
        with pytest.raises(LensTriageError, match="ended from outside"):
            pool.submit(flux)()


def test_without_processes_the_calling_thread_computes_when_asked(flux):
    compute = ClassicFeatures(GEOMETRY)
    with FeaturePool(compute, processes=0) as pool:
        features = pool.submit(flux[:3])
        np.testing.assert_array_equal(features(), compute(flux[:3]))


def test_no_cutouts_have_no_features():
    compute = ClassicFeatures(GEOMETRY)
    nothing = np.empty((0, *GEOMETRY.shape), dtype=np.float32)
    assert compute_features(compute, nothing).shape == (0, len(compute.schema))
