"""nnPU and uPU on embeddings or features: a linear head or a small network, in seconds."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from scipy.special import logit
from torch import Tensor, nn

from lensing_core.arrays import Float32Array, IntArray
from lensing_core.calibration import shift_prior
from lensing_core.pu.contract import (
    IntervalEstimate,
    Link,
    PUMethod,
    PUModel,
    check_prior,
    sample_unlabeled,
)
from lensing_core.pu.learners import DenseScorer, Standardizer
from lensing_core.pu.losses import NonNegativePULoss, Surrogate

ROWS_TO_STANDARDIZE = 20_000


@dataclass(frozen=True)
class NNPU(PUMethod):
    """Non-negative PU learning (Kiryo et al. 2017), see :class:`NonNegativePULoss`.

    Each step takes a batch of labeled positives and one of unlabeled objects, both of their own
    size, so that a small class prior does not starve the positive term.

    Attributes
    ----------
    prior : float
        Class prior π of the unlabeled objects. The logit estimates P(y=1 | x) at it.
    hidden : tuple of int
        Units of the hidden layers; () is a linear model.
    balance : float or None
        α of imbalanced nnPU; the logits are moved from prior α to π afterwards. None: plain nnPU,
        whose positive term vanishes for small π.
    surrogate : {'logistic', 'sigmoid'}
        Only 'logistic' makes the logits log-odds.
    """

    prior: float
    hidden: tuple[int, ...] = (64,)
    balance: float | None = 0.5
    surrogate: Surrogate = "logistic"
    epochs: int = 10
    min_steps: int = 500
    max_steps: int = 3000
    unlabeled_batch: int = 1024
    positive_batch: int = 256
    learning_rate: float = 3e-3
    weight_decay: float = 1e-2
    seed: int = 0

    name: ClassVar[str] = "nnpu"
    non_negative: ClassVar[bool] = True

    def __post_init__(self) -> None:
        check_prior(self.prior)
        self._loss()

    def _loss(self) -> NonNegativePULoss:
        return NonNegativePULoss(
            self.prior,
            surrogate=self.surrogate,
            non_negative=self.non_negative,
            balance=self.balance,
        )

    def _fit(self, x: Float32Array, s: IntArray, groups: IntArray) -> PUModel:
        del groups  # nothing is held out
        rng = np.random.default_rng(self.seed)
        rows, _ = sample_unlabeled(s, ROWS_TO_STANDARDIZE, rng)
        standardizer = Standardizer.measure(x[rows])
        network = _network(x.shape[1], self.hidden, self.balance or self.prior, self.seed)
        negative_steps = self._train(network, standardizer, x, s, rng)
        layers = [module for module in network if isinstance(module, nn.Linear)]
        scorer = DenseScorer(
            standardizer,
            tuple(layer.weight.detach().numpy().T.copy() for layer in layers),
            tuple(layer.bias.detach().numpy().copy() for layer in layers),
        )
        shift = 0.0 if self.balance is None else float(shift_prior(0, self.balance, self.prior))
        return PUModel(
            self.name,
            (scorer,),
            Link(shift=shift),
            x.shape[1],
            prior=IntervalEstimate(self.prior),
            diagnostics={"share_of_steps_with_negative_risk": negative_steps},
        )

    def _train(
        self,
        network: nn.Sequential,
        standardizer: Standardizer,
        x: Float32Array,
        s: IntArray,
        rng: np.random.Generator,
    ) -> float:
        """Train in place; return in what share of steps the negative risk was below zero."""
        loss = self._loss()
        positive, unlabeled = np.flatnonzero(s == 1), np.flatnonzero(s == 0)
        n_positive = min(self.positive_batch, len(positive))
        n_unlabeled = min(self.unlabeled_batch, len(unlabeled))
        an_epoch = math.ceil(len(unlabeled) / n_unlabeled)
        steps = min(max(self.epochs * an_epoch, self.min_steps), self.max_steps)
        labeled = torch.arange(n_positive + n_unlabeled) < n_positive
        optimizer = torch.optim.AdamW(
            network.parameters(), lr=self.learning_rate, weight_decay=self.weight_decay
        )
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
        from_positive, from_unlabeled = _Deck(positive, rng), _Deck(unlabeled, rng)
        below = 0
        for _ in range(steps):
            rows = np.concatenate([from_positive(n_positive), from_unlabeled(n_unlabeled)])
            batch = torch.from_numpy(standardizer(x[rows]))
            logits: Tensor = network(batch)[:, 0]
            value = loss(logits, labeled)
            optimizer.zero_grad()
            value.backward()
            optimizer.step()
            schedule.step()
            below += float(loss.risks(logits.detach(), labeled)[1]) < 0
        return below / steps


@dataclass(frozen=True)
class UPU(NNPU):
    """Unbiased PU learning (du Plessis, Niu & Sugiyama 2015, ICML, 1386).

    Its risk has no lower bound and a flexible network over-fits it, so the default is linear.
    """

    hidden: tuple[int, ...] = ()
    learning_rate: float = 3e-2

    name: ClassVar[str] = "upu"
    non_negative: ClassVar[bool] = False


class _Deck:
    """Deals rows in random order, and shuffles anew when they run out."""

    def __init__(self, rows: IntArray, rng: np.random.Generator) -> None:
        self.rows, self.rng = rng.permutation(rows), rng
        self.next = 0

    def __call__(self, count: int) -> IntArray:
        if self.next + count > len(self.rows):
            self.rows, self.next = self.rng.permutation(self.rows), 0
        self.next += count
        return self.rows[self.next - count : self.next]


def _network(inputs: int, hidden: tuple[int, ...], prior: float, seed: int) -> nn.Sequential:
    """Layers drawn from a generator of their own; the last starts without weights, at ``prior``."""
    generator = torch.Generator().manual_seed(seed)
    sizes = (inputs, *hidden, 1)
    modules: list[nn.Module] = []
    for k, (fan_in, fan_out) in enumerate(itertools.pairwise(sizes)):
        layer = nn.Linear(fan_in, fan_out)
        with torch.no_grad():
            layer.bias.zero_() if k < len(hidden) else layer.bias.fill_(logit(prior))
            if k < len(hidden):
                layer.weight.normal_(0, math.sqrt(2 / fan_in), generator=generator)
            else:
                layer.weight.zero_()
        modules += [layer] if k == len(hidden) else [layer, nn.ReLU()]
    return nn.Sequential(*modules)
