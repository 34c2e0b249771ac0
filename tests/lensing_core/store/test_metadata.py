"""Metadata of candidates, as networks are told them."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from lensing_core.store import open_database
from lensing_core.store.metadata import NAMES, _depth, fetch_metadata
from lensing_core.store.tables import Candidate, Observation


def test_columns_come_in_the_order_asked_for(filled_workspace):
    database = open_database(filled_workspace)
    with database.session() as session:
        ids = list(session.scalars(select(Candidate.id).order_by(Candidate.id).limit(8)))
        session.merge(Observation(candidate_id=ids[2], z_phot=0.4, psf_fwhm_arcsec=0.7))
        session.merge(Observation(candidate_id=ids[5], z_phot=0.4, z_spec=0.5, richness=31.0))
    with database.session() as session:
        found = fetch_metadata(session, ids[::-1])
    assert set(found) == set(NAMES)
    assert {len(column) for column in found.values()} == {8}
    assert found["redshift"][5] == 0.4
    assert found["psf_fwhm_arcsec"][5] == 0.7
    assert found["redshift"][2] == 0.5  # the spectroscopic one
    assert found["richness"][2] == 31.0
    assert set(found["survey"]) == {"hsc"}
    assert None not in found["pixel_scale_arcsec"]


def test_columns_of_clusters_are_read_in_their_usual_units(filled_workspace):
    database = open_database(filled_workspace)
    given = [
        {"Sigma_V": 850.0, "M200": 4.5, "Lx": 2.5},
        {"velocity_dispersion_km_s": 700, "m200_msun": 3e14, "l_x": 8e43},
        {"sigma_v": None, "m200": "unknown", "lx": -1.0},
        {},
    ]
    with database.session() as session:
        ids = list(session.scalars(select(Candidate.id).order_by(Candidate.id).limit(4)))
        for candidate_id, properties in zip(ids, given, strict=True):
            session.merge(Observation(candidate_id=candidate_id, properties=properties))
    with database.session() as session:
        found = fetch_metadata(session, ids)
    assert found["velocity_dispersion_km_s"] == [850, 700, None, None]
    assert found["m200_msun"] == [4.5e14, 3e14, None, None]
    assert found["x_ray_luminosity_erg_s"] == [pytest.approx(2.5e44), 8e43, None, None]


def test_depth_is_the_mean_of_the_bands_that_are_used():
    bands = [
        {"name": "g", "depth_mag": 26.0},
        {"name": "r", "depth_mag": 25.0},
        {"name": "i", "depth_mag": None},
    ]
    assert _depth(bands, {"g", "r", "i"}) == 25.5
    assert _depth(bands, {"r"}) == 25.0
    assert _depth(bands, {"i"}) is None
