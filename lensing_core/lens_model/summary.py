"""Percentiles of a posterior, and whether its sample can be trusted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lensing_core.lens_model.sampling import Sample

Doubles = NDArray[np.float64]
LEVELS = (2.5, 16.0, 50.0, 84.0, 97.5)
TITLES = {
    "theta_e_arcsec": ("Einstein radius θ_E", "″"),
    "axis_ratio": ("Axis ratio q", ""),
    "angle_deg": ("Direction", "°"),
    "shear": ("Shear γ", ""),
    "shear_angle_deg": ("Direction of the shear", "°"),
    "slope": ("Slope of the density", ""),
    "magnification": ("Magnification", ""),
    "mass_msun": ("Mass within θ_E", " M☉"),
    "theta_e_kpc": ("Einstein radius", " kpc"),
    "sigma_v_km_s": ("Velocity dispersion", " km/s"),
    "lens_x_arcsec": ("Center of the mass, x", "″"),
    "lens_y_arcsec": ("Center of the mass, y", "″"),
    "source_x_arcsec": ("Source, x", "″"),
    "source_y_arcsec": ("Source, y", "″"),
    "source_radius_arcsec": ("Source's half-light radius", "″"),
    "source_index": ("Source's Sérsic index", ""),
    "source_axis_ratio": ("Source's axis ratio", ""),
    "source_angle_deg": ("Source's direction", "°"),
}
"""Names for readers and units of all quantities, in the order in which they are shown."""
PRIOR_ALONE = 0.8
"""Of the prior's standard deviation: what is known no better is known by the prior alone."""
_MOST_APART = 0.25
_MOST_WEIGHT = 0.05
_BINS = 30


def percentiles(values: Doubles, *, is_angle: bool = False) -> dict[str, float]:
    """Percentiles :data:`LEVELS` of draws (n,), by names like ``p50``.

    Of angles of 180° period around their mean direction, so that none is torn apart at 0.
    """
    if is_angle:
        turn = np.radians(2 * values)
        mean = np.degrees(np.arctan2(np.sin(turn).mean(), np.cos(turn).mean())) / 2
        values = mean + (values - mean + 90) % 180 - 90
    found = dict(zip(_keys(), np.percentile(values, LEVELS).tolist(), strict=True))
    if is_angle and not 0 <= found["p50"] < 180:
        shift = 180 * np.floor(found["p50"] / 180)
        found = {name: float(value - shift) for name, value in found.items()}
    return found


def _keys() -> list[str]:
    return [f"p{level:g}" for level in LEVELS]


def tabulate(quantities: dict[str, Doubles]) -> dict[str, dict[str, Any]]:
    """Title, unit and percentiles of quantities, each draws (n,)."""
    return {
        name: {
            "title": title,
            "unit": unit,
            **percentiles(quantities[name], is_angle=name.endswith("_deg")),
        }
        for name, (title, unit) in TITLES.items()
        if name in quantities
    }


def histogram(values: Doubles) -> dict[str, list[float]]:
    """Histogram of the central 99.6 % of draws: ``edges`` (n + 1) and ``shares`` (n)."""
    low, high = np.percentile(values, (0.2, 99.8))
    counts, edges = np.histogram(values, _BINS, (low, high) if high > low else None)
    return {"edges": edges.tolist(), "shares": (counts / len(values)).tolist()}


def diagnose(
    sample: Sample, draws: Doubles, prior_sigma: Doubles, names: Sequence[str]
) -> dict[str, Any]:
    """Diagnose the convergence of the sample.

    Returns
    -------
    dict
        ``effective_samples``, ``calls``; ``complete``: whether as many were drawn as were wanted;
        ``largest_weight``: of a single point; ``halves_apart``: of the medians of two halves of the
        draws, the largest difference in standard deviations; ``converged``; ``log_evidence``;
        ``by_prior``: parameters that the data tell nothing of.
    """
    half = len(draws) // 2
    sigma = draws.std(axis=0)
    apart = np.abs(np.median(draws[:half], axis=0) - np.median(draws[half:], axis=0))
    halves = float(np.max(apart / np.maximum(sigma, 1e-12)))
    largest = float(sample.weight.max())
    return {
        "effective_samples": round(sample.effective),
        "calls": sample.calls,
        "complete": sample.complete,
        "largest_weight": largest,
        "halves_apart": halves,
        "converged": sample.complete and halves < _MOST_APART and largest < _MOST_WEIGHT,
        "log_evidence": sample.log_evidence,
        "by_prior": [
            name
            for name, s, prior in zip(names, sigma, prior_sigma, strict=True)
            if s > PRIOR_ALONE * prior
        ],
    }
