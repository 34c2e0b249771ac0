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
EVEN = torch.ones(4)
P_TRUE = np.array(
    [1 / (1 + np.exp(-2)), 1 / (1 + np.exp(-1)), 1 / (1 + np.exp(0.5)), 1 / (1 + np.exp(3))]
)


def test_cross_entropy():
    loss = make_loss("cross_entropy", 0.5, 0.01)
    assert float(loss(LOGITS, LABELS, EVEN)) == pytest.approx(-np.log(P_TRUE).mean())


def test_balanced_weighs_lenses_by_their_rarity():
    """At a share of 1/5 a lens counts four times."""
    weights = np.array([4, 1, 1, 4])
    loss = make_loss("balanced", 0.2, 0.01)
    assert float(loss(LOGITS, LABELS, EVEN)) == pytest.approx(-(weights * np.log(P_TRUE)).mean())


def test_focal_loss_forgets_what_is_easy():
    expected = -((1 - P_TRUE) ** 2 * np.log(P_TRUE)).mean()
    assert float(focal_loss(LOGITS, LABELS, EVEN)) == pytest.approx(expected)


def test_nnpu_of_a_batch_of_one_kind_has_no_gradient():
    loss = make_loss("nnpu", 0.5, 0.01)
    logits = LOGITS.clone().requires_grad_()
    loss(logits, torch.zeros(4), EVEN).backward()
    assert float(logits.grad.abs().sum()) == 0
    assert float(loss(LOGITS, LABELS, EVEN)) > 0


@pytest.mark.parametrize("name", ["cross_entropy", "balanced", "focal", "nnpu"])
def test_a_weight_counts_as_so_many_objects(name):
    """Weight 3 is three copies; a label of weight 0 has no gradient."""
    loss = make_loss(name, 0.5, 0.01)
    weights = torch.tensor([3.0, 1.0, 0.0, 2.0])
    logits = LOGITS.clone().requires_grad_()
    weighted = loss(logits, LABELS, weights)
    copies = torch.tensor([0, 0, 0, 1, 3, 3])
    repeated = loss(LOGITS[copies], LABELS[copies], torch.ones(6))
    assert float(weighted.detach()) == pytest.approx(float(repeated), rel=1e-5)
    weighted.backward()
    assert float(logits.grad[2]) == 0


def test_an_unknown_loss_is_named():
    with pytest.raises(BadInputError, match="hinge"):
        make_loss("hinge", 0.5, 0.01)
