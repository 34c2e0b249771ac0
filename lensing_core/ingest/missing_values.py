"""Numbers that stand for "not measured" in catalogs: 99, -99, -9999, 1e20 and the like.

A value that its quantity cannot have is none. The bounds are wide: they tell codes from
measurements, not good measurements from bad ones.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

_NINES = re.compile(r"-?9{2,}(\.[09]*)?|-?9\.9{2,}")  # 99, 99.9, 999, 9.99
_HUGE = 1e19
# Exclusive bounds.
BOUNDS: Mapping[str, tuple[float, float]] = {
    "magnitude": (-40.0, 50.0),
    "z_phot": (-0.02, 20.0),
    "z_spec": (-0.02, 20.0),
    "z_err": (-1e-9, 20.0),
    "richness": (-1e-9, 1e5),
    "snr": (-1e9, 1e9),
    "seeing_arcsec": (0.0, 90.0),
    "psf_fwhm_arcsec": (0.0, 90.0),
    "sersic_index": (0.0, 90.0),
    "half_light_radius_arcsec": (0.0, 900.0),
    "axis_ratio": (0.0, 90.0),
    "position_angle_deg": (-360.5, 360.5),
}
# Within the bounds, and yet codes.
_CODES: Mapping[str, tuple[float, ...]] = {
    "magnitude": (-1.0, -9.0),
    "snr": (-99.0, -999.0, -9999.0),
}
_NO_NINES = ("richness", "snr", "position_angle_deg")  # of which 99 is a likely value


def is_missing(role: str, number: float) -> bool:
    """Return whether a number in a column of this role says that nothing was measured."""
    low, high = BOUNDS.get(role, (-_HUGE, _HUGE))
    if not low < number < high or number in _CODES.get(role, ()):
        return True
    return role in BOUNDS and role not in _NO_NINES and _is_nines(number)


def is_missing_flux(number: float) -> bool:
    """Return whether a flux is a code: huge, or -99, -999, -9999, …; others may be measured."""
    return abs(number) >= _HUGE or (number < 0 and _is_nines(number))


def _is_nines(number: float) -> bool:
    return _NINES.fullmatch(f"{number:.10g}") is not None
