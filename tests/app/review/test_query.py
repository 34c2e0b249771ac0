"""Review addresses: what they ask for comes back, what cannot be followed is said."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from lens_triage.app.review.query import (
    read_address,
)
from lensing_core.errors import BadInputError
from lensing_core.store.cones import (
    cone_text,
    read_cone,
)
from lensing_core.store.query_json import query_from_json, query_to_json
from lensing_core.store.ranking import Cone, Range, RankingQuery

ENSEMBLES = [SimpleNamespace(id=7, name="first", archived_at=None)]
CATALOGS = [SimpleNamespace(id=3, name="cosmos")]


@pytest.mark.parametrize(
    ("text", "ra", "dec", "radius_arcsec"),
    [
        ("150.12 2.2 30arcsec", 150.12, 2.2, 30),
        ("150.12,+2.2,0.5", 150.12, 2.2, 1800),
        ("10:00:28.8 +02:12:00 0.5arcmin", 150.12, 2.2, 30),
        ('10h00m28.8s +02d12m00s 30"', 150.12, 2.2, 30),
        ("10 00 28.8 -02 12 00 2′", 150.12, -2.2, 120),
        ("150.12 2.2 30 arcsec", 150.12, 2.2, 30),
    ],
)
def test_cones_as_people_write_them(text, ra, dec, radius_arcsec):
    cone = read_cone(text)
    assert (cone.ra_deg, cone.dec_deg) == pytest.approx((ra, dec))
    assert cone.radius_deg * 3600 == pytest.approx(radius_arcsec)
    again = read_cone(cone_text(cone))
    assert (again.ra_deg, again.dec_deg) == pytest.approx((ra, dec), abs=1e-6)
    assert again.radius_deg == pytest.approx(cone.radius_deg, rel=1e-5)


@pytest.mark.parametrize(
    "text", ["", "150 2", "150 2 big", "x y 3", "150 95 1", "400 2 1", "150 2 0", "150 2 -1"]
)
def test_what_is_no_cone_is_refused(text):
    with pytest.raises(BadInputError):
        read_cone(text)


def test_an_address_with_every_filter():
    arguments = {
        "ensemble": ["first"],
        "catalog": ["cosmos"],
        "sort": ["theta_e"],
        "scale": ["cluster"],
        "range": ["magnitude:18:20.5", "epistemic:0.1:"],
        "votes": ["mine"],
        "grade": ["A", "B"],
        "consensus": ["open"],
        "tag": ["ring"],
        "tags": ["all"],
        "note": ["50%_ arc"],
        "flag": ["mine"],
        "cone": ["150 2 30arcsec"],
        "match": ["unmatched"],
        "selection": ["abc"],
    }
    address = read_address(arguments, ENSEMBLES, CATALOGS, grader_id=5)
    assert address.notices == ()
    query = address.query
    assert query == RankingQuery(
        7,
        (3,),
        "theta_e",
        scales=("cluster",),
        ranges=(Range("magnitude", 18, 20.5), Range("epistemic", 0.1)),
        votes="mine",
        grader_id=5,
        grades=("A", "B"),
        consensus=("open",),
        tags=("ring",),
        all_tags=True,
        note="50%_ arc",
        flagged="mine",
        cone=Cone(150, 2, 30 / 3600),
        match="unmatched",
        selection="abc",
    )
    assert query_from_json(query_to_json(query), 5) == query
    assert query_to_json(query)["cone"] == "150.000000 +2.000000 30arcsec"


def test_what_cannot_be_followed_is_said():
    arguments = {
        "range": ["beauty:1:2", "magnitude:20:18", "magnitude:x:"],
        "votes": ["mine"],
        "cone": ["nowhere"],
        "match": ["perhaps"],
        "flag": ["mine"],
    }
    address = read_address(arguments, ENSEMBLES, CATALOGS)
    assert len(address.notices) == 7
    assert not address.query.filtered
    bare = read_address({"range": ["epistemic:0:1"]}, [], CATALOGS)
    assert len(bare.notices) == 1


def test_a_query_that_makes_no_sense_is_refused():
    fields = query_to_json(RankingQuery(1))
    for change in ({"ranges": [["magnitude", "x", 1]]}, {"cone": "a b c"}, {"scales": 3}):
        with pytest.raises(BadInputError):
            query_from_json({**fields, **change})
