"""Blocks of features joined into one table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from lensing_core.arrays import Float32Array
from lensing_core.cutouts import CutoutGeometry
from lensing_core.errors import BadInputError
from lensing_core.features.arcs import SegmentFeatures
from lensing_core.features.block import FeatureBlock, Metadata, PixelBlock
from lensing_core.features.catalog import CatalogFeatures
from lensing_core.features.colors import ColorFeatures
from lensing_core.features.grid import GridFeatures
from lensing_core.features.ridges import RidgeFeatures
from lensing_core.features.schema import FeatureSchema
from lensing_core.features.segments import CutoutBatch

_COUNT = "segment_count"
BLOCKS: dict[str, type[PixelBlock] | type[CatalogFeatures]] = {
    "grid": GridFeatures,
    "segments": SegmentFeatures,
    "colours": ColorFeatures,
    "ridges": RidgeFeatures,
    "catalog": CatalogFeatures,
}


@dataclass(frozen=True)
class ClassicFeatures:
    """Features of several blocks, side by side, of cutouts of one geometry.

    Attributes
    ----------
    geometry : CutoutGeometry
    names : tuple of str
        Of :data:`BLOCKS`, in the order of their columns.
    """

    geometry: CutoutGeometry
    names: tuple[str, ...] = ("grid",)

    def __post_init__(self) -> None:
        unknown = [name for name in self.names if name not in BLOCKS]
        if unknown or not self.names or len(set(self.names)) != len(self.names):
            raise BadInputError(
                f"Feature blocks {', '.join(self.names) or 'none'}: name some of "
                f"{', '.join(BLOCKS)}, each once."
            )

    @classmethod
    def stored(cls, geometry: CutoutGeometry, features: dict[str, Any]) -> ClassicFeatures:
        """Those that a model was trained on; raises ContractError where they no longer exist.

        Parameters
        ----------
        features : dict
            From :meth:`to_json`.
        """
        features_of_blocks = cls(geometry, stored_blocks(features))
        features_of_blocks.schema.check(features)
        return features_of_blocks

    @cached_property
    def blocks(self) -> tuple[FeatureBlock, ...]:
        """The blocks themselves."""
        return tuple(BLOCKS[name](self.geometry) for name in self.names)

    @cached_property
    def schema(self) -> FeatureSchema:
        """Schema of all columns; the versions of the blocks joined by +."""
        parts = [block.schema for block in self.blocks]
        return FeatureSchema(
            "+".join(part.version for part in parts),
            tuple(name for part in parts for name in part.names),
            tuple(unit for part in parts for unit in part.units),
        )

    @property
    def monotone(self) -> tuple[int, ...]:
        """Constraint of each column: a score may only rise (1) or fall (−1) with it; else 0."""
        return tuple(b.monotone.get(name, 0) for b in self.blocks for name in b.schema.names)

    def to_json(self) -> dict[str, Any]:
        """Return what is stored with a model."""
        return {**self.schema.to_json(), "blocks": list(self.names)}

    def __call__(self, flux: Float32Array, metadata: Metadata | None = None) -> Float32Array:
        """Features, shape (n, len(schema)), of cutouts (n, band, y, x); NaN where unknown."""
        scene = CutoutBatch(flux, self.geometry)
        return np.concatenate([block.of(scene, metadata) for block in self.blocks], axis=1)


def count_unsegmented(names: Sequence[str], table: Float32Array) -> int:
    """Return how many rows of a feature table have no segments for a reason of their image.

    It has no data, or the search for segments failed: a cutout that merely has none counts zero.

    Parameters
    ----------
    names : sequence of str
        Of the columns of ``table`` (n, columns).
    """
    if _COUNT not in names:
        return 0
    return int(np.isnan(table[:, list(names).index(_COUNT)]).sum())


def stored_blocks(features: dict[str, Any]) -> tuple[str, ...]:
    """Names of the blocks of :meth:`ClassicFeatures.to_json`; where it has none, the grid's."""
    return tuple(features.get("blocks", ("grid",)))


def metadata_names(blocks: Sequence[str]) -> tuple[str, ...]:
    """Return what blocks of these names need to know beside the pixels."""
    return tuple(dict.fromkeys(name for b in blocks for name in BLOCKS[b].metadata_names))
