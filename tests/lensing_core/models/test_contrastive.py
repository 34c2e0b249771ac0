from __future__ import annotations

import itertools
import math

import pytest
import torch
from torch import nn

from lensing_core.models.contrastive import MomentumContrast, contrastive_loss, momentum_at


def test_loss_of_orthogonal_pairs_has_a_closed_form():
    n, tau = 8, 0.2
    loss = contrastive_loss(torch.eye(n), torch.eye(n), tau)
    expected = 2 * tau * (math.log(math.exp(1 / tau) + n - 1) - 1 / tau)
    assert float(loss) == pytest.approx(expected, rel=1e-5)


def test_loss_of_collapsed_embeddings_is_that_of_guessing():
    n, tau = 16, 0.3
    same = torch.ones(n, 4)
    assert float(contrastive_loss(same, same, tau)) == pytest.approx(2 * tau * math.log(n))


def test_no_gradient_reaches_the_keys():
    queries, keys = torch.rand(4, 3, requires_grad=True), torch.rand(4, 3, requires_grad=True)
    contrastive_loss(queries, keys, 0.2).backward()
    assert keys.grad is None
    assert queries.grad.abs().sum() > 0


def test_momentum_rises_to_one():
    values = [momentum_at(k, 100, start=0.9) for k in range(101)]
    assert values[0] == pytest.approx(0.9)
    assert values[-1] == pytest.approx(1.0)
    assert all(b >= a for a, b in itertools.pairwise(values))


def test_keys_are_a_moving_average():
    torch.manual_seed(0)
    net = MomentumContrast(nn.Linear(3, 2), 2, hidden_dim=4, projection_dim=2)
    before = net.key_encoder.weight.clone()
    with torch.no_grad():
        net.encoder.weight.add_(1.0)
    net.update_keys(0.75)
    torch.testing.assert_close(net.key_encoder.weight, before + 0.25)


def test_training_brings_views_of_one_object_together():
    """Objects are points of a circle seen through two noisy random projections."""
    torch.manual_seed(0)
    encoder = nn.Sequential(nn.Flatten(), nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 16))
    net = MomentumContrast(encoder, 16, hidden_dim=64, projection_dim=16)
    optimizer = torch.optim.AdamW(
        [p for p in net.parameters() if p.requires_grad], lr=3e-3, weight_decay=1e-4
    )
    basis = torch.randn(4, 64)

    def views(n: int):
        content = torch.randn(n, 4) @ basis
        return tuple((content + 0.5 * torch.randn(n, 64)).reshape(n, 1, 8, 8) for _ in range(2))

    losses = []
    for step in range(150):
        loss = net(*views(64))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        net.update_keys(momentum_at(step, 150))
        losses.append(loss.item())
    assert sum(losses[-10:]) < 0.6 * sum(losses[:10])

    net.eval()
    with torch.no_grad():
        first, second = views(256)
        a = nn.functional.normalize(encoder(first), dim=1)
        b = nn.functional.normalize(encoder(second), dim=1)
    found = (a @ b.T).argmax(dim=1) == torch.arange(256)
    assert found.float().mean() > 0.5  # chance is 1/256
