"""Losses against values worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from lens_triage.training.jobs.train.losses import (
    focal_loss,
    make_loss,
)
from lensing_core.errors import BadInputError

LOGITS = torch.tensor([2.0, -1.0, 0.5, -3.0])
LABELS = torch.tensor([1.0, 0.0, 0.0, 1.0])
P_TRUE = np.array(
    [1 / (1 + np.exp(-2)), 1 / (1 + np.exp(-1)), 1 / (1 + np.exp(0.5)), 1 / (1 + np.exp(3))]
)


def test_cross_entropy():
    loss = make_loss("cross_entropy", 0.5, 0.01)
    assert float(loss(LOGITS, LABELS)) == pytest.approx(-np.log(P_TRUE).mean())


def test_balanced_weighs_lenses_by_their_rarity():
    """At a share of 1/5 a lens counts four times."""
    weights = np.array([4, 1, 1, 4])
    loss = make_loss("balanced", 0.2, 0.01)
    assert float(loss(LOGITS, LABELS)) == pytest.approx(-(weights * np.log(P_TRUE)).mean())


def test_focal_loss_forgets_what_is_easy():
    expected = -((1 - P_TRUE) ** 2 * np.log(P_TRUE)).mean()
    assert float(focal_loss(LOGITS, LABELS)) == pytest.approx(expected)


def test_nnpu_of_a_batch_of_one_kind_has_no_gradient():
    loss = make_loss("nnpu", 0.5, 0.01)
    logits = LOGITS.clone().requires_grad_()
    loss(logits, torch.zeros(4)).backward()
    assert float(logits.grad.abs().sum()) == 0
    assert float(loss(LOGITS, LABELS)) > 0


def test_an_unknown_loss_is_named():
    with pytest.raises(BadInputError, match="hinge"):
        make_loss("hinge", 0.5, 0.01)
