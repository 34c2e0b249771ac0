"""Attention of a network for one cutout, in the pixels that the network sees."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from captum.attr import LayerGradCam
from numpy.typing import NDArray
from timm.models import ResNet
from torch import Tensor, nn

from lensing_core.errors import BadInputError
from lensing_core.models.attention.maps import AttentionMap, Method, NoAttentionError
from lensing_core.models.networks import LensNetwork, attention_rollout, dihedral
from lensing_core.models.networks.dihedral import N_VIEWS
from lensing_core.models.networks.mil import has_data, patch_grid
from lensing_core.models.networks.timm_encoder import TimmEncoder

MIN_CELLS = 6
"""Cells a side that a map needs to tell one part of a cutout from another."""


def network_attention(
    network: LensNetwork,
    images: Tensor,
    metadata: Tensor | None = None,
    *,
    turned: bool = False,
) -> AttentionMap:
    """The map of one image.

    Grad-CAM (Selvaraju et al. 2017, arXiv:1610.02391): the features of a layer, weighed by the mean
    gradient of the logit. On the last layer before mean pooling and a linear head, the cells add up
    to the logit less its constant. Where that layer has fewer than :data:`MIN_CELLS` cells a side,
    the deepest stage that has them is taken, and the sum is of first order only.

    Parameters
    ----------
    network : LensNetwork
        In evaluation mode.
    images : Tensor of shape (1, band, y, x)
        As the network takes them.
    metadata : Tensor of shape (1, m), optional
    turned : bool
        The score is a mean over the eight orientations, and so is the map.

    Raises
    ------
    NoAttentionError
        If the network has neither a spatial feature map nor attention to show.
    """
    if network.pool is not None:
        return _patches(network, images, metadata)
    views = range(N_VIEWS) if turned else range(1)
    found = [_view(network, dihedral(images, torch.tensor([k])), metadata) for k in views]
    maps = np.stack([_turned_back(m.values, k) for k, m in enumerate(found)])
    first = found[0]
    values = maps.mean(axis=0)
    return AttentionMap(
        first.method,
        values.astype(np.float32),
        first.cell_px,
        float(np.mean([m.total for m in found]))
        if first.method == "grad_cam"
        else float(values.max()),
        float(np.mean([m.logit for m in found])),
        exact=first.exact,
    )


def _turned_back(values: NDArray[np.float32], code: int) -> NDArray[np.float32]:
    """Undo :func:`dihedral`: its steps in the opposite order."""
    values = values.T if code & 4 else values
    values = values[::-1] if code & 2 else values
    return values[:, ::-1] if code & 1 else values


def _view(network: LensNetwork, images: Tensor, metadata: Tensor | None) -> AttentionMap:
    if network.encoder.has_layers:
        return _rollout(network, images, metadata)
    if isinstance(network.encoder, TimmEncoder):
        return _grad_cam(network, network.encoder, images, metadata)
    raise NoAttentionError(f"{network.spec.backbone} has no map of attention.")


# --- Grad-CAM -------------------------------------------------------------------------------------


def _grad_cam(
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
    centres = _cell_centres(network, encoder, name, images, metadata) - low
    return AttentionMap(
        "grad_cam",
        _between(cam, centres, size),
        (encoder.padded_px if encoder.size_px is not None else size) / max(shape),
        float(np.maximum(cam, 0).sum()),
        logit,
        exact=name == "last_map" and _adds_up(network, encoder),
    )


def _adds_up(network: LensNetwork, encoder: TimmEncoder) -> bool:
    """Whether the last features become the logit by a mean and a linear map alone."""
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

    handles = [encoder.get_submodule(n).register_forward_hook(look(n)) for n in names]
    try:
        with torch.no_grad():
            network(images, metadata)
    finally:
        for handle in handles:
            handle.remove()
    return {name: seen[name] for name in names if name in seen}


def _cell_centres(
    network: LensNetwork,
    encoder: TimmEncoder,
    name: str,
    images: Tensor,
    metadata: Tensor | None,
) -> NDArray[np.float64]:
    """Where the cells of a layer stand along an axis, pixels of what the backbone sees.

    A strided convolution of kernel k, stride s and padding p puts its first cell at
    (k − 1) / 2 − p of its input, which is not the middle of the s pixels that fall to it: on a
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
    handles = [m.register_forward_hook(count) for m in layers]
    handles.append(encoder.get_submodule(name).register_forward_hook(close))
    try:
        with torch.no_grad():
            network(images, metadata)
    finally:
        for handle in handles:
            handle.remove()
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


def _between(
    cells: NDArray[np.float64], centres: NDArray[np.float64], size: int
) -> NDArray[np.float32]:
    """Cells (k, k) at ``centres`` on (size, size) pixels: linear in between, constant beyond."""
    pixels = np.arange(size)
    rows = np.stack([np.interp(pixels, centres, row) for row in cells])
    return np.stack([np.interp(pixels, centres, column) for column in rows.T], axis=1).astype(
        np.float32
    )


# --- attention ------------------------------------------------------------------------------------


def _rollout(network: LensNetwork, images: Tensor, metadata: Tensor | None) -> AttentionMap:
    size = images.shape[-1]
    encoder = network.encoder
    try:
        with torch.no_grad():
            output = network.forward_with_attention(images, metadata)
    except BadInputError as error:
        raise NoAttentionError(str(error)) from error
    assert output.layers is not None  # noqa: S101 - has_layers says so
    readout, prefix = slice(None), 0
    if isinstance(encoder, TimmEncoder):
        prefix = encoder.prefix_tokens
        readout = slice(0, 1) if encoder.reads_class_token else slice(prefix, None)
    shares = attention_rollout(output.layers, readout)[0, prefix:].double().cpu().numpy()
    side = math.isqrt(len(shares))
    grid = np.asarray(shares / shares.sum() * len(shares), dtype=np.float64).reshape(side, side)
    cell = _cell_px(encoder, size, side)
    padded = side * cell
    centres = cell * np.arange(side, dtype=np.float64) + (cell - 1) / 2 - (padded - size) // 2
    return AttentionMap(
        "rollout", _between(grid, centres, size), cell, float(grid.max()), float(output.logit[0])
    )


def _cell_px(encoder: Any, size: int, side: int) -> int:
    if isinstance(encoder, TimmEncoder):
        return encoder.padded_px // side
    return int(encoder.stride) if hasattr(encoder, "stride") else -(-size // side)


def _patches(network: LensNetwork, images: Tensor, metadata: Tensor | None) -> AttentionMap:
    """Weights of patches; where patches overlap, the mean of theirs."""
    size = images.shape[-1]
    patch, stride = int(network.spec.option("patch_px")), int(network.spec.option("stride_px"))
    with torch.no_grad():
        output = network(images, metadata)
        valid = has_data(patch_grid(images, patch, stride))[0].cpu().numpy()
    method: Method = "mil"
    if not valid.any():
        raise NoAttentionError("The cutout has no data for this member.")
    side = valid.shape[0]
    weights = output.attention[0].double().cpu().numpy().reshape(side, side) * valid.sum()
    padded = (side - 1) * stride + patch
    total, count = np.zeros((padded, padded)), np.zeros((padded, padded))
    for (row, column), weight in np.ndenumerate(weights):
        if valid[row, column]:
            at = np.s_[
                row * stride : row * stride + patch, column * stride : column * stride + patch
            ]
            total[at] += weight
            count[at] += 1
    with np.errstate(invalid="ignore"):
        mean = (total / count).astype(np.float32)  # NaN where no patch has data
    low = (padded - size) // 2
    values = mean[low : low + size, low : low + size]
    return AttentionMap(method, values, patch, float(weights.max()), float(output.logit[0]))
