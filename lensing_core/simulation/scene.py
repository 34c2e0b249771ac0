"""What a simulated image consists of, before any pixel: components and deflectors."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Profile = Literal["sersic", "spiral", "ring"]


@dataclass(frozen=True)
class Component:
    """Light of one shape; lengths in arcsec from the cutout's centre, angles in radians.

    Attributes
    ----------
    x, y : centre; x grows with the column, y with the row
    axis_ratio : minor to major, 0 to 1
    angle : of the major axis, from x towards y
    sersic_index : of a Sérsic profile (the disc of a spiral has 1)
    half_light_radius : on the major axis, Sérsic (1968) convention
    magnitudes : AB, shape (band,)
    lensed : whether it lies behind the deflector and is seen through it
    profile : 'sersic'; 'spiral' (disc with logarithmic arms); 'ring' (Gaussian annulus)
    arms, winding, arm_phase, arm_contrast : of a spiral
    ring_width : of a ring, in units of its radius ``half_light_radius``
    """

    x: float
    y: float
    axis_ratio: float
    angle: float
    sersic_index: float
    half_light_radius: float
    magnitudes: NDArray[np.float64]
    lensed: bool = False
    profile: Profile = "sersic"
    arms: int = 2
    winding: float = 0.0
    arm_phase: float = 0.0
    arm_contrast: float = 0.0
    ring_width: float = 0.0


@dataclass(frozen=True)
class Deflector:
    """SIE with external shear.

    ``einstein_radius`` (arcsec) is that of the intermediate-axis convention: κ = θ_E / (2 sqrt(q x²
    + y²/q)) in the frame of the major axis, as lenstronomy's SIE (Kormann et al. 1994), so that the
    area inside the critical curve is π θ_E².
    """

    x: float
    y: float
    axis_ratio: float
    angle: float
    einstein_radius: float
    shear_1: float
    shear_2: float


@dataclass(frozen=True)
class Scene:
    """One object: what is seen, what deflects, and what is true of it.

    ``truth`` is plain JSON.
    """

    object_class: str
    components: tuple[Component, ...]
    deflector: Deflector | None = None
    truth: dict[str, Any] = field(default_factory=dict)

    @property
    def is_lens(self) -> bool:
        return self.deflector is not None
