"""Settings of a lens test, and its version."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from lensing_core.errors import BadInputError

VERSION = 1
"""Of the method: results of another version are computed anew."""

LEAST_PX = 24
"""Side of the smallest cutout in which a lens can be tested."""


@dataclass(frozen=True)
class LensTestSettings:
    """Settings of the test of a cutout.

    Attributes
    ----------
    max_theta_e_arcsec : float
        Largest Einstein radius that is tried; NaN: 0.6 of half the side, at most 3.5″.
    starts : int
        Fits that are begun; the best of a grid of Einstein radii and sources.
    positions_arcsec : tuple of (x, y)
        Images that somebody has pointed at, from the middle of the cutout, y upwards in the stored
        picture; none: the segments that stand out of the galaxy's light.
    """

    max_theta_e_arcsec: float = math.nan
    starts: int = 8
    positions_arcsec: tuple[tuple[float, float], ...] = ()

    def __post_init__(self) -> None:
        if not (math.isnan(self.max_theta_e_arcsec) or 0.2 <= self.max_theta_e_arcsec <= 10):
            raise BadInputError(
                f"Largest Einstein radius {self.max_theta_e_arcsec} arcsec: outside 0.2-10."
            )
        if not 1 <= self.starts <= 32:
            raise BadInputError(f"{self.starts} starts of a lens test: give 1 to 32.")
        if len(self.positions_arcsec) > 8:
            raise BadInputError(f"{len(self.positions_arcsec)} image positions: give up to 8.")
        if not all(math.isfinite(v) for pair in self.positions_arcsec for v in pair):
            raise BadInputError("Image positions: give finite numbers, in arcsec.")

    def to_json(self) -> dict[str, Any]:
        """Plain JSON, NaN as null."""
        found = asdict(self)
        if math.isnan(self.max_theta_e_arcsec):
            found["max_theta_e_arcsec"] = None
        found["positions_arcsec"] = [list(pair) for pair in self.positions_arcsec]
        return found

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> LensTestSettings:
        """Read what :meth:`to_json` wrote."""
        largest = stored["max_theta_e_arcsec"]
        return cls(
            math.nan if largest is None else float(largest),
            int(stored["starts"]),
            tuple((float(x), float(y)) for x, y in stored["positions_arcsec"]),
        )

    @property
    def key(self) -> str:
        """16 hexadecimal digits that tell these settings from others."""
        text = json.dumps(self.to_json(), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]
