"""Shared parts of networks: their output, their head and the contract of encoders."""

from __future__ import annotations

import itertools
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from lensing_core.models.networks.conditioning import Modulate, Site


class NetworkOutput(NamedTuple):
    """Output for n cutouts.

    Attributes
    ----------
    logit : Tensor of shape (n,)
        Natural log-odds of a lens.
    embedding : Tensor of shape (n, d)
    attention : Tensor of shape (n, patches), optional
        Weight of each patch in the embedding (row-major from the corner); 0 for patches without
        data. The rest sums to 1.
    layers : tuple of Tensor of shape (n, heads, tokens, tokens), optional
        Attention of each layer of a transformer, rows (queries) summing to 1.
    """

    logit: Tensor
    embedding: Tensor
    attention: Tensor | None = None
    layers: tuple[Tensor, ...] | None = None


class Encoder(nn.Module):
    """Base of what turns images into vectors.

    Attributes
    ----------
    width : int
        Length of the vectors.
    sites : dict of str to Site
        Where metadata may act inside.
    size_px : int or None
        The only size that it takes; None for any.
    has_layers : bool
        Whether ``layers`` are filled.
    """

    width: int
    sites: dict[str, Site]
    size_px: int | None = None
    has_layers: bool = False

    def forward(
        self,
        images: Tensor,
        modulate: Modulate | None = None,
        layers: list[Tensor] | None = None,
    ) -> Tensor:
        """Finite images (n, band, y, x) to vectors (n, width).

        ``modulate`` is called at each site; the attention of each layer is appended to ``layers``.
        """
        raise NotImplementedError


class LensHead(nn.Module):
    """Embedding (n, d) to logit (n,), with dropout before each linear layer.

    Parameters
    ----------
    dim : int
        Length of the embedding.
    dropout : float
    hidden : int
        Width of a hidden layer; 0 for none.
    """

    def __init__(self, dim: int, dropout: float, hidden: int = 0) -> None:
        super().__init__()
        self.dropout = dropout
        widths = [dim, hidden, 1] if hidden else [dim, 1]
        self.layers = nn.ModuleList(nn.Linear(a, b) for a, b in itertools.pairwise(widths))

    def forward(self, embedding: Tensor, masks: list[Tensor] | None = None) -> Tensor:
        """The logit; ``masks`` (one a layer) replace the random dropout of training."""
        features = embedding
        for k, layer in enumerate(self.layers):
            if k:
                features = functional.gelu(features)
            if masks is None:
                features = functional.dropout(features, self.dropout, self.training)
            else:
                features = features * masks[k].to(features.dtype)
            features = layer(features)
        return features.squeeze(-1)

    def draw_masks(self, generator: torch.Generator | None, device: torch.device) -> list[Tensor]:
        """One thinned head: a mask a layer, 0 or 1 / (1 - dropout), drawn on the generator."""
        source = device if generator is None else generator.device
        keep = 1 - self.dropout
        return [
            (torch.rand(_in_features(layer), generator=generator, device=source) < keep)
            .to(device=device, dtype=torch.float32)
            .div(keep)
            for layer in self.layers
        ]


def _in_features(layer: nn.Module) -> int:
    assert isinstance(layer, nn.Linear)  # noqa: S101 (tells the type checker)
    return layer.in_features
