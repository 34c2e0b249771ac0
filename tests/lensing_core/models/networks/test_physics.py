"""The auxiliary task: what it knows, what it leaves alone, that it can be learned."""

from __future__ import annotations

import math

import pytest
import torch

from lensing_core.models.networks.physics import CELLS, MassHead

SIZE_ARCSEC = 12.0


@pytest.fixture
def head():
    torch.manual_seed(0)
    return MassHead(8, SIZE_ARCSEC)


def still(n: int) -> torch.Tensor:
    return torch.zeros(n, dtype=torch.long)


def test_objects_whose_mass_is_unknown_teach_nothing(head):
    embedding = torch.randn(4, 8, requires_grad=True)
    truth = torch.full((4, 4), math.nan)
    loss = head.loss(embedding, truth, still(4))
    assert loss.item() == 0
    loss.backward()
    assert embedding.grad is not None
    assert not embedding.grad.any()
    assert all(p.grad is not None for p in head.parameters())  # processes wait for every one

    truth[2] = torch.tensor([1.5, 0.7, 0.2, math.nan])
    embedding.grad = None
    head.loss(embedding, truth, still(4)).backward()
    assert embedding.grad[2].abs().sum() > 0
    assert not embedding.grad[[0, 1, 3]].any()


def test_turning_the_image_turns_the_mass(head):
    """The same as turning the lens: code 4 swaps x and y, an angle φ becomes π/2 − φ."""
    embedding = torch.randn(1, 8)
    angle = 0.3
    turned = head.loss(embedding, torch.tensor([[1.5, 0.6, angle, 2.1]]), still(1) + 4)
    other = head.loss(embedding, torch.tensor([[1.5, 0.6, math.pi / 2 - angle, 2.1]]), still(1))
    unturned = head.loss(embedding, torch.tensor([[1.5, 0.6, angle, 2.1]]), still(1))
    torch.testing.assert_close(turned, other)
    assert (turned - unturned).abs().item() > 1e-4


def test_it_finds_the_potential_of_a_lens():
    """Fitted to one isothermal sphere, ψ is θ_E r up to what a Laplacian does not see."""
    torch.manual_seed(1)
    head = MassHead(4, SIZE_ARCSEC)
    embedding, truth = torch.ones(1, 4), torch.tensor([[2.0, 0.999, 0.0, 2.0]])
    optimizer = torch.optim.Adam(head.parameters(), lr=0.02)
    first = head.loss(embedding, truth, still(1)).item()
    for _ in range(1500):
        optimizer.zero_grad()
        loss = head.loss(embedding, truth, still(1))
        loss.backward()
        optimizer.step()
    assert loss.item() < 1e-3 * first
    potential, log_radius = head(embedding)
    assert log_radius.exp().item() == pytest.approx(2.0, rel=0.02)
    # The flux of ∇ψ through the border of the inner cells is twice the mass within: 2 · π θ_E r.
    step = SIZE_ARCSEC / CELLS
    p = potential[0].detach()
    flux = (
        (p[0, 1:-1] - p[1, 1:-1]).sum()
        + (p[-1, 1:-1] - p[-2, 1:-1]).sum()
        + (p[1:-1, 0] - p[1:-1, 1]).sum()
        + (p[1:-1, -1] - p[1:-1, -2]).sum()
    )
    half = (CELLS - 2) * step / 2
    # ∫ κ over the square of half side a is 4 θ_E a asinh(1)
    assert flux.item() == pytest.approx(2 * 4 * 2.0 * half * math.asinh(1), rel=0.02)
