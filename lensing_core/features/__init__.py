"""Numbers that describe a cutout, named and versioned, for the classic member.

Features come in blocks: the grid of patches and annuli, segments of light around the central
galaxy, their colors, steerable filters, and what the catalog knows. :class:`ClassicFeatures` joins
them.
"""

from lensing_core.features.arcs import SegmentFeatures
from lensing_core.features.block import FeatureBlock
from lensing_core.features.catalog import CatalogFeatures
from lensing_core.features.colors import ColorFeatures
from lensing_core.features.composition import (
    BLOCKS,
    ClassicFeatures,
    metadata_names,
    stored_blocks,
)
from lensing_core.features.grid import GridFeatures
from lensing_core.features.pool import FeaturePool, compute_features
from lensing_core.features.ridges import RidgeFeatures
from lensing_core.features.schema import FeatureSchema
from lensing_core.features.segments import CutoutBatch, Segments

__all__ = [
    "BLOCKS",
    "CatalogFeatures",
    "ClassicFeatures",
    "ColorFeatures",
    "CutoutBatch",
    "FeatureBlock",
    "FeaturePool",
    "FeatureSchema",
    "GridFeatures",
    "RidgeFeatures",
    "SegmentFeatures",
    "Segments",
    "compute_features",
    "metadata_names",
    "stored_blocks",
]
