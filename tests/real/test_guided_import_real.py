"""Real sets are planned without a pattern: folder and, where one is needed, table are chosen."""

from __future__ import annotations

from pathlib import Path

import pytest

from lens_triage.training.jobs.ingest import request_of
from lens_triage.training.settings import IngestSettings
from lensing_core.ingest.planning import ImportPlan, make_plan

pytestmark = pytest.mark.real


def plan(real_data: Path, images: str, table: str = "") -> ImportPlan:
    named = str(real_data / table) if table else ""
    settings = IngestSettings(catalog="c", table=named, images=str(real_data / images))
    return make_plan(request_of(settings))


def test_pan_starrs(real_data: Path) -> None:
    table = "sled_ps1/lensed_galaxies.csv"
    made = plan(real_data, "sled_ps1/lensed_galaxies", table)
    assert made.notes["pattern"] == "{folder}/{folder}_{band}.fits"
    assert (len(made.table), made.survey.name) == (35, "ps1")
    assert made.geometry.bands == ("g", "r", "i", "z", "y")
    above = plan(real_data, "sled_ps1", table)
    assert above.notes["pattern"] == "lensed_galaxies/{folder}/{folder}_{band}.fits"
    whole = plan(real_data, "sled_ps1")
    assert (len(whole.table), whole.table.names) == (55, ["id", "folder"])


def test_euclid(real_data: Path) -> None:
    made = plan(real_data, "euclid_q1_galaxy")
    assert (len(made.table), made.survey.name) == (4, "euclid")
    assert made.geometry.bands == ("VIS", "Y", "J", "H")
    assert made.grid.with_variance
    assert any("Left out: 4 masks and the like" in guess.sentence for guess in made.guesses)


def test_jwst(real_data: Path) -> None:
    made = plan(real_data, "hst_jwst_pyautolens/dataset/imaging/cosmos_web_ring")
    assert made.table.cells("id") == ["cosmos_web_ring"]
    assert made.geometry.bands == ("F115W", "F150W", "F277W", "F444W")
    scales = [image.pixel_scale_arcsec for image in made.sample.images]
    assert scales == pytest.approx([0.03, 0.03, 0.06, 0.06])
    assert made.geometry.shape == (4, 419, 419)
    assert made.grid.with_variance
    assert made.grid.psf_size_px


@pytest.mark.parametrize("images", ["spacewarps_cfhtls/candidates", "spacewarps_cfhtls"])
def test_space_warps(real_data: Path, images: str) -> None:
    made = plan(real_data, images, "spacewarps_cfhtls/candidates.txt")
    assert (len(made.table), made.survey.name) == (210, "cfhtls")
    assert made.geometry.pixel_kind == "rendered"
    assert made.geometry.pixel_scale_arcsec == pytest.approx(30 / 464, rel=2e-3)
    assert 460 <= made.geometry.size_px <= 464
