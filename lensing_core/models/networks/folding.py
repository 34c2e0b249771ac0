"""Networks made ready for scoring: the same function with fewer passes over memory."""

from __future__ import annotations

import copy
from typing import Any

import torch
from torch import fx, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from lensing_core.models.networks.arc_aware import ArcAwareEncoder
from lensing_core.models.networks.network import LensNetwork
from lensing_core.models.networks.timm_encoder import TimmEncoder


def for_scoring(network: LensNetwork, *, bf16: bool) -> LensNetwork:
    """A copy in evaluation mode, with batch normalisation folded into convolutions.

    A normalisation with fixed statistics is a linear map of channels, which the convolution before
    it can do by itself. Backbones of timm whose only normalisations are such ones (ResNets) are
    folded, and the stem of the arc-aware transformer, whose attention biases, the same for every
    image, are computed once; others stay as they are. Under ``bf16`` what is folded keeps its
    weights in that type, so that autocast need not cast them at every pass.
    """
    ready = copy.deepcopy(network).eval()
    if isinstance(ready.encoder, TimmEncoder):
        _fold(ready.encoder.net, bf16=bf16)
    elif isinstance(ready.encoder, ArcAwareEncoder):
        _fold(ready.encoder.stem, bf16=bf16)
        ready.encoder.keep_bias()
    return ready


def _fold(net: Any, *, bf16: bool) -> None:
    """Fold all batch normalisations of ``net`` in place, or none."""
    norms = [m for m in net.modules() if isinstance(m, nn.BatchNorm2d)]
    pairs = _convolutions_with_norms(net) if norms else []
    if not norms or len(pairs) != len(norms):
        return
    for convolution, norm in pairs:
        fused = fuse_conv_bn_eval(net.get_submodule(convolution), net.get_submodule(norm))
        net.set_submodule(convolution, fused)
        net.set_submodule(norm, nn.Identity())
    if bf16:
        net.to(torch.bfloat16)


def _convolutions_with_norms(net: nn.Module) -> list[tuple[str, str]]:
    """Names of plain batch normalisations and of the convolutions that feed them alone."""
    try:
        graph = fx.symbolic_trace(net).graph
    except (fx.proxy.TraceError, TypeError):  # the way through the network depends on its input
        return []
    pairs = []
    for node in graph.nodes:
        if node.op != "call_module" or type(net.get_submodule(node.target)) is not nn.BatchNorm2d:
            continue
        before = node.args[0]
        if (
            before.op == "call_module"
            and type(net.get_submodule(before.target)) is nn.Conv2d
            and len(before.users) == 1
        ):
            pairs.append((before.target, node.target))
    return pairs
