"""Positions on a flat map: a local one for a small field, Mollweide's for the whole sky."""

from __future__ import annotations

from dataclasses import dataclass

import astropy.units as u
import numpy as np
from astropy_healpix import HEALPix

from lensing_core.arrays import Float64Array, IntArray

_LOCAL_DEG = 60.0
_GRID = HEALPix(nside=64, order="nested")
CELL_DEG2 = float(_GRID.pixel_area.to_value(u.deg**2))
_STEPS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30)


@dataclass(frozen=True)
class SkyProjection:
    """An equal-area map, east to the left, in units of about a degree.

    Attributes
    ----------
    ra_0_deg, dec_0_deg : float
        The center.
    whole : bool
        Mollweide's map of the whole sky about ``ra_0_deg``; else the sinusoidal map.
    """

    ra_0_deg: float
    dec_0_deg: float
    whole: bool

    def __call__(
        self, ra_deg: Float64Array, dec_deg: Float64Array
    ) -> tuple[Float64Array, Float64Array]:
        """Map coordinates; NaN where a position is."""
        offset = (ra_deg - self.ra_0_deg + 180) % 360 - 180
        if not self.whole:
            return -offset * np.cos(np.radians(dec_deg)), dec_deg - self.dec_0_deg
        latitude = np.radians(dec_deg)
        theta = np.array(latitude, dtype=np.float64)
        # Newton's steps for 2θ + sin 2θ = π sin δ (Snyder 1987, USGS 1395, eq. 31-4)
        for _ in range(8):
            slope = 2 + 2 * np.cos(2 * theta)
            change = 2 * theta + np.sin(2 * theta) - np.pi * np.sin(latitude)
            theta -= np.where(slope > 1e-9, change / np.maximum(slope, 1e-9), 0)
        theta = np.clip(theta, -np.pi / 2, np.pi / 2)
        return -offset * np.cos(theta), 90 * np.sin(theta)

    def graticule(
        self, extent: tuple[float, float, float, float]
    ) -> list[tuple[str, str, Float64Array]]:
        """Lines of constant ``ra`` or ``dec``: which, the label, and points (k, 2)."""
        if self.whole:
            step_ra, step_dec, ra_range, dec_range = 60.0, 30.0, (-180.0, 180.0), (-90.0, 90.0)
        else:
            left, right, bottom, top = extent
            margin = 0.05 * (top - bottom)  # so that lines cross the edges, where they are named
            dec_range = (
                max(-90.0, bottom - margin + self.dec_0_deg),
                min(90.0, top + margin + self.dec_0_deg),
            )
            shrink = max(0.05, float(np.cos(np.radians(max(map(abs, dec_range))))))
            ra_range = (max(-180.0, left / shrink), min(180.0, right / shrink))
            step_ra = _step(ra_range[1] - ra_range[0])
            step_dec = _step(dec_range[1] - dec_range[0])
        lines = []
        along_dec = np.linspace(*dec_range, 61)
        for ra in _multiples(self.ra_0_deg + ra_range[0], self.ra_0_deg + ra_range[1], step_ra):
            x, y = self(np.full(61, ra), along_dec)
            lines.append(("ra", f"{_plain(ra % 360)}°", np.column_stack([x, y])))
        # a hair within the edge, where the map would jump to its other side
        along_ra = self.ra_0_deg + np.linspace(ra_range[0] + 1e-6, ra_range[1] - 1e-6, 121)
        for dec in _multiples(*dec_range, step_dec):
            x, y = self(along_ra, np.full(121, dec))
            text = f"{dec:+g}°" if step_dec >= 1 else f"{dec:+.2f}°"
            lines.append(("dec", text, np.column_stack([x, y])))
        return lines

    def cells(self, pixels: IntArray) -> Float64Array:
        """Corners (n, 4, 2) of HEALPix cells (NSIDE 64, nested); those cut by the edge left out."""
        ra, dec = _GRID.boundaries_lonlat(pixels, step=1)
        x, y = self(ra.to_value(u.deg), dec.to_value(u.deg))
        corners = np.stack([x, y], axis=-1)
        whole = np.ptp(corners[..., 0], axis=1) < 30
        return np.asarray(corners[whole])


def sky_projection(ra_deg: Float64Array, dec_deg: Float64Array) -> SkyProjection:
    """The map that suits some positions (without NaN)."""
    ra, dec = np.radians(ra_deg), np.radians(dec_deg)
    center = np.array(
        [(np.cos(dec) * np.cos(ra)).mean(), (np.cos(dec) * np.sin(ra)).mean(), np.sin(dec).mean()]
    )
    ra_0 = float(np.degrees(np.arctan2(center[1], center[0])) % 360)
    offset = (ra_deg - ra_0 + 180) % 360 - 180
    wide = np.ptp(offset * np.cos(dec)) > _LOCAL_DEG or np.ptp(dec_deg) > _LOCAL_DEG
    polar = np.abs(dec_deg).max() > 80 and np.ptp(offset) > 90
    if wide or polar:
        return SkyProjection(180.0, 0.0, whole=True)
    return SkyProjection(ra_0, float((dec_deg.min() + dec_deg.max()) / 2), whole=False)


def _step(width: float) -> float:
    return next((step for step in _STEPS if width / step <= 6), 60.0)


def _multiples(low: float, high: float, step: float) -> list[float]:
    first, last = int(np.ceil(low / step - 1e-9)), int(np.floor(high / step + 1e-9))
    return [round(k * step, 6) for k in range(first, last + 1)]


def _plain(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".")
