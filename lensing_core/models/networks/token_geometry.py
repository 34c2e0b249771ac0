"""Geometry of tokens around the center of a cutout, input of the positional prior.

Lensed images are stretched along the tangential direction around the deflector, and images of one
source lie at similar radii, often across the center. All quantities of a pair of tokens here are
unchanged when the whole grid is turned or mirrored: the prior cannot prefer a direction on the sky.
"""

from __future__ import annotations

import functools

import torch
from torch import Tensor

#: Lengths enter in units of this, so that a prior means the same for every token grid.
LENGTH_UNIT_PX = 8.0

PAIR_FEATURES = (
    "log(1 + r_i)",
    "log(1 + r_j)",
    "r_j - r_i, by 1 + d",
    "log(1 + d)",
    "cos of the angle between the radii",
    "squared tangential part of the separation at i",
    "squared tangential part of the separation at j",
    "outward part of the separation at i",
    "outward part of the separation at j",
)


def token_positions(size_px: int, stride_px: int) -> Tensor:
    """Centers of the tokens along one axis, in pixels from the center of the image.

    The image is padded on both sides to whole tokens; if one pixel is left over, it comes after.

    Returns
    -------
    Tensor of shape (ceil(size_px / stride_px),)
    """
    count = -(-size_px // stride_px)
    before = (count * stride_px - size_px) // 2
    first = (stride_px - 1) / 2 - before - (size_px - 1) / 2
    return first + stride_px * torch.arange(count, dtype=torch.float32)


def pair_features(positions: Tensor) -> Tensor:
    """Geometry of all ordered pairs (i, j) of tokens.

    With r the distance from the center, s the separation from i to j, d its length, and radial and
    tangential unit vectors at each end: see `PAIR_FEATURES`, lengths in units of 8 px. A
    direction that does not exist (at the center, or from a token to itself) counts as 0.

    Parameters
    ----------
    positions : Tensor of shape (t, 2)
        x and y from the center, px.

    Returns
    -------
    Tensor of shape (t, t, 9)
    """
    scaled = positions / LENGTH_UNIT_PX
    radius = scaled.norm(dim=1)
    outward = _unit(scaled)
    separation = scaled[None, :] - scaled[:, None]
    distance = separation.norm(dim=2)
    direction = _unit(separation)
    radial_i = (direction * outward[:, None]).sum(2)
    radial_j = (direction * outward[None, :]).sum(2)
    tangent = torch.stack([-outward[:, 1], outward[:, 0]], dim=1)
    tangential_i = (direction * tangent[:, None]).sum(2)
    tangential_j = (direction * tangent[None, :]).sum(2)
    across = radius.expand_as(distance)
    return torch.stack(
        [
            across.T.log1p(),
            across.log1p(),
            (across - across.T) / (1 + distance),
            distance.log1p(),
            outward @ outward.T,
            tangential_i.square(),
            tangential_j.square(),
            radial_i,
            radial_j,
        ],
        dim=2,
    )


@functools.lru_cache(maxsize=8)
def grid_pair_features(
    height_px: int, width_px: int, stride_px: int, device: torch.device
) -> Tensor:
    """`pair_features` of the row-major token grid of an image, (t, t, 9)."""
    # Kept for later calls, which may need gradients where this one does not.
    with torch.inference_mode(False), torch.no_grad():
        return pair_features(grid_positions(height_px, width_px, stride_px)).to(device)


def grid_positions(height_px: int, width_px: int, stride_px: int) -> Tensor:
    """Row-major positions (t, 2) of an image's tokens: x and y in pixels from the center."""
    y, x = torch.meshgrid(
        token_positions(height_px, stride_px), token_positions(width_px, stride_px), indexing="ij"
    )
    return torch.stack([x.flatten(), y.flatten()], dim=1)


def _unit(vectors: Tensor) -> Tensor:
    """Unit vectors along the last axis; 0 where there is no direction."""
    length = vectors.norm(dim=-1, keepdim=True)
    return torch.where(length > 1e-6, vectors / length.clamp_min(1e-6), torch.zeros_like(vectors))
