"""Features of the segments of light around the central galaxy: how many, how long, how curved.

Means over segments are weighted by their signal to noise. The *arc* is the segment that spans the
widest angle seen from the center, along the tangent. A cutout without segments has counts and
lengths of zero, and everything else unknown (NaN).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy.ndimage import uniform_filter

from lensing_core.arrays import Float32Array, Float64Array, IntArray
from lensing_core.cutouts import CutoutGeometry
from lensing_core.features.block import Metadata, PixelBlock
from lensing_core.features.schema import FeatureSchema
from lensing_core.features.segments import CutoutBatch, Segments

MOST = 12
"""Segments of a cutout that means are taken over, the most significant; all are counted."""
SECTORS = 12
_COLUMNS = {
    "segment_count": "",
    "segment_total_length": "arcsec",
    "segment_total_snr": "",
    "segment_brightest_snr": "",
    "segment_tangential_alignment": "",
    "segment_length_to_width": "",
    "segment_ellipticity": "",
    "segment_ellipticity_coherence": "",
    "segment_concavity": "",
    "segment_radius": "arcsec",
    "segment_radial_concentration": "",
    "segment_separation_rms": "arcsec",
    "segment_separation_max": "arcsec",
    "segment_opposition": "",
    "segment_sectors": "fraction",
    "segment_distance_brightest": "arcsec",
    "segment_distance_brightest_least": "arcsec",
    "arc_angle": "rad",
    "arc_length": "arcsec",
    "arc_length_to_width": "",
    "arc_tangential_alignment": "",
    "arc_ellipticity": "",
    "arc_curvature": "1/arcsec",
    "arc_concavity": "",
    "arc_on_circle": "fraction",
    "arc_circle_rms": "arcsec",
    "arc_radius": "arcsec",
    "arc_snr": "",
    "brightest_offset": "arcsec",
    "light_axis_ratio": "",
    "light_removed": "fraction",
    "residual_scatter": "sigma",
}


@dataclass(frozen=True)
class SegmentFeatures(PixelBlock):
    """Shapes and places of segments, of cutouts of one geometry."""

    geometry: CutoutGeometry
    schema: ClassVar[FeatureSchema] = FeatureSchema(
        "segments-1", tuple(_COLUMNS), tuple(_COLUMNS.values())
    )
    monotone: ClassVar[Mapping[str, int]] = {
        "segment_tangential_alignment": 1,
        "arc_tangential_alignment": 1,
    }

    def of(self, scene: CutoutBatch, metadata: Metadata | None = None) -> Float32Array:
        """Features of a scene, (n, len(schema))."""
        brightest = _brightest(scene) * self.geometry.pixel_scale_arcsec
        with np.errstate(all="ignore"):
            values = {
                **_together(scene.segments, brightest),
                **_arc(scene.segments),
                **_galaxy(scene, brightest),
                "segment_sectors": _sectors(scene),
            }
        table = np.stack([values[name] for name in self.schema.names], axis=1).astype(np.float32)
        table[~scene.valid.any(axis=(1, 2, 3)) | scene.segments.failed] = np.nan
        return table


def _together(segments: Segments, brightest: Float64Array) -> dict[str, Float64Array]:
    """Return what all segments of a cutout say together."""

    def table(values: Float64Array) -> Float64Array:
        return segments.table(values, MOST)

    x, y, snr, length = map(table, (segments.x, segments.y, segments.snr, segments.length))
    weight = np.nan_to_num(snr)
    total = weight.sum(axis=1)
    total[total == 0] = np.nan
    pairs = np.where((snr > 0).sum(axis=1) > 1, 1.0, np.nan)

    def mean(values: Float64Array) -> Float64Array:
        return np.asarray((weight * np.nan_to_num(table(values))).sum(axis=1) / total)

    radius = mean(segments.radius)
    spread = np.sqrt(np.maximum(mean(segments.radius**2) - radius**2, 0))
    # Orientation against the local tangent: 1 where all segments are turned alike.
    turn = 2 * (segments.angle - np.arctan2(segments.y, segments.x))
    coherence = np.hypot(
        mean(segments.ellipticity * np.cos(turn)), mean(segments.ellipticity * np.sin(turn))
    ) / mean(segments.ellipticity)
    apart = np.hypot(x[:, :, None] - x[:, None], y[:, :, None] - y[:, None])
    apart[:, np.arange(MOST), np.arange(MOST)] = np.nan
    known = np.isfinite(apart)
    square = np.where(known, apart, 0) ** 2
    distance = np.hypot(x - brightest[:, :1], y - brightest[:, 1:])
    position = np.arctan2(y, x)
    return {
        "segment_count": segments.count.astype(np.float64),
        "segment_total_length": np.nan_to_num(length).sum(axis=1),
        "segment_total_snr": total,
        "segment_brightest_snr": snr[:, 0],
        "segment_tangential_alignment": mean(segments.alignment),
        "segment_length_to_width": mean(segments.length / segments.width),
        "segment_ellipticity": mean(segments.ellipticity),
        "segment_ellipticity_coherence": coherence * pairs,
        "segment_concavity": mean(np.clip(segments.concavity, -3, 3)),
        "segment_radius": radius,
        "segment_radial_concentration": (1 - spread / radius) * pairs,
        "segment_separation_rms": np.sqrt(square.sum(axis=(1, 2)) / known.sum(axis=(1, 2))),
        "segment_separation_max": np.sqrt(square.max(axis=(1, 2))) * pairs,
        "segment_opposition": -np.cos(position[:, 0] - position[:, 1]),
        "segment_distance_brightest": (weight * np.nan_to_num(distance)).sum(axis=1) / total,
        "segment_distance_brightest_least": np.where(
            total > 0, np.where(np.isfinite(distance), distance, np.inf).min(axis=1), np.nan
        ),
    }


def most_arc_like(segments: Segments) -> tuple[IntArray, IntArray]:
    """Return the cutouts that have segments, and the number of the arc of each of them."""
    # All segments, not only bright ones: around a cluster, arcs are fainter than its galaxies.
    order = np.lexsort((-_spanned(segments) * (1 + segments.alignment), segments.owner))
    owner, first = np.unique(segments.owner[order], return_index=True)
    return owner, order[first]


def _spanned(segments: Segments) -> Float64Array:
    """Return the angle that each segment spans seen from the center, radians."""
    return np.asarray(segments.length / np.maximum(segments.radius, segments.length / np.pi))


def _arc(segments: Segments) -> dict[str, Float64Array]:
    """Return what is known of the most arc-like segment of each cutout."""
    angle = _spanned(segments)
    owner, which = most_arc_like(segments)

    def pick(values: Float64Array) -> Float64Array:
        out = np.full(segments.n, np.nan)
        out[owner] = values[which]
        return out

    return {
        "arc_angle": np.nan_to_num(pick(angle)),
        "arc_length": np.nan_to_num(pick(segments.length)),
        "arc_length_to_width": pick(segments.length / segments.width),
        "arc_tangential_alignment": pick(segments.alignment),
        "arc_ellipticity": pick(segments.ellipticity),
        "arc_curvature": pick(segments.curvature),
        "arc_concavity": pick(np.clip(segments.concavity, -3, 3)),
        "arc_on_circle": pick(segments.inliers),
        "arc_circle_rms": pick(segments.rms),
        "arc_radius": pick(segments.radius),
        "arc_snr": pick(segments.snr),
    }


def _sectors(scene: CutoutBatch) -> Float64Array:
    """Share of twelve equal sectors around the center in which some segment has a pixel."""
    segments, side = scene.segments, scene.flux.shape[-1]
    axis = np.arange(side) - (side - 1) / 2
    # A turn by 90° maps sectors onto sectors; no pixel stands on an edge but those of the axes.
    angle = np.arctan2(axis[:, None], axis[None, :]) + 1e-3
    sector = np.floor(angle / (2 * np.pi) * SECTORS).astype(np.int64) % SECTORS
    seen = np.zeros((segments.n, SECTORS), dtype=bool)
    owner = segments.owner[segments.of_pixel]
    seen[owner, sector.reshape(-1)[segments.pixel % side**2]] = True
    return np.asarray(seen.mean(axis=1))


def _brightest(scene: CutoutBatch) -> Float64Array:
    """Brightest spot of each cutout (3 × 3 pixels, all bands), (n, 2) pixels from the center."""
    side = scene.flux.shape[-1]
    smooth = uniform_filter(scene.image.sum(axis=1), size=(0, 3, 3), mode="constant")
    place = smooth.reshape(len(smooth), side**2).argmax(axis=1)
    return np.stack([place % side, place // side], axis=1) - (side - 1) / 2


def _galaxy(scene: CutoutBatch, brightest: Float64Array) -> dict[str, Float64Array]:
    """Return what is known of the central galaxy and of what its model leaves."""
    inside = ~scene.core & scene.valid.any(axis=1)
    count = np.maximum(inside.sum(axis=(1, 2)), 1)
    model = np.maximum(scene.light.model, 0).sum(axis=(1, 2, 3))
    left = np.abs(scene.residual).sum(axis=(1, 2, 3))
    square = np.where(inside, scene.significance, 0) ** 2
    return {
        "brightest_offset": np.hypot(brightest[:, 0], brightest[:, 1]),
        "light_axis_ratio": scene.light.axis_ratio.astype(np.float64),
        "light_removed": model / (model + left + 1e-6),
        "residual_scatter": np.sqrt(square.sum(axis=(1, 2)) / count),
    }
