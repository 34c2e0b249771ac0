"""Risk estimators for training a network on positive and unlabeled objects."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from lensing_core.errors import BadInputError

Surrogate = Literal["sigmoid", "logistic"]


def _losses(logits: Tensor, surrogate: Surrogate) -> tuple[Tensor, Tensor]:
    """Loss of each logit were it positive, and were it negative."""
    if surrogate == "sigmoid":
        return torch.sigmoid(-logits), torch.sigmoid(logits)
    return functional.softplus(-logits), functional.softplus(logits)


class NonNegativePULoss(nn.Module):
    """nnPU, and uPU and imbalanced nnPU as its options.

    nnPU (Kiryo et al. 2017, NeurIPS, arXiv:1703.00593): R = π R_P⁺ + max(0, R_U⁻ − π R_P⁻), where
    R_P⁺ and R_P⁻ are the mean losses of labeled positives taken as positive and as negative, and
    R_U⁻ that of the unlabeled taken as negative. Where R_U⁻ − π R_P⁻ < −β the step goes up that
    term by γ instead. The logit estimates P(y=1 | x) itself: never divide it by π.

    Parameters
    ----------
    prior : float
        Class prior π of the unlabeled objects.
    surrogate : {'sigmoid', 'logistic'}
        'sigmoid' as in the paper; 'logistic' gives logits that are log-odds.
    non_negative : bool
        False leaves the max out: uPU (du Plessis et al. 2015), which over-fits with flexible nets.
    beta, gamma : float
        β ≥ 0 and 0 ≤ γ ≤ 1 of the paper; β = 0 is nnPU.
    balance : float, optional
        α of imbalanced nnPU (Su, Chen & Xu 2021, IJCAI): the positive risk weighs α and the
        negative one 1 − α instead of π and 1 − π. For π of 1e-3 and less the positive term would
        vanish otherwise; the logit is then at prior α and must be moved to π.
    """

    def __init__(
        self,
        prior: float,
        *,
        surrogate: Surrogate = "sigmoid",
        non_negative: bool = True,
        beta: float = 0.0,
        gamma: float = 1.0,
        balance: float | None = None,
    ) -> None:
        super().__init__()
        if not 0 < prior < 1:
            raise BadInputError(f"Class prior {prior}: give a number between 0 and 1.")
        if balance is not None and not 0 < balance < 1:
            raise BadInputError(f"Balance {balance}: give a number between 0 and 1.")
        if beta < 0 or not 0 <= gamma <= 1:
            raise BadInputError(f"beta {beta} must be >= 0 and gamma {gamma} within 0 to 1.")
        self.prior, self.surrogate, self.non_negative = prior, surrogate, non_negative
        self.beta, self.gamma, self.balance = beta, gamma, balance

    def risks(
        self, logits: Tensor, labeled: Tensor, weights: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """The weighted positive risk, and the weighted negative one (which may be below zero).

        Parameters
        ----------
        weights : Tensor of shape (n,), optional
            Of the objects in the means R_P and R_U.

        Raises
        ------
        BadInputError
            If the batch lacks labeled positives or unlabeled objects.
        """
        positive = labeled.bool()
        if not positive.any() or positive.all():
            raise BadInputError(
                "A PU batch needs labeled positives and unlabeled objects; found "
                f"{int(positive.sum())} of {len(positive)} labeled."
            )
        as_positive, as_negative = _losses(logits, self.surrogate)
        given = torch.ones_like(logits) if weights is None else weights
        known, rest = given[positive], given[~positive]
        positive_risk = self.prior * (known * as_positive[positive]).sum() / known.sum()
        negative_risk = (rest * as_negative[~positive]).sum() / rest.sum()
        negative_risk = (
            negative_risk - self.prior * (known * as_negative[positive]).sum() / known.sum()
        )
        if self.balance is None:
            return positive_risk, negative_risk
        return (
            positive_risk * (self.balance / self.prior),
            negative_risk * ((1 - self.balance) / (1 - self.prior)),
        )

    def forward(self, logits: Tensor, labeled: Tensor, weights: Tensor | None = None) -> Tensor:
        """A scalar whose gradient is the step of the method.

        Parameters
        ----------
        logits : Tensor of shape (n,)
        labeled : Tensor of shape (n,), 1 for a labeled positive, 0 for an unlabeled object
        weights : Tensor of shape (n,), optional
        """
        positive_risk, negative_risk = self.risks(logits, labeled, weights)
        if self.non_negative and negative_risk < -self.beta:
            # Value of the objective, gradient of −γ (R_U⁻ − π R_P⁻).
            step = -self.gamma * negative_risk
            value = positive_risk + negative_risk.clamp_min(0)
            return step + (value - step).detach()
        return positive_risk + negative_risk
