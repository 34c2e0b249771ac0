"""Nights and targets against published almanacs and closed forms; nothing is downloaded."""

from __future__ import annotations

import socket
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest
from astropy.coordinates import CIRS, SkyCoord
from astropy.time import Time

from lensing_core.errors import BadInputError
from lensing_core.followup.observability import STEP_MIN, Limits, observe, orientation_note
from lensing_core.followup.sites import Site, find_site, known_sites

HST = timedelta(hours=-10)
# Calendar of the Keck Observatory for 2008 (UCO/Lick, npm.ucolick.org/Cal2K/Keck/keck2008.12), HST:
# end of twilight and begin of dawn at 12° and at 18°.
KECK_2008 = {
    date(2008, 1, 1): ("18:45", "06:06", "19:12", "05:39"),
    date(2008, 1, 10): ("18:51", "06:08", "19:18", "05:41"),
    date(2008, 1, 17): ("18:55", "06:09", "19:22", "05:42"),
}


@pytest.fixture(autouse=True)
def no_network(monkeypatch):
    def refuse(*_args, **_kwargs):
        raise AssertionError("the network was asked")

    monkeypatch.setattr(socket.socket, "connect", refuse)


def hst(evening: date, text: str) -> datetime:
    hour, minute = map(int, text.split(":"))
    day = evening if hour > 12 else evening + timedelta(days=1)
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=UTC) - HST


@pytest.mark.parametrize("evening", list(KECK_2008))
def test_twilight_of_keck_agrees_with_its_calendar(evening):
    twelve_dusk, twelve_dawn, dusk, dawn = KECK_2008[evening]
    for limit, begin, end in ((-12.0, twelve_dusk, twelve_dawn), (-18.0, dusk, dawn)):
        limits = Limits(sun_altitude_max_deg=limit)
        (night,) = observe(find_site("keck"), evening, 1, [], [], limits).nights
        for found, published in ((night.dark_from, begin), (night.dark_to, end)):
            assert abs(found - hst(evening, published)) <= timedelta(seconds=75)
    assert night.dark_hours == pytest.approx(10.4, abs=0.1)


def test_phases_of_the_moon_agree_with_the_almanac():
    # USNO, Phases of the Moon 2024: new 01-11 11:57, first quarter 01-18 03:53, full 01-25 17:54.
    site = find_site("0, 45, 0")
    found = [
        observe(site, date(2024, 1, day), 1, [], []).nights[0].moon_illumination
        for day in (11, 17, 25)
    ]
    assert found[0] < 0.01
    assert found[1] == pytest.approx(0.5, abs=0.03)  # four hours before
    assert found[2] > 0.99


def test_hours_above_an_airmass_follow_from_the_hour_angle():
    site = find_site("paranal")
    evening = date(2026, 3, 20)
    middle = Time("2026-03-21T04:50:00")
    limits = Limits(airmass_max=1.6, moon_separation_min_deg=0.0)
    ra, dec = 190.0, -5.0
    seen = observe(site, evening, 1, [ra], [dec], limits)
    ((target,),) = seen.of_targets
    of_date = SkyCoord(ra, dec, unit="deg").transform_to(CIRS(obstime=middle))
    latitude, declination = np.radians([site.latitude_deg, of_date.dec.deg])
    cosine = (1 / limits.airmass_max - np.sin(latitude) * np.sin(declination)) / (
        np.cos(latitude) * np.cos(declination)
    )
    hours = 2 * np.degrees(np.arccos(cosine)) / 15 / 1.0027379
    assert target.hours == pytest.approx(hours, abs=2 * STEP_MIN / 60)
    highest = 1 / np.cos(latitude - declination)
    assert target.airmass == pytest.approx(highest, abs=2e-3)
    edges = Time([target.first, target.last]).to_datetime()
    assert (edges[1] - edges[0]) / 2 + edges[0] == pytest.approx(
        target.best.replace(tzinfo=None), abs=timedelta(minutes=STEP_MIN)
    )


def test_near_the_moon_a_target_is_not_up():
    site = find_site("ctio")
    evening = date(2024, 1, 25)  # full Moon, up all night
    seen = observe(site, evening, 1, [], [])
    assert seen.nights[0].moon_up_share == 1.0
    from astropy.coordinates import get_body

    moon = get_body("moon", Time("2024-01-26T05:00:00"))
    close, far = observe(
        site,
        evening,
        1,
        [moon.ra.deg, moon.ra.deg],
        [moon.dec.deg - 10, moon.dec.deg - 60],
        Limits(moon_separation_min_deg=30),
    ).of_targets
    assert close[0].hours == 0
    assert close[0].best is None
    assert close[0].moon_separation_deg == pytest.approx(10, abs=3)
    assert far[0].hours > 5
    assert far[0].moon_separation_deg == pytest.approx(60, abs=3)


def test_it_does_not_get_dark_in_summer_of_the_north():
    seen = observe(find_site("25, 78, 10"), date(2026, 6, 21), 1, [83.0], [60.0])
    (night,) = seen.nights
    assert (night.dark_from, night.dark_to, night.dark_hours) == (None, None, 0.0)
    assert seen.of_targets[0][0].hours == 0


def test_a_year_brings_every_right_ascension_to_midnight_once():
    seen = observe(find_site("lapalma"), date(2026, 1, 1), 13, [100.0], [28.0])
    hours = [night.hours for night in seen.of_targets[0]]
    assert max(hours) > 8
    illumination = [night.moon_illumination for night in seen.nights]
    assert min(illumination) < 0.3 < 0.9 < max(illumination)


def test_where_the_tables_of_earth_orientation_end_is_said():
    assert orientation_note(date(2020, 1, 1)) == ""
    assert "nothing is downloaded" in orientation_note(date(2090, 1, 1))
    late = observe(find_site("keck"), date(2030, 5, 5), 1, [180.0], [20.0])
    assert late.of_targets[0][0].hours > 3


def test_sites_have_sources_and_may_be_typed():
    assert len(known_sites()) > 15
    assert all(site.source for site in known_sites().values())
    assert find_site("Maunakea (Keck)").key == "keck"
    typed = find_site("−70.405, -24.627, 2669")
    assert (typed.longitude_deg, typed.latitude_deg, typed.height_m) == (-70.405, -24.627, 2669)
    with pytest.raises(BadInputError, match="paranal"):
        find_site("Atlantis")
    with pytest.raises(BadInputError, match="latitude 91"):
        find_site("0, 91, 0")
    with pytest.raises(BadInputError, match="height"):
        Site("x", "x", 0, 0, float("nan"), "")
    with pytest.raises(BadInputError, match="401 nights"):
        observe(find_site("keck"), date(2026, 1, 1), 401, [], [])
    with pytest.raises(BadInputError, match="Airmass limit"):
        Limits(airmass_max=0.5)
