"""Networks: an encoder, optional metadata, a head; built from a specification."""

from __future__ import annotations

import functools
from pathlib import Path

import torch
from torch import Tensor, nn

from lensing_core.errors import BadInputError, ContractError
from lensing_core.models.networks.arc_aware import ArcAwareEncoder, check_tokens
from lensing_core.models.networks.conditioning import Conditioning, Modulate, Site
from lensing_core.models.networks.mil import GatedAttentionPool, has_data, patch_grid
from lensing_core.models.networks.output import Encoder, LensHead, NetworkOutput
from lensing_core.models.networks.spec import (
    ARC_AWARE,
    NetworkSpec,
    PretrainedUnavailableError,
)
from lensing_core.models.networks.timm_encoder import TimmEncoder

# Patches that pass through the backbone at once when no gradients are wanted.
_PATCHES_AT_ONCE = 1024
_EMBEDDING = "embedding"


def build_network(
    spec: NetworkSpec, *, pretrained: bool = False, weights_file: Path | None = None
) -> LensNetwork:
    """A network with random weights from torch's global generator, or a pretrained backbone.

    Parameters
    ----------
    spec : NetworkSpec
    pretrained : bool
        Start the backbone from the weights that timm names for it. The head, the pooling and the
        conditioning are always new.
    weights_file : Path, optional
        Take them from this safetensors file, which has timm's names and three colors.

    Raises
    ------
    BadInputError
        The backbone does not exist, or does not take the size or the options.
    PretrainedUnavailableError
        The weights cannot be had; no network is made in their place.
    """
    return LensNetwork(spec, _build_encoder(spec, pretrained or bool(weights_file), weights_file))


def _build_encoder(spec: NetworkSpec, pretrained: bool, weights_file: Path | None) -> Encoder:
    size = spec.encoder_size_px
    if spec.backbone != ARC_AWARE:
        return TimmEncoder(
            spec.backbone,
            spec.in_bands,
            size,
            pretrained=pretrained,
            weights_file=weights_file,
            small_stem=bool(spec.option("small_stem")),
            keywords=spec.option("timm"),
        )
    if pretrained:
        raise PretrainedUnavailableError(
            "arc_aware has no pretrained weights: train it from scratch."
        )
    encoder = ArcAwareEncoder(
        spec.in_bands,
        prior=bool(spec.option("prior")),
        dim=spec.option("dim"),
        depth=spec.option("depth"),
        heads=spec.option("heads"),
        stride=spec.option("stride"),
    )
    check_tokens(size, size, encoder.stride)
    return encoder


class LensNetwork(nn.Module):
    """Images, and metadata where the specification has some, to a logit and an embedding.

    Images are normalized as the input contract says, 0 being the sky. NaN (no data) counts as sky;
    patches that are NaN throughout are left out of multiple-instance pooling. In evaluation mode
    an object's output does not depend on the rest of the batch.

    A network serves one call at a time (stages of timm backbones are modulated through state).
    """

    def __init__(self, spec: NetworkSpec, encoder: Encoder) -> None:
        super().__init__()
        self.spec = spec
        self.encoder = encoder
        self.embedding_dim = encoder.width
        self.pool = (
            GatedAttentionPool(encoder.width, int(spec.option("attention_dim")))
            if spec.pooling == "mil"
            else None
        )
        self.lens_head = LensHead(encoder.width, spec.dropout, int(spec.option("head_hidden")))
        # Last, so that a seed gives all other weights the same values with and without it.
        self.conditioning = Conditioning(spec.metadata, self._sites()) if spec.metadata else None

    def _sites(self) -> dict[str, Site]:
        if self.spec.option("film_at") == "embedding":
            return {_EMBEDDING: Site(self.embedding_dim, -1)}
        if not self.encoder.sites:
            raise BadInputError(
                f"{self.spec.backbone} names no stages to condition: set film_at to 'embedding'."
            )
        return self.encoder.sites

    def forward(self, images: Tensor, metadata: Tensor | None = None) -> NetworkOutput:
        """Logit and embedding, and the weights of patches for pooling ``'mil'``.

        Parameters
        ----------
        images : Tensor of shape (n, band, y, x)
        metadata : Tensor of shape (n, m), optional
            Columns of ``spec.metadata``, NaN where missing; None: all missing.

        Raises
        ------
        ContractError
            Shapes that the specification does not allow.
        """
        embedding, weights = self._embed(images, metadata, None)
        return NetworkOutput(self.head(embedding), embedding, weights)

    def forward_with_attention(
        self, images: Tensor, metadata: Tensor | None = None
    ) -> NetworkOutput:
        """:meth:`forward` with the attention of each layer, for transformers of this program.

        Raises
        ------
        BadInputError
            The network has no attention to show.
        """
        if self.pool is not None:
            return self(images, metadata)
        if not self.encoder.has_layers:
            raise BadInputError(
                f"{self.spec.backbone} with pooling {self.spec.pooling!r} shows no attention."
            )
        layers: list[Tensor] = []
        embedding, weights = self._embed(images, metadata, layers)
        return NetworkOutput(self.head(embedding), embedding, weights, tuple(layers))

    def embed(self, images: Tensor, metadata: Tensor | None = None) -> Tensor:
        """The embedding (n, d) alone."""
        return self._embed(images, metadata, None)[0]

    def head(self, embedding: Tensor) -> Tensor:
        """Logit (n,) of embeddings (n, d), float32."""
        # bf16 would round a logit of 8 to 1/32 and make ties in a ranking.
        with torch.autocast(embedding.device.type, enabled=False):
            logit: Tensor = self.lens_head(embedding.float())
        return logit

    def mc_logits(
        self, embedding: Tensor, n_samples: int, generator: torch.Generator | None = None
    ) -> Tensor:
        """Logits under Monte-Carlo dropout (Gal & Ghahramani 2016, arXiv:1506.02142).

        The head alone has dropout, so the backbone need not run again and nothing but the head is
        random, in training and in evaluation mode alike. One thinned head serves all objects of a
        sample: with a generator seeded alike for every batch, the way in which a catalog is cut
        into batches does not change a score. Without dropout all samples are equal; their
        variance of 0 is then no measure of certainty.

        Parameters
        ----------
        embedding : Tensor of shape (n, d)
        n_samples : int
        generator : torch.Generator, optional

        Returns
        -------
        Tensor of shape (n_samples, n)
        """
        if n_samples < 1:
            raise BadInputError(f"{n_samples} samples of dropout: use at least one.")
        with torch.autocast(embedding.device.type, enabled=False):
            samples = [
                self.lens_head(
                    embedding.float(), self.lens_head.draw_masks(generator, embedding.device)
                )
                for _ in range(n_samples)
            ]
        return torch.stack(samples)

    def _embed(
        self, images: Tensor, metadata: Tensor | None, layers: list[Tensor] | None
    ) -> tuple[Tensor, Tensor | None]:
        self._check(images, metadata)
        code = None
        if self.conditioning is not None:
            code = self.conditioning.encoder(metadata, len(images))
        weights = None
        if self.pool is None:
            embedding = self.encoder(_sky_for_nan(images), self._modulation(code), layers)
        else:
            embedding, weights = self.pool(*self._embed_patches(images, code))
        embedding = embedding.float()
        if (modulate := self._modulation(code)) is not None:
            embedding = modulate(_EMBEDDING, embedding)
        return embedding, weights

    def _modulation(self, code: Tensor | None) -> Modulate | None:
        if self.conditioning is None or code is None:
            return None
        return functools.partial(self.conditioning.modulate, code)

    def _embed_patches(self, images: Tensor, code: Tensor | None) -> tuple[Tensor, Tensor]:
        """Vectors (n, patches, d) of patches with data, 0 for others; which have data."""
        patch, stride = int(self.spec.option("patch_px")), int(self.spec.option("stride_px"))
        grid = patch_grid(images, patch, stride)
        valid = has_data(grid).flatten(1)
        row, number = valid.nonzero(as_tuple=True)
        columns = grid.shape[2]
        # In training, batch statistics need all patches of a batch in one pass.
        at_once = max(1, len(row)) if torch.is_grad_enabled() else _PATCHES_AT_ONCE
        vectors = images.new_zeros(*valid.shape, self.embedding_dim, dtype=torch.float32)
        for first in range(0, len(row), at_once):
            r, k = row[first : first + at_once], number[first : first + at_once]
            patches = grid[r, torch.div(k, columns, rounding_mode="floor"), k % columns]
            modulate = self._modulation(None if code is None else code[r])
            embedded = self.encoder(_sky_for_nan(patches), modulate)
            vectors = vectors.index_put((r, k), embedded.float())
        return vectors, valid

    def _check(self, images: Tensor, metadata: Tensor | None) -> None:
        bands, size = self.spec.in_bands, self.spec.size_px
        if images.dim() != 4 or images.shape[1] != bands:
            raise ContractError(
                f"Images of shape {tuple(images.shape)}: this network takes (n, {bands}, y, x)."
            )
        fixed = self.encoder.size_px is not None and self.pool is None
        if fixed and images.shape[2:] != (size, size):
            raise ContractError(
                f"Images of {images.shape[2]} x {images.shape[3]} px: {self.spec.backbone} was"
                f" built for {size} x {size} px."
            )
        if metadata is not None and self.conditioning is None:
            raise ContractError("Metadata given to a network that takes none.")


def _sky_for_nan(images: Tensor) -> Tensor:
    """0, which is the sky, in the place of pixels without data."""
    return images.masked_fill(images.isnan(), 0.0)
