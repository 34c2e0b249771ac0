"""Archives asked about a position: the real clients against a stand-in server on this machine."""

from __future__ import annotations

import json

import pytest
from astropy.table import Table
from sky_services import SkyServices, serve_sky

from lensing_core.crossmatch.archives import look_up
from lensing_core.crossmatch.cluster_programs import clusters_near, program_clusters
from lensing_core.errors import BadInputError

FAST = {"pause_s": 0.0, "backoff_s": 0.01}


@pytest.fixture
def sky(monkeypatch, workspace):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
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
    )  # fmt: skip
    with serve_sky(services):
        (workspace.root / "services.toml").write_text(
            f"[archives]\nned = {json.dumps(services.url + '/objsearch')}\n"
            f"mast = {json.dumps(services.url + '/mast')}\n"
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
    programs, ned, mast = look_up(workspace, 64.0371, -24.0746, **FAST)
    assert programs.n == 2
    assert "of HFF at" in programs.text
    assert (ned.n, ned.text) == (1, "WISEA 1 (G, z = 0.396)")
    assert (mast.n, mast.text) == (3, "3 × HLSP FRONTIER ACS")
    asked = list(sky.asked)
    assert look_up(workspace, 64.0371, -24.0746, **FAST) == [programs, ned, mast]
    assert sky.asked == asked
    sky.faults = ["garbage"]
    programs, ned, mast = look_up(workspace, 12.0, 3.0, **FAST)
    assert (programs.n, programs.text) == (0, "")
    assert "NED answered" in ned.problem
    assert mast.problem == ""


def test_an_address_that_makes_no_sense_is_named(workspace):
    (workspace.root / "services.toml").write_text('[archives]\nads = "https://x"\n')
    with pytest.raises(BadInputError, match="give ned or mast"):
        look_up(workspace, 1.0, 2.0)
