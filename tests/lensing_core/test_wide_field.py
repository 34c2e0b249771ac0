"""The real client against a server on this machine that speaks the protocol."""

from __future__ import annotations

from io import BytesIO

import pytest
from PIL import Image
from sky_services import PictureService, serve_pictures

from lensing_core.crossmatch.rate_limits import ServiceError
from lensing_core.errors import BadInputError
from lensing_core.wide_field import SETTINGS, SURVEYS, WideField


@pytest.fixture
def service(workspace):
    with serve_pictures(PictureService()) as running:
        (workspace.root / SETTINGS).write_text(f'hips2fits = "{running.url}"\n')
        yield running


def test_a_field_is_asked_for_once_and_kept(workspace, service) -> None:
    found = WideField(workspace).fetch(150.1, -2.2, 12.0)
    with Image.open(BytesIO(found.jpeg)) as image:
        assert image.size == (400, 400)
    assert (found.survey, found.width_arcsec) == ("DESI Legacy Surveys DR10", 72.0)
    (query,) = service.asked
    assert (float(query["ra"]), float(query["dec"])) == pytest.approx((150.1, -2.2))
    assert float(query["fov"]) == pytest.approx(72 / 3600)
    assert query["format"] == "jpg"
    again = WideField(workspace).fetch(150.1, -2.2, 12.0)
    assert again == found
    assert len(service.asked) == 1


def test_outside_a_footprint_the_next_survey_is_shown(workspace, service) -> None:
    service.blank = {SURVEYS[0].hips, SURVEYS[1].hips}
    assert WideField(workspace).fetch(10.0, 80.0, 200.0).survey == "DSS2"
    assert [query["hips"] for query in service.asked] == [s.hips for s in SURVEYS]
    service.blank = {s.hips for s in SURVEYS}
    assert WideField(workspace).fetch(11.0, 80.0, 200.0).survey == "DSS2"  # black as it may be


def test_a_busy_service_is_asked_again(workspace, service) -> None:
    service.faults = [503]
    assert WideField(workspace).fetch(150.1, -2.2, 12.0).survey == SURVEYS[0].title
    assert len(service.asked) == 2


def test_what_is_no_picture_is_said_and_not_kept(workspace, service) -> None:
    service.faults = ["garbage"]
    with pytest.raises(ServiceError, match="no picture"):
        WideField(workspace).fetch(150.1, -2.2, 12.0)
    assert not list(workspace.cache.glob("wide-field/*"))


def test_without_a_network_nobody_waits_twice(workspace) -> None:
    (workspace.root / SETTINGS).write_text('hips2fits = "http://127.0.0.1:9/hips2fits"\n')
    now = [0.0]
    source = WideField(workspace, clock=lambda: now[0])
    with pytest.raises(ServiceError, match="cannot be reached") as caught:
        source.fetch(150.1, -2.2, 12.0)
    assert caught.value.unreachable
    with pytest.raises(ServiceError, match="a moment ago"):
        source.fetch(150.1, -2.2, 12.0)
    with serve_pictures(PictureService()) as running:
        (workspace.root / SETTINGS).write_text(f'hips2fits = "{running.url}"\n')
        now[0] = 61.0
        assert source.fetch(150.1, -2.2, 12.0).survey == SURVEYS[0].title


@pytest.mark.parametrize("text", ["hips2fits = 3", 'hips2fits = "file:///etc"', "hips2fits ="])
def test_an_address_that_makes_no_sense_is_said(workspace, text) -> None:
    (workspace.root / SETTINGS).write_text(text)
    with pytest.raises(BadInputError, match=SETTINGS):
        WideField(workspace).fetch(150.1, -2.2, 12.0)
