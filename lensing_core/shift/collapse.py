"""Scores that say nothing: no numbers, one number for all, or all beyond those of training."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from lensing_core.arrays import Float64Array
from lensing_core.errors import CollapseError
from lensing_core.metrics import RankingCurve

ENOUGH = 64
"""Objects of which equal scores are no accident."""
ENOUGH_OUTSIDE = 256
_SPREAD = 1e-9
_ENOUGH_OF_EACH = 20


class LogitWatch:
    """Looks at the logits of a scoring as they come, and ends it where they say nothing.

    Parameters
    ----------
    ensemble : str
    training : tuple of float, optional
        The 1st percentile of non-lenses and the 99th of lenses among held-out objects of training.
    """

    def __init__(self, ensemble: str, training: tuple[float, float] | None = None) -> None:
        self._ensemble = ensemble
        self._training = training
        self._n = 0
        self._low, self._high = np.inf, -np.inf
        self._inside = 0

    def look(
        self, logit: Float64Array, members: Float64Array, names: Sequence[str], start: int
    ) -> None:
        """Look at the next objects.

        Parameters
        ----------
        logit : ndarray of shape (n,)
            Of the ensemble.
        members : ndarray of shape (n, members)
        names : sequence of str
            Of the members.
        start : int
            Number of the first object.

        Raises
        ------
        CollapseError
            Saying what was found and what to do.
        """
        self._numbers(logit, members, names, start)
        if not len(logit):
            return
        self._n += len(logit)
        self._low = min(self._low, float(logit.min()))
        self._high = max(self._high, float(logit.max()))
        if self._n >= ENOUGH and self._high - self._low < _SPREAD:
            raise CollapseError(
                f"Ensemble {self._ensemble} gives all of the first {self._n:,} objects the same "
                f"score (logit {self._low:.3g}): it does not see what is in them. Look at the "
                "bands and zero points of the catalog, or choose another ensemble."
            )
        if self._training is None:
            return
        low, high = self._training
        self._inside += int(((logit >= low) & (logit <= high)).sum())
        if self._n >= ENOUGH_OUTSIDE and not self._inside:
            side = "below" if self._high < low else "above" if self._low > high else "beyond"
            raise CollapseError(
                f"All logits of the first {self._n:,} objects ({self._low:.1f} to "
                f"{self._high:.1f}) lie {side} those that ensemble {self._ensemble} gave to "
                f"held-out objects of its training ({low:.1f} to {high:.1f}): the catalog is too "
                "far from it to be ranked. Look at its zero points, or train on such cutouts."
            )

    def _numbers(
        self, logit: Float64Array, members: Float64Array, names: Sequence[str], start: int
    ) -> None:
        for name, column in [*zip(names, members.T, strict=True), ("the ensemble", logit)]:
            bad = np.flatnonzero(~np.isfinite(column))
            if len(bad):
                raise CollapseError(
                    f"Scores of {name} are no numbers for {len(bad):,} of {len(column):,} objects, "
                    f"the first of them cutout {start + int(bad[0]):,}: the model or the pixels "
                    "are broken. Run verify on the workspace, and look at that cutout."
                )


def check_ranking(name: str, logit: Float64Array, labels: NDArray[np.integer]) -> None:
    """Raise CollapseError where logits of a trained member say nothing of objects it has not seen.

    They are no numbers; or all equal; or all on one side, while lenses are not ranked above others:
    the AUROC is at most half its standard deviation (that of equal distributions, Mann & Whitney
    1947) above 0.5 and there are at least 20 objects of each class.

    Parameters
    ----------
    logit, labels : ndarray of shape (n,)
        Raw logits, and 1 for lenses.
    """
    again = "Train it longer or with another seed, or leave this member out."
    bad = int((~np.isfinite(logit)).sum())
    if bad:
        raise CollapseError(
            f"Training of {name} has collapsed: {bad:,} of {len(logit):,} scores of objects that "
            f"it has not seen are no numbers. Lower the learning rate. {again}"
        )
    if len(logit) >= ENOUGH and float(np.ptp(logit)) < _SPREAD:
        raise CollapseError(
            f"Training of {name} has collapsed: it gives all of {len(logit):,} objects that it "
            f"has not seen the same score. {again}"
        )
    lenses = int((labels == 1).sum())
    others = len(labels) - lenses
    one_sided = bool((logit < 0).all() or (logit > 0).all())
    if min(lenses, others) < _ENOUGH_OF_EACH or not one_sided:
        return
    auroc = RankingCurve.of(logit, labels).auroc()
    deviation = np.sqrt((lenses + others + 1) / (12 * lenses * others))
    if auroc <= 0.5 + 0.5 * deviation:
        side = "non-lenses" if logit[0] < 0 else "lenses"
        raise CollapseError(
            f"Training of {name} has collapsed: it takes all of {len(logit):,} objects that it has "
            f"not seen for {side}, and ranks lenses no higher than others (AUROC {auroc:.2f}). "
            f"{again}"
        )
