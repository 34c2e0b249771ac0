"""Networks of an ensemble as ONNX graphs, with the fusion and the calibration as JSON beside them.

A graph takes flux (n, band, y, x) at AB zero point 25 (the values of a rendered picture as they
are), NaN where there is no data, in the bands, size and pixel scale of its contract. It gives the
logit before calibration, and the embedding. Scaling, turns and crops are in the graph.

Needs the extra ``onnx``: graphs are written by torch with ``onnx``. Before they are kept,
``onnxruntime`` runs them on cutouts of noise with missing pixels, and the logits are compared with
those of the network.
"""

from __future__ import annotations

import copy
import json
import shutil
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from lensing_core.arrays import Float32Array
from lensing_core.errors import BadInputError, ContractError
from lensing_core.models.deep import DeepMember
from lensing_core.models.encoders.layers import LayeredEncoder
from lensing_core.models.encoders.member import EncoderMember, dihedral_view
from lensing_core.models.encoders.spec import crop_px
from lensing_core.models.ensemble import EnsembleRule
from lensing_core.models.files import StoredMember, with_bases
from lensing_core.models.networks.dihedral import N_VIEWS, dihedral
from lensing_core.models.networks.folding import for_scoring
from lensing_core.pu.learners import DenseScorer

TOLERANCE_LOGIT = 1e-4
HEAD = "ensemble.json"
FORMAT = 1
_OPSET = 18
_CHECKED = 5
_INSTALL = "ONNX graphs need further packages: pip install 'lens-triage[onnx]'."


@dataclass(frozen=True)
class ExportedGraph:
    """A graph that was written.

    Attributes
    ----------
    model : str
        Id of the model.
    file : str
    largest_difference : float
        Between the logits of the graph and of the network, on cutouts of noise.
    """

    model: str
    file: str
    largest_difference: float


class _NetworkGraph(nn.Module):
    """A deep member from flux on."""

    def __init__(self, member: DeepMember) -> None:
        super().__init__()
        self.network = for_scoring(member.network, bf16=False).float()
        self.turns = N_VIEWS if member.dihedral_averaging else 1
        sigma = torch.tensor(member.scaling.sigma, dtype=torch.float32)
        self.register_buffer("sigma", sigma[:, None, None])

    def forward(self, flux: Tensor, metadata: Tensor | None = None) -> tuple[Tensor, Tensor]:
        images = torch.asinh(flux / cast(Tensor, self.sigma))
        outputs = [
            self.network(dihedral(images, torch.full((1,), code)), metadata)
            for code in range(self.turns)
        ]
        logit = torch.stack([output.logit for output in outputs]).mean(dim=0)
        return logit, torch.stack([output.embedding for output in outputs]).mean(dim=0)


class _EncoderGraph(nn.Module):
    """A pretrained encoder from flux on, with its head where it has one."""

    def __init__(self, member: EncoderMember) -> None:
        super().__init__()
        self.spec = member.spec
        network = copy.deepcopy(member.network)  # it gets a hook of its own
        self.layered = LayeredEncoder(network, member.spec.layers).eval()
        self.crops = [crop_px(crop, member.contract) for crop in member.spec.crops_arcsec]
        for k, size in enumerate(self.crops):
            self.register_buffer(f"resize_{k}", _resize_matrix(size, member.spec.input_px))
        self.head = None if member.head is None else _HeadGraph(member.head)

    def forward(self, flux: Tensor) -> tuple[Tensor, Tensor]:
        levels = self.spec.picture(flux)
        mean, std = (torch.tensor(v)[:, None, None] for v in (self.spec.mean, self.spec.std))
        parts = []
        for k, size in enumerate(self.crops):
            first = (levels.shape[-1] - size) // 2
            square = levels[..., first : first + size, first : first + size]
            matrix = cast(Tensor, getattr(self, f"resize_{k}"))
            resized = (matrix @ square @ matrix.transpose(0, 1)).clamp(0, 1)
            images = (resized - mean) / std
            views = [self.layered(dihedral_view(images, v)) for v in range(self.spec.views)]
            parts.append(torch.stack(views).mean(dim=0))
        embedding = torch.cat(parts, dim=1)
        if self.head is None:
            return torch.zeros_like(embedding[:, 0]), embedding
        return self.head(embedding), embedding


class _HeadGraph(nn.Module):
    """A dense head on embeddings, which have no missing values."""

    def __init__(self, head: DenseScorer) -> None:
        super().__init__()
        self.register_buffer("mean", torch.from_numpy(np.asarray(head.standardizer.mean)))
        self.register_buffer("scale", torch.from_numpy(np.asarray(head.standardizer.scale)))
        self.n = len(head.weights)
        for k, (weight, bias) in enumerate(zip(head.weights, head.biases, strict=True)):
            self.register_buffer(f"weight_{k}", torch.from_numpy(np.asarray(weight)))
            self.register_buffer(f"bias_{k}", torch.from_numpy(np.asarray(bias)))

    def forward(self, embedding: Tensor) -> Tensor:
        layer = (embedding - cast(Tensor, self.mean)) / cast(Tensor, self.scale)
        for k in range(self.n):
            layer = layer @ cast(Tensor, getattr(self, f"weight_{k}"))
            layer = layer + cast(Tensor, getattr(self, f"bias_{k}"))
            layer = layer.clamp_min(0) if k < self.n - 1 else layer
        return layer[:, 0]


def _resize_matrix(size: int, wanted: int) -> Tensor:
    """Matrix (wanted, size) of the antialiased bicubic resizing of one axis."""
    identity = torch.eye(size)[None, None]
    resized = functional.interpolate(
        identity, (wanted, size), mode="bicubic", align_corners=False, antialias=True
    )
    return resized[0, 0]


def export_onnx(
    members: Sequence[StoredMember], rule: EnsembleRule, name: str, version: str, folder: Path
) -> list[ExportedGraph]:
    """Write each network of an ensemble, and those below its heads, into a new folder.

    ``ensemble.json`` beside them has each graph's contract and inputs, the calibrations and the
    fusion, and the models that are no networks: trees and heads are not exported.

    Parameters
    ----------
    version : str
        Of the ensemble.

    Raises
    ------
    BadInputError
        If the folder exists, the extra is not installed, or the ensemble has no network.
    ContractError
        If a graph and its network differ by more than :data:`TOLERANCE_LOGIT`.
    """
    if find_spec("onnx") is None or find_spec("onnxruntime") is None:
        raise BadInputError(_INSTALL)
    if folder.exists():
        raise BadInputError(f"{folder} exists; remove it or choose another folder.")
    bases = with_bases(members)
    networks = [s for s in bases if isinstance(s.member, DeepMember | EncoderMember)]
    if not networks:
        raise BadInputError(f"Ensemble {name} has no network: its models are trees and heads.")
    beside = folder.with_name(f".{folder.name}.part")
    shutil.rmtree(beside, ignore_errors=True)
    beside.mkdir(parents=True)
    made = [_export(stored, beside) for stored in networks]
    told = {
        "format": FORMAT,
        "name": name,
        "version": version,
        "graphs": [_graph(s, g) for s, g in zip(networks, made, strict=True)],
        "members": [stored.id for stored in members],
        "not_exported": sorted(
            {stored.id for stored in (*members, *bases)} - {graph.model for graph in made}
        ),
        "rule": rule.to_json(),
    }
    (beside / HEAD).write_text(json.dumps(told, indent=1), encoding="utf-8")
    beside.rename(folder)
    return made


def _graph(stored: StoredMember, made: ExportedGraph) -> dict[str, Any]:
    member = stored.member
    return {
        "model": stored.id,
        "file": made.file,
        "contract": member.contract.to_json(),
        "zero_point_mag": 25.0 if member.contract.pixel_kind == "flux" else None,
        "metadata": list(member.metadata_names),
        "largest_difference_logit": made.largest_difference,
    }


def _export(stored: StoredMember, folder: Path) -> ExportedGraph:
    """Write a graph, and compare what it says with its network."""
    member = cast("DeepMember | EncoderMember", stored.member)
    graph: nn.Module = (
        _NetworkGraph(member) if isinstance(member, DeepMember) else _EncoderGraph(member)
    )
    graph = graph.eval().cpu()
    names = ["flux", *(["metadata"] if member.metadata_names else [])]
    path = folder / f"{stored.id}.onnx"
    # ONNX has had this operator since its version 9; torch's exporter does not know it.
    torch.onnx.register_custom_op_symbolic("aten::asinh", _asinh, _OPSET)
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of values that are constants of the graph on purpose
        torch.onnx.export(
            graph,
            tuple(map(torch.from_numpy, _noise(member, 2))),
            str(path),
            input_names=names,
            output_names=["logit", "embedding"],
            dynamic_axes={key: {0: "n"} for key in (*names, "logit", "embedding")},
            opset_version=_OPSET,
            dynamo=False,
        )
    inputs = _noise(member, _CHECKED)
    with torch.no_grad():
        expected = graph(*map(torch.from_numpy, inputs))[0].numpy()
    found = run_graph(path, dict(zip(names, inputs, strict=True)))[0]
    difference = float(np.abs(found - expected).max())
    if not difference <= TOLERANCE_LOGIT:
        raise ContractError(
            f"The graph of {stored.id} gives logits that differ by {difference:.1e} from those of "
            f"its network; {TOLERANCE_LOGIT:.0e} are allowed, so that nothing was exported."
        )
    return ExportedGraph(stored.id, path.name, difference)


Outputs = tuple[Float32Array, Float32Array]


def open_graph(path: Path) -> Callable[[dict[str, Float32Array]], Outputs]:
    """Read a graph; what is returned gives logits (n,) before calibration, and embeddings (n, d),
    by onnxruntime on one core.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])

    def run(inputs: dict[str, Float32Array]) -> Outputs:
        logit, embedding = session.run(["logit", "embedding"], inputs)
        return logit, embedding

    return run


def run_graph(path: Path, inputs: dict[str, Float32Array]) -> Outputs:
    """Run a graph once; see :func:`open_graph`."""
    return open_graph(path)(inputs)


def _asinh(graph: Any, value: Any) -> Any:
    return graph.op("Asinh", value)


def _noise(member: DeepMember | EncoderMember, n: int) -> list[Float32Array]:
    """Cutouts with faint and bright pixels, some missing; metadata, some of them unknown."""
    generator, contract = np.random.default_rng(n), member.contract
    shape = (n, len(contract.bands), contract.size_px, contract.size_px)
    flux = generator.standard_normal(shape) * 10 ** generator.uniform(-2, 2, (n, 1, 1, 1))
    if contract.pixel_kind == "rendered":
        flux = generator.uniform(0, 255, shape)
    flux[0, 0, : contract.size_px // 4] = np.nan
    inputs = [flux.astype(np.float32)]
    if member.metadata_names:
        columns = generator.standard_normal((n, len(member.metadata_names)))
        columns[-1] = np.nan
        inputs.append(columns.astype(np.float32))
    return inputs
