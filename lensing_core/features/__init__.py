"""Numbers that describe a cutout, named and versioned, for the classic member."""

from lensing_core.features.grid import GridFeatures
from lensing_core.features.schema import FeatureSchema

__all__ = ["FeatureSchema", "GridFeatures"]
