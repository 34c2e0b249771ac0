"""Evidence for a lens in numbers, and the names of verdicts: read by pages, without torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Verdict = Literal["supports", "no_lens", "unclear"]
TITLES: dict[Verdict, str] = {
    "supports": "Supports a lens",
    "no_lens": "No lens model fits",
    "unclear": "Cannot be told",
}


@dataclass(frozen=True)
class Evidence:
    """Evidence for a lens, in numbers.

    Attributes
    ----------
    snr : float
        Of the light that the lens model explains.
    share : float
        Of the χ² that the galaxy leaves beyond the noise, what the lens explains.
    delta_bic : float
        BIC of the galaxy alone minus that of the lens.
    rival : str
        Name of the best model without a lens.
    rival_delta_bic : float
        Its BIC minus that of the lens.
    n_images : int
        Of the source's center.
    inner_snr, outer_snr : float
        Of the images inside and outside the critical curve, each by itself.
    unequal : float
        Share of the explained χ² that free brightnesses of both would gain.
    theta_e_error : float
        Relative.
    """

    snr: float
    share: float
    delta_bic: float
    rival: str
    rival_delta_bic: float
    n_images: int
    inner_snr: float
    outer_snr: float
    unequal: float
    theta_e_error: float
