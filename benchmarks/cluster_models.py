"""Do mass models of clusters find the Einstein radius, and images that they were not told?

    python benchmarks/cluster_models.py --n 12

Clusters of the simulator: an elliptical isothermal halo with core and cut, the brightest galaxy,
members with scatter in their shapes, external shear. None of that is told; the halo's profile is
that of the parametric model, and none that follows light. Each has five sources near its caustics
at known redshifts. Images brighter than the source are listed with an error of 0.3″ in each
coordinate; of a family of four and more one is held out. Members are those that the simulator
draws, with their magnitudes; the halo is stated at the brightest. Clusters with fewer than three
families of three images are drawn again, and counted. ``--minutes`` ends it early, after whole
clusters.
"""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch

from lensing_core.cluster_model import Family, Halo, Image, LensPlane, Member
from lensing_core.cluster_model.curves import einstein_radius
from lensing_core.cluster_model.inputs import ClusterInput
from lensing_core.cluster_model.mass import default_reference_mag
from lensing_core.cluster_model.modeling import ClusterModels, ModeledCluster, model_cluster
from lensing_core.cluster_model.planes import cosmology_of
from lensing_core.physics.point_images import images_of_point
from lensing_core.simulation import Deflector
from lensing_core.simulation.clusters import cluster_lens
from lensing_core.simulation.deflection import deflection_field

SEED = 4711
ERROR_ARCSEC = 0.3
SIDE_ARCSEC = 160.0
SOURCES = 5
FAINTEST = 1.0
DEEPEST_MAG = 4.0  # of members below the brightest


@dataclass(frozen=True)
class Truth:
    """A simulated mass as a lens: its deflection for D_ls / D_s = 1."""

    plane: LensPlane
    mass: tuple[Deflector, ...]
    ratio: float  # for which the Einstein radii hold

    def deflection(self, x: torch.Tensor, y: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Deflection (arcsec) at places of any shape."""
        ax, ay = deflection_field(self.mass, x, y)
        return ax / self.ratio, ay / self.ratio


def clusters() -> Iterator[tuple[ClusterInput, Truth, int]]:
    """Clusters with their truth, and how many were drawn for each."""
    wavelengths = np.array([617.0])
    k = drawn = 0
    while True:
        rng = np.random.default_rng((SEED, k))
        k, drawn = k + 1, drawn + 1
        scene = cluster_lens(rng, wavelengths, SIDE_ARCSEC)
        plane = LensPlane(float(scene.truth["z_lens"]), 150.0, 2.0, cosmology_of({}))
        truth = Truth(plane, scene.deflectors, float(plane.ratio(float(scene.truth["z_source"]))))
        families = [f for f in (_family(rng, truth, str(j + 1)) for j in range(SOURCES)) if f]
        members = _members(scene.components)
        if len(families) < 3:
            continue
        yield (
            ClusterInput(
                name=f"cluster {k}",
                kind="hybrid",
                plane=plane,
                families=tuple(families),
                members=members,
                halos=(Halo("halo", 0, 0),),
                reference_mag=default_reference_mag(members),
                z_source=2.0 if plane.z_lens < 1 else 4.0,
            ),
            truth,
            drawn,
        )
        drawn = 0


def _members(components: tuple) -> tuple[Member, ...]:
    """The brightest galaxy, without intracluster light, and the members of the scene."""
    own = [c for c in components if not c.lensed]
    light = [c for c in own if c.x == 0 and c.y == 0 and c.sersic_index != 1.0]
    brightest = -2.5 * math.log10(sum(10 ** (-0.4 * float(c.magnitudes[0])) for c in light))
    found = [Member("bcg", 0.0, 0.0, brightest, free=True)]
    found += [
        Member(f"member {j}", c.x, c.y, float(c.magnitudes[0]))
        for j, c in enumerate(own)
        if (c.x, c.y) != (0, 0) and c.magnitudes[0] < brightest + DEEPEST_MAG
    ]
    return tuple(found)


def _family(rng: np.random.Generator, truth: Truth, name: str) -> Family | None:
    """Images of a source near the caustics, with errors; None where there are fewer than three."""
    z = float(rng.uniform(truth.plane.z_lens + 0.4, 4.0))
    ratio = float(truth.plane.ratio(z))
    theta = einstein_radius(truth, ratio, n=60)
    if theta == 0:
        return None
    radius, turn = 0.3 * theta * math.sqrt(rng.random()), rng.uniform(0, 2 * math.pi)

    def deflection(x: torch.Tensor, y: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        ax, ay = truth.deflection(x, y)
        return ratio * ax, ratio * ay

    seen = images_of_point(
        deflection,
        (radius * math.cos(turn), radius * math.sin(turn)),
        center=(0, 0),
        half_arcsec=2.2 * theta,
        n=141,
    )
    seen = seen[np.abs(seen[:, 2]) > FAINTEST]
    if len(seen) < 3:
        return None
    left_out = int(rng.integers(len(seen))) if len(seen) > 3 else -1
    images = tuple(
        Image(
            f"{name}.{j + 1}",
            float(x + rng.normal(0, ERROR_ARCSEC)),
            float(y + rng.normal(0, ERROR_ARCSEC)),
            ERROR_ARCSEC,
            j == left_out,
        )
        for j, (x, y, _) in enumerate(seen)
    )
    return Family(name, images, z=z)


def _row(part: ModeledCluster, truth: float) -> dict[str, float]:
    found = part.theta_e_arcsec / truth - 1
    return {
        "theta": found,
        "pull": (part.theta_e_arcsec - truth) / part.theta_e_error,
        "rms": part.rms_arcsec,
        "held_out": part.rms_held_out_arcsec,
        "missed": len(part.missed),
    }


def measure(n: int, minutes: float) -> None:
    """Print each cluster, then the summary of each model."""
    began = time.monotonic()
    rows: dict[str, list[dict[str, float]]] = {}
    drawn_all, cpu, images = 0, [], 0
    drawn_clusters = clusters()
    done = 0
    while done < n and time.monotonic() - began < 60 * minutes:
        given, truth, drawn = next(drawn_clusters)
        drawn_all += drawn
        start = time.process_time()
        models: ClusterModels = model_cluster(given)
        cpu.append(time.process_time() - start)
        theta = einstein_radius(truth, models.ratio)
        images += sum(len(f.images) for f in given.families)
        done += 1
        for part in (*models.parts, models.best):
            row = _row(part, theta)
            if part.kind == "hybrid":
                row["pull"] = (part.theta_e_arcsec - theta) / max(models.theta_e_spread, 1e-9)
            rows.setdefault(part.kind, []).append(row)
            print(
                f"{given.name}, {len(given.families)} families, {len(given.members)} members, "
                f"θ_E {theta:.1f}: {part.kind} {100 * row['theta']:+.1f} %, rms "
                f"{row['rms']:.2f}, held out {row['held_out']:.2f}, missed {row['missed']:.0f}",
                flush=True,
            )
    print(
        f"\n{done} clusters of {drawn_all} drawn, {images} images; CPU {np.median(cpu):.0f} s each"
    )
    print("| model | θ_E: median | largest | within 5 % | within 1 σ | rms | held out | not made |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    for kind, found in rows.items():
        theta = np.array([row["theta"] for row in found])
        pull = np.array([row["pull"] for row in found])
        print(
            f"| {kind.replace('_', ' ')} | {100 * np.median(theta):+.1f} % "
            f"| {100 * theta[np.argmax(np.abs(theta))]:+.1f} % "
            f"| {np.sum(np.abs(theta) < 0.05)} of {len(theta)} "
            f"| {np.sum(np.abs(pull) < 1)} of {len(theta)} "
            f"| {np.nanmedian([row['rms'] for row in found]):.2f}″ "
            f"| {np.nanmedian([row['held_out'] for row in found]):.2f}″ "
            f"| {sum(row['missed'] for row in found):.0f} |"
        )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--n", type=int, default=12)
    parser.add_argument("--minutes", type=float, default=60)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    measure(arguments.n, arguments.minutes)
