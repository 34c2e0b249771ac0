"""The simulate job: reproducible, resumable, with truth kept apart from labels."""

from __future__ import annotations

import numpy as np
import pytest
from sqlalchemy import select

from lens_triage.training.jobs import simulate as simulating
from lens_triage.training.runner.context import Cancelled
from lens_triage.training.settings import SimulateSettings
from lensing_core.cutouts import CutoutStore
from lensing_core.errors import BadInputError
from lensing_core.store import open_database
from lensing_core.store.tables import Candidate, Catalog

pytestmark = pytest.mark.slow


def settings(**changes) -> SimulateSettings:
    values = {
        "catalog": "sim",
        "survey": "des",
        "bands": ["g", "r"],
        "size_arcsec": 8.0,
        "n_objects": 40,
        "seed": 5,
    }
    return SimulateSettings(**{**values, **changes})


def candidates(workspace, name):
    with open_database(workspace).session() as session:
        return session.scalars(
            select(Candidate)
            .join(Catalog, Candidate.catalog_id == Catalog.id)
            .where(Catalog.name == name)
            .order_by(Candidate.cutout_index)
        ).all()


def test_a_stopped_simulation_goes_on_to_the_same_pixels(workspace, make_context, monkeypatch):
    whole = settings(n_objects=72)  # a batch and the begin of another
    simulating.run(make_context(whole, "whole"), whole)
    parts = settings(catalog="parts", n_objects=72)
    monkeypatch.setattr(simulating, "SHARD_ROWS", 64)
    context = make_context(parts, "parts")

    def stop_in_second_shard(done, total=None, activity=None):
        if done >= 64:
            raise Cancelled

    monkeypatch.setattr(context, "progress", stop_in_second_shard)
    with pytest.raises(Cancelled):
        simulating.run(context, parts)
    assert len(candidates(workspace, "parts")) == 64
    simulating.run(make_context(parts, "parts"), parts)
    simulating.run(make_context(parts, "parts"), parts)  # once more changes nothing

    found = candidates(workspace, "parts")
    wanted = candidates(workspace, "sim")
    assert [c.cutout_sha256 for c in found] == [c.cutout_sha256 for c in wanted]
    assert [c.ra_deg for c in found] == [c.ra_deg for c in wanted]
    assert {c.label for c in found} == {0, 1}
    assert all(c.label_source == "sim:parts" for c in found)


def test_hidden_labels_leave_the_truth(workspace, make_context):
    hidden = settings(n_objects=20, labeled=False, lens_fraction=1.0)
    simulating.run(make_context(hidden), hidden)
    with open_database(workspace).session() as session:
        for candidate in session.scalars(select(Candidate)).all():
            assert candidate.label is None
            truth = candidate.observation.truth
            assert truth["class"] == "lens"
            assert truth["theta_e_arcsec"] > 0
            assert candidate.observation.z_phot is not None
            assert set(candidate.observation.magnitudes) == {"g", "r"}


def test_positions_are_apart(workspace, make_context):
    drawn = settings(n_objects=100)
    simulating.run(make_context(drawn), drawn)
    found = candidates(workspace, "sim")
    ra, dec = (np.array([getattr(c, n) for c in found]) for n in ("ra_deg", "dec_deg"))
    separation = np.hypot((ra[:, None] - ra) * np.cos(np.radians(dec)), dec[:, None] - dec)
    np.fill_diagonal(separation, np.inf)
    assert separation.min() > 20 / 3600


def test_rendered_pictures_are_eight_bit_colors(workspace, make_context):
    drawn = settings(survey="cfhtls", bands=[], n_objects=12, pixels="rendered")
    simulating.run(make_context(drawn), drawn)
    store = CutoutStore(workspace.catalog_cutouts("sim"))
    assert store.geometry.pixel_kind == "rendered"
    assert store.geometry.bands == ("R", "G", "B")
    pixels = store.read_many(range(12))
    np.testing.assert_array_equal(pixels, np.round(pixels))
    assert pixels.min() >= 0
    assert 60 < pixels.max(axis=(1, 2, 3)).min() <= pixels.max() <= 255


def test_other_settings_do_not_mix_into_a_catalog(workspace, make_context):
    first = settings(n_objects=8)
    simulating.run(make_context(first), first)
    other = settings(n_objects=8, seed=6)
    with pytest.raises(BadInputError, match="exists with other settings"):
        simulating.run(make_context(other, "other"), other)
