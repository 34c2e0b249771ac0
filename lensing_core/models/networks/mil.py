"""Many patches, one answer: attention-based multiple-instance learning for cluster cutouts.

A cluster's cutout is far larger than the arcs in it. It is cut into patches, a backbone embeds
each, and gated attention (Ilse, Tomczak & Welling 2018, arXiv:1802.04712) weighs them into one
embedding.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional


class GatedAttentionPool(nn.Module):
    """Weighted mean of a bag of vectors, with weights learned from the vectors.

    Weight of vector h: softmax over the bag of wᵀ(tanh(V h) ⊙ sigmoid(U h)).

    Parameters
    ----------
    dim : int
        Length of the vectors.
    hidden : int
        Rows of V and U.
    """

    def __init__(self, dim: int, hidden: int = 128) -> None:
        super().__init__()
        self.content = nn.Linear(dim, hidden)
        self.gate = nn.Linear(dim, hidden)
        self.score = nn.Linear(hidden, 1, bias=False)

    def forward(self, vectors: Tensor, valid: Tensor) -> tuple[Tensor, Tensor]:
        """Pool each bag.

        Parameters
        ----------
        vectors : Tensor of shape (n, k, d)
        valid : Tensor of bool of shape (n, k)
            False for entries that only fill up the bag.

        Returns
        -------
        pooled : Tensor of shape (n, d)
            0 for a bag without a valid entry.
        weights : Tensor of shape (n, k)
            Sum to 1 over valid entries; 0 for the others.
        """
        gated = torch.tanh(self.content(vectors)) * torch.sigmoid(self.gate(vectors))
        scores = self.score(gated).squeeze(-1).float()
        # The lowest finite number, not -inf: a bag without a valid entry must not give NaN.
        scores = scores.masked_fill(~valid, torch.finfo(scores.dtype).min)
        weights = scores.softmax(dim=1) * valid
        return (weights.unsqueeze(2) * vectors).sum(dim=1), weights


def patch_grid(images: Tensor, patch_px: int, stride_px: int) -> Tensor:
    """Cut images into patches that cover them, as a view where no padding is needed.

    Parameters
    ----------
    images : Tensor of shape (n, band, y, x)
    patch_px, stride_px : int
        What sticks out over the border is NaN, equally much on all sides.

    Returns
    -------
    Tensor of shape (n, gy, gx, band, patch_px, patch_px)
    """
    pads = []
    for size in (images.shape[-1], images.shape[-2]):
        count = 1 + math.ceil(max(0, size - patch_px) / stride_px)
        missing = max(0, (count - 1) * stride_px + patch_px - size)
        pads += [missing // 2, missing - missing // 2]
    if any(pads):
        images = functional.pad(images, pads, value=math.nan)
    grid = images.unfold(2, patch_px, stride_px).unfold(3, patch_px, stride_px)
    return grid.permute(0, 2, 3, 1, 4, 5)


def has_data(patches: Tensor) -> Tensor:
    """Mask of patches (..., band, y, x) that have any pixel with data."""
    return ~patches.isnan().flatten(-3).all(dim=-1)
