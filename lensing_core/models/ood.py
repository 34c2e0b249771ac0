"""OOD distance: how far an object lies from labeled non-lenses in embedding space."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from lensing_core.arrays import Float32Array, Float64Array

LONG_EMBEDDING, OOD_DIMENSIONS = 1024, 128
STORED_AS = "novelty"
"""Name of its tensors in the files of members."""


@dataclass(frozen=True)
class OODDistance:
    """Distance of an embedding from those of known non-lenses.

    Mahalanobis distance sqrt((z − μ)ᵀ Σ⁻¹ (z − μ)), Σ shrunk as by Ledoit & Wolf (2004). Long
    embeddings are projected on their :data:`OOD_DIMENSIONS` principal components first.

    Attributes
    ----------
    mean : ndarray of shape (d,)
    precision : ndarray of shape (k, k)
    basis : ndarray of shape (d, k), or None
        None: k = d.
    """

    mean: Float32Array
    precision: Float32Array
    basis: Float32Array | None = None

    @classmethod
    def measure(cls, embeddings: Float32Array) -> OODDistance:
        """Fit it to embeddings (n, d) of labeled non-lenses."""
        from sklearn.covariance import LedoitWolf

        values = embeddings.astype(np.float64)
        if values.shape[1] <= LONG_EMBEDDING:
            fitted = LedoitWolf().fit(values)
            location, precision = fitted.location_, fitted.get_precision()
            return cls(location.astype(np.float32), precision.astype(np.float32))
        mean = values.mean(axis=0)
        basis = np.linalg.svd(values - mean, full_matrices=False)[2][:OOD_DIMENSIONS].T
        precision = LedoitWolf(assume_centered=True).fit((values - mean) @ basis).get_precision()
        return cls(*(part.astype(np.float32) for part in (mean, precision, basis)))

    def __call__(self, embeddings: Float32Array) -> Float64Array:
        """Distances, shape (n,)."""
        delta = self._less_mean(embeddings)
        squared = ((delta @ self.precision.astype(np.float64)) * delta).sum(axis=1)
        return np.sqrt(np.maximum(squared, 0))

    def _less_mean(self, embeddings: Float32Array) -> Float64Array:
        """Embeddings less their mean, on the principal components where there are any."""
        delta = embeddings.astype(np.float64) - self.mean
        return delta if self.basis is None else delta @ self.basis.astype(np.float64)

    def to_tensors(self) -> dict[str, Tensor]:
        """Its arrays by the names under which members store them."""
        arrays = {"mean": self.mean, "precision": self.precision, "basis": self.basis}
        return {
            f"{STORED_AS}.{name}": torch.from_numpy(np.ascontiguousarray(values))
            for name, values in arrays.items()
            if values is not None
        }

    def whitened(self, embeddings: Float32Array) -> Float64Array:
        """Embeddings (n, d) less their mean, in units in which Σ is 1, shape (n, k)."""
        values, vectors = np.linalg.eigh(self.precision.astype(np.float64))
        return np.asarray(self._less_mean(embeddings) @ vectors * np.sqrt(np.maximum(values, 0)))

    @classmethod
    def read(cls, weights: Path) -> OODDistance | None:
        """Read it from a member's file of weights alone; None where the member stored none."""
        from safetensors import safe_open

        with safe_open(weights, "pt") as stored:
            mine = [name for name in stored.keys() if name.startswith(f"{STORED_AS}.")]  # noqa: SIM118
            return cls.from_tensors({name: stored.get_tensor(name) for name in mine})

    @classmethod
    def from_tensors(cls, tensors: Mapping[str, Tensor]) -> OODDistance | None:
        """Read what :meth:`to_tensors` gave; None where a member stored none."""
        names = ("mean", "precision", "basis")
        parts = {
            k: tensors[f"{STORED_AS}.{k}"].numpy() for k in names if f"{STORED_AS}.{k}" in tensors
        }
        return cls(**parts) if parts else None
