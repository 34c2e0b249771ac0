"""Protocol of all members of an ensemble."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from lensing_core.arrays import Float32Array, Float64Array
from lensing_core.cutouts import CutoutGeometry
from lensing_core.models.contract import InputContract

Metadata = Mapping[str, Sequence[Any]]


@dataclass(frozen=True)
class MemberOutput:
    """Output of a member for n cutouts.

    Attributes
    ----------
    logit : ndarray of shape (n,), float64
        Raw, before calibration.
    embedding : ndarray of shape (n, d), float32, or None
    variance : ndarray of shape (n,), float64, or None
        Of the logit: Monte-Carlo dropout of a network's head, truncations of a boosted sum of
        trees; where it was asked for.
    features : ndarray of shape (n, columns), float32, or None
        Of a classic member: what its trees saw.
    """

    logit: Float64Array
    embedding: Float32Array | None = None
    variance: Float64Array | None = None
    features: Float32Array | None = None


class Predictor(Protocol):
    """Scores cutouts of one geometry."""

    def __call__(self, flux: Float32Array, metadata: Metadata | None = None) -> MemberOutput:
        """Raw output for cutouts (n, band, y, x) of that geometry.

        ``metadata``: columns of n values by name, None where unknown; None: nothing is known.
        """
        ...


class Member(Protocol):
    """A trained model."""

    @property
    def contract(self) -> InputContract:
        """Return what images it takes."""
        ...

    @property
    def metadata_names(self) -> tuple[str, ...]:
        """The metadata that it looks at."""
        ...

    def predictor(
        self, geometry: CutoutGeometry, catalog: str, *, with_variance: bool = False
    ) -> Predictor:
        """Make ready for a catalog; raises ContractError where its cutouts do not fit."""
        ...
