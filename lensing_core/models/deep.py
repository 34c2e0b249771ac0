"""The deep member: a network on asinh-scaled images."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from lensing_core.arrays import Float32Array, Float64Array
from lensing_core.cutouts import CutoutGeometry
from lensing_core.models.contract import CutoutSelection, InputContract, flux_scale
from lensing_core.models.manifest import NETWORK
from lensing_core.models.member import MemberOutput, Metadata, Predictor
from lensing_core.models.networks import (
    LensNetwork,
    NetworkOutput,
    NetworkSpec,
    build_network,
    dihedral_average,
    encode_metadata,
)
from lensing_core.models.networks.folding import for_scoring
from lensing_core.models.ood import OODDistance
from lensing_core.models.stored_network import load_network, save_network

Precision = Literal["auto", "32", "bf16"]
MC_SAMPLES = 32
PASS = {"cpu": 64, "cuda": 512}
"""Cutouts that pass through a network together, whatever the size of the caller's batch: kernels
are chosen by size, so that only passes of one size give the same logit in any batch."""


@dataclass(frozen=True)
class ImageScaling:
    """asinh scaling in units of the training survey's noise, band by band.

    x' = asinh(f / σ_b), with f at AB zero point 25 (or the value of a rendered picture) and σ_b the
    median pixel noise of the training cutouts: linear in the noise, logarithmic far above it. NaN
    stays NaN; the network puts the sky, zero, in its place.

    Attributes
    ----------
    sigma : tuple of float
        σ_b, in the model's band order.
    """

    sigma: tuple[float, ...]

    @classmethod
    def measure(cls, flux: Float32Array) -> ImageScaling:
        """Measure it on training cutouts (n, band, y, x), already at zero point 25.

        The noise of a band is the median over cutouts of 1.4826 MAD of the outer tenth; a band
        that is constant there (some rendered pictures) takes 1.
        """
        border = max(2, flux.shape[-1] // 10)
        outside = np.ones(flux.shape[-2:], dtype=bool)
        outside[border:-border, border:-border] = False
        pixels = flux[..., outside]
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "All-NaN")  # a band without data there takes 1
            spread = np.abs(pixels - np.nanmedian(pixels, axis=-1, keepdims=True))
            noise = np.nanmedian(1.4826 * np.nanmedian(spread, axis=-1), axis=0)
        return cls(tuple(float(s) if s > 0 else 1.0 for s in noise))

    def __call__(self, flux: Tensor) -> Tensor:
        """Scaled images (n, band, y, x)."""
        sigma = torch.tensor(self.sigma, device=flux.device, dtype=flux.dtype)
        scaled = flux / sigma[:, None, None]
        if scaled.is_cpu and not scaled.requires_grad:  # numpy's asinh is vectorized, torch's slow
            return torch.from_numpy(np.arcsinh(scaled.numpy(), out=scaled.numpy()))
        return torch.asinh(scaled)


def _half(tensor: Tensor) -> Tensor:
    """Floating point in 16 bits; counters stay as they are."""
    return tensor.half() if tensor.is_floating_point() else tensor


@dataclass(frozen=True)
class DeepMember:
    """A trained network with its scaling and its OOD distance.

    Attributes
    ----------
    dihedral_averaging : bool
        Scores are means over the eight orientations of a cutout, at eight times the cost.
    precision : {'auto', '32', 'bf16'}
        Arithmetic of scoring; auto: bf16 where the device has units for it and the network no
        depthwise convolutions, which are slower in it on CPUs.
    half : bool
        Weights are stored in 16 bits; :meth:`rounded` makes the network the one that will be read.
    """

    contract: InputContract
    spec: NetworkSpec
    network: LensNetwork
    scaling: ImageScaling
    ood_distance: OODDistance | None = None
    device: str = "cpu"
    dihedral_averaging: bool = False
    half: bool = False
    precision: Precision = "auto"

    @property
    def metadata_names(self) -> tuple[str, ...]:
        return tuple(field.name for field in self.spec.metadata)

    def predictor(
        self, geometry: CutoutGeometry, catalog: str, *, with_variance: bool = False
    ) -> Predictor:
        """Scores cutouts of ``geometry``."""
        selection = self.contract.fit(geometry, catalog)
        bf16 = self.precision == "bf16" or (
            self.precision == "auto"
            and has_bf16_units(self.device)
            and not has_depthwise_convolutions(self.network)
        )
        network = for_scoring(self.network, bf16=bf16)
        network.to(self.device, memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch's stubs lack it
        flux_scale(selection.geometry)  # says what is missing before any cutout is read
        return _DeepPredictor(self, network, selection, with_variance, bf16)

    def network_input(
        self, flux: Float32Array, selection: CutoutSelection, metadata: Metadata | None
    ) -> tuple[Tensor, Tensor]:
        """Return what the network sees of cutouts (n, band, y, x): images, and metadata (n, m).

        Metadata are NaN where missing; m is 0 for a network that takes none.
        """
        scaled = selection(flux) * flux_scale(selection.geometry)[:, None, None]
        images = self.scaling(torch.from_numpy(scaled).to(self.device))
        fields = self.spec.metadata
        if not fields or not metadata:
            return images, torch.full((len(images), len(fields)), torch.nan, device=self.device)
        return images, torch.from_numpy(encode_metadata(fields, metadata)).to(self.device)

    def rounded(self) -> DeepMember:
        """The same member with its weights rounded to what is stored."""
        if self.half:
            self.network.load_state_dict(
                {k: _half(v) for k, v in self.network.state_dict().items()}
            )
        return self

    def save(self, folder: Path) -> dict[str, Any]:
        """Write the weights; return what the manifest must hold."""
        state = self.network.state_dict()
        if self.half:
            state = {k: _half(v) for k, v in state.items()}
        save_network(folder, state, self.ood_distance)
        return {
            "kind": NETWORK,
            "contract": self.contract.to_json(),
            "network": self.spec.to_json(),
            "sigma": list(self.scaling.sigma),
            "embedding_dim": int(self.network.embedding_dim),
            "turned": self.dihedral_averaging,
            "half": self.half,
        }

    @classmethod
    def load(
        cls,
        folder: Path,
        manifest: dict[str, Any],
        *,
        device: str = "cpu",
        precision: Precision = "auto",
    ) -> DeepMember:
        """Read what :meth:`save` wrote."""
        spec = NetworkSpec.from_json(manifest["network"])
        network = build_network(spec)
        ood_distance = load_network(folder, network)
        contract = InputContract.from_json(manifest["contract"])
        scaling = ImageScaling(tuple(manifest["sigma"]))
        dihedral_averaging = bool(manifest.get("turned", False))
        half = bool(manifest.get("half", False))
        return cls(
            contract,
            spec,
            network,
            scaling,
            ood_distance,
            device,
            dihedral_averaging,
            half,
            precision=precision,
        )


def has_bf16_units(device: str) -> bool:
    """Return whether bf16 is faster than float32: AMX or AVX512-bf16, or a GPU since Ampere."""
    if device.startswith("cuda"):
        return torch.cuda.get_device_capability()[0] >= 8
    return bool(torch.cpu._is_amx_tile_supported() or torch.cpu._is_avx512_bf16_supported())


def has_depthwise_convolutions(network: torch.nn.Module) -> bool:
    """Return whether a network has convolutions that look at one channel each."""
    return any(
        isinstance(module, torch.nn.Conv2d) and module.groups > 1 for module in network.modules()
    )


@dataclass(frozen=True)
class _DeepPredictor:
    member: DeepMember
    network: LensNetwork
    selection: CutoutSelection
    with_variance: bool
    bf16: bool

    @torch.inference_mode()
    def __call__(self, flux: Float32Array, metadata: Metadata | None = None) -> MemberOutput:
        images, columns = self.member.network_input(flux, self.selection, metadata)
        size = PASS[images.device.type]
        passes = [
            self._pass(images[k : k + size], columns[k : k + size], size)
            for k in range(0, max(1, len(images)), size)
        ]
        embedding = torch.cat([output.embedding for output in passes])
        return MemberOutput(
            torch.cat([output.logit for output in passes]).double().cpu().numpy(),
            embedding.float().cpu().numpy(),
            self._variance(embedding) if self.with_variance else None,
        )

    def _pass(self, images: Tensor, columns: Tensor, size: int) -> NetworkOutput:
        """Logits and embeddings of at most ``size`` images, which empty sky fills up."""
        n = len(images)
        if n < size:
            images = torch.cat([images, images.new_zeros(size - n, *images.shape[1:])])
            columns = torch.cat(
                [columns, columns.new_full((size - n, columns.shape[1]), torch.nan)]
            )
        images = images.to(memory_format=torch.channels_last)
        with torch.autocast(images.device.type, torch.bfloat16, enabled=self.bf16):
            known = columns if columns.shape[1] else None
            output = (
                dihedral_average(self.network, images, known)
                if self.member.dihedral_averaging
                else self.network(images, known)
            )
        return NetworkOutput(output.logit[:n].float(), output.embedding[:n].float())

    def _variance(self, embedding: torch.Tensor) -> Float64Array:
        """Variance by the head's dropout, over the same thinned heads for every batch."""
        generator = torch.Generator(device=embedding.device).manual_seed(0)
        samples = self.network.mc_logits(embedding, MC_SAMPLES, generator)
        variance: Float64Array = samples.double().var(dim=0, correction=0).cpu().numpy()
        return variance
