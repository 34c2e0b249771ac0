"""The distributions that objects are drawn from; docs/method/simulation.md has the sources.

Every object has a random generator of its own, so that its pixels depend on the seed and its number
alone, not on batches, processes or interruptions.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from lensing_core.physics import cosmology
from lensing_core.simulation.scene import Component, Deflector, Scene
from lensing_core.simulation.templates import Spectrum, apparent_magnitudes

Generator = np.random.Generator
THETA_E_RANGE_ARCSEC = (0.5, 3.0)
SOURCE_MAG_RANGE = (20.5, 25.0)
SOURCE_COUNT_SLOPE = 0.15
"""Shallower than the field's: a training set needs its bright arcs too."""
LENS_REDSHIFTS = (0.1, 1.0)
CONTAMINANTS = {
    "elliptical": 0.28,
    "spiral": 0.26,
    "companions": 0.2,
    "merger": 0.1,
    "ring": 0.06,
    "edge_on": 0.1,
}
"""Share of each class among non-lenses; surveys have more ellipticals and fewer rings."""


def generator(seed: int, index: int, attempt: int = 0, stream: int = 0) -> Generator:
    """The random generator of one object; ``stream`` keeps scene and noise apart."""
    key = np.random.SeedSequence([seed, index, attempt, stream])
    return np.random.Generator(np.random.Philox(key))


@cache
def _velocity_dispersions() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """σ_v grid (km/s) and its cumulative distribution, weighted by the lensing cross section.

    Velocity dispersion function of Choi, Park & Vogeley 2007 (ApJ 658, 884): (σ/σ*)^α
    exp(−(σ/σ*)^β) dσ/σ with σ* = 161 km/s, α = 2.32, β = 2.67; times σ⁴ (θ_E² of an SIS).
    """
    sigma = np.linspace(120, 400, 600)
    x = sigma / 161
    density = x**2.32 * np.exp(-(x**2.67)) / sigma * sigma**4
    cumulative = np.cumsum(density)
    return sigma, cumulative / cumulative[-1]


@cache
def _volumes() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Lens redshifts and the cumulative comoving volume between them."""
    z = np.linspace(*LENS_REDSHIFTS, 400)
    volume = cosmology.comoving_distance_mpc(z) ** 3
    return z, (volume - volume[0]) / (volume[-1] - volume[0])


@dataclass(frozen=True)
class Early:
    """An early-type galaxy drawn from the scaling relations of Bernardi et al. 2003."""

    sigma_v: float
    redshift: float
    magnitudes: NDArray[np.float64]
    radius_arcsec: float
    axis_ratio: float
    angle: float
    sersic_index: float

    def light(self, x: float = 0.0, y: float = 0.0) -> Component:
        return Component(
            x,
            y,
            self.axis_ratio,
            self.angle,
            self.sersic_index,
            self.radius_arcsec,
            self.magnitudes,
        )


def early_type(
    rng: Generator, wavelengths_nm: NDArray[np.float64], *, redshift: float | None = None
) -> Early:
    """σ_v and z from the lens population; luminosity and size follow with their scatter.

    log σ = 2.203 − 0.102 (M_r + 21.15) and log R_e/kpc = 0.52 − 0.252 (M_r + 21.15) (Bernardi et
    al. 2003, AJ 125, 1849 and 1866, for h = 0.7), scatter 0.07 in log σ and 0.12 in log R_e.
    """
    sigma, cumulative = _velocity_dispersions()
    sigma_v = float(np.interp(rng.random(), cumulative, sigma))
    redshifts, volume = _volumes()
    z = float(np.interp(rng.random(), volume, redshifts)) if redshift is None else redshift
    magnitude = -21.15 - (np.log10(sigma_v) + rng.normal(0, 0.05) - 2.203) / 0.102
    magnitude = float(np.clip(magnitude - 0.8 * z, -24.5, -19))  # passive evolution, Q about 0.8
    log_radius = 0.52 - 0.252 * (magnitude + 0.8 * z + 21.15) + rng.normal(0, 0.12)
    return Early(
        sigma_v,
        z,
        apparent_magnitudes("old", magnitude, z, wavelengths_nm, reddening=rng.normal(0, 0.08)),
        float(10**log_radius * cosmology.arcsec_per_kpc(z)),
        float(np.clip(rng.normal(0.75, 0.15), 0.4, 0.99)),
        rng.uniform(0, np.pi),
        float(np.clip(rng.normal(4.2, 0.9), 2.5, 6.5)),
    )


def _source_redshift(rng: Generator, beyond: float) -> float:
    """p(z) ∝ z² exp(−(z/z₀)^1.5) (Smail, Ellis & Fitchett 1994), z₀ = 0.9, behind ``beyond``."""
    while True:
        z = 0.9 * rng.gamma(2.0) ** (1 / 1.5)
        if beyond + 0.1 < z < 5:
            return float(z)


def _faint_galaxy(
    rng: Generator,
    wavelengths_nm: NDArray[np.float64],
    z: float,
    magnitude: float,
    x: float,
    y: float,
    *,
    lensed: bool = False,
    old: bool = False,
) -> Component:
    """A small galaxy of given magnitude at the middle of the optical (617 nm observed)."""
    kind: Spectrum = "old" if old else "star_forming"
    colour = float(rng.normal(0.15, 0.25)) if not old else float(rng.normal(0, 0.08))
    bands = np.append(wavelengths_nm, 617.0)
    relative = apparent_magnitudes(kind, 0.0, z, bands, reddening=colour)
    # Angular size against magnitude: about 0.3" at 24 mag, 0.1 dex smaller a magnitude fainter.
    radius = 10 ** (np.log10(0.3) - 0.1 * (magnitude - 24) + rng.normal(0, 0.18))
    return Component(
        x,
        y,
        float(rng.uniform(0.3, 0.98)),
        rng.uniform(0, np.pi),
        float(rng.uniform(0.7, 2.0)),
        float(np.clip(radius, 0.06, 1.2)),
        relative[:-1] - relative[-1] + magnitude,
        lensed=lensed,
    )


def _counts_magnitude(rng: Generator, bright: float, faint: float, slope: float = 0.35) -> float:
    """Magnitude from counts N(<m) ∝ 10^(slope m); field galaxies have about 0.35."""
    low, high = 10 ** (slope * bright), 10 ** (slope * faint)
    return float(np.log10(rng.uniform(low, high)) / slope)


def lens(rng: Generator, wavelengths_nm: NDArray[np.float64]) -> Scene:
    """An early-type lens with a source that has more than one image or a long arc."""
    low, high = THETA_E_RANGE_ARCSEC
    while True:
        galaxy = early_type(rng, wavelengths_nm)
        z_source = _source_redshift(rng, galaxy.redshift)
        theta_e = float(
            cosmology.sis_einstein_radius_arcsec(galaxy.sigma_v, galaxy.redshift, z_source)
        )
        if low <= theta_e <= high:
            break
    shear, shear_angle = rng.rayleigh(0.035), rng.uniform(0, np.pi)
    deflector = Deflector(
        0.0,
        0.0,
        float(np.clip(galaxy.axis_ratio + rng.normal(0, 0.06), 0.45, 0.98)),
        galaxy.angle + rng.normal(0, np.radians(6)),
        theta_e,
        shear * np.cos(2 * shear_angle),
        shear * np.sin(2 * shear_angle),
    )
    magnitude = _counts_magnitude(rng, *SOURCE_MAG_RANGE, SOURCE_COUNT_SLOPE)
    # Uniform over most of the disc in which an isothermal sphere makes two images.
    offset, direction = theta_e * np.sqrt(rng.uniform(0, 0.8)), rng.uniform(0, 2 * np.pi)
    source = _faint_galaxy(
        rng,
        wavelengths_nm,
        z_source,
        magnitude,
        offset * np.cos(direction),
        offset * np.sin(direction),
        lensed=True,
    )
    truth = {
        "theta_e_arcsec": theta_e,
        "z_lens": galaxy.redshift,
        "z_source": z_source,
        "sigma_v_km_s": galaxy.sigma_v,
        "shear": float(shear),
        "source_mag": magnitude,
        "source_offset_arcsec": float(offset),
        "lens_axis_ratio": deflector.axis_ratio,
    }
    return Scene("lens", (galaxy.light(), source), deflector, truth)


def _elliptical(rng: Generator, wavelengths_nm: NDArray[np.float64]) -> Scene:
    galaxy = early_type(rng, wavelengths_nm)
    return Scene("elliptical", (galaxy.light(),), truth={"z": galaxy.redshift})


def _disc(
    rng: Generator, wavelengths_nm: NDArray[np.float64], axis_ratio: float
) -> tuple[float, float, float, NDArray[np.float64], NDArray[np.float64], float]:
    """Redshift, angle, disc radius (arcsec), disc and bulge magnitudes, bulge radius (arcsec)."""
    z = float(rng.uniform(0.08, 0.6))
    magnitude = float(rng.uniform(-22.3, -19.8))
    radius_kpc = 10 ** (0.75 - 0.1 * (magnitude + 21.5) + rng.normal(0, 0.12))
    scale = float(cosmology.arcsec_per_kpc(z))
    bulge_fraction = rng.uniform(0.05, 0.4)
    disc = apparent_magnitudes(
        "star_forming",
        magnitude - 2.5 * np.log10(1 - bulge_fraction),
        z,
        wavelengths_nm,
        reddening=rng.normal(0.35, 0.2),
    )
    bulge = apparent_magnitudes(
        "old",
        magnitude - 2.5 * np.log10(bulge_fraction),
        z,
        wavelengths_nm,
        reddening=rng.normal(0, 0.1),
    )
    return (
        z,
        rng.uniform(0, np.pi),
        float(radius_kpc * scale),
        disc,
        bulge,
        float(radius_kpc * scale * rng.uniform(0.12, 0.3)),
    )


def _spiral(rng: Generator, wavelengths_nm: NDArray[np.float64]) -> Scene:
    q = float(rng.uniform(0.35, 0.98))
    z, angle, radius, disc, bulge, bulge_radius = _disc(rng, wavelengths_nm, q)
    pitch = np.radians(rng.uniform(10, 30))
    arms = Component(
        0,
        0,
        q,
        angle,
        1.0,
        radius,
        disc,
        profile="spiral",
        arms=int(rng.integers(2, 5)),
        winding=float(1 / np.tan(pitch)) * (1 if rng.random() < 0.5 else -1),
        arm_phase=rng.uniform(0, 2 * np.pi),
        arm_contrast=float(rng.uniform(0.35, 0.9)),
    )
    core = Component(
        0, 0, float(rng.uniform(0.7, 1)), angle, float(rng.uniform(1.5, 4)), bulge_radius, bulge
    )
    return Scene("spiral", (core, arms), truth={"z": z})


def _edge_on(rng: Generator, wavelengths_nm: NDArray[np.float64]) -> Scene:
    z, angle, radius, disc, bulge, bulge_radius = _disc(rng, wavelengths_nm, 0.15)
    flat = Component(0, 0, float(rng.uniform(0.1, 0.22)), angle, 1.0, radius, disc)
    core = Component(0, 0, float(rng.uniform(0.5, 0.9)), angle, 2.0, bulge_radius, bulge)
    return Scene("edge_on", (core, flat), truth={"z": z})


def _ring(rng: Generator, wavelengths_nm: NDArray[np.float64]) -> Scene:
    """A ring galaxy: an old core inside a star-forming annulus, centred within a tenth."""
    z = float(rng.uniform(0.08, 0.5))
    radius = float(rng.uniform(0.8, 2.8))
    core_magnitude = float(rng.uniform(-22.3, -20))
    core = apparent_magnitudes("old", core_magnitude, z, wavelengths_nm)
    annulus = apparent_magnitudes(
        "star_forming",
        core_magnitude + rng.uniform(0.3, 1.8),
        z,
        wavelengths_nm,
        reddening=rng.normal(0.2, 0.15),
    )
    q, angle = float(rng.uniform(0.5, 0.98)), rng.uniform(0, np.pi)
    shift = radius * 0.1 * rng.normal(size=2)
    return Scene(
        "ring",
        (
            Component(0, 0, float(rng.uniform(0.7, 1)), angle, 2.5, 0.35 * radius, core),
            Component(
                float(shift[0]),
                float(shift[1]),
                q,
                angle,
                1.0,
                radius,
                annulus,
                profile="ring",
                ring_width=float(rng.uniform(0.1, 0.25)),
            ),
        ),
        truth={"z": z},
    )


def _merger(rng: Generator, wavelengths_nm: NDArray[np.float64]) -> Scene:
    first = early_type(rng, wavelengths_nm)
    parts = [first.light()]
    for _ in range(int(rng.integers(1, 3))):
        other = early_type(rng, wavelengths_nm, redshift=first.redshift)
        distance, direction = rng.uniform(0.8, 3), rng.uniform(0, 2 * np.pi)
        parts.append(other.light(distance * np.cos(direction), distance * np.sin(direction)))
        # A tidal tail: long, thin and faint, along the way between them, turned a little.
        parts.append(
            Component(
                1.3 * distance * np.cos(direction + 0.5),
                1.3 * distance * np.sin(direction + 0.5),
                0.15,
                direction + rng.normal(np.pi / 2, 0.5),
                0.8,
                float(rng.uniform(0.7, 1.8)),
                first.magnitudes + rng.uniform(2.0, 3.5),
            )
        )
    return Scene("merger", tuple(parts), truth={"z": first.redshift})


def _companions(rng: Generator, wavelengths_nm: NDArray[np.float64]) -> Scene:
    """A lens-like galaxy with unlensed neighbours where images would stand."""
    galaxy = early_type(rng, wavelengths_nm)
    parts = [galaxy.light()]
    for _ in range(int(rng.integers(1, 4))):
        distance, direction = rng.uniform(0.7, 3.2), rng.uniform(0, 2 * np.pi)
        parts.append(
            _faint_galaxy(
                rng,
                wavelengths_nm,
                float(rng.uniform(0.2, 2)),
                _counts_magnitude(rng, 21, 24.5),
                distance * np.cos(direction),
                distance * np.sin(direction),
                old=rng.random() < 0.3,
            )
        )
    return Scene("companions", tuple(parts), truth={"z": galaxy.redshift})


_MAKERS: dict[str, Callable[[Generator, NDArray[np.float64]], Scene]] = {
    "elliptical": _elliptical,
    "spiral": _spiral,
    "edge_on": _edge_on,
    "ring": _ring,
    "merger": _merger,
    "companions": _companions,
}


def contaminant(rng: Generator, wavelengths_nm: NDArray[np.float64]) -> Scene:
    """A non-lens of a class drawn by :data:`CONTAMINANTS`."""
    name = str(rng.choice(list(CONTAMINANTS), p=list(CONTAMINANTS.values())))
    return _MAKERS[name](rng, wavelengths_nm)


def with_field(
    rng: Generator, scene: Scene, wavelengths_nm: NDArray[np.float64], size_arcsec: float
) -> Scene:
    """Add unrelated galaxies of the field: 72 a square arcminute with 20 < mag < 25.5."""
    count = int(rng.poisson(72 * size_arcsec**2 / 3600))
    parts = list(scene.components)
    for _ in range(count):
        x, y = rng.uniform(-size_arcsec / 2, size_arcsec / 2, size=2)
        parts.append(
            _faint_galaxy(
                rng,
                wavelengths_nm,
                float(rng.uniform(0.2, 1.5)),
                _counts_magnitude(rng, 20, 25.5),
                float(x),
                float(y),
                old=rng.random() < 0.3,
            )
        )
    return Scene(scene.object_class, tuple(parts), scene.deflector, scene.truth)
