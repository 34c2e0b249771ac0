"""Networks made ready for scoring are the networks that were trained."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from lensing_core.models.networks import MetadataField, NetworkSpec, build_network
from lensing_core.models.networks.arc_aware import PositionalPrior
from lensing_core.models.networks.folding import for_scoring

FIELD = MetadataField("redshift", 0.3, 0.1)


def trained(backbone: str, **spec):
    """A network whose normalizations have statistics and weights that are not those at birth."""
    torch.manual_seed(3)
    network = build_network(NetworkSpec(backbone, 3, 40, **spec))
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.running_mean, std=0.3)
            nn.init.uniform_(module.running_var, 0.5, 2.0)
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.normal_(module.bias, std=0.3)
        elif isinstance(module, PositionalPrior):  # it begins at 0
            nn.init.normal_(module.out.weight, std=0.3)
    return network.eval()


@pytest.mark.parametrize(
    ("backbone", "spec", "folds"),
    [
        ("resnet10t", {}, True),
        ("resnet18", {"options": {"small_stem": True}}, True),
        ("resnet10t", {"metadata": (FIELD,), "options": {"film_at": "stages"}}, True),
        ("resnet10t", {"pooling": "mil", "options": {"patch_px": 20, "stride_px": 20}}, True),
        ("mobilenetv3_small_100", {}, True),
        ("convnext_atto", {}, False),
        ("arc_aware", {}, True),
        ("arc_aware", {"options": {"prior": False}}, True),
    ],
)
@torch.no_grad()
def test_the_copy_gives_the_same_logits(backbone, spec, folds):
    network = trained(backbone, **spec)
    images = torch.randn(5, 3, 40, 40)
    metadata = torch.randn(5, 1) if "metadata" in spec else None
    before = network(images, metadata)
    ready = for_scoring(network, bf16=False)
    ready(images.flip(0), metadata)  # what it keeps of one batch serves every other
    after = ready(images, metadata)
    torch.testing.assert_close(after.logit, before.logit, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(after.embedding, before.embedding, rtol=1e-4, atol=1e-4)
    assert folds == (
        any(isinstance(m, nn.BatchNorm2d) for m in network.modules())
        and not any(isinstance(m, nn.BatchNorm2d) for m in ready.modules())
    )
    # the trained network is left as it was
    torch.testing.assert_close(network(images, metadata).logit, before.logit, rtol=0, atol=0)


@torch.no_grad()
def test_bf16_weights_change_logits_little():
    network = trained("resnet10t")
    images = torch.randn(16, 3, 40, 40)
    ready = for_scoring(network, bf16=True)
    with torch.autocast("cpu", torch.bfloat16):
        half = ready(images).logit
    assert half.dtype == torch.float32
    full = network(images).logit
    assert float((half - full).abs().max()) < 0.05 * float(full.std()) + 0.02
