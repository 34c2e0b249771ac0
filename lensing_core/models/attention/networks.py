"""Attention of a network for one cutout, in the pixels that the network sees."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from lensing_core.arrays import Float32Array
from lensing_core.errors import BadInputError
from lensing_core.models.attention.cells import between
from lensing_core.models.attention.grad_cam import grad_cam
from lensing_core.models.attention.gradients import integrated_gradients
from lensing_core.models.attention.maps import AttentionMap, Method, NoAttentionError
from lensing_core.models.networks import LensNetwork, attention_rollout, dihedral
from lensing_core.models.networks.dihedral import N_VIEWS
from lensing_core.models.networks.mil import has_data, patch_grid
from lensing_core.models.networks.timm_encoder import TimmEncoder


def network_methods(network: LensNetwork) -> tuple[Method, ...]:
    """The maps that a network has, the one that is shown first at the front."""
    if network.pool is not None:
        return ("mil",)
    if network.encoder.has_layers:
        return ("rollout",)
    if isinstance(network.encoder, TimmEncoder):
        return ("integrated_gradients", "grad_cam")
    return ("integrated_gradients",)


def network_attention(
    network: LensNetwork,
    images: Tensor,
    metadata: Tensor | None = None,
    *,
    dihedral_averaging: bool = False,
    method: Method | None = None,
) -> AttentionMap:
    """The map of one image.

    Parameters
    ----------
    network : LensNetwork
        In evaluation mode.
    images : Tensor of shape (1, band, y, x)
        As the network takes them.
    metadata : Tensor of shape (1, m), optional
    dihedral_averaging : bool
        The score is a mean over the eight orientations, and so is the map.
    method : optional
        Of :func:`network_methods`; the first of them unless told.

    Raises
    ------
    NoAttentionError
        If the network has no such map, or no cells to show it in.
    """
    known = network_methods(network)
    method = method or known[0]
    if method not in known:
        raise NoAttentionError(f"{network.spec.backbone} has no map by {method.replace('_', ' ')}.")
    if method == "mil":
        return _patches(network, images, metadata)
    views = range(N_VIEWS) if dihedral_averaging else range(1)
    views_drawn = [
        _view(network, dihedral(images, torch.tensor([k])), metadata, method) for k in views
    ]
    maps = np.stack([_rotated_back(m.values, k) for k, m in enumerate(views_drawn)])
    values = maps.mean(axis=0).astype(np.float32)
    # cells of Grad-CAM are summed, not the pixels between which they are interpolated
    totals = {
        "grad_cam": np.mean([m.total for m in views_drawn]),
        "integrated_gradients": np.maximum(values, 0).sum(),
        "rollout": values.max(),
    }
    logit = float(np.mean([m.logit for m in views_drawn]))
    # an empty sky looks alike from all sides: ``empty`` is that of any view
    return replace(views_drawn[0], values=values, total=float(totals[method]), logit=logit)


def _rotated_back(values: Float32Array, code: int) -> Float32Array:
    """Undo :func:`dihedral`: its steps in the opposite order."""
    values = values.T if code & 4 else values
    values = values[::-1] if code & 2 else values
    return values[:, ::-1] if code & 1 else values


def _view(
    network: LensNetwork, images: Tensor, metadata: Tensor | None, method: Method
) -> AttentionMap:
    if method == "integrated_gradients":
        return integrated_gradients(network, images, metadata)
    if method == "grad_cam":
        assert isinstance(network.encoder, TimmEncoder)  # noqa: S101 - network_methods says so
        return grad_cam(network, network.encoder, images, metadata)
    return _rollout(network, images, metadata)


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
    centers = cell * np.arange(side, dtype=np.float64) + (cell - 1) / 2 - (padded - size) // 2
    return AttentionMap(
        "rollout", between(grid, centers, size), cell, float(grid.max()), float(output.logit[0])
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
