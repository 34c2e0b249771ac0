"""Do the segments share one color, as images of one source do?

Lensing is achromatic. Each segment's flux is summed over the same pixels in all bands, after the
bands are brought to one PSF; colors are differences of asinh magnitudes (Lupton, Gunn & Szalay
1999), whose errors stay finite for faint bands. Segments that say little about color are gated out
and counted: unresolved ones (quasar-like), those whose light stands beside one curve (blends), and
faint ones.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import ClassVar

import numpy as np
from scipy.special import chdtrc

from lensing_core.arrays import BoolArray, Float32Array, Float64Array
from lensing_core.cutouts import CutoutGeometry
from lensing_core.features.block import Metadata, PixelBlock
from lensing_core.features.schema import FeatureSchema
from lensing_core.features.segments import FWHM_OF_SIGMA, CutoutBatch

MOST = 8
FLOOR_MAG = 0.1
"""Error of a magnitude beside its noise: PSF matching, and the galaxy's light taken out."""
LEAST_SNR = 5.0
BLEND_BELOW = 0.6
"""A segment with less of its light on its curve is a blend."""
POINT_BELOW = 1.25
"""A segment whose light has less than this many times the PSF's width is a point."""
GALAXY_RADIUS = 0.1
"""Of the aperture for the galaxy's color, in sides of the cutout."""
HUBER = 1.345
_PRIOR_SCATTER_MAG = 0.05
_PRIOR_WEIGHT = 3.0
_NO_DATA_VARIANCE = 1e6
_POGSON = 2.5 / np.log(10)


@dataclass(frozen=True)
class ColorFeatures(PixelBlock):
    """Color consistency of segments, of cutouts of one geometry."""

    geometry: CutoutGeometry
    monotone: ClassVar[Mapping[str, int]] = {
        "colour_consistency": 1,
        "colour_one_source": 1,
        "colour_pair_consistency": 1,
    }

    @cached_property
    def schema(self) -> FeatureSchema:
        """Names and units, in the order of the columns."""
        pairs = [f"{a}-{b}" for a, b in pairwise(self.geometry.bands)]
        columns = {
            "colour_segments": "",
            "colour_quasar_like": "fraction",
            "colour_blend": "fraction",
            "colour_low_snr": "fraction",
            "colour_consistency": "probability",
            "colour_one_source": "probability",
            "colour_pair_consistency": "probability",
            "colour_scatter": "mag",
            "colour_distance_max": "",
            **{f"colour_{p}": "mag" for p in pairs},
            **{f"colour_against_galaxy_{p}": "mag" for p in pairs},
        }
        return FeatureSchema("colours-1", tuple(columns), tuple(columns.values()))

    def of(self, scene: CutoutBatch, metadata: Metadata | None = None) -> Float32Array:
        """Features of a scene, (n, len(schema))."""
        with np.errstate(all="ignore"):
            magnitude, variance = self._photometry(scene)
            gates = self._gates(scene)
            usable = np.isfinite(gates[0]) & (np.nansum(gates, axis=0) == 0)
            shares = [np.nansum(g, axis=1) / np.isfinite(g).sum(axis=1) for g in gates]
            families = measure_families(magnitude, variance, usable)
            galaxy = self._galaxy(scene)
            against = families.color - (galaxy[:, :-1] - galaxy[:, 1:])
            table = np.column_stack(
                [
                    usable.sum(axis=1),
                    *shares,
                    families.consistency,
                    families.one_source,
                    families.pair,
                    families.scatter,
                    families.distance_max,
                    families.color,
                    against,
                ]
            ).astype(np.float32)
        table[~scene.valid.any(axis=(1, 2, 3)) | scene.segments.failed] = np.nan
        return table

    def _photometry(self, scene: CutoutBatch) -> tuple[Float64Array, Float64Array]:
        """asinh magnitudes and their variances, (n, MOST, band); NaN where there is no segment.

        A band without data has magnitude 0 with a variance that gives it no say.
        """
        segments, bands = scene.segments, len(self.geometry.bands)
        matched = scene.matched().transpose(1, 0, 2, 3).reshape(bands, -1)
        # In noise units the error of a sum is the root of its pixels (matching only lowers it).
        sums = [segments.sums(m) for m in matched]
        area = segments.sums(np.ones(matched.shape[1]))
        magnitudes, variances = [], []
        for band, flux in enumerate(sums):
            softening = np.sqrt(area)
            m, v = _asinh_magnitude(flux, softening)
            noise = scene.noise[segments.owner, band]
            m = m - _POGSON * np.log(noise) + self._zero_points[band]
            missing = np.logical_not(scene.valid[:, band].any(axis=(1, 2)))[segments.owner]
            m, v = np.where(missing, 0, m), np.where(missing, _NO_DATA_VARIANCE, v)
            magnitudes.append(segments.table(m, MOST))
            variances.append(segments.table(v + FLOOR_MAG**2, MOST))
        return np.stack(magnitudes, axis=-1), np.stack(variances, axis=-1)

    def _gates(self, scene: CutoutBatch) -> Float64Array:
        """Return whether each segment is quasar-like, a blend, or faint: (3, n, MOST), NaN for
        none.
        """
        segments = scene.segments
        psf_sigma = scene.psf_px * self.geometry.pixel_scale_arcsec / FWHM_OF_SIGMA
        point = (segments.major < POINT_BELOW * psf_sigma) & (segments.ellipticity < 0.2)
        blend = segments.inliers < BLEND_BELOW
        gates = (point & ~blend, blend, segments.snr < LEAST_SNR)
        return np.stack([segments.table(g.astype(np.float64), MOST) for g in gates])

    def _galaxy(self, scene: CutoutBatch) -> Float64Array:
        """asinh magnitudes of the middle of the galaxy's model, (n, band); NaN without data."""
        model, radius = scene.light.model, scene.light.radius_px
        inside = (radius < GALAXY_RADIUS * radius.shape[-1])[:, None]
        sky = model.min(axis=(2, 3), keepdims=True, initial=np.inf)
        flux = ((model - sky) * inside).sum(axis=(2, 3)).astype(np.float64)
        noise = np.broadcast_to(np.sqrt(inside.sum(axis=(2, 3))), flux.shape)
        magnitude, _ = _asinh_magnitude(flux, noise)
        magnitude += self._zero_points - _POGSON * np.log(scene.noise)
        return np.where(scene.valid.any(axis=(2, 3)), magnitude, np.nan)

    @property
    def _zero_points(self) -> Float64Array:
        return np.nan_to_num(np.array(self.geometry.zero_points_mag))


def _asinh_magnitude(flux: Float64Array, noise: Float64Array) -> tuple[Float64Array, Float64Array]:
    """Magnitude, less its zero point, and variance, with a softening of the noise itself."""
    magnitude = -_POGSON * (np.arcsinh(flux / (2 * noise)) + np.log(noise))
    return magnitude, (_POGSON * noise) ** 2 / (flux**2 + 4 * noise**2)


@dataclass(frozen=True)
class Families:
    """Color agreement of the segments of each of n cutouts; NaN with fewer than two.

    Attributes
    ----------
    consistency : ndarray of shape (n,)
        Mean χ² survival of the squared Mahalanobis distances from the centroid, the covariance
        being that of the measurement plus the shrunk scatter.
    one_source : ndarray of shape (n,)
        χ² survival of all distances under the errors alone: the test that all are one source.
    pair : ndarray of shape (n,)
        The same for the two segments that agree best: one image family among other light.
    scatter : ndarray of shape (n,)
        Of the colors beyond their errors, mag.
    distance_max : ndarray of shape (n,)
        Largest of the distances: an outlier (dust, blend, another source).
    color : ndarray of shape (n, band − 1)
        Huber-weighted centroid; known from one segment on.
    """

    consistency: Float64Array
    one_source: Float64Array
    pair: Float64Array
    scatter: Float64Array
    distance_max: Float64Array
    color: Float64Array


def measure_families(
    magnitude: Float64Array, variance: Float64Array, usable: BoolArray
) -> Families:
    """Compare colors of segments.

    Parameters
    ----------
    magnitude, variance : ndarray of shape (n, k, band)
        Of k segments of n cutouts.
    usable : ndarray of shape (n, k)
        Segments that count.
    """
    n, most, bands = magnitude.shape
    known = usable & np.isfinite(magnitude).all(axis=2)
    # A band with no say adds no freedom.
    with_data = (np.where(known[..., None], variance, np.inf) < _NO_DATA_VARIANCE / 2).any(axis=1)
    freedom = with_data.sum(axis=1) - 1
    count = known.sum(axis=1)
    if bands == 1:
        nothing = np.full(n, np.nan)
        return Families(*(nothing,) * 5, np.empty((n, 0)))
    difference = np.eye(bands)[:-1] - np.eye(bands)[1:]
    color = np.where(known[..., None], magnitude @ difference.T, 0)
    safe = np.where(known[..., None], variance, 1.0)
    covariance = np.einsum("cb,nkb,db->nkcd", difference, safe, difference)
    inverse = np.linalg.inv(covariance)
    center = _centroid(color, inverse, known)
    delta = np.where(known[..., None], color - center[:, None], 0)
    square = np.einsum("nkc,nkcd,nkd->nk", delta, inverse, delta)
    several = np.where((count > 1) & (freedom > 0), 1.0, np.nan)
    dof = np.maximum(freedom, 1)
    one_source = chdtrc(dof * np.maximum(count - 1, 1), square.sum(axis=1))

    beyond = np.maximum(square.sum(axis=1) / (dof * np.maximum(count - 1, 1)) - 1, 0)
    typical = np.where(known, 1 / (np.einsum("nkcc->nk", inverse) / dof[:, None]), 0).sum(axis=1)
    intrinsic = beyond * typical / np.maximum(count, 1)
    shrunk = (count * intrinsic + _PRIOR_WEIGHT * _PRIOR_SCATTER_MAG**2) / (count + _PRIOR_WEIGHT)
    wider = covariance + shrunk[:, None, None, None] * (difference @ difference.T)
    distance = np.einsum("nkc,nkcd,nkd->nk", delta, np.linalg.inv(wider), delta)
    survival = np.where(known, chdtrc(dof[:, None], distance), 0).sum(axis=1)

    apart = color[:, :, None] - color[:, None]
    joint = np.linalg.inv(covariance[:, :, None] + covariance[:, None])
    pairs = np.einsum("nijc,nijcd,nijd->nij", apart, joint, apart)
    allowed = known[:, :, None] & known[:, None] & ~np.eye(most, dtype=bool)
    nearest = np.where(allowed, pairs, np.inf).min(axis=(1, 2))
    center = np.where((count > 0)[:, None], center, np.nan)
    data = np.asarray(with_data)
    center[np.logical_not(data[:, :-1] & data[:, 1:])] = np.nan
    return Families(
        several * survival / np.maximum(count, 1),
        several * one_source,
        several * chdtrc(dof, nearest),
        several * np.sqrt(intrinsic),
        several * np.sqrt(distance.max(axis=1)),
        center,
    )


def _centroid(color: Float64Array, inverse: Float64Array, known: BoolArray) -> Float64Array:
    """Inverse-covariance mean (n, c) of colors (n, k, c), with Huber's weights on distances."""
    weight = known.astype(np.float64)
    eye = 1e-9 * np.eye(color.shape[-1])
    center = np.zeros(color.shape[::2])
    for _ in range(4):
        total = np.einsum("nk,nkcd->ncd", weight, inverse) + eye
        right = np.einsum("nk,nkcd,nkd->nc", weight, inverse, color)
        center = np.linalg.solve(total, right[..., None])[..., 0]
        delta = color - center[:, None]
        distance = np.sqrt(np.einsum("nkc,nkcd,nkd->nk", delta, inverse, delta))
        weight = known * np.minimum(1, HUBER / np.maximum(distance, 1e-9))
    return center
