"""Cutouts on disk: shards of plain ``.npy``, with a JSON sidecar each.

A catalog's folder holds ``catalog.json`` (the geometry that all shards share) and, for each shard
``k``, ``shard-k.npy`` (float32, (n, band, y, x), NaN where there is no data), optionally
``shard-k.variance.npy`` (same shape) and ``shard-k.psf.npy`` ((n, band, py, px)), and
``shard-k.json`` (row count and sha256 of each file), which is written last: a shard without its
sidecar does not exist.
"""

from lensing_core.cutouts.geometry import CutoutGeometry
from lensing_core.cutouts.reading import CutoutStore
from lensing_core.cutouts.writing import CutoutWriter, cutout_sha256

__all__ = ["CutoutGeometry", "CutoutStore", "CutoutWriter", "cutout_sha256"]
