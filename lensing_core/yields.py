"""Expected yield of a search: how many candidates of each stage would end as confirmed lenses.

For planning alone: the rates are assumptions of whoever plans, and no candidate is judged by them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields

from lensing_core.errors import BadInputError


@dataclass(frozen=True)
class Rates:
    """Share of candidates that pass a step, 0 to 1.

    Attributes
    ----------
    detection : float
        From a detection to triage: candidates worth a look.
    visual : float
        From triage to validation: pass visual inspection.
    new : float
        Of those, without a model or confirmation in the literature.
    model : float
        From validation to confirmation: a lens model fits.
    redshift : float
        Of those observed: redshifts of lens and source are measured and agree.
    """

    detection: float = 0.1
    visual: float = 0.3
    new: float = 0.8
    model: float = 0.3
    redshift: float = 0.6

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if not 0 <= value <= 1:
                raise BadInputError(f"Rate {field.name} = {value:g}: give a share from 0 to 1.")


@dataclass(frozen=True)
class Yield:
    """Expected number of lenses from ``n`` candidates, and the binomial standard deviation."""

    n: int
    share: float

    @property
    def expected(self) -> float:
        """Return n p."""
        return self.n * self.share

    @property
    def deviation(self) -> float:
        """Return the root of n p (1 − p); the rates' own uncertainty is not in it."""
        return math.sqrt(self.n * self.share * (1 - self.share))


def expected_yields(counts: Mapping[str, int], rates: Rates) -> dict[str, Yield]:
    """The yield of the candidates that are in each stage now.

    Parameters
    ----------
    counts : mapping of str to int
        Candidates by stage; rejected ones yield nothing and are left out.
    """
    confirmation = rates.redshift
    validation = rates.model * confirmation
    triage = rates.visual * rates.new * validation
    shares = {
        "detection": rates.detection * triage,
        "triage": triage,
        "validation": validation,
        "confirmation": confirmation,
    }
    return {stage: Yield(counts.get(stage, 0), share) for stage, share in shares.items()}
