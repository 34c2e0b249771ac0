"""Loss functions of networks."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional

from lensing_core.errors import BadInputError
from lensing_core.pu.losses import NonNegativePULoss

Loss = Callable[[Tensor, Tensor, Tensor], Tensor]
FOCAL_GAMMA = 2.0


def make_loss(name: str, lens_share: float, lens_prior: float) -> Loss:
    """The loss of logits (n,), labels 0/1 (n,) and weights of the labels (n,).

    Each is a mean weighted by the labels' weights. Class weights and focusing move the class prior
    of the logits; calibration on held-out objects, which follows every training, undoes that.

    Parameters
    ----------
    lens_share : float
        Of the training objects, by weight; for ``balanced``.
    lens_prior : float
        Share of lenses among unlabeled objects; for ``nnpu``.
    """
    if name == "cross_entropy":
        return _cross_entropy
    if name == "balanced":
        of_lenses = torch.tensor((1 - lens_share) / max(lens_share, 1e-6))

        def balanced(logits: Tensor, labels: Tensor, weights: Tensor) -> Tensor:
            entropy = functional.binary_cross_entropy_with_logits(
                logits, labels, pos_weight=of_lenses.to(logits.device), reduction="none"
            )
            return _mean(entropy, weights)

        return balanced
    if name == "focal":
        return focal_loss
    if name == "nnpu":
        # Balanced, so that few labeled lenses are not drowned; calibration moves the prior back.
        pu = NonNegativePULoss(lens_prior, surrogate="logistic", balance=0.5)

        def with_both(logits: Tensor, labels: Tensor, weights: Tensor) -> Tensor:
            positives = int(labels.sum())
            if 0 < positives < len(labels):
                risk: Tensor = pu(logits, labels, weights)
                return risk
            return 0 * logits.sum()  # a batch of one kind says nothing of the other

        return with_both
    raise BadInputError(f"Loss {name!r}: use cross_entropy, balanced, focal or nnpu.")


def focal_loss(logits: Tensor, labels: Tensor, weights: Tensor) -> Tensor:
    """Cross entropy times (1 − p of the true class)², as Lin et al. 2017 (arXiv:1708.02002)."""
    entropy = functional.binary_cross_entropy_with_logits(logits, labels, reduction="none")
    missed = 1 - torch.exp(-entropy)
    return _mean(missed**FOCAL_GAMMA * entropy, weights)


def _cross_entropy(logits: Tensor, labels: Tensor, weights: Tensor) -> Tensor:
    entropy = functional.binary_cross_entropy_with_logits(logits, labels, reduction="none")
    return _mean(entropy, weights)


def _mean(values: Tensor, weights: Tensor) -> Tensor:
    return (weights * values).sum() / weights.sum()
