"""Galaxies and stars that scenes are made of; docs/method/simulation.md has the sources.

Every object has a random generator of its own, so that its pixels depend on the seed and its number
alone, not on batches, processes or interruptions.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache

import numpy as np

from lensing_core.arrays import Float64Array
from lensing_core.physics import cosmology
from lensing_core.simulation.scene import Component, Scene, Seeing
from lensing_core.simulation.templates import apparent_magnitudes

Generator = np.random.Generator
LENS_REDSHIFTS = (0.1, 1.0)
GALAXIES_PER_ARCMIN2 = 72.0
"""With 20 < mag < 25.5."""
STARS_PER_ARCMIN2 = 4.0
"""With 17 < mag < 24, at high galactic latitude (Robin et al. 2003, A&A 409, 523)."""
EVOLUTION_MAG = 0.8
"""Passive brightening of old galaxies a unit of redshift."""


def generator(seed: int, index: int, attempt: int = 0, stream: int = 0) -> Generator:
    """The random generator of one object; ``stream`` keeps scene, noise and others apart."""
    key = np.random.SeedSequence([seed, index, attempt, stream])
    return np.random.Generator(np.random.Philox(key))


def at_distance(rng: Generator, low: float, high: float) -> tuple[float, float]:
    """A point in a random direction at a distance between two."""
    distance, direction = rng.uniform(low, high), rng.uniform(0, 2 * np.pi)
    return float(distance * np.cos(direction)), float(distance * np.sin(direction))


def counts_magnitude(rng: Generator, bright: float, faint: float, slope: float = 0.35) -> float:
    """Magnitude from counts N(<m) ∝ 10^(slope m); field galaxies have about 0.35."""
    low, high = 10 ** (slope * bright), 10 ** (slope * faint)
    return float(np.log10(rng.uniform(low, high)) / slope)


@cache
def _velocity_dispersions() -> tuple[Float64Array, Float64Array]:
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
def _volumes() -> tuple[Float64Array, Float64Array]:
    """Lens redshifts and the cumulative comoving volume between them."""
    z = np.linspace(*LENS_REDSHIFTS, 400)
    volume = cosmology.comoving_distance_mpc(z) ** 3
    return z, (volume - volume[0]) / (volume[-1] - volume[0])


def lens_population(rng: Generator) -> tuple[float, float]:
    """σ_v (km/s) and redshift of an early-type galaxy, weighted by σ⁴, the cross section."""
    grid, cumulative = _velocity_dispersions()
    redshifts, volume = _volumes()
    sigma_v = float(np.interp(rng.random(), cumulative, grid))
    return sigma_v, float(np.interp(rng.random(), volume, redshifts))


def lens_populations(rng: Generator, n: int) -> tuple[Float64Array, Float64Array]:
    """:func:`lens_population` of ``n`` galaxies: σ_v (n,) and redshifts (n,)."""
    grid, cumulative = _velocity_dispersions()
    redshifts, volume = _volumes()
    return np.interp(rng.random(n), cumulative, grid), np.interp(rng.random(n), volume, redshifts)


@dataclass(frozen=True)
class Early:
    """An early-type galaxy.

    Attributes
    ----------
    sigma_v : km/s
    absolute_magnitude : r, today's
    """

    sigma_v: float
    redshift: float
    absolute_magnitude: float
    magnitudes: Float64Array
    radius_arcsec: float
    axis_ratio: float
    angle: float
    sersic_index: float

    def light(self, x: float = 0.0, y: float = 0.0) -> Component:
        """One Sérsic profile."""
        return Component(
            x,
            y,
            self.axis_ratio,
            self.angle,
            self.sersic_index,
            self.radius_arcsec,
            self.magnitudes,
        )

    def lights(self, rng: Generator) -> tuple[Component, ...]:
        """One Sérsic profile, or for four in ten a bulge inside an extended envelope."""
        whole = self.light()
        if rng.random() > 0.4:
            return (whole,)
        outer = rng.uniform(0.2, 0.45)
        bulge = replace(
            whole,
            half_light_radius=0.65 * whole.half_light_radius,
            magnitudes=whole.magnitudes - 2.5 * np.log10(1 - outer),
        )
        envelope = replace(
            whole,
            axis_ratio=float(np.clip(whole.axis_ratio + rng.normal(0, 0.08), 0.35, 0.99)),
            angle=whole.angle + rng.normal(0, np.radians(8)),
            sersic_index=1.0,
            half_light_radius=2.0 * whole.half_light_radius,
            magnitudes=whole.magnitudes - 2.5 * np.log10(outer),
        )
        return (bulge, envelope)


def magnitude_of_dispersion(sigma_v: float, rng: Generator) -> float:
    """Absolute r magnitude of an early-type galaxy of a velocity dispersion (km/s).

    Bernardi et al. 2003 (AJ 125, 1849): luminosities are Gaussian, M = −21.15 ± 0.84, and
    log σ = 2.203 − 0.102 (M + 21.15) ± 0.07. The two together make M at fixed σ Gaussian too, with
    5.9 mag a dex and a scatter of 0.53 mag; inverting the relation alone would give 9.8 mag a dex.
    """
    spread, slope, scatter = 0.841, -0.102, 0.07
    variance = (slope * spread) ** 2 + scatter**2
    mean = -21.15 + slope * spread**2 / variance * (np.log10(sigma_v) - 2.203)
    return float(rng.normal(mean, spread * scatter / np.sqrt(variance)))


def early_type(
    rng: Generator,
    wavelengths_nm: Float64Array,
    *,
    redshift: float | None = None,
    sigma_v: float | None = None,
) -> Early:
    """σ_v and z from the lens population, unless given; luminosity and size follow with scatter.

    log R_e/kpc = 0.52 − 0.252 (M_r + 21.15), scatter 0.12 (Bernardi et al. 2003, h = 0.7).
    """
    drawn = lens_population(rng)
    sigma_v = drawn[0] if sigma_v is None else sigma_v
    z = drawn[1] if redshift is None else redshift
    magnitude = float(np.clip(magnitude_of_dispersion(sigma_v, rng), -24.5, -18.5))
    log_radius = 0.52 - 0.252 * (magnitude + 21.15) + rng.normal(0, 0.12)
    return Early(
        sigma_v,
        z,
        magnitude,
        apparent_magnitudes(
            "old", magnitude - EVOLUTION_MAG * z, z, wavelengths_nm, reddening=rng.normal(0, 0.08)
        ),
        float(10**log_radius * cosmology.arcsec_per_kpc(z)),
        float(np.clip(rng.normal(0.75, 0.15), 0.4, 0.99)),
        rng.uniform(0, np.pi),
        float(np.clip(rng.normal(4.2, 0.9), 2.5, 6.5)),
    )


def source_redshift(rng: Generator, beyond: float) -> float:
    """p(z) ∝ z² exp(−(z/z₀)^1.5) (Smail, Ellis & Fitchett 1994), z₀ = 0.9, behind ``beyond``."""
    while True:
        z = 0.9 * rng.gamma(2.0) ** (1 / 1.5)
        if beyond + 0.1 < z < 5:
            return float(z)


def faint_galaxy(
    rng: Generator,
    wavelengths_nm: Float64Array,
    z: float,
    magnitude: float,
    x: float,
    y: float,
    *,
    old: bool = False,
) -> Component:
    """A small galaxy of given magnitude at the middle of the optical (617 nm observed)."""
    color = float(rng.normal(0.15, 0.25)) if not old else float(rng.normal(0, 0.08))
    bands = np.append(wavelengths_nm, 617.0)
    relative = apparent_magnitudes("old" if old else "star_forming", 0.0, z, bands, reddening=color)
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
    )


def clumpy_source(
    rng: Generator, wavelengths_nm: Float64Array, z: float, magnitude: float, x: float, y: float
) -> tuple[Component, ...]:
    """A lensed star-forming galaxy: a smooth disc and, in two thirds of them, one to five knots.

    Knots hold a twentieth to a third of the light (Guo et al. 2015, ApJ 800, 39), are bluer than
    the disc and a few hundredths of an arcsecond wide.
    """
    smooth = replace(faint_galaxy(rng, wavelengths_nm, z, magnitude, x, y), lensed=True)
    if rng.random() < 1 / 3:
        return (smooth,)
    count, share = int(rng.integers(1, 6)), rng.uniform(0.05, 0.33)
    weights = rng.dirichlet(np.ones(count)) * share
    cosine, sine = np.cos(smooth.angle), np.sin(smooth.angle)
    bluer = -0.3 * np.log(617 / wavelengths_nm)
    parts = [replace(smooth, magnitudes=smooth.magnitudes - 2.5 * np.log10(1 - share))]
    for weight in weights:
        along, across = rng.normal(size=2) * smooth.half_light_radius * 0.8
        across *= smooth.axis_ratio
        parts.append(
            Component(
                x + along * cosine - across * sine,
                y + along * sine + across * cosine,
                1.0,
                0.0,
                0.5,
                float(rng.uniform(0.03, 0.08)),
                smooth.magnitudes - 2.5 * np.log10(weight) + bluer,
                lensed=True,
            )
        )
    return tuple(parts)


def disc_galaxy(
    rng: Generator, wavelengths_nm: Float64Array
) -> tuple[float, float, float, Float64Array, Float64Array, float]:
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


def point(x: float, y: float, magnitudes: Float64Array) -> Component:
    """A point source."""
    return Component(x, y, 1.0, 0.0, 1.0, 0.0, magnitudes, profile="point")


def quasar_colors(rng: Generator, wavelengths_nm: Float64Array) -> Float64Array:
    """Magnitudes of a quasar relative to that at 617 nm.

    f_ν ∝ ν^−0.5 (Vanden Berk et al. 2001, AJ 122, 549), with a scatter of 0.3 in slope.
    """
    return -2.5 * float(rng.normal(-0.5, 0.3)) * np.log10(617 / wavelengths_nm)


def star(
    rng: Generator, wavelengths_nm: Float64Array, magnitude: float, x: float, y: float
) -> Component:
    """A star of given magnitude at 617 nm: a black body of 3,300 to 7,500 K."""
    temperature = rng.uniform(3300, 7500)

    def log_f_nu(nm: Float64Array | float) -> Float64Array:
        exponent = 1.4388e7 / (np.asarray(nm) * temperature)  # hc/k in nm K
        return -3 * np.log10(np.asarray(nm)) - np.log10(np.expm1(exponent))

    return point(x, y, magnitude - 2.5 * (log_f_nu(wavelengths_nm) - log_f_nu(617.0)))


def field(rng: Generator, wavelengths_nm: Float64Array, size_arcsec: float) -> list[Component]:
    """Unrelated galaxies and stars of a square of sky."""
    area = size_arcsec**2 / 3600
    parts = []
    for _ in range(int(rng.poisson(GALAXIES_PER_ARCMIN2 * area))):
        x, y = rng.uniform(-size_arcsec / 2, size_arcsec / 2, size=2)
        z, magnitude = float(rng.uniform(0.2, 1.5)), counts_magnitude(rng, 20, 25.5)
        old = rng.random() < 0.3
        parts.append(faint_galaxy(rng, wavelengths_nm, z, magnitude, float(x), float(y), old=old))
    for _ in range(int(rng.poisson(STARS_PER_ARCMIN2 * area))):
        x, y = rng.uniform(-size_arcsec / 2, size_arcsec / 2, size=2)
        magnitude = counts_magnitude(rng, 17, 24, slope=0.15)
        parts.append(star(rng, wavelengths_nm, magnitude, float(x), float(y)))
    return parts


def group(rng: Generator, wavelengths_nm: Float64Array, central: Early) -> list[Component]:
    """One to three fainter red galaxies at the redshift of ``central``, 2″ to 8″ away."""
    return [
        early_type(
            rng,
            wavelengths_nm,
            redshift=central.redshift,
            sigma_v=float(central.sigma_v * rng.uniform(0.45, 0.85)),
        ).light(*at_distance(rng, 2, 8))
        for _ in range(int(rng.integers(1, 4)))
    ]


def seeing(rng: Generator, n_bands: int) -> Seeing:
    """Seeing of an image: 8 % of scatter in each band, and Moffat wings of 2.8 to 4.6."""
    width = np.exp(rng.normal(0, 0.08, size=n_bands))
    return Seeing(tuple(float(w) for w in width), float(rng.uniform(2.8, 4.6)))


def among_others(
    rng: Generator, scene: Scene, wavelengths_nm: Float64Array, size_arcsec: float
) -> Scene:
    """The scene among unrelated galaxies and stars."""
    return replace(scene, components=(*scene.components, *field(rng, wavelengths_nm, size_arcsec)))
