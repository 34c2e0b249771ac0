"""Networks made ready for scoring: the same function with fewer passes over memory."""

from __future__ import annotations

import copy
from typing import Any

import torch
from timm.layers import BatchNormAct2d, Conv2dSame
from torch import fx, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from lensing_core.models.networks.arc_aware import ArcAwareEncoder
from lensing_core.models.networks.network import LensNetwork
from lensing_core.models.networks.timm_encoder import TimmEncoder


def for_scoring(network: LensNetwork, *, bf16: bool) -> LensNetwork:
    """A copy in evaluation mode, with batch normalization folded into convolutions.

    A normalization with fixed statistics is a linear map of channels, which the convolution before
    it can do by itself. Backbones of timm whose only normalizations are such ones (ResNets,
    EfficientNets) are folded, and the stem of the arc-aware transformer, whose attention biases,
    the same for every image, are computed once; others stay as they are. Under ``bf16`` what is
    folded keeps its weights in that type, so that autocast need not cast them at every pass.
    """
    ready = copy.deepcopy(network).eval()
    if isinstance(ready.encoder, TimmEncoder):
        fold_normalizations(ready.encoder.net, bf16=bf16)
    elif isinstance(ready.encoder, ArcAwareEncoder):
        fold_normalizations(ready.encoder.stem, bf16=bf16)
        ready.encoder.keep_bias()
    return ready


def fold_normalizations(net: Any, *, bf16: bool) -> None:
    """Fold all batch normalizations of ``net`` in place, or none."""
    norms = [m for m in net.modules() if isinstance(m, nn.BatchNorm2d)]
    pairs = _convolutions_with_norms(net) if norms else []
    if not norms or len(pairs) != len(norms):
        return
    for convolution, norm in pairs:
        replaced = net.get_submodule(norm)
        fused = fuse_conv_bn_eval(net.get_submodule(convolution), replaced)
        net.set_submodule(convolution, fused)
        after = replaced.act if isinstance(replaced, BatchNormAct2d) else nn.Identity()
        net.set_submodule(norm, after)
    if bf16:
        net.to(torch.bfloat16)


class _Tracer(fx.Tracer):
    """Takes timm's convolutions and normalizations with their activation as one step."""

    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        return isinstance(m, BatchNormAct2d | Conv2dSame) or super().is_leaf_module(
            m, module_qualified_name
        )


def _convolutions_with_norms(net: nn.Module) -> list[tuple[str, str]]:
    """Names of plain batch normalizations and of the convolutions that feed them alone."""
    try:
        graph = _Tracer().trace(net)
    except (fx.proxy.TraceError, TypeError):  # the way through the network depends on its input
        return []
    pairs = []
    for node in graph.nodes:
        if node.op != "call_module":
            continue
        if type(net.get_submodule(node.target)) not in (nn.BatchNorm2d, BatchNormAct2d):
            continue
        before = node.args[0]
        if (
            before.op == "call_module"
            and type(net.get_submodule(before.target)) in (nn.Conv2d, Conv2dSame)
            and len(before.users) == 1
        ):
            pairs.append((before.target, node.target))
    return pairs
