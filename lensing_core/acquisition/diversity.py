"""Objects unlike one another, by their embeddings: pure functions on arrays."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from lensing_core.arrays import Float64Array, IntArray
from lensing_core.errors import BadInputError

COMPONENTS = 32
_FARTHEST = 8.0  # standard deviations; one wild feature shall not outweigh all others


@dataclass(frozen=True)
class Spread:
    """Objects in the order in which they were chosen.

    Attributes
    ----------
    order : ndarray of shape (n,), int64
        Indices into the pool.
    distance : ndarray of shape (n,)
        Of each, when it was chosen, to the nearest one before it or graded; for clusters the
        size of its cluster.
    """

    order: IntArray
    distance: Float64Array


def reduced(table: ArrayLike, *, seed: int = 0) -> Float64Array:
    """Embeddings or features (n, d) on one scale and in at most 32 dimensions, shape (n, k).

    Columns are standardized, unknown values put at the median, and the principal components kept.
    """
    x = np.array(table, dtype=np.float64)
    if x.ndim != 2 or 0 in x.shape:
        raise BadInputError(f"Embeddings of shape {x.shape}: give rows and dimensions.")
    x[~np.isfinite(x)] = np.nan
    known = ~np.isnan(x).all(axis=0)
    x = x[:, known]
    if not x.shape[1]:
        raise BadInputError("No embedding has a finite value.")
    center = np.nanmedian(x, axis=0)
    x = np.where(np.isnan(x), center, x)
    scale = x.std(axis=0)
    x = np.clip((x - x.mean(axis=0)) / np.where(scale > 0, scale, 1), -_FARTHEST, _FARTHEST)
    k = min(COMPONENTS, *x.shape)
    if x.shape[1] <= COMPONENTS:
        return np.asarray(x)
    from sklearn.decomposition import PCA  # here: it takes longer to import than all of the rest

    return np.asarray(PCA(k, svd_solver="randomized", random_state=seed).fit_transform(x))


def k_center(embedding: ArrayLike, n: int, *, centers: ArrayLike | None = None) -> Spread:
    """Greedy k-center: each next object is the one farthest from all before it.

    Sener & Savarese (2018, ICLR, arXiv:1708.00489), section 4.2; the greedy solution is within a
    factor 2 of the best (Gonzalez 1985, Theoretical Computer Science 38, 293).

    Parameters
    ----------
    embedding : array_like of shape (m, d)
        Best first: without ``centers`` the first object is where it starts.
    centers : array_like of shape (c, d), optional
        Embeddings of objects that are graded already.
    """
    x = np.asarray(embedding, dtype=np.float64)
    n = min(n, len(x))
    square = (x**2).sum(axis=1)
    nearest = np.full(len(x), np.inf)

    def approach(point: Float64Array) -> None:
        distance = square - 2 * (x @ point) + point @ point
        np.minimum(nearest, np.maximum(distance, 0.0), out=nearest)

    for point in np.asarray(() if centers is None else centers, dtype=np.float64):
        approach(point)
    order, distances = np.empty(n, dtype=np.int64), np.empty(n)
    for k in range(n):
        order[k] = int(nearest.argmax())  # the first of the farthest, so the best of them
        distances[k] = np.sqrt(nearest[order[k]])
        approach(x[order[k]])
        nearest[order[k]] = -1.0  # never again, not even where all others coincide with it
    return Spread(order, distances)


def cluster_leaders(embedding: ArrayLike, n: int, *, seed: int = 0) -> Spread:
    """The best object of each of ``n`` clusters, best first (k-means, Sculley 2010, WWW, 1177).

    Parameters
    ----------
    embedding : array_like of shape (m, d)
        Best first: the leader of a cluster is its first object.
    """
    x = np.asarray(embedding, dtype=np.float64)
    n = min(n, len(x))
    if n == 0:
        return Spread(np.empty(0, dtype=np.int64), np.empty(0))
    from sklearn.cluster import MiniBatchKMeans  # here, as above

    model = MiniBatchKMeans(n, random_state=seed, n_init=1, batch_size=max(1024, 3 * n))
    cluster = model.fit_predict(x)
    _, leader, size = np.unique(cluster, return_index=True, return_counts=True)
    if len(leader) < n:  # clusters that stayed empty: the best of the rest take their places
        rest = np.setdiff1d(np.arange(len(x)), leader)[: n - len(leader)]
        leader, size = np.concatenate([leader, rest]), np.append(size, np.ones(len(rest)))
    order = np.argsort(leader)
    return Spread(leader[order].astype(np.int64), size[order].astype(np.float64))
