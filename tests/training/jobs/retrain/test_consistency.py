"""Weak-strong consistency: what strong views change, and what counts in the loss."""

from __future__ import annotations

import math

import pytest
import torch

from lens_triage.training.jobs.retrain.consistency import (
    consistency_loss,
    noise_variance,
    strong_view,
)
from lensing_core.models.networks import AugmentationSpec

SPEC = AugmentationSpec(24, max_shift_px=2, max_noise=1, max_extra_psf_fwhm_px=1.5)


@pytest.fixture
def flux():
    generator = torch.Generator().manual_seed(0)
    noise = torch.randn(6, 2, 24, 24, generator=generator)
    y, x = torch.meshgrid(torch.arange(24.0), torch.arange(24.0), indexing="ij")
    galaxy = 30 * torch.exp(-((x - 11.5) ** 2 + (y - 11.5) ** 2) / 18)
    return galaxy * torch.tensor([1.0, 3.0])[:, None, None] + noise


def test_strong_views_keep_the_size_and_the_color(flux):
    seen = strong_view(flux, SPEC, torch.Generator().manual_seed(1))
    assert seen.shape == flux.shape
    assert not torch.allclose(seen, flux)
    color = seen[:, 1].sum((-2, -1)) / seen[:, 0].sum((-2, -1))
    assert torch.allclose(color, torch.full((6,), 3.0), rtol=0.1)
    again = strong_view(flux, SPEC, torch.Generator().manual_seed(1))
    assert torch.equal(seen, again)


def test_noise_is_that_of_the_sky_not_of_the_galaxy(flux):
    variance = noise_variance(flux)
    assert variance.shape == flux.shape
    assert ((variance > 0.5) & (variance < 2)).all()
    flux[0, 0] = math.nan
    assert (noise_variance(flux)[0, 0] == 0).all()


def test_only_what_is_sure_counts_whichever_class_it_is():
    opinion = torch.tensor([0.99, 0.02, 0.6])
    logit = torch.tensor([-2.0, -2.0, 5.0], requires_grad=True)
    loss, sure = consistency_loss(opinion, logit, 0.95)
    wanted = (math.log1p(math.exp(2.0)) + math.log1p(math.exp(-2.0))) / 3
    assert loss.item() == pytest.approx(wanted, rel=1e-5)
    assert sure.item() == pytest.approx(2 / 3)
    loss.backward()
    assert logit.grad[2] == 0
    assert logit.grad[0] < 0 < logit.grad[1]
