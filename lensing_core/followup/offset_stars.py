"""Offset stars from answers of Gaia that cross-matches have kept; no service is asked.

A cross-match with Gaia DR3 (*Cross-match* → Online services) keeps all stars within its radius,
at most 180″.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import astropy.units as u
import numpy as np
from astropy.coordinates import SkyCoord

from lensing_core.arrays import Float64Array
from lensing_core.crossmatch.answers import AnswerCache
from lensing_core.crossmatch.service_list import SERVICES
from lensing_core.workspace import Workspace

_MAGNITUDES = ("Gmag", "phot_g_mean_mag")
BRIGHTEST, FAINTEST = 9.0, 18.5
"""G magnitudes that acquisition cameras see well without saturating."""
NEAREST_ARCSEC, FARTHEST_ARCSEC = 3.0, 180.0


@dataclass(frozen=True)
class OffsetStar:
    """A star from which a telescope moves to a target.

    Attributes
    ----------
    name : str
        Gaia DR3 source.
    ra_deg, dec_deg : float
        ICRS, as the service gave them (Gaia DR3: epoch 2016.0).
    g_mag : float
    east_arcsec, north_arcsec : float
        From the star to the target, in the tangent plane at the star.
    """

    name: str
    ra_deg: float
    dec_deg: float
    g_mag: float
    east_arcsec: float
    north_arcsec: float


@dataclass(frozen=True)
class GaiaStars:
    """Stars of kept answers; arrays of one length."""

    names: tuple[str, ...]
    places: SkyCoord | None
    g_mag: Float64Array

    def nearest(self, ra_deg: float, dec_deg: float) -> OffsetStar | None:
        """The nearest star of a suitable magnitude; None where none is kept."""
        if self.places is None:
            return None
        target = SkyCoord(ra_deg, dec_deg, unit="deg")
        apart = self.places.separation(target).arcsec
        good = (
            (apart >= NEAREST_ARCSEC)
            & (apart <= FARTHEST_ARCSEC)
            & (self.g_mag >= BRIGHTEST)
            & (self.g_mag <= FAINTEST)
        )
        if not good.any():
            return None
        k = int(np.argmin(np.where(good, apart, np.inf)))
        star = self.places[k]
        east, north = star.spherical_offsets_to(target)
        return OffsetStar(
            self.names[k],
            float(star.ra.deg),
            float(star.dec.deg),
            float(self.g_mag[k]),
            float(east.to_value(u.arcsec)),
            float(north.to_value(u.arcsec)),
        )


def kept_stars(workspace: Workspace) -> GaiaStars:
    """The stars of all answers of Gaia that the workspace has kept, each once."""
    cache = AnswerCache(workspace.cache / "crossmatch")
    stars: dict[tuple[float, float], tuple[str, float]] = {}
    for _, answer in cache.kept(service="xmatch", table=SERVICES["gaia"].table):
        given = next((answer.columns[name] for name in _MAGNITUDES if name in answer.columns), None)
        for k, magnitude in enumerate(given or ()):
            if isinstance(magnitude, int | float):
                place = answer.ra_deg[k], answer.dec_deg[k]
                stars[place] = answer.names[k], float(magnitude)
    if not stars:
        return GaiaStars((), None, np.empty(0))
    ra, dec = zip(*stars, strict=True)
    names, magnitudes = zip(*stars.values(), strict=True)
    return GaiaStars(names, SkyCoord([*ra], [*dec], unit="deg"), np.array(magnitudes))


def offset_stars(
    workspace: Workspace, places: Sequence[tuple[float, float]]
) -> list[OffsetStar | None]:
    """The offset star of each place (right ascension, declination; degrees)."""
    stars = kept_stars(workspace)
    return [stars.nearest(ra, dec) for ra, dec in places]
