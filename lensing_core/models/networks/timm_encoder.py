"""Any backbone of timm, for any number of bands and any size of cutout.

Images are those of the input contract (asinh of flux in units of noise). The color statistics of
the photographs that a backbone was pretrained on are not used.
"""

from __future__ import annotations

import contextlib
import difflib
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import timm
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from timm.models import VisionTransformer
from torch import Tensor, nn
from torch.nn import functional

from lensing_core.errors import BadInputError
from lensing_core.models.networks.conditioning import Modulate, Site
from lensing_core.models.networks.output import Encoder
from lensing_core.models.networks.spec import PretrainedUnavailableError

_RGB = 3
#: Names of the stages (or transformer blocks) of a network.
STAGE = re.compile(r"(layer|layers\.|stages\.|blocks\.)\d+$")


class _Hook:
    """Hands the output of a stage to the modulation that is in force."""

    def __init__(self, site: str, owner: list[Modulate | None]) -> None:
        self.site = site
        self.owner = owner

    def __call__(self, module: nn.Module, args: Any, output: Tensor) -> Tensor:
        modulate = self.owner[0]
        return output if modulate is None else modulate(self.site, output)


class TimmEncoder(Encoder):
    """A timm backbone without its classifier.

    Parameters
    ----------
    name : str
        Of timm.
    in_bands, size_px : int
        Of the images. Transformers take this size alone (their position table has it), padded with
        zeros on all sides to whole patches; convolutional backbones take any size.
    pretrained : bool
        Load weights: from ``weights_file``, else from the cache or the hub that timm knows.
    weights_file : Path, optional
        Safetensors with timm's own names, for machines without a network.
    small_stem : bool
        ResNets: leave the first max-pool out, so that small cutouts keep twice the resolution.
    keywords : mapping, optional
        More for ``timm.create_model``.

    Raises
    ------
    BadInputError
        Unknown name; a size or an option that the backbone does not take.
    PretrainedUnavailableError
        The weights cannot be had.
    """

    def __init__(
        self,
        name: str,
        in_bands: int,
        size_px: int,
        *,
        pretrained: bool = False,
        weights_file: Path | None = None,
        small_stem: bool = False,
        keywords: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__()
        if not timm.is_model(name.split(".")[0]):
            near = difflib.get_close_matches(name, timm.list_models(), n=3)
            raise BadInputError(
                f"timm has no backbone {name!r}"
                + (f"; did you mean {', '.join(near)}?" if near else ".")
            )
        self.name = name
        size_keywords = self._size_keywords(name, size_px, dict(keywords or {}))
        self.size_px = size_px if "img_size" in size_keywords else None
        self.padded_px = int(size_keywords.get("img_size", size_px))
        options = {**(keywords or {}), **size_keywords}
        with _as_bad_input(f"Backbone {name} for {in_bands} bands of {size_px} px"):
            self.net: Any = timm.create_model(name, num_classes=0, in_chans=in_bands, **options)
        if pretrained:
            self.net.load_state_dict(_pretrained_state(name, in_bands, options, weights_file))
        # Nothing but a place to look at: the features before pooling, channels first.
        self.last_map = nn.Identity()
        self.channels_last = getattr(self.net, "output_fmt", "NCHW") == "NHWC"
        self._weights = _attention_weights(self.net)
        self.has_layers = bool(self._weights)
        self.prefix_tokens = int(getattr(self.net, "num_prefix_tokens", 0))
        self.reads_class_token = getattr(self.net, "global_pool", "") == "token"
        if small_stem:
            if not isinstance(getattr(self.net, "maxpool", None), nn.Module):
                raise BadInputError(f"Option small_stem: {name} has no max-pool in its stem.")
            self.net.maxpool = nn.Identity()
        self._modulation: list[Modulate | None] = [None]
        self.sites = self._find_sites()
        for site in self.sites:
            self.net.get_submodule(site).register_forward_hook(_Hook(site, self._modulation))
        with _as_bad_input(f"Backbone {name} on {in_bands} bands of {size_px} px"):
            self._probe(in_bands, size_px)

    @staticmethod
    def _size_keywords(name: str, size_px: int, keywords: dict[str, Any]) -> dict[str, int]:
        """The img_size for a backbone that needs it, rounded up to whole patches."""
        config = timm.get_pretrained_cfg(name)
        if config is None or not config.fixed_input_size:
            return {}
        with torch.device("meta"), _as_bad_input(f"Backbone {name}"):
            patches = getattr(
                timm.create_model(name, num_classes=0, **keywords), "patch_embed", None
            )
        patch = getattr(patches, "patch_size", 1)
        patch = patch if isinstance(patch, int) else max(patch)
        return {"img_size": -(-size_px // patch) * patch}

    def _find_sites(self) -> dict[str, Site]:
        """The stages (or transformer blocks), with the axis that holds their channels."""
        last = getattr(self.net, "output_fmt", "NCHW") in ("NHWC", "NLC")
        last = last or hasattr(self.net, "pos_embed")
        return {
            info["module"]: Site(info["num_chs"], -1 if last else 1)
            for info in getattr(self.net, "feature_info", ())
            if STAGE.match(info["module"])
        }

    def _probe(self, in_bands: int, size_px: int) -> None:
        """Run once: find the width, and keep sites only if all look as timm describes them."""
        seen: dict[str, int] = {}

        def look(site: str, features: Tensor) -> Tensor:
            seen[site] = features.shape[self.sites[site].axis]
            return features

        was_training = self.training
        self.eval()
        with torch.no_grad():
            self.width = self(torch.zeros(1, in_bands, size_px, size_px), look).shape[1]
        self.train(was_training)
        if seen != {name: site.channels for name, site in self.sites.items()}:
            self.sites = {}

    def forward(
        self,
        images: Tensor,
        modulate: Modulate | None = None,
        layers: list[Tensor] | None = None,
    ) -> Tensor:
        """See :class:`Encoder`."""
        if (missing := self.padded_px - images.shape[-1]) > 0 and self.size_px is not None:
            low, high = missing // 2, missing - missing // 2
            images = functional.pad(images, (low, high, low, high))
        self._modulation[0] = modulate
        try:
            with _recorded(self._weights, layers):
                features = self.net.forward_features(images)
            if self.channels_last:
                features = self.last_map(features.movedim(-1, 1)).movedim(1, -1)
            else:
                features = self.last_map(features)
            vectors: Tensor = self.net.forward_head(features, pre_logits=True)
        finally:
            self._modulation[0] = None
        return vectors.flatten(1)


def _attention_weights(net: Any) -> tuple[nn.Module, ...]:
    """The attention of each block of a plain vision transformer, over all its tokens.

    Empty for other backbones, and for pooling that weighs tokens in ways of its own.
    """
    if not isinstance(net, VisionTransformer) or net.global_pool not in ("token", "avg"):
        return ()
    layers = tuple(getattr(block, "attn", None) for block in net.blocks)
    usable = all(hasattr(a, "fused_attn") and hasattr(a, "attn_drop") for a in layers)
    return tuple(a for a in layers if a is not None) if usable else ()


@contextlib.contextmanager
def _recorded(attention: tuple[nn.Module, ...], layers: list[Tensor] | None) -> Iterator[None]:
    """Append the weights (n, heads, t, t) of each block to ``layers``, where that is not None.

    They are what goes into the dropout of attention, which fused kernels never make.
    """
    if layers is None:
        yield
        return

    def keep(_module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        layers.append(inputs[0])

    fused = [bool(a.fused_attn) for a in attention]
    handles = [a.attn_drop.register_forward_pre_hook(keep) for a in attention]  # type: ignore[union-attr]  # modules of timm
    try:
        for a in attention:
            a.fused_attn = False  # type: ignore[assignment]  # timm calls it Final
        yield
    finally:
        for a, value, handle in zip(attention, fused, handles, strict=True):
            a.fused_attn = value  # type: ignore[assignment]  # as above
            handle.remove()


def adapt_first_convolution(weight: Tensor, in_bands: int) -> Tensor:
    """Weights of a convolution over red, green, blue for any number of bands.

    Each band gets the mean over the three colors times 3 / ``in_bands``: an image that is the same
    in all bands gives the same activations as before, and their scale does not grow with the number
    of bands. Three bands keep their weights.

    Parameters
    ----------
    weight : Tensor of shape (out, 3, ky, kx)
    in_bands : int

    Returns
    -------
    Tensor of shape (out, in_bands, ky, kx)
    """
    if weight.shape[1] != _RGB:
        raise BadInputError(f"A first convolution over {weight.shape[1]} bands is not of RGB.")
    if in_bands == _RGB:
        return weight
    return (weight.mean(dim=1, keepdim=True) * _RGB / in_bands).repeat(1, in_bands, 1, 1)


def _pretrained_state(
    name: str, in_bands: int, keywords: dict[str, Any], weights_file: Path | None
) -> dict[str, Tensor]:
    """The state of the pretrained backbone, first convolution adapted."""
    overlay = None
    if weights_file is not None:
        overlay = {"state_dict": _read_weights(name, weights_file), "custom_load": False}
    try:
        net: Any = timm.create_model(
            name, pretrained=True, num_classes=0, pretrained_cfg_overlay=overlay, **keywords
        )
    except (OSError, RuntimeError, SafetensorError) as error:
        where = weights_file or "the hub or its cache on this machine"
        reason = str(error).splitlines()[0].rstrip(".")
        raise PretrainedUnavailableError(
            f"Pretrained weights of {name} could not be had from {where} ({reason})."
            " Train from scratch, or name a safetensors file."
        ) from error
    state: dict[str, Tensor] = net.state_dict()
    first = net.pretrained_cfg.get("first_conv")
    if in_bands != _RGB and not first:
        raise PretrainedUnavailableError(
            f"{name} does not say which convolution sees the bands: train it from scratch for"
            f" {in_bands} bands."
        )
    for convolution in (first,) if isinstance(first, str) else first or ():
        state[f"{convolution}.weight"] = adapt_first_convolution(
            state[f"{convolution}.weight"], in_bands
        )
    return state


def _read_weights(name: str, path: Path) -> dict[str, Tensor]:
    """A safetensors file that has every weight of the backbone.

    timm itself lets weights be absent and keeps random ones in their place.
    """
    try:
        state = load_file(path)
    except (OSError, SafetensorError) as error:
        raise PretrainedUnavailableError(
            f"{path} cannot be read as safetensors: {error}."
        ) from error
    with torch.device("meta"):
        needed = timm.create_model(name, num_classes=0).state_dict()
    if absent := sorted(set(needed) - set(state)):
        raise PretrainedUnavailableError(
            f"{path} has no {absent[0]} ({len(absent)} of {len(needed)} weights of {name} are"
            " absent): give the file of this backbone."
        )
    return dict(state)


@contextlib.contextmanager
def _as_bad_input(what: str) -> Iterator[None]:
    """Translate what timm raises for a size or a keyword that a backbone does not take."""
    try:
        yield
    except (RuntimeError, ValueError, TypeError, AssertionError) as error:
        raise BadInputError(f"{what} cannot be built: {error}.") from error
