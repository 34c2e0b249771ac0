"""Candidates by id, by place and on the sky."""

from __future__ import annotations

import astropy.units as u
import pytest
from astropy_healpix import HEALPix
from rows import add_catalog

from lensing_core.errors import BadInputError, NotFoundError
from lensing_core.store import Session, open_database
from lensing_core.store.candidates import (
    CutoutPlace,
    candidate_at,
    cutout_places,
    get_candidate,
    nearest_candidate,
    object_names,
)
from lensing_core.store.tables import Candidate

ARCSEC = 1 / 3600
GRID = HEALPix(nside=64, order="nested")


@pytest.fixture
def session(workspace):
    with open_database(workspace).session() as session:
        yield session


def place(session: Session, candidate_id: int, ra_deg: float, dec_deg: float) -> None:
    candidate = session.get_one(Candidate, candidate_id)
    candidate.ra_deg, candidate.dec_deg = ra_deg, dec_deg
    candidate.healpix = int(GRID.lonlat_to_healpix(ra_deg * u.deg, dec_deg * u.deg))
    session.flush()


def test_a_candidate_by_id(session) -> None:
    (only,) = add_catalog(session, "mine", 1)
    assert get_candidate(session, only).object_id == "o0"
    with pytest.raises(NotFoundError, match=r"^Candidate 99 does not exist\.$"):
        get_candidate(session, 99)


def test_a_candidate_by_its_place_in_a_catalog(session) -> None:
    mine, yours = add_catalog(session, "mine", 3), add_catalog(session, "yours", 2)
    assert [candidate_at(session, "mine", k) for k in range(4)] == [*mine, None]
    assert candidate_at(session, "yours", 1) == yours[1]
    assert candidate_at(session, "nobody's", 0) is None


def test_names_of_more_candidates_than_a_statement_takes(session) -> None:
    ids = add_catalog(session, "mine", 1203)
    wanted = [*reversed(ids), ids[0], 10**9]
    assert object_names(session, iter(wanted)) == {key: f"o{k}" for k, key in enumerate(ids)}
    assert object_names(session, []) == {}


def test_places_of_cutouts(session) -> None:
    mine, yours = add_catalog(session, "mine", 3), add_catalog(session, "yours", 2)
    assert cutout_places(session, [mine[2], yours[0], 10**9]) == {
        mine[2]: CutoutPlace("o2", 1, "mine", 2, f"{2:064x}"),
        yours[0]: CutoutPlace("o0", 2, "yours", 0, f"{0:064x}"),
    }


def test_the_nearest_lies_nearest_on_the_sky_and_not_in_right_ascension(session) -> None:
    high, low, far, nowhere = add_catalog(session, "mine", 4)
    # at a declination of 80 degrees, 8 arcsec of right ascension are 1.4 on the sky
    place(session, high, 10 + 8 * ARCSEC, 80)
    place(session, low, 10, 80 - 2 * ARCSEC)
    place(session, far, 10, 80 + 30 * ARCSEC)
    assert session.get_one(Candidate, nowhere).ra_deg is None
    assert nearest_candidate(session, 10, 80, 5) == high
    assert nearest_candidate(session, 10, 80 - 1.5 * ARCSEC, 5) == low
    assert nearest_candidate(session, 10, 80 + 30 * ARCSEC, 5) == far
    assert nearest_candidate(session, 10, 80 + 15 * ARCSEC, 5) is None


def test_the_nearest_is_found_across_the_meridian(session) -> None:
    west, east = add_catalog(session, "mine", 2)
    place(session, west, 360 - 1 * ARCSEC, 0)
    place(session, east, 2 * ARCSEC, 0)
    assert nearest_candidate(session, 0, 0, 5) == west
    assert nearest_candidate(session, 1 * ARCSEC, 0, 5) == east


def test_a_position_off_the_sky_is_refused(session) -> None:
    with pytest.raises(BadInputError, match="declination from -90 to 90"):
        nearest_candidate(session, 10, 91, 5)
