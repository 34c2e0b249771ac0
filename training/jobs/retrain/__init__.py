"""Fast retrain: new heads from labels, on what members stored of a catalog, in seconds.

``labels`` says what is labeled, ``frozen_set`` chooses the objects that never train, ``selection``
draws and reads the rows, ``heads`` and ``stacking`` hold the statistics, and ``job`` is the run.
"""

from typing import Any

__all__ = ["run"]


def __getattr__(name: str) -> Any:
    """``run``, imported when first asked for: models take seconds to import."""
    if name == "run":
        from lens_triage.training.jobs.retrain.job import run

        return run
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
