"""Settings of a lens model, and its version."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any, Literal

from lensing_core.errors import BadInputError

VERSION = 1
"""Of the method."""
Mass = Literal["sie", "epl"]
MASSES: dict[Mass, str] = {
    "sie": "Singular isothermal ellipsoid (SIE)",
    "epl": "Elliptical power law (EPL)",
}
_MAX_REDSHIFT = 20.0


@dataclass(frozen=True)
class LensModelSettings:
    """Settings of the sampling of one lens.

    Attributes
    ----------
    mass : {'sie', 'epl'}
        Isothermal, or with a free slope; either has an external shear.
    z_lens, z_source : float
        Redshifts; NaN: unknown.
    effective_samples : int
        Effective size of the sample of the posterior that is wanted.
    live_points : int
        Of the nested sampling: with more of them less of the posterior is missed.
    with_model_error : bool
        Whether the noise holds 3 % of the galaxy's light and 7 % of all other light, as in the lens
        test: no real source is a Sérsic profile.
    seed : int
    """

    mass: Mass = "sie"
    z_lens: float = math.nan
    z_source: float = math.nan
    effective_samples: int = 2000
    live_points: int = 500
    with_model_error: bool = True
    seed: int = 1

    def __post_init__(self) -> None:
        if self.mass not in MASSES:
            raise BadInputError(f"Mass {self.mass!r}: use one of {', '.join(MASSES)}.")
        for name, value in (("lens", self.z_lens), ("source", self.z_source)):
            if not (math.isnan(value) or 0 < value < _MAX_REDSHIFT):
                raise BadInputError(
                    f"Redshift of the {name} {value}: give a number above 0 and below "
                    f"{_MAX_REDSHIFT:g}."
                )
        if self.z_source <= self.z_lens:
            raise BadInputError(
                f"The source at z = {self.z_source:g} is not behind the lens at "
                f"z = {self.z_lens:g}."
            )
        if not 100 <= self.effective_samples <= 100_000:
            raise BadInputError(f"{self.effective_samples} effective samples: give 100 to 100,000.")
        if not 100 <= self.live_points <= 10_000:
            raise BadInputError(f"{self.live_points} live points: give 100 to 10,000.")

    @property
    def has_redshifts(self) -> bool:
        """Return whether both are known, so that masses and delays follow."""
        return not math.isnan(self.z_lens + self.z_source)

    def to_json(self) -> dict[str, Any]:
        """Plain JSON, NaN as null."""
        found = asdict(self)
        for name in ("z_lens", "z_source"):
            found[name] = None if math.isnan(found[name]) else found[name]
        return found
