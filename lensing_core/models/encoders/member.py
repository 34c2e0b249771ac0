"""A pretrained encoder as a member: embeddings without training, a logit where it has a head."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from lensing_core.arrays import Float32Array
from lensing_core.cutouts import CutoutGeometry
from lensing_core.errors import ContractError
from lensing_core.models.contract import CutoutSelection, InputContract, flux_scale
from lensing_core.models.deep import Precision, has_bf16_units, has_depthwise_convolutions
from lensing_core.models.encoders.layers import LayeredEncoder, Layers
from lensing_core.models.encoders.picture import PictureMapping
from lensing_core.models.encoders.spec import EncoderSpec, crop_px, default_crops
from lensing_core.models.encoders.weights import load_weights, timm_name
from lensing_core.models.manifest import ENCODER
from lensing_core.models.member import MemberOutput, Metadata
from lensing_core.models.networks.folding import fold_normalizations
from lensing_core.models.networks.timm_encoder import TimmEncoder
from lensing_core.models.ood import OODDistance
from lensing_core.models.stored_network import load_network, save_network
from lensing_core.pu.learners import DenseScorer

HEAD_WEIGHTS = "head.safetensors"
PASS = {"cpu": 32, "cuda": 512}
"""Pictures that pass through the network together, whatever the size of the caller's batch."""
GRAY = (0.5, 0.5, 0.5)


@dataclass(frozen=True)
class EncoderMember:
    """A pretrained network with its view of cutouts; its weights are never trained.

    Attributes
    ----------
    network : TimmEncoder
    head : DenseScorer or None
        Fitted on embeddings of labeled objects. Without one the logit of every object is 0: the
        member has embeddings alone.
    """

    contract: InputContract
    spec: EncoderSpec
    network: TimmEncoder
    head: DenseScorer | None = None
    ood_distance: OODDistance | None = None
    device: str = "cpu"
    precision: Precision = "auto"

    @property
    def metadata_names(self) -> tuple[str, ...]:
        return ()

    @property
    def blocks(self) -> list[dict[str, Any]]:
        """Parts of the embedding in order: ``layer``, ``crop_arcsec`` and ``columns`` of each."""
        widths = LayeredEncoder(copy.deepcopy(self.network), self.spec.layers).widths(
            self.spec.input_px
        )
        return [
            {"layer": layer, "crop_arcsec": crop, "columns": width}
            for crop in self.spec.crops_arcsec
            for layer, width in widths.items()
        ]

    def with_head(self, head: DenseScorer, ood_distance: OODDistance | None) -> EncoderMember:
        """The same encoder with a logit."""
        return replace(self, head=head, ood_distance=ood_distance)

    def predictor(
        self, geometry: CutoutGeometry, catalog: str, *, with_variance: bool = False
    ) -> EncoderPredictor:
        """Encodes cutouts of ``geometry``.

        Raises
        ------
        ContractError
            If cutouts do not fit, or variances are asked for: an encoder has no dropout.
        """
        if with_variance:
            raise ContractError(
                "A pretrained encoder gives no variance of its logit; fuse its ensemble by another "
                "fusion than the inverse variance."
            )
        selection = self.contract.fit(geometry, catalog)
        flux_scale(selection.geometry)  # says what is missing before any cutout is read
        bf16 = self.precision == "bf16" or (
            self.precision == "auto"
            and has_bf16_units(self.device)
            and not (self.device == "cpu" and has_depthwise_convolutions(self.network))
        )
        network = copy.deepcopy(self.network).eval()
        fold_normalizations(network.net, bf16=False)
        network.to(self.device, memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch's stubs lack it
        layered = LayeredEncoder(network, self.spec.layers)
        return EncoderPredictor(self, layered, selection, bf16)

    def save(self, folder: Path) -> dict[str, Any]:
        """Write the weights; return what the manifest must hold."""
        save_network(folder, self.network.net.state_dict(), self.ood_distance)
        if self.head is not None:
            self.head.save(folder / HEAD_WEIGHTS)
        blocks = self.blocks
        return {
            "kind": ENCODER,
            "contract": self.contract.to_json(),
            "encoder": self.spec.to_json(),
            "embedding_dim": sum(block["columns"] for block in blocks),
            "blocks": blocks,
            "has_head": self.head is not None,
        }

    @classmethod
    def load(
        cls,
        folder: Path,
        manifest: dict[str, Any],
        *,
        device: str = "cpu",
        precision: Precision = "auto",
    ) -> EncoderMember:
        """Read what :meth:`save` wrote."""
        spec = EncoderSpec.from_json(manifest["encoder"])
        network = _network(spec.backbone, spec.input_px)
        ood_distance = load_network(folder, network.net)
        head = DenseScorer.load(folder / HEAD_WEIGHTS) if manifest["has_head"] else None
        contract = InputContract.from_json(manifest["contract"])
        return cls(contract, spec, network, head, ood_distance, device, precision)


@dataclass(frozen=True)
class EncoderPredictor:
    """Encodes cutouts of one geometry."""

    member: EncoderMember
    network: LayeredEncoder
    selection: CutoutSelection
    bf16: bool

    @torch.inference_mode()
    def __call__(self, flux: Float32Array, metadata: Metadata | None = None) -> MemberOutput:
        levels = self.pictures(flux)
        parts = [self._embed(self._crop(levels, crop)) for crop in self.member.spec.crops_arcsec]
        embedding = torch.cat(parts, dim=1).float().cpu().numpy()
        head = self.member.head
        logit = np.zeros(len(flux)) if head is None else head(embedding)
        return MemberOutput(logit, embedding)

    @torch.inference_mode()
    def pictures(self, flux: Float32Array) -> Tensor:
        """Levels (n, 3, y, x) from 0 to 1 of cutouts (n, band, y, x)."""
        scaled = self.selection(flux) * flux_scale(self.selection.geometry)[:, None, None]
        return self.member.spec.picture(torch.from_numpy(scaled).to(self.member.device))

    def _crop(self, levels: Tensor, crop_arcsec: float) -> Tensor:
        """A central square as the network takes it: resized, and normalized."""
        spec = self.member.spec
        size = crop_px(crop_arcsec, self.selection.geometry)
        first = (levels.shape[-1] - size) // 2
        square = levels[..., first : first + size, first : first + size]
        resized = functional.interpolate(
            square, (spec.input_px,) * 2, mode="bicubic", align_corners=False, antialias=True
        ).clamp(0, 1)
        mean, std = (
            torch.tensor(values, device=levels.device)[:, None, None]
            for values in (spec.mean, spec.std)
        )
        return (resized - mean) / std

    def _embed(self, images: Tensor) -> Tensor:
        """Mean embedding over the views, (n, d)."""
        size = PASS["cpu" if images.device.type == "cpu" else "cuda"]
        embeddings = []
        for first in range(0, max(1, len(images)), size):
            part = images[first : first + size]
            n = len(part)
            if n < size:  # kernels are chosen by size: passes of one size give the same anywhere
                part = torch.cat([part, part.new_zeros(size - n, *part.shape[1:])])
            total = torch.zeros((), device=images.device)
            for k in range(self.member.spec.views):
                total = total + self._forward(dihedral_view(part, k))
            embeddings.append(total[:n] / self.member.spec.views)
        return torch.cat(embeddings)

    def _forward(self, images: Tensor) -> Tensor:
        images = images.contiguous(memory_format=torch.channels_last)
        with torch.autocast(images.device.type, torch.bfloat16, enabled=self.bf16):
            vectors: Tensor = self.network(images)
        return vectors.float()


def dihedral_view(images: Tensor, view: int) -> Tensor:
    """Images by ``view`` quarter turns, from the fourth on of the mirrored image."""
    seen = images.flip(-1) if view >= 4 else images
    if view % 4 in (1, 2):  # torch's rot90, which cannot be exported
        seen = seen.flip(-1)
    if view % 4 in (2, 3):
        seen = seen.flip(-2)
    return seen.transpose(-1, -2) if view % 2 else seen


def _network(name: str, input_px: int) -> TimmEncoder:
    return TimmEncoder(name, 3, input_px).eval()


def make_encoder(
    name: str,
    sample: Float32Array,
    geometry: CutoutGeometry,
    *,
    scale: str = "galaxy",
    weights_file: Path | None = None,
    input_px: int = 0,
    crops_arcsec: Sequence[float] = (),
    views: int = 4,
    unit_levels: bool = False,
    layers: Layers = "both",
) -> EncoderMember:
    """A member from pretrained weights, for cutouts of one geometry; nothing is trained.

    Parameters
    ----------
    name : str
        See :func:`~lensing_core.models.encoders.weights.load_weights`.
    sample : ndarray of shape (n, band, y, x)
        Cutouts as stored, from which noise, sky and brightness of the pictures are measured.
    scale : {'galaxy', 'cluster'}
        Sets the crops where none are given.
    input_px : int
        Side of the pictures; 0: the size that the backbone was trained with.
    layers : {'both', 'middle', 'last'}
        Of the network, see :mod:`~lensing_core.models.encoders.layers`.
    unit_levels : bool
        The network takes levels from 0 to 1 as they are, as those trained on galaxies often do;
        else they are normalized as for timm's own weights.

    Raises
    ------
    BadInputError, PretrainedUnavailableError
        As ``load_weights`` does.
    """
    state, source = load_weights(name, weights_file)
    backbone = timm_name(name)
    config = _configuration(backbone)
    network = _network(backbone, input_px or config["input_px"])
    network.net.load_state_dict(state)
    scaled = np.asarray(sample * flux_scale(geometry)[:, None, None], dtype=np.float32)
    spec = EncoderSpec(
        backbone,
        source,
        input_px or config["input_px"],
        tuple(map(float, crops_arcsec)) or default_crops(geometry, scale),
        views,
        (0.0,) * 3 if unit_levels else config["mean"],
        (1.0,) * 3 if unit_levels else config["std"],
        PictureMapping.measure(scaled, geometry),
        layers,
    )
    return EncoderMember(InputContract.of(geometry), spec, network)


def _configuration(backbone: str) -> dict[str, Any]:
    """Size and normalization that timm states for the weights of a backbone."""
    import timm

    config = timm.get_pretrained_cfg(backbone)
    if config is None:
        return {"input_px": 224, "mean": GRAY, "std": GRAY}
    return {
        "input_px": int(config.input_size[-1]),
        "mean": tuple(map(float, config.mean)),
        "std": tuple(map(float, config.std)),
    }
