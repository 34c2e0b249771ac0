"""Cluster-scale lenses and clusters without arcs; docs/method/simulation.md has sources."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch

from lensing_core.arrays import Float64Array
from lensing_core.physics import cosmology
from lensing_core.simulation import galaxies
from lensing_core.simulation.contaminants import contaminant
from lensing_core.simulation.deflection import deflection_field
from lensing_core.simulation.galaxies import Early, Generator, at_distance
from lensing_core.simulation.scene import Component, Deflector, Scene

SourceMaker = Callable[[Generator, Float64Array, float, float, float, float], tuple[Component, ...]]
"""Components of a galaxy from wavelengths (nm), redshift, magnitude (617 nm), x and y (arcsec)."""
THETA_E_RANGE_ARCSEC = (10.0, 50.0)
GROUP_THETA_E_RANGE_ARCSEC = (1.5, 8.0)
SIGMA_RANGE_KM_S = (500.0, 1400.0)
REDSHIFTS = (0.2, 0.8)
CLUSTER_SOURCE_FRACTION = 0.3
"""Of lenses whose source is a cluster of 10 to 50 galaxies."""
CONTAMINANTS = {
    "cluster": 0.35,
    "bcg_alignment": 0.3,
    "galaxy_group": 0.2,
    "field_galaxy": 0.1,
    "artefact": 0.05,
}


@dataclass(frozen=True)
class Cluster:
    """A cluster's galaxies and mass; Einstein radii hold for ``z_source``."""

    redshift: float
    z_source: float
    sigma_v: float
    bcg: Early
    light: tuple[Component, ...]
    mass: tuple[Deflector, ...]
    n_members: int


def cluster_lens(
    rng: Generator,
    wavelengths_nm: Float64Array,
    size_arcsec: float,
    *,
    source: SourceMaker | None = None,
) -> Scene:
    """A cluster with single galaxies behind it, or with a cluster behind it.

    Its Einstein radius is from 10″ to 50″ and at most a quarter of the cutout's side.

    Parameters
    ----------
    source : callable, optional
        Makes each lensed galaxy; else simulated ones are drawn.
    """
    low, high = THETA_E_RANGE_ARCSEC[0], min(THETA_E_RANGE_ARCSEC[1], size_arcsec / 4)
    while True:
        cluster = _cluster(rng, wavelengths_nm, size_arcsec, lensing=True)
        theta_e = einstein_radius_arcsec(cluster.mass)
        if low <= theta_e <= high:
            break
    behind_cluster = rng.random() < CLUSTER_SOURCE_FRACTION
    draw = _source_cluster if behind_cluster else _single_sources
    sources = draw(rng, wavelengths_nm, cluster, theta_e, source)
    truth = {
        "theta_e_arcsec": theta_e,
        "z_lens": cluster.redshift,
        "z_source": cluster.z_source,
        "sigma_v_km_s": cluster.sigma_v,
        "n_members": cluster.n_members,
        "source": "cluster" if behind_cluster else "galaxies",
        "n_sources": len(sources),
    }
    return Scene("cluster_lens", (*cluster.light, *sources), cluster.mass, truth)


def group_lens(rng: Generator, wavelengths_nm: Float64Array, size_arcsec: float) -> Scene:
    """A group of galaxies whose halo parts the images of one source further than a galaxy does.

    Its Einstein radius is from 1.5″ to 8″ and at most 0.35 of the cutout's side.
    """
    low, high = GROUP_THETA_E_RANGE_ARCSEC
    high = min(high, 0.35 * size_arcsec)
    while True:
        group = _cluster(rng, wavelengths_nm, size_arcsec, lensing=True, small=True)
        theta_e = einstein_radius_arcsec(group.mass)
        if low <= theta_e <= high:
            break
    magnitude = galaxies.counts_magnitude(rng, 20.5, 25.0, 0.15)
    x, y = at_distance(rng, 0, 0.6 * theta_e)
    source = galaxies.clumpy_source(rng, wavelengths_nm, group.z_source, magnitude, x, y)
    truth = {
        "theta_e_arcsec": theta_e,
        "z_lens": group.redshift,
        "z_source": group.z_source,
        "sigma_v_km_s": group.sigma_v,
        "source_mag": magnitude,
        "source_offset_arcsec": float(np.hypot(x, y)),
        "n_members": group.n_members,
    }
    return Scene("group_lens", (*group.light, *source), group.mass, truth)


def group_without_arcs(rng: Generator, wavelengths_nm: Float64Array, size_arcsec: float) -> Scene:
    """Return what :func:`group_lens` draws, with nothing behind it."""
    group = _cluster(rng, wavelengths_nm, size_arcsec, lensing=False, small=True)
    truth = {"z": group.redshift, "n_members": group.n_members}
    return Scene("galaxy_group", group.light, truth=truth)


def cluster_contaminant(rng: Generator, wavelengths_nm: Float64Array, size_arcsec: float) -> Scene:
    """A non-lens of a class drawn by :data:`CONTAMINANTS`."""
    name = str(rng.choice(list(CONTAMINANTS), p=list(CONTAMINANTS.values())))
    if name == "field_galaxy":
        scene = contaminant(rng, wavelengths_nm)
        return replace(scene, object_class=name, truth={**scene.truth, "of": scene.object_class})
    small = name == "galaxy_group"
    cluster = _cluster(rng, wavelengths_nm, size_arcsec, lensing=False, small=small)
    parts = list(cluster.light)
    if name == "bcg_alignment":
        parts += _aligned(rng, wavelengths_nm, cluster)
    artifacts = ("satellite_trail",) if name == "artefact" else ()
    truth = {"z": cluster.redshift, "n_members": cluster.n_members}
    return Scene(name, tuple(parts), truth=truth, artifacts=artifacts)


def einstein_radius_arcsec(mass: Sequence[Deflector]) -> float:
    """Radius within which the mean convergence is 1, about the first deflector; 0 if there is none.

    By Gauss' theorem the deflection's mean radial part on a circle is the mean convergence within,
    times the radius.
    """
    radii = torch.arange(0.5, 80, 0.25, dtype=torch.float64)[:, None]
    angles = torch.arange(0, 2 * torch.pi, 2 * torch.pi / 48, dtype=torch.float64)[None, :]
    cosine, sine = torch.cos(angles), torch.sin(angles)
    without_shear = [replace(d, shear_1=0.0, shear_2=0.0) for d in mass]
    alpha_x, alpha_y = deflection_field(
        without_shear, mass[0].x + radii * cosine, mass[0].y + radii * sine
    )
    mean = (alpha_x * cosine + alpha_y * sine).mean(dim=1) / radii[:, 0]
    critical = (mean >= 1).nonzero()
    return float(radii[critical[-1, 0], 0]) if len(critical) else 0.0


def _dispersion(rng: Generator, low: float, high: float) -> float:
    """dn/dσ ∝ σ^-6, times σ⁴ for the cross section."""
    u = rng.random()
    return float(1 / (u / low + (1 - u) / high))


def _cluster(
    rng: Generator,
    wavelengths_nm: Float64Array,
    size_arcsec: float,
    *,
    lensing: bool,
    small: bool = False,
) -> Cluster:
    z = float(rng.uniform(*REDSHIFTS))
    scale = float(cosmology.arcsec_per_kpc(z))
    z_source = galaxies.source_redshift(rng, z + 0.2)
    sigma = _dispersion(rng, 250, 500) if small else _dispersion(rng, *SIGMA_RANGE_KM_S)
    n_members = int(rng.integers(4, 12)) if small else int(rng.poisson(20 * (sigma / 700) ** 1.5))

    def einstein(sigma_v: float) -> float:
        return float(cosmology.sis_einstein_radius_arcsec(sigma_v, z, z_source))

    bcg = galaxies.early_type(
        rng, wavelengths_nm, redshift=z, sigma_v=float(np.clip(rng.normal(300, 35), 220, 400))
    )
    # Brightest cluster galaxies are brighter than their dispersion tells (Bernardi 2007, AJ 133,
    # 1741); their light is several times wider.
    bcg = replace(bcg, magnitudes=bcg.magnitudes - 0.5, radius_arcsec=1.8 * bcg.radius_arcsec)
    axis_ratio, angle = float(rng.uniform(0.55, 0.9)), float(rng.uniform(0, np.pi))
    bcg = replace(bcg, axis_ratio=float(rng.uniform(0.65, 0.9)), angle=angle)
    light = [*bcg.lights(rng), _intracluster_light(rng, bcg, scale)]
    mass = []
    if lensing:
        shear, direction = rng.rayleigh(0.03), rng.uniform(0, np.pi)
        mass = [
            Deflector(
                0.0,
                0.0,
                axis_ratio,
                angle,
                einstein(sigma),
                float(shear * np.cos(2 * direction)),
                float(shear * np.sin(2 * direction)),
                core_radius=float(rng.uniform(15, 50) * scale),
                cut_radius=float(rng.uniform(600, 1200) * scale),
            ),
            _subhalo(bcg, 0, 0, einstein(bcg.sigma_v), 80 * scale),
        ]
    for _ in range(n_members):
        # Surface density ∝ 1/R out to 700 kpc, as an isothermal sphere's.
        x, y = at_distance(rng, 0.02 * 700 * scale, 700 * scale)
        luminosity = _schechter(rng)
        member = galaxies.early_type(
            rng, wavelengths_nm, redshift=z, sigma_v=float(200 * luminosity**0.25)
        )
        if max(abs(x), abs(y)) > 0.6 * size_arcsec:
            continue
        # The red sequence is tight: members share the color of the brightest galaxy.
        color = (
            bcg.magnitudes
            - bcg.magnitudes.mean()
            + rng.normal(0, 0.03) * np.log(617 / wavelengths_nm)
        )
        member = replace(member, magnitudes=member.magnitudes.mean() + color)
        light.append(member.light(x, y))
        if lensing and member.sigma_v > 130:
            cut = float(30 * np.sqrt(luminosity) * scale)
            mass.append(_subhalo(member, x, y, einstein(member.sigma_v), cut))
    return Cluster(z, z_source, sigma, bcg, tuple(light), tuple(mass), n_members)


def _schechter(rng: Generator) -> float:
    """L/L* from a Schechter function of slope −1 between 0.1 and 4."""
    while True:
        luminosity = 0.1 * 40 ** rng.random()
        if rng.random() < np.exp(0.1 - luminosity):
            return float(luminosity)


def _subhalo(galaxy: Early, x: float, y: float, theta_e: float, cut_arcsec: float) -> Deflector:
    return Deflector(
        x,
        y,
        float(np.clip(galaxy.axis_ratio, 0.5, 0.98)),
        galaxy.angle,
        theta_e,
        core_radius=0.02,
        cut_radius=cut_arcsec,
    )


def _intracluster_light(rng: Generator, bcg: Early, arcsec_per_kpc: float) -> Component:
    """A tenth to two thirds of the BCG's light, 50 to 150 kpc wide (Montes 2022, Nat. Ast. 6)."""
    share = rng.uniform(0.1, 0.65)
    return Component(
        0,
        0,
        float(rng.uniform(0.5, 0.9)),
        bcg.angle,
        1.0,
        float(rng.uniform(50, 150) * arcsec_per_kpc),
        bcg.magnitudes - 2.5 * np.log10(share),
    )


def _ratio(cluster: Cluster, z_source: float) -> float:
    """Deflection of a plane relative to that of the cluster's ``z_source``."""
    reference = cosmology.distance_ratio(cluster.redshift, cluster.z_source)
    return float(cosmology.distance_ratio(cluster.redshift, z_source) / reference)


def _single_sources(
    rng: Generator,
    wavelengths_nm: Float64Array,
    cluster: Cluster,
    theta_e: float,
    source: SourceMaker | None,
) -> list[Component]:
    """One to four galaxies, the first near the caustic, the others anywhere within θ_E."""
    make = source or galaxies.clumpy_source
    sources: list[Component] = []
    for k in range(int(rng.integers(1, 5))):
        z = cluster.z_source if k == 0 else galaxies.source_redshift(rng, cluster.redshift)
        magnitude = galaxies.counts_magnitude(rng, 20.5, 24.5, 0.15)
        x, y = at_distance(rng, 0, (0.35 if k == 0 else 1.0) * theta_e)
        ratio = _ratio(cluster, z)
        sources += [
            replace(part, distance_ratio=ratio)
            for part in make(rng, wavelengths_nm, z, magnitude, x, y)
        ]
    return sources


def _source_cluster(
    rng: Generator,
    wavelengths_nm: Float64Array,
    cluster: Cluster,
    theta_e: float,
    source: SourceMaker | None,
) -> list[Component]:
    """10 to 50 galaxies of one redshift, half of them old, about a point within θ_E/2.

    All are of their own colors where ``source`` makes them.
    """
    center = at_distance(rng, 0, 0.5 * theta_e)
    spread = rng.uniform(0.3, 0.8) * theta_e
    if source is not None:
        return [
            part
            for _ in range(int(rng.integers(10, 26)))
            for part in source(
                rng,
                wavelengths_nm,
                cluster.z_source,
                galaxies.counts_magnitude(rng, 21.5, 25.0),
                float(rng.normal(center[0], spread)),
                float(rng.normal(center[1], spread)),
            )
        ]
    return [
        replace(
            galaxies.faint_galaxy(
                rng,
                wavelengths_nm,
                cluster.z_source,
                galaxies.counts_magnitude(rng, 21.5, 25.0),
                float(rng.normal(center[0], spread)),
                float(rng.normal(center[1], spread)),
                old=rng.random() < 0.5,
            ),
            lensed=True,
        )
        for _ in range(int(rng.integers(10, 51)))
    ]


def _aligned(rng: Generator, wavelengths_nm: Float64Array, cluster: Cluster) -> list[Component]:
    """Two to five thin galaxies that happen to lie along circles about the brightest galaxy."""
    parts = []
    for _ in range(int(rng.integers(2, 6))):
        x, y = at_distance(rng, 5, 22)
        galaxy = galaxies.faint_galaxy(
            rng,
            wavelengths_nm,
            float(rng.uniform(0.2, 1.2)),
            galaxies.counts_magnitude(rng, 20, 23.5),
            x,
            y,
            old=rng.random() < 0.4,
        )
        parts.append(
            replace(
                galaxy,
                axis_ratio=float(rng.uniform(0.15, 0.35)),
                angle=float(np.arctan2(y, x) + np.pi / 2 + rng.normal(0, np.radians(15))),
                half_light_radius=1.8 * galaxy.half_light_radius,
            )
        )
    return parts
