"""Weights of networks with the OOD distance beside them, as one file of safetensors."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from lensing_core.models.ood import OODDistance

WEIGHTS = "weights.safetensors"
_PREFIX = "network."


def save_network(
    folder: Path, state: Mapping[str, Tensor], ood_distance: OODDistance | None
) -> None:
    """Write the state of a network, and its OOD distance where it has one."""
    tensors = {f"{_PREFIX}{name}": values.contiguous() for name, values in state.items()}
    if ood_distance is not None:
        tensors |= ood_distance.to_tensors()
    save_file(tensors, folder / WEIGHTS)


def load_network(folder: Path, network: torch.nn.Module) -> OODDistance | None:
    """Read into ``network`` what :func:`save_network` wrote; return the OOD distance."""
    tensors = load_file(folder / WEIGHTS, device="cpu")
    network.load_state_dict(
        {
            name.removeprefix(_PREFIX): values
            for name, values in tensors.items()
            if name.startswith(_PREFIX)
        }
    )
    return OODDistance.from_tensors(tensors)


def store_in_16_bits(folder: Path) -> None:
    """Write the kernels of a stored network in half precision; all else stays as it is."""
    tensors = load_file(folder / WEIGHTS, device="cpu")
    save_file(
        {
            name: values.half()
            if name.startswith(_PREFIX) and values.dim() >= 2 and values.is_floating_point()
            else values
            for name, values in tensors.items()
        },
        folder / WEIGHTS,
    )
