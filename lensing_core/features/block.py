"""Protocol of feature blocks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

from lensing_core.arrays import Float32Array
from lensing_core.cutouts import CutoutGeometry
from lensing_core.features.schema import FeatureSchema
from lensing_core.features.segments import CutoutBatch

Metadata = Mapping[str, Sequence[Any]]


class FeatureBlock(Protocol):
    """Features of one kind, of cutouts of one geometry."""

    @property
    def geometry(self) -> CutoutGeometry:
        """Geometry of the cutouts that it takes."""
        ...

    @property
    def schema(self) -> FeatureSchema:
        """Names and units of its columns."""
        ...

    @property
    def monotone(self) -> Mapping[str, int]:
        """Columns that a score may only rise (1) or fall (−1) with."""
        ...

    @property
    def metadata_names(self) -> tuple[str, ...]:
        """Return what it needs to know beside the pixels."""
        ...

    def of(self, scene: CutoutBatch, metadata: Metadata | None = None) -> Float32Array:
        """Features, shape (n, len(schema)); NaN where unknown."""
        ...


@dataclass(frozen=True)
class PixelBlock:
    """A block that looks at pixels alone."""

    geometry: CutoutGeometry
    monotone: ClassVar[Mapping[str, int]] = {}
    metadata_names: ClassVar[tuple[str, ...]] = ()

    @property
    def schema(self) -> FeatureSchema:
        """Names and units of its columns."""
        raise NotImplementedError

    def __call__(self, flux: Float32Array, metadata: Metadata | None = None) -> Float32Array:
        """Features of cutouts (n, band, y, x)."""
        return self.of(CutoutBatch(flux, self.geometry), metadata)

    def of(self, scene: CutoutBatch, metadata: Metadata | None = None) -> Float32Array:
        """Features of a scene."""
        raise NotImplementedError
