"""Scene of a simulated image, before any pixel: components and deflectors."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any, Literal

from lensing_core.arrays import Float32Array, Float64Array
from lensing_core.errors import BadInputError

Profile = Literal["sersic", "spiral", "ring", "point", "image"]
ARTIFACTS = ("cosmic_ray", "satellite_trail", "bad_column", "bright_star", "chip_gap")


@dataclass(frozen=True)
class Component:
    """Light of one shape; lengths in arcsec from the cutout's center, angles in radians.

    Attributes
    ----------
    x, y : center; x grows with the column, y with the row
    axis_ratio : minor to major, 0 to 1
    angle : of the major axis, from x towards y
    sersic_index : of a Sérsic profile (the disc of a spiral has 1)
    half_light_radius : on the major axis, Sérsic (1968) convention
    magnitudes : AB, shape (band,)
    lensed : whether it lies behind the deflectors and is seen through them
    distance_ratio : D_ls / D_s of its plane over that of the plane that the Einstein radii hold for
    profile : 'sersic'; 'spiral' (disc with logarithmic arms); 'ring' (Gaussian annulus); 'point';
        'image' (light of pixels)
    arms, winding, arm_phase, arm_contrast : of a spiral
    ring_width : of a ring, in units of its radius ``half_light_radius``
    image : pixels of an 'image', shape (y, x), of sum 1, around the center
    image_scale_arcsec : side of its pixels
    """

    x: float
    y: float
    axis_ratio: float
    angle: float
    sersic_index: float
    half_light_radius: float
    magnitudes: Float64Array
    lensed: bool = False
    distance_ratio: float = 1.0
    profile: Profile = "sersic"
    arms: int = 2
    winding: float = 0.0
    arm_phase: float = 0.0
    arm_contrast: float = 0.0
    ring_width: float = 0.0
    image: Float32Array | None = None
    image_scale_arcsec: float = 0.0


@dataclass(frozen=True)
class Deflector:
    """Elliptical mass and external shear: a power law, or isothermal with core and cut-off.

    Without core and cut-off, and with a slope of 2, it is an SIE: κ = θ_E / (2 sqrt(q x² + y²/q))
    in the frame of the major axis, the intermediate-axis convention of lenstronomy's SIE (Kormann
    et al. 1994), so that the area inside the critical curve is π θ_E². With them it is a dual
    pseudo-isothermal ellipsoid: one softened by the core less one softened by the cut-off (Keeton
    2001, astro-ph/0102341). With another slope γ it is an elliptical power law (EPL), κ ∝
    (θ_E / R)^(γ−1) on ellipses of the same convention (Tessore & Metcalf 2015, A&A 580, A79), which
    knows neither core nor cut-off.

    Attributes
    ----------
    einstein_radius : of the singular profile, arcsec
    slope : γ of the density in three dimensions, ρ ∝ r^−γ; 2 is isothermal
    core_radius, cut_radius : on the major axis, arcsec
    """

    x: float
    y: float
    axis_ratio: float
    angle: float
    einstein_radius: float
    shear_1: float = 0.0
    shear_2: float = 0.0
    core_radius: float = 0.0
    cut_radius: float = math.inf
    slope: float = 2.0

    def __post_init__(self) -> None:
        if self.slope != 2 and (self.core_radius or math.isfinite(self.cut_radius)):
            raise BadInputError(
                f"A deflector of slope {self.slope:g}: only an isothermal one (2) has a core or a "
                "cut-off."
            )


@dataclass(frozen=True)
class Seeing:
    """Difference of an image's PSF from the survey's typical one.

    Attributes
    ----------
    width : FWHM of each band over the typical one
    beta : slope of the Moffat wings; atmospheric PSFs have 2.5 to 4.8 (Trujillo et al. 2001)
    """

    width: tuple[float, ...]
    beta: float = 3.5


@dataclass(frozen=True)
class Scene:
    """One object: what is seen, what deflects, and what is true of it.

    Attributes
    ----------
    artifacts : of :data:`ARTIFACTS`, laid over the observed image
    seeing : None: the typical PSF
    truth : plain JSON
    """

    object_class: str
    components: tuple[Component, ...]
    deflectors: tuple[Deflector, ...] = ()
    truth: dict[str, Any] = field(default_factory=dict)
    artifacts: tuple[str, ...] = ()
    seeing: Seeing | None = None

    @property
    def is_lens(self) -> bool:
        return bool(self.deflectors)

    @property
    def lensed(self) -> tuple[Component, ...]:
        """The components that are seen through the deflectors."""
        return tuple(part for part in self.components if part.lensed)
