"""A small transformer whose attention knows where the center of the cutout is.

A convolutional stem makes tokens; transformer layers relate them. To the attention logits of token
i towards token j is added a bias, learned as a function of the geometry of the pair around the
center (:mod:`.token_geometry`): a soft preference, per layer and head, for tokens along the
tangential direction, at equal radius, across the center, or whatever training finds useful. The
bias starts at 0, so the network with the prior and the one without are the same function at the
start of training, and an ablation compares what the prior adds and nothing else.

The additive bias by relative position follows Liu et al. 2022 (Swin V2, arXiv:2111.09883, log
coordinates through a small MLP); the geometry around the center is this program's own.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from lensing_core.errors import BadInputError
from lensing_core.models.networks.conditioning import Modulate, Site
from lensing_core.models.networks.output import Encoder
from lensing_core.models.networks.token_geometry import (
    PAIR_FEATURES,
    grid_pair_features,
    grid_positions,
)

#: Attention memory grows as the square of the tokens; 1,600 are 320 px at 8 px a token.
MAX_TOKENS = 1600

_PRIOR_HIDDEN = 64
_MLP_RATIO = 4


class ArcAwareEncoder(Encoder):
    """CNN stem and transformer with the positional prior.

    Parameters
    ----------
    in_bands : int
    prior : bool
        Whether attention has the positional bias.
    dim, depth, heads : int
        Width, number of layers, heads a layer. The default has about 3 million parameters.
    stride : int
        Pixels per token along an axis: a power of two, at least 2.
    """

    has_layers = True

    def __init__(
        self,
        in_bands: int,
        *,
        prior: bool = True,
        dim: int = 192,
        depth: int = 6,
        heads: int = 6,
        stride: int = 8,
    ) -> None:
        super().__init__()
        if dim % heads or dim % 4 or depth < 1:
            raise BadInputError(
                f"arc_aware with dim {dim}, {heads} heads, {depth} layers: dim must be a multiple"
                " of heads and of 4, with at least one layer."
            )
        if stride < 2 or stride & (stride - 1):
            raise BadInputError(f"arc_aware with stride {stride}: use 2, 4, 8, 16 or 32.")
        self.width = dim
        self.stride = stride
        self.heads = heads
        self.sites = {"stem": Site(dim, -1)}
        self.stem = _stem(in_bands, dim, stages=int(math.log2(stride)))
        self.blocks = nn.ModuleList(Block(dim, heads) for _ in range(depth))
        self.norm = nn.LayerNorm(dim)
        # Last, so that a seed gives all other weights the same values with and without it.
        self.prior = PositionalPrior(depth, heads) if prior else None
        self._kept: dict[tuple[int, int, torch.device], list[Tensor]] | None = None

    def forward(
        self,
        images: Tensor,
        modulate: Modulate | None = None,
        layers: list[Tensor] | None = None,
    ) -> Tensor:
        """See :class:`Encoder`; images of any size up to `MAX_TOKENS` tokens."""
        height, width = images.shape[-2:]
        check_tokens(height, width, self.stride)
        features = self.stem(pad_to_tokens(images, self.stride))
        tokens = features.flatten(2).transpose(1, 2)
        positions = grid_positions(height, width, self.stride).to(tokens.device)
        tokens = tokens + sinusoidal(positions / self.stride, self.width).to(tokens.dtype)
        if modulate is not None:
            tokens = modulate("stem", tokens)
        biases = self.attention_bias(height, width, tokens.device)
        for k, block in enumerate(self.blocks):
            tokens = block(tokens, None if biases is None else biases[k], layers)
        pooled: Tensor = self.norm(tokens).mean(dim=1)
        return pooled

    def attention_bias(
        self, height_px: int, width_px: int, device: torch.device
    ) -> list[Tensor] | None:
        """The prior's bias for an image of this size: (heads, t, t) a layer."""
        if self.prior is None:
            return None
        key = (height_px, width_px, device)
        if self._kept is not None and key in self._kept:
            return self._kept[key]
        biases: Tensor = self.prior(grid_pair_features(height_px, width_px, self.stride, device))
        if self._kept is not None:
            self._kept[key] = list(biases)
        return list(biases)

    def keep_bias(self) -> None:
        """Compute the prior's biases once for each size: only for weights that stay as they are."""
        self._kept = {}


class PositionalPrior(nn.Module):
    """Pair geometry (t, t, 9) to attention biases (depth, heads, t, t), 0 at the start."""

    def __init__(self, depth: int, heads: int) -> None:
        super().__init__()
        self.depth, self.heads = depth, heads
        self.hidden = nn.Linear(len(PAIR_FEATURES), _PRIOR_HIDDEN)
        self.out = nn.Linear(_PRIOR_HIDDEN, depth * heads)
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.out.bias)

    def forward(self, features: Tensor) -> Tensor:
        """The biases."""
        bias = self.out(functional.gelu(self.hidden(features)))
        return bias.permute(2, 0, 1).contiguous().unflatten(0, (self.depth, self.heads))


class Block(nn.Module):
    """One pre-norm transformer layer."""

    def __init__(self, dim: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.attention_norm = nn.LayerNorm(dim)
        self.qkv = nn.Linear(dim, 3 * dim)
        self.out = nn.Linear(dim, dim)
        self.mlp_norm = nn.LayerNorm(dim)
        self.mlp = nn.Sequential(
            nn.Linear(dim, _MLP_RATIO * dim), nn.GELU(), nn.Linear(_MLP_RATIO * dim, dim)
        )

    def forward(self, tokens: Tensor, bias: Tensor | None, layers: list[Tensor] | None) -> Tensor:
        """Tokens (n, t, dim); with ``layers``, the attention (n, heads, t, t) is appended."""
        qkv = self.qkv(self.attention_norm(tokens)).unflatten(2, (3, self.heads, -1))
        query, key, value = qkv.permute(2, 0, 3, 1, 4)
        if bias is not None:
            # With an axis for the batch: the fused attention of a CPU takes no other bias.
            bias = bias.to(query.dtype)[None]
        if layers is None:
            mixed = functional.scaled_dot_product_attention(query, key, value, attn_mask=bias)
        else:
            logits = query @ key.transpose(2, 3) / math.sqrt(query.shape[-1])
            weights = (logits if bias is None else logits + bias).softmax(dim=3)
            layers.append(weights)
            mixed = weights @ value
        tokens = tokens + self.out(mixed.transpose(1, 2).flatten(2))
        tokens = tokens + self.mlp(self.mlp_norm(tokens))
        return tokens


def attention_rollout(layers: tuple[Tensor, ...], readout: slice = slice(None)) -> Tensor:
    """Return how much each token of the input takes part in the output.

    Attention rollout (Abnar & Zuidema 2020, arXiv:2005.00928): the product over layers of the
    head-averaged attention, half of it replaced by the identity for the residual path; averaged
    over the output tokens that are read out.

    Parameters
    ----------
    layers : tuple of Tensor of shape (n, heads, t, t)
    readout : slice
        All tokens for mean pooling; the first one where it stands for the class.

    Returns
    -------
    Tensor of shape (n, t)
        Sums to 1 over the tokens.
    """
    tokens = layers[0].shape[-1]
    identity = torch.eye(tokens, device=layers[0].device)
    product = identity.expand(len(layers[0]), tokens, tokens)
    for weights in layers:
        product = (0.5 * weights.float().mean(dim=1) + 0.5 * identity) @ product
    return product[:, readout].mean(dim=1)


def check_tokens(height_px: int, width_px: int, stride_px: int) -> None:
    """Raise BadInputError for an image of more than `MAX_TOKENS` tokens."""
    tokens = -(-height_px // stride_px) * -(-width_px // stride_px)
    if tokens > MAX_TOKENS:
        raise BadInputError(
            f"arc_aware on {height_px} x {width_px} px at {stride_px} px a token has {tokens}"
            f" tokens, above {MAX_TOKENS}: double the stride, or use a backbone with pooling 'mil'."
        )


def sinusoidal(positions: Tensor, dim: int) -> Tensor:
    """Sines and cosines of x and y (Vaswani et al. 2017, arXiv:1706.03762), (t, 2) to (t, dim)."""
    rates = 10_000 ** -(torch.arange(dim // 4, device=positions.device) / (dim // 4))
    phases = positions[:, :, None] * rates
    return torch.cat([phases.sin(), phases.cos()], dim=2).flatten(1)


def pad_to_tokens(images: Tensor, stride: int) -> Tensor:
    """Zeros on all sides, to whole tokens; placed as :func:`token_positions` says."""
    pads = []
    for size in (images.shape[-1], images.shape[-2]):
        missing = -size % stride
        pads += [missing // 2, missing - missing // 2]
    return functional.pad(images, pads) if any(pads) else images


def _stem(in_bands: int, dim: int, stages: int) -> nn.Sequential:
    """Convolutions that halve the image ``stages`` times.

    Kernels are even, so that the grid of tokens has the symmetry of the image: with odd ones, it
    would lie half a token off the center.
    """
    widths = [in_bands, *(max(dim // 4, dim >> k) for k in reversed(range(stages)))]
    layers: list[nn.Module] = []
    for k in range(stages):
        layers += [
            nn.Conv2d(widths[k], widths[k + 1], kernel_size=4, stride=2, padding=1, bias=False),
            nn.BatchNorm2d(widths[k + 1]),
            nn.GELU(),
        ]
    return nn.Sequential(*layers)
