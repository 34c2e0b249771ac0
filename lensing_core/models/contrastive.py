"""Self-supervised pretraining: two views of an object should have one embedding.

MoCo v3 (Chen, Xie & He 2021, arXiv:2104.02057): a query encoder with projector and predictor
is trained to pick, among all objects of the batch, the other view of its own object as embedded by
a slowly moving average of itself. There is no queue; the batch gives the negatives.
"""

from __future__ import annotations

import copy
import itertools
import math
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional

Encoder = Callable[[Tensor], Tensor]


def contrastive_loss(queries: Tensor, keys: Tensor, temperature: float) -> Tensor:
    """InfoNCE of queries against keys, times 2 τ as in MoCo v3.

    Parameters
    ----------
    queries, keys : Tensor of shape (n, d)
        Row k of both is one object; no gradient flows into ``keys``.
    """
    q = functional.normalize(queries, dim=1)
    k = functional.normalize(keys.detach(), dim=1)
    targets = torch.arange(len(q), device=q.device)
    return 2 * temperature * functional.cross_entropy(q @ k.T / temperature, targets)


def momentum_at(step: int, steps: int, start: float = 0.99) -> float:
    """Momentum of the moving average: from ``start`` to 1 along half a cosine."""
    return 1 - (1 - start) * (math.cos(math.pi * step / max(1, steps)) + 1) / 2


def _mlp(dims: list[int], *, last_norm: bool) -> nn.Sequential:
    layers: list[nn.Module] = []
    for k, (width, out) in enumerate(itertools.pairwise(dims)):
        last = k == len(dims) - 2
        layers.append(nn.Linear(width, out, bias=False))
        if not last:
            layers += [nn.BatchNorm1d(out), nn.ReLU(inplace=True)]
        elif last_norm:
            layers.append(nn.BatchNorm1d(out, affine=False))
    return nn.Sequential(*layers)


class MomentumContrast(nn.Module):
    """MoCo v3 around an encoder.

    Parameters
    ----------
    encoder : nn.Module
        Images (n, band, y, x) to embeddings (n, d); trained in place.
    embedding_dim : int
        d.
    hidden_dim, projection_dim : int
        Widths of projector and predictor.
    temperature : float
    """

    def __init__(
        self,
        encoder: nn.Module,
        embedding_dim: int,
        *,
        hidden_dim: int = 1024,
        projection_dim: int = 128,
        temperature: float = 0.2,
    ) -> None:
        super().__init__()
        self.temperature = temperature
        self.encoder = encoder
        self.projector = _mlp([embedding_dim, hidden_dim, projection_dim], last_norm=True)
        self.predictor = _mlp([projection_dim, hidden_dim, projection_dim], last_norm=False)
        self.key_encoder = copy.deepcopy(encoder).requires_grad_(False)
        self.key_projector = copy.deepcopy(self.projector).requires_grad_(False)

    @torch.no_grad()
    def update_keys(self, momentum: float) -> None:
        """Move the key networks towards the query networks."""
        for query, key in (
            (self.encoder, self.key_encoder),
            (self.projector, self.key_projector),
        ):
            for q, k in zip(query.parameters(), key.parameters(), strict=True):
                k.lerp_(q, 1 - momentum)

    def forward(self, first: Tensor, second: Tensor) -> Tensor:
        """Loss of two views of the same objects, both (n, band, y, x)."""
        q1 = self.predictor(self.projector(self.encoder(first)))
        q2 = self.predictor(self.projector(self.encoder(second)))
        with torch.no_grad():
            k1 = self.key_projector(self.key_encoder(first))
            k2 = self.key_projector(self.key_encoder(second))
        return contrastive_loss(q1, k2, self.temperature) + contrastive_loss(
            q2, k1, self.temperature
        )
