"""Class prior by mixture proportion, from one score an object."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from lensing_core.arrays import Float64Array
from lensing_core.proportions import clopper_pearson

LEVELS = 100
FEWEST_ABOVE = 10
BINS = 200
STEPS = 300


class RocProportion:
    """Mixture proportion from the ROC curve of labeled against unlabeled objects.

    Where the unlabeled are a mixture, F_U = π F_P + (1 − π) F_N, any set holds at least π times
    the share of positives: π = min over sets of F_U(S) / F_P(S), if some set is pure (Blanchard,
    Lee & Scott 2010, JMLR 11, 2973; Scott 2015, AISTATS, 838). The sets are those above a score.
    The smallest ratio of noisy shares would be too low, so the set is the one with the smallest
    ratio of upper to lower bound, as of Garg et al. (2021, NeurIPS, arXiv:2111.00980), with 95 %
    Clopper-Pearson bounds in place of Hoeffding's, which say nothing at small π.

    Parameters
    ----------
    z_p, z_u : ndarray of shape (n_P,) and (n_U,)
        Scores of labeled positives and of unlabeled objects.
    """

    def __init__(self, z_p: Float64Array, z_u: Float64Array) -> None:
        most = max(len(z_p) - FEWEST_ABOVE, 0) / len(z_p)
        self.thresholds = np.unique(np.quantile(z_p, np.linspace(0, most, LEVELS), method="lower"))
        self.in_p = np.searchsorted(self.thresholds, z_p, side="right")
        self.in_u = np.searchsorted(self.thresholds, z_u, side="right")

    def __call__(self, w_p: Float64Array, w_u: Float64Array) -> tuple[float, float]:
        """π with each object counted so often, and the smallest ratio of bounds."""
        p, u = self._above(self.in_p, w_p), self._above(self.in_u, w_u)
        n_p, n_u = w_p.sum(), w_u.sum()
        upper = clopper_pearson(u, n_u, level=0.9)[1]
        lower = clopper_pearson(p, n_p, level=0.9)[0]
        bound = upper / np.maximum(lower, 1e-300)
        best = int(np.argmin(bound))
        return float((u[best] / n_u) / (p[best] / n_p)), float(bound[best])

    def _above(self, which: NDArray[np.intp], weight: Float64Array) -> Float64Array:
        """Objects at or above each threshold."""
        counts = np.bincount(which, weight, minlength=len(self.thresholds) + 1)
        return np.asarray(np.cumsum(counts[::-1])[::-1][1:])


class TwoComponents:
    """Share of the positive component in a fit of two components to the unlabeled scores.

    The positive component is the kernel density of the labeled positives' scores; the negative one
    is normal in log-odds. Share, mean and width are fitted by expectation and maximization on
    binned scores (semi-parametric mixture: Bordes, Delmas & Vandekerkhove 2006, Scand. J. Stat.
    33, 733). A tail of negatives above the normal one is counted as positive.
    """

    def __init__(self, z_p: Float64Array, z_u: Float64Array) -> None:
        low, high = min(z_p.min(), z_u.min()), max(z_p.max(), z_u.max())
        margin = 0.05 * (high - low) + 1e-6
        self.edges = np.linspace(low - margin, high + margin, BINS + 1)
        self.centers = (self.edges[1:] + self.edges[:-1]) / 2
        self.in_u = np.clip(np.searchsorted(self.edges, z_u, side="right") - 1, 0, BINS - 1)
        spread = max(float(np.std(z_p)), 1e-3 * (high - low), 1e-9)
        # Silverman's rule, kept as a matrix so that a draw is one product.
        width = max(1.06 * spread * len(z_p) ** -0.2, self.edges[1] - self.edges[0])
        cdf = norm.cdf((self.edges[None, :] - z_p[:, None]) / width)
        self.kernels = np.diff(cdf, axis=1)

    def __call__(self, w_p: Float64Array, w_u: Float64Array) -> float:
        """π with each object counted so often."""
        counts = np.bincount(self.in_u, w_u, minlength=BINS)
        of_positives = w_p @ self.kernels / w_p.sum() + 1e-12
        total = counts.sum()
        mean = float(counts @ self.centers / total)
        width = max(float(np.sqrt(counts @ (self.centers - mean) ** 2 / total)), self._finest)
        share = 0.1
        for _ in range(STEPS):
            of_negatives = np.diff(norm.cdf((self.edges - mean) / width)) + 1e-12
            positive = share * of_positives
            responsibility = positive / (positive + (1 - share) * of_negatives)
            before, share = share, float(counts @ responsibility / total)
            rest = counts * (1 - responsibility)
            n_rest = max(float(rest.sum()), 1e-9)
            mean = float(rest @ self.centers / n_rest)
            width = max(float(np.sqrt(rest @ (self.centers - mean) ** 2 / n_rest)), self._finest)
            if abs(share - before) < 1e-7:
                break
        return share

    @property
    def _finest(self) -> float:
        return float(self.edges[1] - self.edges[0]) / 2
