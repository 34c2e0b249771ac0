"""Layers of a pretrained network that give embeddings: one in its middle, its last, or both.

The last layer of a network that was trained on photographs knows their classes; a layer in the
middle knows textures, edges and arcs, and serves images of the sky better where labels are few
(figures in docs/RESULTS.md).
"""

from __future__ import annotations

from typing import Any, Literal

import torch
from torch import Tensor, nn

from lensing_core.errors import BadInputError
from lensing_core.models.networks.timm_encoder import STAGE, TimmEncoder

Layers = Literal["both", "middle", "last"]
LAYERS: tuple[Layers, ...] = ("both", "middle", "last")
MIDDLE_STRIDE = 16
_PROBE_PX = 64


class _MiddleReached(Exception):
    """Raised by the hook where nothing behind the middle layer is wanted."""


class LayeredEncoder(nn.Module):
    """Pictures (n, 3, y, x) to vectors (n, d): means over the picture of the chosen layers.

    Parameters
    ----------
    encoder : TimmEncoder
    layers : {'both', 'middle', 'last'}
        With ``'both'`` the middle stands before the last; with ``'middle'`` the rest of the network
        is not run.

    Attributes
    ----------
    middle : str
        Name of the middle layer in the network; '' for ``'last'``.
    """

    def __init__(self, encoder: TimmEncoder, layers: Layers = "both") -> None:
        super().__init__()
        self.encoder = encoder
        self.layers = layers
        self.middle = "" if layers == "last" else middle_layer(encoder)
        self._seen: list[Tensor] = []
        if self.middle:
            encoder.net.get_submodule(self.middle).register_forward_hook(self._keep)

    def _keep(self, module: nn.Module, inputs: Any, output: Tensor) -> None:
        self._seen.append(_mean_over_picture(output, channels_last=self.encoder.channels_last))
        if self.layers == "middle":
            raise _MiddleReached

    def forward(self, images: Tensor) -> Tensor:
        """The vectors; a network serves one call at a time."""
        self._seen.clear()
        try:
            last = [self.encoder(images)]
        except _MiddleReached:
            last = []
        vectors = torch.cat([*self._seen, *last], dim=1)
        self._seen.clear()
        return vectors

    @torch.no_grad()
    def widths(self, input_px: int) -> dict[str, int]:
        """Length of the vector of each layer, in their order."""
        total = int(self(torch.zeros(1, 3, input_px, input_px)).shape[1])
        if self.layers == "both":
            return {"middle": total - self.encoder.width, "last": self.encoder.width}
        return {self.layers: total}


def _mean_over_picture(features: Tensor, *, channels_last: bool) -> Tensor:
    """Spatial mean of (n, channels, y, x), (n, y, x, channels) or (n, tokens, channels)."""
    if features.dim() == 3:
        return features.mean(dim=1)
    return features.mean(dim=(1, 2) if channels_last else (2, 3))


@torch.no_grad()
def middle_layer(encoder: TimmEncoder) -> str:
    """Name of the first stage whose pixels are 16 of the picture's; of equal blocks the middle one.

    Raises
    ------
    BadInputError
        If the network names no stages.
    """
    names = [name for name, _ in encoder.net.named_modules() if STAGE.fullmatch(name)]
    sides: dict[str, int] = {}

    def look(name: str) -> Any:
        def keep(module: nn.Module, inputs: Any, output: Any) -> None:
            if isinstance(output, Tensor) and output.dim() in (3, 4):
                axis = 1 if output.dim() == 3 or encoder.channels_last else -1
                sides.setdefault(name, output.shape[axis])

        return keep

    handles = [encoder.net.get_submodule(n).register_forward_hook(look(n)) for n in names]
    side = encoder.size_px or _PROBE_PX
    try:
        encoder(torch.zeros(1, 3, side, side))
    finally:
        for handle in handles:
            handle.remove()
    if not sides:
        raise BadInputError(f"{encoder.name} names no stages; use its last layer (layers = last).")
    small = [name for name, n in sides.items() if n * MIDDLE_STRIDE <= side]
    if len(set(sides.values())) == 1:
        return list(sides)[len(sides) // 2]
    return small[0] if small else list(sides)[-1]
