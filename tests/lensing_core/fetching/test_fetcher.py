"""Fetching from a server on this machine that answers as the services do, with all their faults."""

from __future__ import annotations

import json
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from astropy.wcs import WCS
from sky_services import CutoutServices, galaxy_flux, serve_cutouts

from lensing_core.crossmatch.rate_limits import ServiceError
from lensing_core.fetching.fetcher import Fetcher, Manners
from lensing_core.fetching.kept import Kept
from lensing_core.fetching.services import CUTOUT_SERVICES, make_order

QUICK = Manners(pause_s=0.0, timeout_s=5.0, backoff_s=0.01)
RA, DEC = 150.1234567, 2.2


@pytest.fixture
def services(monkeypatch: pytest.MonkeyPatch) -> Iterator[CutoutServices]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with serve_cutouts(CutoutServices()) as running:
        yield running


@pytest.fixture
def make(services, tmp_path):
    """A fetcher of one service and what it keeps."""

    def made(key: str = "hips2fits", manners: Manners = QUICK, **values):
        order = make_order(
            CUTOUT_SERVICES[key],
            address=services.address(key),
            **{"bands": ("g",), "size_arcsec": 8.0, **values},
        )
        kept = Kept.of(tmp_path / "fetched", order)
        return Fetcher(kept, manners), kept

    return made


def note(path: Path) -> dict:
    return json.loads(path.with_suffix(".json").read_text())


@pytest.mark.parametrize("key", CUTOUT_SERVICES)
def test_images_come_with_their_provenance_and_are_asked_for_once(key, make, services):
    fetcher, kept = make(key, bands=("g", "r"))
    fetched = fetcher.fetch(RA, DEC)
    assert (fetched.asked, fetched.bands, fetched.problem) == (True, 2, "")
    assert len(services.asked) == kept.order.requests_per_object
    for band in "gr":
        path = kept.path(band, RA, DEC)
        assert path.name == "150.123457+2.200000.fits"
        with fits.open(path) as hdus:
            hdus.verify("exception")
            side = kept.order.size_px
            assert hdus[0].data.shape == (side, side)
            wcs = WCS(hdus[0].header)
            assert wcs.naxis == 2
            assert wcs.pixel_to_world_values((side - 1) / 2, (side - 1) / 2) == pytest.approx(
                (RA, DEC), abs=1e-6
            )
            assert np.nanmax(hdus[0].data) == pytest.approx(galaxy_flux(RA, band), rel=0.05)
        told = note(path)
        assert told["service"] == kept.order.service.title
        assert told["url"].startswith(services.address(key))
        assert told["bytes"] == path.stat().st_size
        assert len(told["sha256"]) == 64
        assert told["at"].endswith("+00:00")
    again = make(key, bands=("g", "r"))[0].fetch(RA, DEC)
    assert (again.asked, again.bands) == (False, 2)
    assert len(services.asked) == kept.order.requests_per_object
    assert all(agent.startswith("lens-triage/") for agent in services.agents)


def test_another_order_is_fetched_by_itself(make, services):
    for values in ({}, {"size_arcsec": 9.0}, {"layer": "CDS/P/other/{band}"}, {}):
        make(**values)[0].fetch(RA, DEC)
    assert services.count("hips2fits") == 3


@pytest.mark.parametrize(
    ("key", "what", "fault", "problem"),
    [
        ("hips2fits", "hips2fits", "html", "no FITS file but a web page: Down for maintenance"),
        ("hips2fits", "hips2fits", "message", "HTTP 400, a message: Unknown HiPS: No HiPS of that"),
        ("hips2fits", "hips2fits", 404, "HTTP 404, a web page: Down for maintenance"),
        ("hips2fits", "hips2fits", "half", "half a file came: 4,320 of 6,976"),
        ("hips2fits", "hips2fits", "cut off", "the connection ended after 4,320 bytes"),
        ("hips2fits", "hips2fits", "large", "more than the"),
        ("hips2fits", "hips2fits", "elsewhere", "https://example.org, which is not asked"),
        ("legacy", "legacy", "html", "a web page"),
        ("panstarrs", "fitscut", "asinh", "asinh magnitudes"),
        ("panstarrs", "ps1filenames", "html", "list of its files is a web page"),
        ("skyview", "skyview", "half", "half a file"),
    ],
)
def test_what_is_no_image_is_told_and_not_kept(key, what, fault, problem, make, services):
    services.faults = {what: [fault]}
    fetcher, kept = make(key)
    fetched = fetcher.fetch(RA, DEC)
    path = kept.path("g", RA, DEC)
    assert problem in fetched.problem
    assert problem in note(path)["problem"]
    assert kept.order.service.title in note(path)["problem"]
    assert fetched.bands == 0
    assert not path.exists()
    assert not list(kept.folder.rglob("*.part"))
    if fault != 404:  # which says that there is nothing
        assert fetched.is_passing
        assert make(key)[0].fetch(RA, DEC).bands == 1
        assert "sha256" in note(path)


def test_a_wrong_size_and_wrong_bands_are_refused(make, services, monkeypatch):
    fetcher, _ = make("legacy", bands=("g", "r"))
    image = services.image
    monkeypatch.setattr(services, "image", lambda query, side, *a: image(query, side + 1, *a))
    assert "32 × 32 × 2 px came instead of 31 × 31 × 2" in fetcher.fetch(RA, DEC).problem
    monkeypatch.setattr(
        services, "image", lambda q, side, s, bands, keys: image(q, side, s, "zi", {"BANDS": "zi"})
    )
    assert "bands zi came instead of gr" in fetcher.fetch(RA, DEC).problem


@pytest.mark.parametrize("key", CUTOUT_SERVICES)
def test_outside_of_a_footprint_nobody_asks_twice(key, make, services):
    services.south_deg = -30.0
    fetched = make(key)[0].fetch(RA, -45.0)
    assert fetched.bands == 0
    assert not fetched.is_passing
    before = len(services.asked)
    assert not make(key)[0].fetch(RA, -45.0).asked
    assert len(services.asked) == before


def test_a_band_of_a_cube_without_data_is_missing(make, services, monkeypatch):
    image = services.image

    def without_r(*asked):
        with fits.open(BytesIO(image(*asked))) as hdus:
            hdus[0].data[1] = 0
            hdus.writeto(stream := BytesIO())
        return stream.getvalue()

    monkeypatch.setattr(services, "image", without_r)
    fetcher, kept = make("legacy", bands=("g", "r"))
    fetched = fetcher.fetch(RA, DEC)
    assert (fetched.bands, fetched.is_passing) == (1, False)
    assert "no data in this band" in note(kept.path("r", RA, DEC))["problem"]


def test_a_busy_service_is_given_the_time_that_it_asks_for(make, services, monkeypatch):
    slept = []
    monkeypatch.setattr("urllib3.util.retry.time.sleep", slept.append)
    services.faults = {"hips2fits": [(429, 3), 503, None]}
    assert make()[0].fetch(RA, DEC).bands == 1
    assert slept[0] == 3
    assert services.count("hips2fits") == 3


def test_a_long_pause_is_not_waited_for(make, services, monkeypatch):
    monkeypatch.setattr("urllib3.util.retry.time.sleep", lambda s: pytest.fail(f"slept {s}"))
    services.faults = {"hips2fits": [(429, 3600)]}
    fetched = make()[0].fetch(RA, DEC)
    assert "asked for a long pause" in fetched.problem
    assert services.count("hips2fits") == 1


def test_requests_keep_their_distance(make, monkeypatch):
    slept = []
    monkeypatch.setattr("lensing_core.crossmatch.rate_limits.time.sleep", slept.append)
    fetcher, _ = make(manners=Manners(7.0, 5.0, 0.01))
    for k in range(3):
        fetcher.fetch(RA + k, DEC)
    assert [round(s) for s in slept] == [7, 7]


def test_a_slow_service_is_not_waited_for(make, services):
    services.faults_at = {150.12: "slow"}
    fetcher, _ = make(manners=Manners(0.0, 0.2, 0.01))
    fetched = fetcher.fetch(RA, DEC)
    assert "cannot be reached" in fetched.problem
    assert fetched.is_passing
    assert fetcher.fetch(RA + 1, DEC).bands == 1  # and the next is asked for


def test_who_cannot_be_reached_is_left_alone(make, services):
    services.url = "http://127.0.0.1:9"
    fetcher, _ = make()
    for _ in range(2):
        assert "cannot be reached" in fetcher.fetch(RA, DEC).problem
    with pytest.raises(ServiceError, match="3 objects in a row") as caught:
        fetcher.fetch(RA, DEC)
    assert caught.value.unreachable


def test_a_service_that_refuses_everything_is_left_alone(make, services):
    services.faults = {"hips2fits": ["message"] * 30}
    fetcher, _ = make()
    for k in range(19):
        fetcher.fetch(RA + k, DEC)
    with pytest.raises(ServiceError, match=r"first 20 objects.*Unknown HiPS"):
        fetcher.fetch(RA + 19, DEC)
    assert services.count("hips2fits") == 20


def test_half_written_files_are_fetched_anew(make, services):
    fetcher, kept = make()
    fetcher.fetch(RA, DEC)
    path = kept.path("g", RA, DEC)
    whole = path.read_bytes()
    path.write_bytes(whole[:100])
    assert make()[0].fetch(RA, DEC).asked
    assert path.read_bytes() == whole
    path.with_suffix(".json").unlink()  # killed between the two
    assert make()[0].fetch(RA, DEC).asked
