"""Archives asked about a position: the real clients against a stand-in server on this machine."""

from __future__ import annotations

import gzip
import json

import pytest
from astropy.coordinates import SkyCoord
from astropy.table import Table
from sky_services import SkyServices, serve_sky

from lensing_core.crossmatch import ads
from lensing_core.crossmatch.archives import look_up
from lensing_core.crossmatch.cluster_programs import clusters_near, program_clusters
from lensing_core.errors import BadInputError

FAST = {"pause_s": 0.0, "backoff_s": 0.01}


@pytest.fixture
def sky(monkeypatch, workspace):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("HOME", str(workspace.root))
    for name in ads.VARIABLES:
        monkeypatch.delenv(name, raising=False)
    services = SkyServices(
        ned=Table(
            {
                "Object Name": ["WISEA 1"],
                "RA(deg)": [64.0371],
                "DEC(deg)": [-24.0746],
                "Type": ["G"],
                "Redshift": [0.396],
            }
        ),
        mast=[
            {"obs_collection": "HLSP", "provenance_name": "FRONTIER", "instrument_name": "ACS",
             "obs_id": str(k), "s_ra": 64.037, "s_dec": -24.0746}
            for k in range(3)
        ],
        ads=[
            {"bibcode": "2014MNRAS.444..268R", "title": ["Mass and magnification maps"],
             "first_author": "Richard, Johan", "year": "2014"},
            {"bibcode": "2017ApJ...837...97L", "title": ["The Frontier Fields"],
             "first_author": "Lotz, J. M.", "year": "2017"},
        ],
    )  # fmt: skip
    with serve_sky(services):
        (workspace.root / "services.toml").write_text(
            f"[archives]\nned = {json.dumps(services.url + '/objsearch')}\n"
            f"mast = {json.dumps(services.url + '/mast')}\n"
            f"ads = {json.dumps(services.url + '/ads')}\n"
        )
        yield services


def test_programs_agree_where_two_observed_one_cluster():
    known = program_clusters()
    assert {p: sum(c.program == p for c in known) for p in ("RELICS", "CLASH", "HFF")} == {
        "RELICS": 41,
        "CLASH": 25,
        "HFF": 6,
    }
    twice = [c for c in known if c.program == "HFF" and len(clusters_near(c.ra_deg, c.dec_deg)) > 1]
    # Four Frontier Fields are CLASH clusters, by positions of another source.
    assert {c.name for c in twice} == {
        "MACS J0416.1-2403",
        "MACS J0717.5+3745",
        "MACS J1149.5+2223",
        "Abell S1063",
    }
    assert clusters_near(10.0, 80.0) == []


def test_answers_are_kept_and_no_service_stops_another(workspace, sky):
    programs, ned, mast, papers = look_up(workspace, 64.0371, -24.0746, **FAST)
    assert (papers.problem, papers.asked) == (ads.NO_TOKEN, False)
    assert programs.n == 2
    assert "of HFF at" in programs.text
    assert (ned.n, ned.text) == (1, "WISEA 1 (G, z = 0.396)")
    assert (mast.n, mast.text) == (3, "3 × HLSP FRONTIER ACS")
    asked = list(sky.asked)
    assert look_up(workspace, 64.0371, -24.0746, **FAST) == [programs, ned, mast, papers]
    assert sky.asked == asked
    sky.faults = ["garbage"]
    programs, ned, mast, _ = look_up(workspace, 12.0, 3.0, **FAST)
    assert (programs.n, programs.text) == (0, "")
    assert "NED answered" in ned.problem
    assert mast.problem == ""


def test_an_address_that_makes_no_sense_is_named(workspace):
    (workspace.root / "services.toml").write_text('[archives]\nsimbad = "https://x"\n')
    with pytest.raises(BadInputError, match="give ned, mast or ads"):
        look_up(workspace, 1.0, 2.0)


def papers_at(workspace):
    return look_up(workspace, 64.0371, -24.0746, **FAST)[-1]


def test_ads_is_asked_with_the_token_of_its_user_and_the_answer_kept(workspace, sky, monkeypatch):
    monkeypatch.setenv("ADS_DEV_KEY", "a-token")
    found = papers_at(workspace)
    assert (found.n, found.problem) == (2, "")
    assert found.text == (
        "Richard, Johan: Mass and magnification maps (2014MNRAS.444..268R); "
        "Lotz, J. M.: The Frontier Fields (2017ApJ...837...97L)"
    )
    assert sky.asked[-1] == 'ads object:"64.037100 -24.074600:0.008333"'
    monkeypatch.delenv("ADS_DEV_KEY")
    asked = list(sky.asked)
    assert papers_at(workspace) == found  # kept, and shown without a token
    assert sky.asked == asked
    kept = b"".join(
        gzip.decompress(path.read_bytes())
        for path in (workspace.cache / "crossmatch").glob("*.json.gz")
    )
    assert b"a-token" not in kept


def test_a_token_comes_from_a_file_and_a_refused_one_is_said(workspace, sky):
    folder = workspace.root / ".ads"
    folder.mkdir()
    (folder / "dev_key").write_text("old-token\n")
    assert "ADS refused the token" in papers_at(workspace).problem
    (folder / "dev_key").write_text("a-token\n")
    sky.faults = ["garbage"]
    assert "ADS answered with something" in papers_at(workspace).problem
    assert papers_at(workspace).n == 2
    sky.ads = []
    assert look_up(workspace, 12.0, 3.0, **FAST)[-1].n == 0


def test_frontier_fields_are_where_the_campaign_has_them():
    # STScI, HST Frontier Fields, table "Six Frontier Fields": cluster, z, RA, Dec.
    published = {
        "Abell 2744": ("0.308", "00:14:21.2 -30:23:50.1"),
        "MACS J0416.1-2403": ("0.396", "04:16:08.9 -24:04:28.7"),
        "MACS J0717.5+3745": ("0.545", "07:17:34.0 +37:44:49.0"),
        "MACS J1149.5+2223": ("0.543", "11:49:36.3 +22:23:58.1"),
        "Abell S1063": ("0.348", "22:48:44.4 -44:31:48.5"),
        "Abell 370": ("0.375", "02:39:52.9 -01:34:36.5"),
    }
    fields = {c.name: c for c in program_clusters() if c.program == "HFF"}
    assert set(fields) == set(published)
    for name, (z, place) in published.items():
        here = SkyCoord(fields[name].ra_deg, fields[name].dec_deg, unit="deg")
        assert here.separation(SkyCoord(place, unit=("hourangle", "deg"))).arcsec < 0.01
        assert fields[name].z == z
    assert all(c.source for c in program_clusters())
