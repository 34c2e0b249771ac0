"""What networks run on."""

from __future__ import annotations

from functools import cache

from lensing_core.processes import available_cores


@cache
def describe_device(choice: str = "auto") -> str:
    """The device that ``choice`` (auto, cpu or cuda) stands for here, in words for people."""
    import torch  # takes seconds: only where it is asked for

    if choice != "cpu" and torch.cuda.is_available():
        properties = torch.cuda.get_device_properties(0)
        others = torch.cuda.device_count() - 1
        more = f" and {others} more" if others else ""
        return f"{properties.name}, {properties.total_memory / 2**30:.0f} GiB{more}"
    cores = available_cores()
    if choice == "cuda":
        return f"no GPU is here: cuda would fail; the CPU has {cores} cores"
    return f"CPU, {cores} cores"
