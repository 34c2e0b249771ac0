"""Galaxy-scale lenses: lensed galaxies and, as an option, lensed quasars."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import torch

from lensing_core.arrays import Float64Array
from lensing_core.physics import cosmology
from lensing_core.simulation import galaxies
from lensing_core.simulation.deflection import deflection_field
from lensing_core.simulation.galaxies import Early, Generator
from lensing_core.simulation.scene import Component, Deflector, Scene

Mass = Literal["sie", "epl"]
"""Mass of single galaxies: isothermal, or a power law with a slope of its own."""

THETA_E_RANGE_ARCSEC = (0.5, 3.0)
SLOPES = (1.6, 2.5)
SOURCE_MAG_RANGE = (20.5, 25.0)
SOURCE_COUNT_SLOPE = 0.15
"""Shallower than the field's: a training set needs its bright arcs too."""
GROUP_FRACTION = 0.25
"""Of lenses that have red neighbors; lens galaxies live in groups."""


def galaxy_lens(rng: Generator, wavelengths_nm: Float64Array, mass: Mass = "epl") -> Scene:
    """An early-type lens with a clumpy star-forming source behind it."""
    lens, z_source, theta_e = _lens_and_source(rng, wavelengths_nm)
    deflector = galaxy_mass(rng, lens, theta_e, mass)
    magnitude = galaxies.counts_magnitude(rng, *SOURCE_MAG_RANGE, SOURCE_COUNT_SLOPE)
    x, y = source_position(rng, theta_e)
    source = galaxies.clumpy_source(rng, wavelengths_nm, z_source, magnitude, x, y)
    neighbors = galaxies.group(rng, wavelengths_nm, lens) if rng.random() < GROUP_FRACTION else []
    return Scene(
        "lens",
        (*lens.lights(rng), *source, *neighbors),
        (deflector,),
        truth_of(deflector, z_source, magnitude, x, y, lens=lens, knots=len(source) - 1),
    )


def quasar_lens(rng: Generator, wavelengths_nm: Float64Array, mass: Mass = "epl") -> Scene:
    """An early-type lens with a quasar behind it: two or four point images.

    Image magnitudes scatter by 0.2 mag for microlensing and variability.
    """
    while True:
        lens, z_source, theta_e = _lens_and_source(rng, wavelengths_nm)
        deflector = galaxy_mass(rng, lens, theta_e, mass)
        x, y = source_position(rng, theta_e)
        images = image_positions(deflector, x, y)
        if len(images) >= 2:
            break
    magnitude = galaxies.counts_magnitude(rng, 19.0, 23.0, 0.3)
    colors = galaxies.quasar_colors(rng, wavelengths_nm)
    parts = [
        galaxies.point(
            float(u),
            float(v),
            magnitude + colors - 2.5 * np.log10(min(mu, 50)) + rng.normal(0, 0.2),
        )
        for u, v, mu in images
    ]
    truth = truth_of(deflector, z_source, magnitude, x, y, lens=lens)
    return Scene(
        "quasar_lens",
        (*lens.lights(rng), *parts),
        (deflector,),
        {**truth, "n_images": len(images)},
    )


def truth_of(
    deflector: Deflector,
    z_source: float,
    magnitude: float,
    x: float,
    y: float,
    *,
    lens: Early,
    **more: Any,
) -> dict[str, Any]:
    """Return what is stored of a galaxy-scale lens."""
    return {
        "theta_e_arcsec": deflector.einstein_radius,
        "z_lens": lens.redshift,
        "z_source": z_source,
        "sigma_v_km_s": lens.sigma_v,
        "shear": float(np.hypot(deflector.shear_1, deflector.shear_2)),
        "source_mag": magnitude,
        "source_offset_arcsec": float(np.hypot(x, y)),
        "lens_axis_ratio": deflector.axis_ratio,
        "lens_angle_rad": deflector.angle,
        "mass_slope": deflector.slope,
        **more,
    }


def _lens_and_source(rng: Generator, wavelengths_nm: Float64Array) -> tuple[Early, float, float]:
    """A pair drawn by its cross section, θ_E² ∝ σ⁴ (D_ls/D_s)²; the first factor is in the draw."""
    low, high = THETA_E_RANGE_ARCSEC
    while True:
        sigma_v, z = galaxies.lens_population(rng)
        z_source = galaxies.source_redshift(rng, z)
        ratio = float(cosmology.distance_ratio(z, z_source))
        theta_e = float(cosmology.sis_einstein_radius_arcsec(sigma_v, z, z_source))
        if low <= theta_e <= high and rng.random() < ratio**2:
            lens = galaxies.early_type(rng, wavelengths_nm, redshift=z, sigma_v=sigma_v)
            return lens, z_source, theta_e


def galaxy_mass(rng: Generator, lens: Early, theta_e: float, mass: Mass) -> Deflector:
    """The mass of a galaxy: shaped as its light, with scatter, in the shear of its surroundings.

    Slopes of power laws: 2.08 with a scatter of 0.16 (Auger et al. 2010, ApJ 724, 511).
    """
    shear, angle = rng.rayleigh(0.035), rng.uniform(0, np.pi)
    slope = float(np.clip(rng.normal(2.08, 0.16), *SLOPES)) if mass == "epl" else 2.0
    return Deflector(
        0.0,
        0.0,
        float(np.clip(lens.axis_ratio + rng.normal(0, 0.06), 0.45, 0.98)),
        lens.angle + rng.normal(0, np.radians(6)),
        theta_e,
        float(shear * np.cos(2 * angle)),
        float(shear * np.sin(2 * angle)),
        slope=slope,
    )


def source_position(rng: Generator, theta_e: float) -> tuple[float, float]:
    """Uniform over most of the disc in which an isothermal sphere makes two images."""
    offset, direction = theta_e * np.sqrt(rng.uniform(0, 0.8)), rng.uniform(0, 2 * np.pi)
    return float(offset * np.cos(direction)), float(offset * np.sin(direction))


def image_positions(
    deflector: Deflector, x: float, y: float, *, step_arcsec: float = 0.06
) -> list[tuple[float, float, float]]:
    """Images (x, y, magnification) of a point at (x, y) of the source plane.

    Every cell of a grid is mapped to the source plane as two triangles; those that hold the source
    hold an image, which Newton steps then refine. Images fainter than a fiftieth of the source, at
    the very center, are left out.
    """
    half = 2.5 * deflector.einstein_radius
    axis = torch.arange(-half, half + step_arcsec, step_arcsec, dtype=torch.float64)
    grid_x, grid_y = torch.meshgrid(axis, axis, indexing="xy")
    alpha_x, alpha_y = deflection_field((deflector,), grid_x, grid_y)
    b = torch.stack([grid_x - alpha_x - x, grid_y - alpha_y - y], dim=-1)
    corners = (b[:-1, :-1], b[:-1, 1:], b[1:, 1:], b[1:, :-1])
    cells = [
        _holds_origin(corners[first], corners[second], corners[third]).nonzero()
        for first, second, third in ((0, 1, 2), (0, 2, 3))
    ]
    rows, columns = torch.cat(cells).T
    middles = torch.stack([axis[columns], axis[rows]], dim=-1) + step_arcsec / 2
    images: list[Float64Array] = []
    for image in _refine(deflector, middles, x, y):
        if all(np.hypot(*(image[:2] - other[:2])) > 0.02 for other in images):
            images.append(image)
    return [(float(u), float(v), float(mu)) for u, v, mu in images if mu > 0.02]


def _holds_origin(a: torch.Tensor, b: torch.Tensor, c: torch.Tensor) -> torch.Tensor:
    def cross(p: torch.Tensor, q: torch.Tensor) -> torch.Tensor:
        return p[..., 0] * q[..., 1] - p[..., 1] * q[..., 0]

    signs = torch.stack([cross(a, b), cross(b, c), cross(c, a)])
    return (signs > 0).all(dim=0) | (signs < 0).all(dim=0)


def _refine(deflector: Deflector, starts: torch.Tensor, x: float, y: float) -> Float64Array:
    """Newton's method on the lens equation from n points (n, 2) at once.

    Returns (x, y, magnification) of those that arrive, shape (m, 3).
    """
    points, epsilon = starts.clone(), 1e-4
    offsets = torch.tensor([[0, 0], [epsilon, 0], [0, epsilon]], dtype=torch.float64)
    source = torch.tensor([x, y], dtype=torch.float64)
    for _ in range(20):
        stencil = points[:, None] + offsets
        alpha = torch.stack(deflection_field((deflector,), stencil[..., 0], stencil[..., 1]), -1)
        beta = stencil - alpha
        # Jacobian [[∂β_x/∂x, ∂β_x/∂y], [∂β_y/∂x, ∂β_y/∂y]]
        (a, c), (b, d) = (((beta[:, k] - beta[:, 0]) / epsilon).T for k in (1, 2))
        determinant = a * d - b * c
        miss = source - beta[:, 0]
        arrived = miss.norm(dim=1) < 1e-6
        if arrived.all():
            break
        step = torch.stack([d * miss[:, 0] - b * miss[:, 1], a * miss[:, 1] - c * miss[:, 0]], -1)
        step = step / determinant[:, None]
        length = step.norm(dim=1, keepdim=True).clamp_min(1e-12)
        points = torch.where(arrived[:, None], points, points + step * (0.1 / length).clamp_max(1))
    good = arrived & torch.isfinite(determinant) & (determinant != 0)
    images = torch.cat([points, 1 / determinant.abs()[:, None]], dim=1)[good]
    return np.asarray(images.numpy())


def lensed_only(scene: Scene) -> tuple[Component, ...]:
    """Return what the lens made visible: arcs, or the point images of a quasar."""
    if scene.object_class == "quasar_lens":
        return tuple(part for part in scene.components if part.profile == "point")
    return scene.lensed
