"""What the tests of imports share."""

from __future__ import annotations

import numpy as np
import pytest
from astropy.table import Table
from imports_of_files import SIZE, write_fits


@pytest.fixture
def survey(tmp_path):
    """Sixty FITS files of three bands, and their table."""
    folder = tmp_path / "survey"
    rng = np.random.default_rng(1)
    pixels = rng.normal(size=(60, 3, SIZE, SIZE)).astype("f4")
    for k, planes in enumerate(pixels):
        write_fits(folder / f"obj{k:03d}.fits", planes)
    table = Table(
        {
            "id": [f"obj{k:03d}" for k in range(60)],
            "ra": np.linspace(150, 151, 60),
            "dec": np.linspace(1, 2, 60),
            "mag_i": np.linspace(18, 22, 60),
            "field": ["W1", "W2"] * 30,
        }
    )
    table.write(folder / "objects.csv")
    return folder, pixels
