"""Real sky for the bundled ensembles: red galaxies keep their light, and pictures their noise."""

from __future__ import annotations

import numpy as np
import pytest
from sqlalchemy import select

from lens_triage.training.real_sky import dihedral_view, on_grid, smooth_outskirts, write_sky
from lensing_core.errors import BadInputError
from lensing_core.store import open_database
from lensing_core.store.tables import Candidate


def galaxy(side: int = 91) -> np.ndarray:
    axis = np.arange(side) - (side - 1) / 2
    radius = np.hypot(axis[:, None], axis[None, :] / 0.7)
    return (1e4 * np.exp(-radius / 3))[None]


def test_smoothing_keeps_flux_and_core_and_takes_the_noise_of_the_outskirts():
    clean = galaxy()
    noisy = clean + np.random.default_rng(0).normal(0, 5, clean.shape)
    found = smooth_outskirts(noisy, np.full((1, 1, 1), 5.0), 8.0)
    assert found.sum() == pytest.approx(clean.sum(), rel=0.01)
    assert found[0, 45, 45] == pytest.approx(noisy[0, 45, 45], rel=1e-6)
    outside = (slice(None), slice(65, 75), slice(20, 70))
    assert (found - clean)[outside].std() < 0.3 * (noisy - clean)[outside].std()


def test_a_galaxy_on_another_grid_has_its_flux_and_its_center():
    moved = on_grid(galaxy().astype(np.float32), 0.2, 119)
    assert moved.sum() == pytest.approx(galaxy().sum(), rel=0.01)
    assert np.unravel_index(moved[0].argmax(), moved[0].shape) == (59, 59)
    lopsided = np.arange(9.0).reshape(1, 3, 3)
    assert len({dihedral_view(lopsided, k).tobytes() for k in range(8)}) == 8


def test_an_unknown_sky_is_refused(workspace, tmp_path):
    with pytest.raises(BadInputError, match="No real sky of sdss; there is that of ps1"):
        write_sky(workspace, "sky", "sdss", tmp_path)


@pytest.mark.real
@pytest.mark.parametrize("survey", ["ps1", "cfhtls"])
def test_copies_of_a_galaxy_share_a_place_and_are_hosts(workspace, real_data, survey):
    n = write_sky(workspace, "sky", survey, real_data, copies=2)
    assert write_sky(workspace, "sky", survey, real_data, copies=2) == n
    with open_database(workspace).session() as session:
        rows = session.scalars(select(Candidate)).all()
        assert len(rows) == n
        copies = [row for row in rows if row.object_id.startswith("lrg")]
        assert len(copies) == 92
        assert len({(row.ra_deg, row.dec_deg) for row in copies}) == 46
        assert all(row.observation.properties["LRG"] == 1 for row in copies)
