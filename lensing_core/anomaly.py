"""Objects unlike any labeled class: a backstop for lenses that no label resembles.

:class:`ClassDistance` ranks by Mahalanobis distance of embeddings to the nearest labeled class;
:class:`IsolationDepth` is what it is compared with.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file
from scipy.linalg import cholesky, solve_triangular
from sklearn.covariance import ledoit_wolf
from sklearn.ensemble import IsolationForest

from lensing_core.errors import BadInputError

Floats = NDArray[np.float64]
ROWS_AT_A_TIME = 8192


@dataclass(frozen=True)
class ClassDistance:
    """Distance to the nearest class, sqrt(min_k (z − μ_k)ᵀ Σ⁻¹ (z − μ_k)).

    Σ is the covariance within classes, one for all, as of Lee et al. (2018, NeurIPS,
    arXiv:1807.03888), shrunk towards a multiple of the identity after Ledoit & Wolf (2004, J.
    Multivariate Analysis 88, 365), which keeps it regular for fewer objects than dimensions.

    Attributes
    ----------
    classes : ndarray of shape (k,), int64
    means : ndarray of shape (k, d)
    factor : ndarray of shape (d, d)
        Lower Cholesky factor L of Σ = L Lᵀ.
    shrinkage : float
        0: the sample covariance, 1: a multiple of the identity.
    """

    classes: NDArray[np.int64]
    means: Floats
    factor: Floats
    shrinkage: float

    @classmethod
    def fit(cls, embeddings: ArrayLike, classes: ArrayLike) -> ClassDistance:
        """From embeddings (n, d) and the class of each, shape (n,), whole numbers.

        Raises
        ------
        BadInputError
            On values that are not finite, differing lengths, fewer than two objects more than
            classes, or embeddings that do not vary within classes.
        """
        z, labels = _check(embeddings), np.asarray(classes)
        if labels.shape != (len(z),) or not np.issubdtype(labels.dtype, np.integer):
            raise BadInputError(
                f"{len(z)} embeddings and classes of shape {labels.shape} and type {labels.dtype}: "
                "give one whole number each."
            )
        names, member = np.unique(labels, return_inverse=True)
        if len(z) < len(names) + 2:
            raise BadInputError(
                f"{len(z)} labeled objects in {len(names)} classes do not tell their spread; "
                "label more."
            )
        means = np.stack([z[member == k].mean(axis=0) for k in range(len(names))])
        residual = z - means[member]
        covariance, shrinkage = ledoit_wolf(residual, assume_centered=True)
        # Means are fitted too: n − k degrees of freedom.
        covariance *= len(z) / (len(z) - len(names))
        if not np.trace(covariance) > 0:
            raise BadInputError(
                "Embeddings do not vary within the labeled classes: no distance follows from them."
            )
        return cls(
            names.astype(np.int64), means, cholesky(covariance, lower=True), float(shrinkage)
        )

    def __call__(self, embeddings: ArrayLike) -> Floats:
        """Distance to the nearest class, shape (n,), in standard deviations: rank by it."""
        return self.by_class(embeddings).min(axis=1)

    def nearest(self, embeddings: ArrayLike) -> NDArray[np.int64]:
        """The class that each object is nearest to, shape (n,)."""
        return self.classes[self.by_class(embeddings).argmin(axis=1)]

    def by_class(self, embeddings: ArrayLike) -> Floats:
        """Distance to each class, shape (n, k).

        Raises
        ------
        BadInputError
            On values that are not finite or another dimension.
        """
        z = _check(embeddings)
        if z.shape[1] != self.means.shape[1]:
            raise BadInputError(
                f"Embeddings of {z.shape[1]} dimensions; the labeled ones have "
                f"{self.means.shape[1]}."
            )
        out = np.empty((len(z), len(self.means)))
        centres = solve_triangular(self.factor, self.means.T, lower=True)
        for first in range(0, len(z), ROWS_AT_A_TIME):
            rows = slice(first, first + ROWS_AT_A_TIME)
            white = solve_triangular(self.factor, z[rows].T, lower=True)
            for k in range(len(self.means)):
                out[rows, k] = np.linalg.norm(white - centres[:, k : k + 1], axis=0)
        return out

    def save(self, path: Path) -> None:
        """Write one safetensors file."""
        arrays = {
            "classes": self.classes,
            "means": self.means,
            "factor": self.factor,
            "shrinkage": np.array([self.shrinkage]),
        }
        save_file({name: np.ascontiguousarray(value) for name, value in arrays.items()}, path)

    @classmethod
    def load(cls, path: Path) -> ClassDistance:
        """What :meth:`save` wrote; BadInputError where it is missing or damaged."""
        try:
            arrays = load_file(path)
            return cls(
                arrays["classes"], arrays["means"], arrays["factor"], float(arrays["shrinkage"][0])
            )
        except (OSError, KeyError, IndexError, SafetensorError) as error:
            raise BadInputError(f"{path} cannot be read ({error}); fit it again.") from error


@dataclass(frozen=True)
class IsolationDepth:
    """Isolation forest (Liu, Ting & Zhou 2008, ICDM, 413) on the labeled objects; no classes."""

    forest: IsolationForest

    @classmethod
    def fit(cls, embeddings: ArrayLike, *, trees: int = 200, seed: int = 0) -> IsolationDepth:
        """From embeddings (n, d) of labeled objects."""
        return cls(IsolationForest(n_estimators=trees, random_state=seed).fit(_check(embeddings)))

    def __call__(self, embeddings: ArrayLike) -> Floats:
        """Anomaly score 2^(−depth / expected depth), shape (n,), 0 to 1: rank by it."""
        return -np.asarray(self.forest.score_samples(_check(embeddings)), dtype=np.float64)


def _check(embeddings: ArrayLike) -> Floats:
    z = np.asarray(embeddings, dtype=np.float64)
    if z.ndim != 2 or 0 in z.shape:
        raise BadInputError(f"Embeddings of shape {z.shape}: give rows and dimensions.")
    bad = np.flatnonzero(~np.isfinite(z).all(axis=1))
    if len(bad):
        raise BadInputError(
            f"{len(bad)} embeddings are not finite, the first in row {bad[0]}: leave those out."
        )
    return z
