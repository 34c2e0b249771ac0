"""Training of ensembles: data and splits, trees, networks, calibration, held-out figures."""

from typing import Any

__all__ = ["run"]


def __getattr__(name: str) -> Any:
    """``run``, imported when first asked for: the training loop takes seconds to import."""
    if name == "run":
        from lens_triage.training.jobs.train.train import run

        return run
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
