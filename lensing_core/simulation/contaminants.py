"""Galaxy-scale objects that are taken for lenses, by class."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from lensing_core.arrays import Float64Array
from lensing_core.simulation import galaxies
from lensing_core.simulation.galaxies import Generator, at_distance
from lensing_core.simulation.scene import ARTIFACTS, Component, Scene
from lensing_core.simulation.templates import apparent_magnitudes

CONTAMINANTS = {
    "elliptical": 0.2,
    "spiral": 0.22,
    "alignment": 0.18,
    "group": 0.1,
    "merger": 0.07,
    "tidal_tail": 0.05,
    "ring": 0.06,
    "edge_on": 0.08,
    "artefact": 0.04,
}
"""Share of each class among non-lenses; surveys have more ellipticals and fewer rings."""


def contaminant(rng: Generator, wavelengths_nm: Float64Array) -> Scene:
    """A non-lens of a class drawn by :data:`CONTAMINANTS`."""
    name = str(rng.choice(list(CONTAMINANTS), p=list(CONTAMINANTS.values())))
    return replace(_MAKERS[name](rng, wavelengths_nm), object_class=name)


def _elliptical(rng: Generator, wavelengths_nm: Float64Array) -> Scene:
    galaxy = galaxies.early_type(rng, wavelengths_nm)
    return Scene("", galaxy.lights(rng), truth={"z": galaxy.redshift})


def _group(rng: Generator, wavelengths_nm: Float64Array) -> Scene:
    """An elliptical among red neighbors, without arcs."""
    galaxy = galaxies.early_type(rng, wavelengths_nm)
    parts = (*galaxy.lights(rng), *galaxies.group(rng, wavelengths_nm, galaxy))
    return Scene("", parts, truth={"z": galaxy.redshift})


def _artifact(rng: Generator, wavelengths_nm: Float64Array) -> Scene:
    """An elliptical with a fault of the image on or near it."""
    kind = str(rng.choice(ARTIFACTS[:4]))
    return replace(_elliptical(rng, wavelengths_nm), artifacts=(kind,))


def _spiral(rng: Generator, wavelengths_nm: Float64Array) -> Scene:
    q = float(rng.uniform(0.35, 0.98))
    z, angle, radius, disc, bulge, bulge_radius = galaxies.disc_galaxy(rng, wavelengths_nm)
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
        arm_contrast=float(rng.uniform(0.4, 0.95)),
    )
    core = Component(
        0, 0, float(rng.uniform(0.7, 1)), angle, float(rng.uniform(1.5, 4)), bulge_radius, bulge
    )
    return Scene("", (core, arms), truth={"z": z})


def _edge_on(rng: Generator, wavelengths_nm: Float64Array) -> Scene:
    z, angle, radius, disc, bulge, bulge_radius = galaxies.disc_galaxy(rng, wavelengths_nm)
    flat = Component(0, 0, float(rng.uniform(0.1, 0.22)), angle, 1.0, radius, disc)
    core = Component(0, 0, float(rng.uniform(0.5, 0.9)), angle, 2.0, bulge_radius, bulge)
    return Scene("", (core, flat), truth={"z": z})


def _ring(rng: Generator, wavelengths_nm: Float64Array) -> Scene:
    """A ring galaxy: an old core inside a star-forming annulus, centered within a tenth."""
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
        "",
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


def _tail(
    rng: Generator, x: float, y: float, direction: float, magnitudes: Float64Array
) -> Component:
    """A tidal tail: long, thin and faint."""
    return Component(
        x,
        y,
        0.15,
        direction,
        0.8,
        float(rng.uniform(0.7, 1.8)),
        magnitudes + rng.uniform(2.0, 3.5),
    )


def _merger(rng: Generator, wavelengths_nm: Float64Array) -> Scene:
    first = galaxies.early_type(rng, wavelengths_nm)
    parts = [first.light()]
    for _ in range(int(rng.integers(1, 3))):
        other = galaxies.early_type(rng, wavelengths_nm, redshift=first.redshift)
        distance, direction = rng.uniform(0.8, 3), rng.uniform(0, 2 * np.pi)
        parts.append(other.light(distance * np.cos(direction), distance * np.sin(direction)))
        parts.append(
            _tail(
                rng,
                1.3 * distance * np.cos(direction + 0.5),
                1.3 * distance * np.sin(direction + 0.5),
                direction + rng.normal(np.pi / 2, 0.5),
                first.magnitudes,
            )
        )
    return Scene("", tuple(parts), truth={"z": first.redshift})


def _tidal_tail(rng: Generator, wavelengths_nm: Float64Array) -> Scene:
    """A galaxy with one or two curved tails, each a chain of faint pieces along an arc."""
    galaxy = galaxies.early_type(rng, wavelengths_nm)
    parts = [galaxy.light()]
    for _ in range(int(rng.integers(1, 3))):
        radius, start = rng.uniform(1.2, 3.0), rng.uniform(0, 2 * np.pi)
        growth, turn = rng.uniform(0.1, 0.5), rng.choice([-1, 1])
        faintness = rng.uniform(3.2, 4.5)
        for step in range(4):
            angle = start + turn * 0.35 * step
            r = radius * (1 + growth * 0.35 * step)
            parts.append(
                Component(
                    float(r * np.cos(angle)),
                    float(r * np.sin(angle)),
                    0.3,
                    float(angle + np.pi / 2),
                    0.8,
                    0.3 * float(r),
                    galaxy.magnitudes + faintness + 0.2 * step,
                )
            )
    return Scene("", tuple(parts), truth={"z": galaxy.redshift})


def _alignment(rng: Generator, wavelengths_nm: Float64Array) -> Scene:
    """A lens-like galaxy with unlensed neighbors where images would stand."""
    galaxy = galaxies.early_type(rng, wavelengths_nm)
    parts = list(galaxy.lights(rng))
    for _ in range(int(rng.integers(1, 4))):
        x, y = at_distance(rng, 0.7, 3.2)
        z, magnitude = float(rng.uniform(0.2, 2)), galaxies.counts_magnitude(rng, 21, 24.5)
        if rng.random() < 0.15:
            parts.append(galaxies.star(rng, wavelengths_nm, magnitude, x, y))
        else:
            old = rng.random() < 0.3
            parts.append(galaxies.faint_galaxy(rng, wavelengths_nm, z, magnitude, x, y, old=old))
    return Scene("", tuple(parts), truth={"z": galaxy.redshift})


def point_alignment(rng: Generator, wavelengths_nm: Float64Array) -> Scene:
    """A lens-like galaxy with stars or single quasars where the images of a quasar would stand."""
    galaxy = galaxies.early_type(rng, wavelengths_nm)
    parts = list(galaxy.lights(rng))
    for _ in range(int(rng.integers(1, 4))):
        x, y = at_distance(rng, 0.5, 3.0)
        magnitude = galaxies.counts_magnitude(rng, 18.5, 22.5, 0.3)
        if rng.random() < 0.6:
            parts.append(galaxies.star(rng, wavelengths_nm, magnitude, x, y))
        else:
            colors = galaxies.quasar_colors(rng, wavelengths_nm)
            parts.append(galaxies.point(x, y, magnitude + colors))
    return Scene("point_alignment", tuple(parts), truth={"z": galaxy.redshift})


_MAKERS: dict[str, Callable[[Generator, Float64Array], Scene]] = {
    "elliptical": _elliptical,
    "spiral": _spiral,
    "alignment": _alignment,
    "group": _group,
    "merger": _merger,
    "tidal_tail": _tidal_tail,
    "ring": _ring,
    "edge_on": _edge_on,
    "artefact": _artifact,
}
