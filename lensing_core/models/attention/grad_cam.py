"""Grad-CAM: the features of a late layer, weighed by the mean gradient of the logit."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from captum.attr import LayerGradCam
from timm.models import ResNet
from torch import Tensor, nn

from lensing_core.arrays import Float64Array
from lensing_core.models.attention.cells import between
from lensing_core.models.attention.maps import AttentionMap, NoAttentionError
from lensing_core.models.networks import LensNetwork
from lensing_core.models.networks.timm_encoder import TimmEncoder

MIN_CELLS = 6
"""Cells a side that a map needs to tell one part of a cutout from another."""


def grad_cam(
    network: LensNetwork, encoder: TimmEncoder, images: Tensor, metadata: Tensor | None
) -> AttentionMap:
    size = images.shape[-1]
    name, shape = _layer(network, encoder, images, metadata)

    def forward(batch: Tensor) -> Tensor:
        return network(batch, metadata).logit

    with torch.enable_grad():
        # captum differentiates with respect to its input as well.
        cells = LayerGradCam(forward, encoder.get_submodule(name)).attribute(
            images.clone().requires_grad_()
        )
    cam = cells.detach()[0, 0].double().cpu().numpy()
    with torch.no_grad():
        logit = float(forward(images))
    low = (encoder.padded_px - size) // 2 if encoder.size_px is not None else 0
    centers = _cell_centers(network, encoder, name, images, metadata) - low
    return AttentionMap(
        "grad_cam",
        between(cam, centers, size),
        (encoder.padded_px if encoder.size_px is not None else size) / max(shape),
        float(np.maximum(cam, 0).sum()),
        logit,
        exact=name == "last_map" and _adds_up(network, encoder),
    )


def _adds_up(network: LensNetwork, encoder: TimmEncoder) -> bool:
    """Return whether the last features become the logit by a mean and a linear map alone."""
    pooled = getattr(encoder.net, "num_features", None) == network.embedding_dim
    return (
        pooled
        and isinstance(encoder.net, ResNet)
        and len(network.lens_head.layers) == 1
        and network.conditioning is None
    )


def _layer(
    network: LensNetwork, encoder: TimmEncoder, images: Tensor, metadata: Tensor | None
) -> tuple[str, tuple[int, int]]:
    """Name and cells of the deepest layer with enough of them, else of the finest that there is."""
    names = [f"net.{site}" for site in encoder.sites] if not encoder.channels_last else []
    names.append("last_map")
    shapes = _outputs(network, encoder, names, images, metadata)
    maps = {k: (s[2], s[3]) for k, s in shapes.items() if len(s) == 4 and min(s[2:]) > 1}
    if not maps:
        raise NoAttentionError(
            f"{network.spec.backbone} pools its features to one cell on {images.shape[-1]} px: "
            "there is no map to show."
        )
    enough = [name for name, cells in maps.items() if min(cells) >= MIN_CELLS]
    chosen = enough[-1] if enough else max(maps, key=lambda name: maps[name][0])
    return chosen, maps[chosen]


def _outputs(
    network: LensNetwork,
    encoder: TimmEncoder,
    names: list[str],
    images: Tensor,
    metadata: Tensor | None,
) -> dict[str, torch.Size]:
    """Shapes of what layers give, in the order of ``names``."""
    seen: dict[str, torch.Size] = {}

    def look(name: str) -> Any:
        def hook(_module: nn.Module, _args: Any, output: Tensor) -> None:
            seen[name] = output.shape

        return hook

    hooks = [(encoder.get_submodule(name), look(name)) for name in names]
    _run_with_hooks(network, images, metadata, hooks)
    return {name: seen[name] for name in names if name in seen}


def _run_with_hooks(
    network: LensNetwork,
    images: Tensor,
    metadata: Tensor | None,
    hooks: Sequence[tuple[nn.Module, Callable[[nn.Module, Any, Any], None]]],
) -> None:
    """Run a network once, with a forward hook on each of some modules."""
    handles = [module.register_forward_hook(hook) for module, hook in hooks]
    try:
        with torch.no_grad():
            network(images, metadata)
    finally:
        for handle in handles:
            handle.remove()


def _cell_centers(
    network: LensNetwork,
    encoder: TimmEncoder,
    name: str,
    images: Tensor,
    metadata: Tensor | None,
) -> Float64Array:
    """Centers of a layer's cells along an axis, in pixels of the backbone's input.

    A strided convolution of kernel k, stride s and padding p puts its first cell at
    (k − 1) / 2 − p of its input, which is not the middle of its s pixels: on a
    ResNet, cells drawn evenly would lie half a cell off. Each halving is counted once, where it
    first happens. If the layers do not account for the number of cells (patches merged by other
    means), cells are spread evenly.
    """
    steps: dict[int, tuple[float, float]] = {}
    open_: list[bool] = [True]

    def count(module: nn.Module, args: Any, output: Any) -> None:
        if not open_[0] or not isinstance(output, Tensor) or output.dim() != 4:
            return
        before, after = args[0].shape[-1], output.shape[-1]
        if after < before and before not in steps:
            kernel, stride, padding = (
                _last(getattr(module, name)) for name in ("kernel_size", "stride", "padding")
            )
            steps[before] = (stride, (kernel - 1) / 2 - padding)

    def close(_module: nn.Module, _args: Any, output: Tensor) -> None:
        open_[0] = False
        steps[-1] = (float(output.shape[-1]), 0.0)

    kinds = (nn.Conv2d, nn.MaxPool2d, nn.AvgPool2d)
    layers = [m for m in encoder.modules() if isinstance(m, kinds)]
    hooks = [*((layer, count) for layer in layers), (encoder.get_submodule(name), close)]
    _run_with_hooks(network, images, metadata, hooks)
    cells = int(steps.pop(-1)[0])
    size = encoder.padded_px if encoder.size_px is not None else images.shape[-1]
    first, jump, width = 0.0, 1.0, size
    while width in steps:
        stride, shift = steps.pop(width)
        first += shift * jump
        jump *= stride
        width = math.ceil(width / stride)
        if steps and width not in steps:  # an odd size without padding loses its last pixel
            width = min(steps, key=lambda w: abs(w - width))
    if abs(width - cells) > 1 or steps:
        jump = size / cells
        first = (jump - 1) / 2
    return np.asarray(first + jump * np.arange(cells))


def _last(value: Any) -> float:
    return float(value[-1] if isinstance(value, tuple) else value)
