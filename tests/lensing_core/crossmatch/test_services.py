"""The real clients against a server on this machine: batches, cache, faults, no network."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from astropy.table import Table
from sky_services import SkyServices, serve_sky, simbad_table

from lensing_core.crossmatch.answers import Answer, AnswerCache
from lensing_core.crossmatch.clients import CrossMatchClient
from lensing_core.crossmatch.rate_limits import RateLimitedAdapter, ServiceError
from lensing_core.crossmatch.service_list import SERVICES, vizier_service
from lensing_core.crossmatch.services import Asking, ServiceReference
from lensing_core.errors import BadInputError

RA = np.arange(10) * 0.1 + 150.0
DEC = np.full(10, 2.0)


@pytest.fixture
def sky(monkeypatch: pytest.MonkeyPatch) -> Iterator[SkyServices]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    services = SkyServices(
        tables={
            "simbad": simbad_table(RA[:6], DEC[:6] + 1 / 3600),
            "J/A+A/1/2/clusters": Table(
                {"Name": ["C1"], "RAJ2000": [RA[0]], "DEJ2000": [2.0], "z": [0.3]}
            ),
            "J/A+A/1/2/groups": Table(
                {"Name": ["G1"], "RAJ2000": [RA[1]], "DEJ2000": [2.0], "n": [5]}
            ),
            "J/A+A/1/23/other": Table({"RAJ2000": [1.0], "DEJ2000": [2.0]}),
        },
        ned=Table(
            {
                "Object Name": ["WISEA 1", "WISEA 2"],
                "RA(deg)": RA[:2],
                "DEC(deg)": DEC[:2] + 2 / 3600,
                "Type": ["G", "QSO"],
                "Redshift": [0.1, 2.5],
            }
        ),
    )
    with serve_sky(services):
        yield services


def make(
    sky: SkyServices, folder: Path, key: str = "simbad", **options: object
) -> ServiceReference:
    asking = Asking(sky.mirrors, **{"pause_s": 0.0, "backoff_s": 0.01, **options})
    service = SERVICES[key] if key in SERVICES else vizier_service(key, "cluster")
    return ServiceReference(service, asking, AnswerCache(folder))


def collect(reference: ServiceReference, radius: float = 5.0) -> list[bool]:
    return [step.from_cache for step in reference.collect(RA, DEC, radius)]


def test_positions_are_uploaded_in_batches_and_the_objects_come_back(sky, tmp_path):
    reference = make(sky, tmp_path, batch=4)
    assert collect(reference) == [False] * 3
    assert sky.asked == ["xmatch simbad 4", "xmatch simbad 4", "xmatch simbad 2"]
    found = reference.reference()
    assert list(found.names) == [f"[TEST] {k}" for k in range(6)]
    np.testing.assert_allclose(found.ra_deg, RA[:6])
    np.testing.assert_allclose(found.error_arcsec, 0.3, rtol=1e-6)  # 300 mas
    assert found.row(0)["main_type"] == "Galaxy"
    assert "redshift" not in found.row(0)  # NaN is nothing known
    assert found.row(1)["redshift"] == 0.5
    assert not {"lt_row", "angDist"} & set(found.row(1))
    assert found.version == f"asked {datetime.now(UTC):%Y-%m-%d}"


def test_answers_are_kept_and_nothing_is_asked_twice(sky, tmp_path):
    collect(make(sky, tmp_path, batch=4))
    before = len(sky.asked)
    again = make(sky, tmp_path, batch=4)
    assert collect(again) == [True] * 3
    assert len(sky.asked) == before
    assert len(again.reference()) == 6
    collect(make(sky, tmp_path, batch=4), radius=6.0)  # another request
    assert len(sky.asked) > before


def test_asking_anew_keeps_the_old_answer_beside_the_new(sky, tmp_path):
    collect(make(sky, tmp_path))
    (old,) = tmp_path.glob("*.json.gz")
    content = old.read_bytes()
    asking = Asking(sky.mirrors, pause_s=0.0)
    cache = AnswerCache(tmp_path, not_before=datetime.now(UTC))
    reference = ServiceReference(SERVICES["simbad"], asking, cache)
    assert collect(reference) == [False]
    assert old.read_bytes() == content
    assert len(list(tmp_path.glob("*.json.gz"))) == 2
    assert collect(ServiceReference(SERVICES["simbad"], asking, cache)) == [True]


def test_what_was_answered_before_a_failure_is_used_when_it_goes_on(sky, tmp_path):
    sky.faults = [None, 404]
    first = make(sky, tmp_path, batch=4)
    with pytest.raises(ServiceError, match="HTTP 404"):
        collect(first)
    assert first.n_done == 4
    assert len(first.reference()) == 4
    second = make(sky, tmp_path, batch=4)
    assert collect(second) == [True, False, False]
    assert len(second.reference()) == 6


def test_a_busy_service_is_asked_again_with_pauses(sky, tmp_path):
    sky.faults = [503, 429, None, 502, 500]
    assert collect(make(sky, tmp_path, "J/A+A/1/23/other")) == [False]
    assert sky.asked == ["tables"] * 3 + ["xmatch vizier:J/A+A/1/23/other 10"] * 3


def test_a_service_that_stays_busy_is_unreachable(sky, tmp_path):
    sky.faults = [503] * 50
    with pytest.raises(ServiceError, match="busy 6 times") as caught:
        collect(make(sky, tmp_path))
    assert caught.value.unreachable


def test_no_network_is_told_at_once(tmp_path):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    for key, name in (("simbad", "CDS"), ("ned", "NED")):
        mirrors = {"xmatch": f"http://127.0.0.1:{port}", "ned": f"http://127.0.0.1:{port}/x"}
        asking = Asking(mirrors, pause_s=0.0, backoff_s=0.01)
        reference = ServiceReference(SERVICES[key], asking, AnswerCache(tmp_path))
        with pytest.raises(ServiceError, match=f"{name}.* cannot be reached") as caught:
            collect(reference)
        assert caught.value.unreachable


def test_an_answer_that_is_no_table_is_one_sentence(sky, tmp_path):
    sky.faults = ["garbage"]
    with pytest.raises(ServiceError, match="no table") as caught:
        collect(make(sky, tmp_path))
    assert not caught.value.unreachable
    assert not list(tmp_path.glob("*.json.gz"))


def test_an_answer_cut_short_is_asked_for_in_halves(sky, tmp_path):
    sky.most_rows = 2
    reference = make(sky, tmp_path)
    collect(reference)
    assert [int(line.split()[-1]) for line in sky.asked] == [10, 5, 2, 3, 1, 2, 5]
    assert len(reference.reference()) == 6


def test_a_catalog_of_vizier_stands_for_its_tables(sky, tmp_path):
    reference = make(sky, tmp_path, "J/A+A/1/2")
    collect(reference)
    assert sky.asked[1:] == [
        "xmatch vizier:J/A+A/1/2/clusters 10",
        "xmatch vizier:J/A+A/1/2/groups 10",
    ]
    found = reference.reference()
    assert list(found.names) == ["C1", "G1"]
    assert found.row(0)["z"] == 0.3
    assert "z" not in found.row(1)
    assert found.version.endswith("J/A+A/1/2")


def test_an_unknown_table_is_named(sky, tmp_path):
    with pytest.raises(ServiceError, match="J/A\\+A/9/9"):
        collect(make(sky, tmp_path, "J/A+A/9/9"))


def test_ned_is_asked_for_one_position_at_a_time(sky, tmp_path):
    reference = make(sky, tmp_path, "ned")
    assert collect(reference) == [False] * 10
    assert sky.asked == [f"ned {ra:.4f}" for ra in RA]
    found = reference.reference()
    assert list(found.names) == ["WISEA 1", "WISEA 2"]
    assert found.row(1)["Redshift"] == 2.5
    assert len(list(tmp_path.glob("*.json.gz"))) == 10  # "nothing there" is an answer too


def test_requests_keep_their_distance(sky):
    client = CrossMatchClient(sky.mirrors["xmatch"], pause_s=0.15)
    began = time.monotonic()
    for _ in range(3):
        client.ask("simbad", RA[:1], DEC[:1], 5.0)
    assert len(sky.asked) == 3
    assert time.monotonic() - began >= 2 * 0.15


def test_the_pauses_between_repeats_grow():
    retries = RateLimitedAdapter(1.0, backoff_s=1.0).max_retries
    pauses = []
    for _ in range(4):
        retries = retries.increment(method="POST", url="/", response=None, error=None)
        pauses.append(retries.get_backoff_time())
    assert pauses == [0, 2, 4, 8]


def test_astroquery_writes_no_cache_of_its_own(sky, tmp_path, monkeypatch):
    monkeypatch.setattr("astropy.config.paths.get_cache_dir", lambda *_: pytest.fail("its cache"))
    collect(make(sky, tmp_path))
    collect(make(sky, tmp_path, "ned"))


def test_a_radius_beyond_what_services_take_is_refused(sky, tmp_path):
    with pytest.raises(BadInputError, match="at most 180"):
        collect(make(sky, tmp_path), radius=181)
    assert sky.asked == []


def test_a_bad_mirror_is_refused():
    with pytest.raises(BadInputError, match="xmatch=URL"):
        Asking({"xmatch": "ftp://example.org"})
    with pytest.raises(BadInputError, match="Mirror"):
        Asking({"gaia": "http://example.org"})


def test_the_key_of_a_request_is_its_content():
    key = AnswerCache.key
    assert key({"a": 1, "b": [1.5]}) == key({"b": [1.5], "a": 1})
    assert key({"a": 1}) != key({"a": 2})


def test_a_stored_answer_is_the_same_when_read(tmp_path):
    cache = AnswerCache(tmp_path / "new")
    answer = Answer(["A"], [1.5], [-2.0], [None], {"z": [0.25], "type": ["ring ✓"]})
    when = cache.put({"a": 1}, answer)
    assert cache.get({"a": 1}) == (answer, when)
    assert cache.get({"a": 2}) is None
    assert not list(tmp_path.rglob("*.part"))
    assert json.dumps(answer.columns)
