"""Device that networks run on: one rule for ``auto``, ``cpu`` and ``cuda``."""

from __future__ import annotations

from functools import cache

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
    if choice == "cpu":
        return "cpu"
    import torch  # takes seconds: only where it is asked for

    if torch.cuda.is_available():
        return "cuda"
    if choice == "cuda":
        raise BadInputError("device = cuda: this machine has no GPU that torch can use.")
    return "cpu"


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
    others = torch.cuda.device_count() - 1
    more = f" and {others} more" if others else ""
    return f"{properties.name}, {properties.total_memory / 2**30:.0f} GiB{more}"
