"""What tables state reaches the plan of an import, and what is odd about them its warnings."""

from __future__ import annotations

import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.io import fits
from astropy.table import Table

from lens_triage.training.jobs.ingest import request_of
from lens_triage.training.settings import IngestSettings
from lensing_core.errors import BadInputError
from lensing_core.ingest.planning import make_plan
from lensing_core.ingest.rows import ParsedRow

PLACES = SkyCoord([150.1, 10.5], [2.2, -0.5], unit="deg")


@pytest.fixture
def plan(tmp_path):
    """Makes the plan of an import of a table with two rows and a stack for them."""
    stack = np.random.default_rng(1).normal(1, 0.1, (2, 3, 16, 16)).astype(np.float32)
    np.save(tmp_path / "s.npy", stack)

    def make(path, **settings):
        values = {"catalog": "c", "survey": "hsc", "bands": ["g", "r", "i"], **settings}
        images = str(tmp_path / "s.npy")
        return make_plan(request_of(IngestSettings(table=str(path), images=images, **values)))

    return make


def rows(made):
    return [row for row in made.reader().read(0, 2) if isinstance(row, ParsedRow)]


def test_a_stated_frame_and_part_reach_the_rows(plan, tmp_path):
    there = PLACES.transform_to("fk4")
    first = Table({"id": ["x", "y"], "ra": [1.0, 2.0], "dec": [1.0, 2.0]})
    second = Table({"id": ["a", "b"], "ra": there.ra.deg, "dec": there.dec.deg})
    hdus = [fits.BinTableHDU(t, name=n) for t, n in ((first, "OTHER"), (second, "FK4"))]
    fits.HDUList([fits.PrimaryHDU(), *hdus]).writeto(tmp_path / "t.fits")
    with pytest.raises(BadInputError, match="table_part"):
        plan(tmp_path / "t.fits")
    made = plan(tmp_path / "t.fits", table_part="FK4", position_frame="fk4")
    found = [(row.candidate["ra_deg"], row.candidate["dec_deg"]) for row in rows(made)]
    assert np.allclose(found, np.c_[PLACES.ra.deg, PLACES.dec.deg], atol=1e-9)
    assert any("are FK4 (B1950); they were brought to ICRS" in told for told in made.warnings)
    assert made.notes["position_units"]["frame"]["equinox"] == "B1950"


def test_labels_and_ids_that_are_not_understood_are_told_or_refused(plan, tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("id,ra,dec,class\na,150.1,2.2,7\nb,10.5,-0.5,1\n")
    made = plan(path)
    assert [row.candidate["label"] for row in rows(made)] == [None, None]
    assert any("Column class was not taken for labels" in told for told in made.warnings)
    with pytest.raises(BadInputError, match="if they are grades"):
        plan(path, columns={"label": "class"})
    made = plan(path, columns={"label": "class"}, lens_from=5.0, nonlens_below=2.0)
    assert [row.candidate["label"] for row in rows(made)] == [1, 0]
    path.write_text("id,ra,dec\n5.27804288147738e+18,150.1,2.2\n5.27804288147739e+18,10.5,-0.5\n")
    with pytest.raises(BadInputError, match="lost digits"):
        plan(path)
