"""Observability of targets: hours within an airmass limit in dark time, away from the Moon.

Positions come from astroplan (Morris et al. 2018, AJ 155, 128) and astropy, without refraction.
Nothing is downloaded: Earth orientation is that of astropy's own tables (:func:`orientation_note`).
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from threading import RLock
from typing import Any

import astropy.units as u
import numpy as np
from astropy.coordinates import EarthLocation, SkyCoord
from astropy.coordinates.erfa_astrom import ErfaAstromInterpolator, erfa_astrom
from astropy.coordinates.errors import NonRotationTransformationWarning
from astropy.time import Time
from astropy.utils import iers
from astropy.utils.exceptions import AstropyWarning
from erfa import ErfaWarning

from lensing_core.arrays import BoolArray, Float64Array
from lensing_core.errors import BadInputError
from lensing_core.followup.sites import Site

STEP_MIN = 5.0
"""Time between samples of a night; hours are known to about as much."""
MOST_NIGHTS = 400
_SAMPLES = round(24 * 60 / STEP_MIN) + 1
_IERS = RLock()  # astropy's configuration is one for all threads


@dataclass(frozen=True)
class Limits:
    """Conditions under which a target counts as up.

    Attributes
    ----------
    airmass_max : float
        sec z, above 1.
    sun_altitude_max_deg : float
        −18: astronomical twilight.
    moon_separation_min_deg : float
        While the Moon is above the horizon.
    """

    airmass_max: float = 2.0
    sun_altitude_max_deg: float = -18.0
    moon_separation_min_deg: float = 30.0

    def __post_init__(self) -> None:
        for name, value, low, high in (
            ("Airmass limit", self.airmass_max, 1.0, 10.0),
            ("Altitude of the Sun", self.sun_altitude_max_deg, -30.0, 0.0),
            ("Separation from the Moon", self.moon_separation_min_deg, 0.0, 180.0),
        ):
            if not low <= value <= high:
                raise BadInputError(f"{name} {value:g}: give {low:g} to {high:g}.")


@dataclass(frozen=True)
class Night:
    """A night of a site, from noon to noon of local mean time.

    Attributes
    ----------
    evening : date
        Civil date at the site on which it begins.
    dark_from, dark_to : datetime or None
        UTC, to the limit of the Sun; None where it does not get dark.
    dark_hours : float
    moon_illumination : float
        Lit share of the disk in the middle of the night, 0 to 1.
    moon_up_share : float
        Of the dark time.
    """

    evening: date
    dark_from: datetime | None
    dark_to: datetime | None
    dark_hours: float
    moon_illumination: float
    moon_up_share: float


@dataclass(frozen=True)
class NightOfTarget:
    """A target in a night; times are UTC.

    Attributes
    ----------
    hours : float
        In which all conditions hold.
    first, last : datetime or None
        The first and last sample in which they do.
    best : datetime or None
        When it is highest among these.
    airmass : float
        Then; NaN where the target is not up.
    moon_separation_deg : float
        Then, or in the middle of the night.
    """

    hours: float
    first: datetime | None
    last: datetime | None
    best: datetime | None
    airmass: float
    moon_separation_deg: float


@dataclass(frozen=True)
class Observability:
    """Targets in nights: ``of_targets[k][n]`` is target k in night n."""

    site: Site
    limits: Limits
    nights: tuple[Night, ...]
    of_targets: tuple[tuple[NightOfTarget, ...], ...]


def observe(
    site: Site,
    first_night: date,
    n_nights: int,
    ra_deg: Sequence[float],
    dec_deg: Sequence[float],
    limits: Limits | None = None,
) -> Observability:
    """Compute nights and targets.

    Parameters
    ----------
    first_night : date
        Civil date of the first evening at the site.
    ra_deg, dec_deg : sequence of float
        ICRS.

    Raises
    ------
    BadInputError
        If there are no nights, or too many.
    """
    if not 1 <= n_nights <= MOST_NIGHTS:
        raise BadInputError(f"{n_nights} nights: give 1 to {MOST_NIGHTS}.")
    limits = limits or Limits()
    coordinates = SkyCoord(np.atleast_1d(ra_deg), np.atleast_1d(dec_deg), unit="deg")
    nights, of_nights = [], []
    with bundled_orientation():
        observer = _observer(site)
        for k in range(n_nights):
            night, observations = _night(
                observer, site, first_night + timedelta(days=k), coordinates, limits
            )
            nights.append(night)
            of_nights.append(observations)
    of_targets = tuple(
        tuple(of_nights[n][k] for n in range(n_nights)) for k in range(len(coordinates))
    )
    return Observability(site, limits, tuple(nights), of_targets)


def orientation_note(last_night: date) -> str:
    """Say where the tables of Earth orientation end; '' where they hold for all nights."""
    with bundled_orientation():
        end = Time(iers.earth_orientation_table.get()["MJD"][-1], format="mjd").to_datetime().date()
    if last_night < end:
        return ""
    return (
        f"Earth orientation is tabulated to {end} (the tables that come with astropy; nothing is "
        "downloaded); later times take UT1 as UTC, which moves them by less than a second."
    )


@contextmanager
def bundled_orientation() -> Iterator[None]:
    """Use the tables of Earth orientation that come with astropy, whatever their age."""
    with (
        _IERS,
        iers.conf.set_temp("auto_download", False),
        iers.conf.set_temp("auto_max_age", None),
        iers.conf.set_temp("iers_degraded_accuracy", "ignore"),
        erfa_astrom.set(ErfaAstromInterpolator(1 * u.hour)),  # half the time; off by 1e-10
        warnings.catch_warnings(),
    ):
        # Between the Moon's frame and that of stars lie 20″ of aberration, and polar motion
        # beyond the tables is their mean of 50 years: an arcsecond. Leap seconds are not foretold.
        for category in (NonRotationTransformationWarning, AstropyWarning, ErfaWarning):
            warnings.simplefilter("ignore", category)
        yield


def _observer(site: Site) -> Any:
    from astroplan import Observer  # here: slow to import

    place = EarthLocation.from_geodetic(
        site.longitude_deg * u.deg, site.latitude_deg * u.deg, site.height_m * u.m
    )
    return Observer(location=place, name=site.name)


def _night(
    observer: Any, site: Site, evening: date, targets: SkyCoord, limits: Limits
) -> tuple[Night, list[NightOfTarget]]:
    noon = datetime(evening.year, evening.month, evening.day, 12, tzinfo=UTC) - timedelta(
        hours=_east_hours(site)
    )
    moments = [noon + timedelta(minutes=STEP_MIN * k) for k in range(_SAMPLES)]
    times = Time([m.replace(tzinfo=None) for m in moments], scale="utc")
    sun = observer.sun_altaz(times).alt.deg
    edges = _dark_edges(sun, limits.sun_altitude_max_deg)
    middle = int(np.argmin(sun))
    dark = sun <= limits.sun_altitude_max_deg
    used = np.flatnonzero(dark)
    # Only dark samples are looked at further: the rest of the day costs as much.
    kept = used if len(used) else np.array([middle])
    at = times[kept]
    moon = observer.moon_altaz(at)
    up = moon.alt.deg > 0
    night = Night(
        evening,
        None if edges is None else noon + timedelta(minutes=STEP_MIN * edges[0]),
        None if edges is None else noon + timedelta(minutes=STEP_MIN * edges[1]),
        0.0 if edges is None else float(edges[1] - edges[0]) * STEP_MIN / 60,
        float(observer.moon_illumination(times[middle])),
        float(up.mean()) if len(used) else 0.0,
    )
    if not len(targets):
        return night, []
    altaz = observer.altaz(at, targets, grid_times_targets=True)
    altitude = np.asarray(altaz.alt.deg)
    apart = np.asarray(altaz.separation(moon[None, :], origin_mismatch="ignore").deg)
    with np.errstate(divide="ignore"):
        airmass = np.where(altitude > 0, 1 / np.sin(np.radians(np.maximum(altitude, 1e-9))), np.inf)
    good = (airmass <= limits.airmass_max) & (~up | (apart >= limits.moon_separation_min_deg))
    if not len(used):
        good[:] = False
    kept_moments = [moments[k] for k in kept]
    middle_kept = int(np.argmin(np.abs(kept - middle)))
    return night, [
        _of_target(good[k], airmass[k], apart[k], kept_moments, middle_kept)
        for k in range(len(targets))
    ]


def _of_target(
    good: BoolArray,
    airmass: Float64Array,
    apart: Float64Array,
    moments: Sequence[datetime],
    middle: int,
) -> NightOfTarget:
    up = np.flatnonzero(good)
    if not len(up):
        return NightOfTarget(0.0, None, None, None, float("nan"), float(apart[middle]))
    best = up[int(np.argmin(airmass[up]))]
    return NightOfTarget(
        len(up) * STEP_MIN / 60,
        moments[up[0]],
        moments[up[-1]],
        moments[best],
        float(airmass[best]),
        float(apart[best]),
    )


def _dark_edges(sun_deg: Float64Array, limit_deg: float) -> tuple[float, float] | None:
    """Return where the Sun passes a limit, in samples; linear between them, to about a second."""
    below = np.flatnonzero(sun_deg <= limit_deg)
    if not len(below):
        return None
    first, last = int(below[0]), int(below[-1])
    start, end = float(first), float(last)
    if first > 0:
        step = sun_deg[first - 1] - sun_deg[first]
        start = first - (limit_deg - sun_deg[first]) / step
    if last < len(sun_deg) - 1:
        step = sun_deg[last + 1] - sun_deg[last]
        end = last + (limit_deg - sun_deg[last]) / step
    return start, end


def _east_hours(site: Site) -> float:
    """Local mean time less UTC, −12 to 12 h."""
    return (((site.longitude_deg + 180) % 360) - 180) / 15
