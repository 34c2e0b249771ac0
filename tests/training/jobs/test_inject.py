"""The inject job: pairs of a real galaxy and the same with arcs."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from sqlalchemy import select
from sqlalchemy.orm import selectinload

from lens_triage.training.jobs import (
    inject as injecting,
)
from lens_triage.training.jobs import (
    simulate as simulating,
)
from lens_triage.training.runner.context import Cancelled
from lens_triage.training.settings import InjectSettings, SimulateSettings
from lensing_core.cutouts import CutoutStore
from lensing_core.errors import BadInputError, NotFoundError
from lensing_core.store import open_database
from lensing_core.store.tables import Candidate, Catalog

pytestmark = pytest.mark.slow


@pytest.fixture
def galaxies(workspace, make_context):
    settings = SimulateSettings(
        catalog="sky", survey="hsc", bands=["g", "r"], size_arcsec=8.0, n_objects=80,
        lens_fraction=0.0, labeled=False,
    )  # fmt: skip
    simulating.run(make_context(settings, "sky"), settings)
    return settings


def rows(workspace, name):
    query = (
        select(Candidate)
        .join(Catalog, Candidate.catalog_id == Catalog.id)
        .where(Catalog.name == name)
        .order_by(Candidate.cutout_index)
        .options(selectinload(Candidate.observation))
    )
    with open_database(workspace).session() as session:
        return session.scalars(query).all()


def test_every_galaxy_stands_twice(workspace, make_context, galaxies):
    settings = InjectSettings(source="sky", catalog="arcs", n_galaxies=20, hosts="all")
    result = injecting.run(make_context(settings, "a"), settings)
    found = rows(workspace, "arcs")
    assert len(found) == 2 * result["galaxies"] > 20
    plain, painted = found[::2], found[1::2]
    assert [row.label for row in plain] == [0] * len(plain)
    assert [row.label for row in painted] == [1] * len(painted)
    assert [f"{row.object_id}+arc" for row in plain] == [row.object_id for row in painted]
    assert [row.healpix for row in plain] == [row.healpix for row in painted]
    pixels = CutoutStore(workspace.catalog_cutouts("arcs"))
    sky = CutoutStore(workspace.catalog_cutouts("sky"))
    by_id = {row.object_id: row.cutout_index for row in rows(workspace, "sky")}
    for row in plain[:5]:
        original = sky.read(by_id[row.object_id])
        np.testing.assert_array_equal(pixels.read(row.cutout_index), original)
        assert not np.array_equal(pixels.read(row.cutout_index + 1), original)
    assert painted[0].observation.truth["theta_e_arcsec"] >= 0.5


def test_a_stopped_job_goes_on_to_the_same_pixels(workspace, make_context, galaxies, monkeypatch):
    monkeypatch.setattr(injecting, "BATCH", 4)
    painter_of = injecting.painter_of

    def forgetful(*arguments):
        painter = painter_of(*arguments)

        def paint_many(numbers, *rest, **named):
            painted = painter.paint_many(numbers, *rest, **named)
            return [None if k % 3 == 0 else one for k, one in zip(numbers, painted, strict=True)]

        return SimpleNamespace(paint_many=paint_many)

    monkeypatch.setattr(injecting, "painter_of", forgetful)
    whole = InjectSettings(source="sky", catalog="whole", n_galaxies=12, hosts="all")
    at_once = injecting.run(make_context(whole, "whole"), whole)
    parts = InjectSettings(source="sky", catalog="parts", n_galaxies=12, hosts="all")
    context = make_context(parts, "parts")

    def stop(done, total=None, activity=None):
        if done >= 8:
            raise Cancelled

    monkeypatch.setattr(context, "progress", stop)
    with pytest.raises(Cancelled):
        injecting.run(context, parts)
    resumed = injecting.run(make_context(parts, "parts"), parts)
    assert resumed == {**at_once, "catalog": "parts"}
    assert resumed["left_out"] == 12 - resumed["galaxies"] >= 4
    first, second = rows(workspace, "whole"), rows(workspace, "parts")
    assert [row.cutout_sha256 for row in first] == [row.cutout_sha256 for row in second]


def test_wrong_settings_say_so(workspace, make_context, galaxies):
    with pytest.raises(BadInputError, match="new name"):
        InjectSettings(source="sky", catalog="sky").check()
    missing = InjectSettings(source="nowhere")
    with pytest.raises(NotFoundError, match="nowhere"):
        injecting.run(make_context(missing, "m"), missing)
    faint = InjectSettings(source="sky", min_magnitude=40.0)
    with pytest.raises(BadInputError, match="no galaxy to paint on"):
        injecting.run(make_context(faint, "f"), faint)
