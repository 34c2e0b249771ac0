"""Circles through many small sets of points at once: RANSAC, then a robust refinement.

A circle or line is A (x² + y²) + B x + C y + D = 0 with B² + C² − 4 A D = 1, so that the left side
is the distance from it, to first order, and its curvature 2 |A| passes through zero without trouble
(Pratt 1987, doi:10.1145/37402.37420). RANSAC: Fischler & Bolles (1981, doi:10.1145/358669.358692).
The refinement re-weights by Tukey's biweight.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lensing_core.arrays import Float64Array, IntArray

_REFINEMENTS = 14
CUT = 2.5
"""Tukey's weight is zero from this many tolerances on."""
# Where in a set, ordered along its length, the three points of each hypothesis stand; with every
# triple its mirror image, so that the direction of counting does not matter.
_HALF = np.array(
    [
        *((0.02, 0.50, 0.97), (0.10, 0.45, 0.85), (0.05, 0.35, 0.65), (0.20, 0.52, 0.93)),
        *((0.30, 0.60, 0.98), (0.15, 0.30, 0.60), (0.00, 0.25, 0.75), (0.12, 0.55, 0.90)),
    ]
)
_TRIPLES = np.concatenate([_HALF, 1 - _HALF[:, ::-1]])


@dataclass(frozen=True)
class Circles:
    """One circle or line a set of points.

    Attributes
    ----------
    coefficients : ndarray of shape (n, 4)
        A, B, C, D.
    inliers : ndarray of shape (n,)
        Share of the weight within the tolerance.
    rms : ndarray of shape (n,)
        Weighted root mean square distance of those.
    """

    coefficients: Float64Array
    inliers: Float64Array
    rms: Float64Array

    @property
    def curvature(self) -> Float64Array:
        """1 / radius, shape (n,); 0 for a line."""
        return np.asarray(2 * np.abs(self.coefficients[:, 0]))

    def curvature_vector(self) -> Float64Array:
        """Pointing from the origin's nearest point to the center, as long as the curvature (n, 2).

        For points whose mean is the origin this is the curvature vector of the arc there.
        """
        a, b, c, _ = self.coefficients.T
        return np.stack([-2 * a * b, -2 * a * c], axis=1)


def fit_circles(
    x: Float64Array, y: Float64Array, weight: Float64Array, count: IntArray, tolerance: float
) -> Circles:
    """Fit a circle to each of n sets of points.

    Parameters
    ----------
    x, y, weight : ndarray of shape (points,)
        All sets one after another, each ordered along its length and about its own mean.
    count : ndarray of shape (n,)
        Points in each set, at least 3.
    tolerance : float
        Distance from the curve within which points belong to it.
    """
    group = np.repeat(np.arange(len(count)), count)
    first = np.cumsum(count) - count
    circles = _consensus(x, y, weight, group, first, count, tolerance)
    total = np.maximum(np.bincount(group, weight, len(count)), 1e-12)
    for _ in range(_REFINEMENTS):
        distance = _distance(np.take(circles, group, axis=0), x, y)
        robust = np.clip(1 - (distance / (CUT * tolerance)) ** 2, 0, None) ** 2
        circles = _step(x, y, weight * robust, distance, group, first, circles)
    distance = _distance(circles[group], x, y)
    inside = weight * (np.abs(distance) < tolerance)
    share = np.bincount(group, inside, len(count))
    square = np.bincount(group, inside * distance**2, len(count))
    return Circles(circles, share / total, np.sqrt(square / np.maximum(share, 1e-12)))


def _distance(coefficients: Float64Array, x: Float64Array, y: Float64Array) -> Float64Array:
    """Signed distance of points from their circles: 2 F / (1 + sqrt(1 + 4 A F))."""
    a, b, c, d = np.moveaxis(coefficients, -1, 0)
    f = a * (x * x + y * y) + b * x + c * y + d
    return np.asarray(2 * f / (1 + np.sqrt(np.maximum(1 + 4 * a * f, 0))))


def _consensus(
    x: Float64Array,
    y: Float64Array,
    weight: Float64Array,
    group: IntArray,
    first: IntArray,
    count: IntArray,
    tolerance: float,
) -> Float64Array:
    """Circle with the most weight near it, of those through three points of each set.

    It must have a twentieth more than the line along the set: light that is round has no circle.
    """
    place = np.rint(_TRIPLES * (count[:, None, None] - 1)).astype(np.int64)
    index = first[:, None, None] + place
    circles = _through(x[index], y[index])
    best = _lines(x, y, weight, group, len(count))
    near = np.abs(_distance(best[group], x, y)) < tolerance
    most = 1.05 * np.bincount(group, weight * near, len(count))
    for k in range(len(_TRIPLES)):  # one at a time: memory for all hypotheses would be large
        near = np.abs(_distance(circles[group, k], x, y)) < tolerance
        score = np.bincount(group, weight * near, len(count))
        better = score > most * (1 + 1e-9)
        best[better], most[better] = circles[better, k], score[better]
    return best


def _lines(
    x: Float64Array, y: Float64Array, weight: Float64Array, group: IntArray, n: int
) -> Float64Array:
    """The line along the major axis of each set, through the origin."""
    xx, yy, xy = (np.bincount(group, weight * p, n) for p in (x * x, y * y, x * y))
    angle = np.arctan2(2 * xy, xx - yy) / 2
    return np.stack([0 * angle, -np.sin(angle), np.cos(angle), 0 * angle], axis=1)


def _through(x: Float64Array, y: Float64Array) -> Float64Array:
    """Circles (…, 4) through three points (…, 3); three equal points give a line through them."""
    z = x * x + y * y
    (x1, x2, x3), (y1, y2, y3), (z1, z2, z3) = (np.moveaxis(p, -1, 0) for p in (x, y, z))
    a = x1 * (y2 - y3) - y1 * (x2 - x3) + x2 * y3 - x3 * y2
    b = z1 * (y3 - y2) + z2 * (y1 - y3) + z3 * (y2 - y1)
    c = z1 * (x2 - x3) + z2 * (x3 - x1) + z3 * (x1 - x2)
    d = z1 * (x3 * y2 - x2 * y3) + z2 * (x1 * y3 - x3 * y1) + z3 * (x2 * y1 - x1 * y2)
    return _normalized(np.stack([a, b, c, d], axis=-1))


def _normalized(coefficients: Float64Array) -> Float64Array:
    a, b, c, d = np.moveaxis(coefficients, -1, 0)
    norm = np.sqrt(np.maximum(b * b + c * c - 4 * a * d, 1e-24))[..., None]
    return np.asarray(coefficients / norm)


def _step(
    x: Float64Array,
    y: Float64Array,
    weight: Float64Array,
    distance: Float64Array,
    group: IntArray,
    first: IntArray,
    before: Float64Array,
) -> Float64Array:
    """One step of each set towards a circle that its points scatter about evenly.

    Seen from the circle's point nearest to the origin, with u along it and v across, the circle is
    A (u² + v²) + v = 0; small changes of A, B and D move it at the point (u, v) by u² + v², u and
    1 + 2 A v. Distances d are made orthogonal to these at the *foot points* on the circle, so that
    points to both sides of one place on it balance. With the points themselves (least squares)
    thick sets would be bent too much, in an algebraic fit too little.
    """
    a, b, c, d = before.T
    steep = np.sqrt(np.maximum(1 + 4 * a * d, 1e-6))
    nx, ny = b / steep, c / steep
    offset = 2 * d / (1 + steep)
    px, py = -offset * nx, -offset * ny
    here = np.stack([px, py, nx, ny, 2 * a])
    at_x, at_y, normal_x, normal_y, twice = np.take(here, group, axis=1)
    rx, ry = x - at_x, y - at_y
    by = 1 / np.maximum(1 + twice * distance, 0.1)
    u = (ry * normal_x - rx * normal_y) * by
    v = (rx * normal_x + ry * normal_y - distance) * by
    columns = np.stack([u * u + v * v, u, 1 + twice * v])
    # Sums over each set, of which the upper triangle comes first; sets are contiguous.
    pairs = np.triu_indices(3)
    products = np.empty((10, len(x)))
    weighted = np.multiply(columns, weight)
    np.multiply(weighted[pairs[0]], columns[pairs[1]], out=products[:6])
    np.multiply(weighted, -distance, out=products[6:9])
    products[9] = columns[0]
    sums = np.add.reduceat(products, first, axis=1)
    n = len(before)
    matrix = np.empty((n, 3, 3))
    matrix[:, pairs[0], pairs[1]] = matrix[:, pairs[1], pairs[0]] = sums[:6].T
    right = sums[6:9].T
    diagonal = np.einsum("nii->ni", matrix)
    diagonal += 1e-6 * diagonal + 1e-12
    step = np.linalg.solve(matrix, right[..., None])[..., 0]
    # No step turns or bends a set by more than what leaves the linear regime.
    reach = np.sqrt(sums[9] / np.diff([*first, len(x)]))
    size = np.abs(step) * np.stack([reach, np.ones(n), 1 / np.maximum(reach, 1)], axis=1)
    step /= np.maximum(1, size.max(axis=1) / 0.5)[:, None]
    new_a, new_b, new_d = a + step[:, 0], step[:, 1], step[:, 2]
    new_c = np.sqrt(np.maximum(1 + 4 * new_a * new_d - new_b**2, 1e-6))
    gx, gy = -new_b * ny + new_c * nx, new_b * nx + new_c * ny
    gradient = np.stack(
        [
            new_a,
            gx - 2 * new_a * px,
            gy - 2 * new_a * py,
            new_d + new_a * offset**2 - gx * px - gy * py,
        ],
        axis=1,
    )
    return _normalized(gradient)
