"""Priority of a candidate: its posterior times its science value, by weights that the user sets."""

from __future__ import annotations

from dataclasses import dataclass, fields

from lensing_core.errors import BadInputError

UNKNOWN = 0.5
"""Value of a criterion that is not known: as likely as not."""
TYPICAL_RADIUS_ARCSEC = 2.0
"""Einstein radius that counts one half."""


@dataclass(frozen=True)
class ScienceWeights:
    """Weights of the criteria, 0 and more; all zero: the posterior alone counts.

    Attributes
    ----------
    brightness : float
        The arc is brighter than the instrument's limit.
    einstein_radius : float
        Large Einstein radius: rare, and easy to resolve.
    lens_redshift : float
        The redshift of the lens is known.
    new : float
        No model of it is known: by the answer on archives, else by cross-matches with lens lists.
    lens_test : float
        The quick lens test supports a lens.
    """

    brightness: float = 1.0
    einstein_radius: float = 1.0
    lens_redshift: float = 0.5
    new: float = 1.0
    lens_test: float = 1.0

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if not 0 <= value <= 1000:
                raise BadInputError(f"Weight {field.name} = {value:g}: give 0 to 1000.")


@dataclass(frozen=True)
class ScienceCriteria:
    """Criteria of a candidate, 0 to 1; None where unknown."""

    brightness: float | None = None
    einstein_radius: float | None = None
    lens_redshift: float | None = None
    new: float | None = None
    lens_test: float | None = None


def science_value(criteria: ScienceCriteria, weights: ScienceWeights) -> float:
    """Weighted mean of the criteria, 0 to 1; unknown ones count :data:`UNKNOWN`."""
    total = value = 0.0
    for field in fields(weights):
        weight, criterion = getattr(weights, field.name), getattr(criteria, field.name)
        total += weight
        value += weight * (UNKNOWN if criterion is None else criterion)
    return value / total if total else 1.0


def brightness_value(magnitude: float | None, limit_mag: float | None) -> float | None:
    """One half at the limit, 1 from a magnitude above it, 0 from a magnitude below it."""
    if magnitude is None or limit_mag is None:
        return None
    return min(max((limit_mag - magnitude + 1) / 2, 0.0), 1.0)


def radius_value(theta_e_arcsec: float | None) -> float | None:
    """θ / (θ + 2″): 0.2 at 0.5″, one half at 2″, 0.83 at 10″."""
    if theta_e_arcsec is None:
        return None
    return theta_e_arcsec / (theta_e_arcsec + TYPICAL_RADIUS_ARCSEC)


def redshift_value(z_spec: float | None, z_phot: float | None) -> float:
    """1 for a spectroscopic redshift of the lens, one half for a photometric one, else 0."""
    if z_spec is not None:
        return 1.0
    return 0.0 if z_phot is None else 0.5


def test_value(verdict: str) -> float | None:
    """1 where the lens test supports a lens, 0 where it finds none, else unknown."""
    return {"supports": 1.0, "no_lens": 0.0}.get(verdict)
