from __future__ import annotations

import numpy as np
import pytest
import torch

from lensing_core.errors import BadInputError
from lensing_core.pu import NonNegativePULoss


def sample(n, prior, label_frequency, seed=0, shift=2.0):
    rng = np.random.default_rng(seed)
    y = rng.random(n) < prior
    x = rng.normal(size=n) + shift * y
    s = y & (rng.random(n) < label_frequency)
    return torch.tensor(x, dtype=torch.float32), torch.tensor(s), torch.tensor(y)


def fit(loss, x, s, *, terms=1, steps=400):
    torch.manual_seed(0)
    weights = torch.zeros(terms + 1, requires_grad=True)
    basis = torch.stack([x**k for k in range(terms + 1)], dim=1)
    optimizer = torch.optim.LBFGS([weights], max_iter=steps, line_search_fn="strong_wolfe")

    def closure():
        optimizer.zero_grad()
        value = loss(basis @ weights, s)
        value.backward()
        return value

    optimizer.step(closure)
    return weights.detach().numpy()


def test_logistic_upu_recovers_the_posterior_of_two_gaussians():
    """With x|y normal, log-odds are linear: slope = shift, intercept known (case-control)."""
    prior, shift = 0.3, 2.0
    x_u, _, _ = sample(300_000, prior, 0.0, seed=1)
    x_p = torch.tensor(np.random.default_rng(2).normal(size=30_000) + shift).float()
    x = torch.cat([x_p, x_u])
    s = torch.cat([torch.ones(len(x_p)), torch.zeros(len(x_u))])
    intercept, slope = fit(NonNegativePULoss(prior, surrogate="logistic"), x, s)
    assert slope == pytest.approx(shift, abs=0.05)
    assert intercept == pytest.approx(np.log(prior / (1 - prior)) - shift**2 / 2, abs=0.06)


def test_the_balanced_form_moves_the_prior_as_stated():
    prior, alpha, shift = 0.05, 0.5, 2.0
    x_u, _, _ = sample(600_000, prior, 0.0, seed=3)
    x_p = torch.tensor(np.random.default_rng(4).normal(size=60_000) + shift).float()
    x, s = torch.cat([x_p, x_u]), torch.cat([torch.ones(len(x_p)), torch.zeros(len(x_u))])
    intercept, slope = fit(NonNegativePULoss(prior, surrogate="logistic", balance=alpha), x, s)
    assert slope == pytest.approx(shift, abs=0.1)
    assert intercept == pytest.approx(-(shift**2) / 2, abs=0.12)  # log-odds at prior 1/2


def test_risk_is_the_risk_of_supervised_learning():
    prior = 0.4
    x_u, _, y = sample(400_000, prior, 0.0, seed=5)
    x_p = torch.tensor(np.random.default_rng(6).normal(size=200_000) + 2.0).float()
    scorer = lambda x: 1.5 * x - 1.0  # noqa: E731 - one expression
    logits = torch.cat([scorer(x_p), scorer(x_u)])
    s = torch.cat([torch.ones(len(x_p)), torch.zeros(len(x_u))])
    positive, negative = NonNegativePULoss(prior).risks(logits, s)
    truth = torch.sigmoid(torch.where(y, -scorer(x_u), scorer(x_u))).mean()
    assert float(positive + negative) == pytest.approx(float(truth), abs=0.003)


def test_a_negative_risk_below_zero_reverses_the_step():
    logits = torch.tensor([5.0, 5.0, -9.0, -9.0], requires_grad=True)
    s = torch.tensor([1, 1, 0, 0])
    loss = NonNegativePULoss(0.5)
    positive, negative = loss.risks(logits, s)
    assert negative < 0
    value = loss(logits, s)
    assert value.item() == pytest.approx(positive.item(), rel=1e-4)
    (gradient,) = torch.autograd.grad(value, logits)
    (raw,) = torch.autograd.grad(loss.risks(logits, s)[1], logits)
    torch.testing.assert_close(gradient, -raw)
    (free,) = torch.autograd.grad(NonNegativePULoss(0.5, non_negative=False)(logits, s), logits)
    assert not torch.allclose(free, gradient)


@pytest.mark.parametrize("prior", [0.0, 1.0, -1, 2])
def test_bad_prior(prior):
    with pytest.raises(BadInputError, match="Class prior"):
        NonNegativePULoss(prior)


@pytest.mark.parametrize("labels", [[0, 0], [1, 1]])
def test_one_sided_batches_are_said(labels):
    with pytest.raises(BadInputError, match="needs labeled positives and unlabeled"):
        NonNegativePULoss(0.1)(torch.zeros(2), torch.tensor(labels))
