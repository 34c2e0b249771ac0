"""Device that networks run on: one rule for ``auto``, ``cpu`` and ``cuda``."""

from __future__ import annotations

import ctypes
import sys
from functools import cache
from pathlib import Path

from lensing_core.errors import BadInputError
from lensing_core.processes import available_cores

LIGHTNING_ACCELERATORS = {"auto": "auto", "cpu": "cpu", "cuda": "gpu"}
"""Lightning's names of the choices."""


def torch_device(choice: str = "auto") -> str:
    """Return the torch device that ``choice`` (auto, cpu or cuda) stands for here: cpu or cuda.

    Raises
    ------
    BadInputError
        For cuda, where torch can use no GPU.
    """
    if choice == "cpu" or (choice == "auto" and not has_gpu_driver()):
        return "cpu"
    import torch  # takes seconds: only where it is asked for

    if torch.cuda.is_available():
        return "cuda"
    if choice == "cuda":
        raise BadInputError("device = cuda: this machine has no GPU that torch can use.")
    return "cpu"


@cache
def has_gpu_driver() -> bool:
    """Return whether a driver is here without which torch sees no GPU.

    Tells in a millisecond that a machine has none, where loading torch takes seconds. Systems other
    than Linux are taken to have one, so that torch is asked.
    """
    if not sys.platform.startswith("linux"):
        return True
    if Path("/dev/kfd").exists():  # AMD's
        return True
    try:
        ctypes.CDLL("libcuda.so.1")  # NVIDIA's, which torch opens by this name
    except OSError:
        return False
    return True


def check_device(choice: str) -> None:
    """Raise BadInputError where ``choice`` is cuda and there is no GPU; loads torch only then."""
    if choice == "cuda":
        torch_device(choice)


@cache
def describe_device(choice: str = "auto") -> str:
    """Return the device that ``choice`` stands for here, in words for people."""
    cores = available_cores()
    try:
        device = torch_device(choice)
    except BadInputError:
        return f"no GPU is here: cuda would fail; the CPU has {cores} cores"
    if device == "cpu":
        return f"CPU, {cores} cores"
    import torch

    properties = torch.cuda.get_device_properties(0)
    n_others = torch.cuda.device_count() - 1
    more = f" and {n_others} more" if n_others else ""
    return f"{properties.name}, {properties.total_memory / 2**30:.0f} GiB{more}"
