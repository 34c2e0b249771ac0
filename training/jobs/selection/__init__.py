"""The selection function of a search: lenses are injected on a grid, and what is found is measured.

`job.py` goes through the steps, `painting.py` injects; what is measured from it stands in
:mod:`lens_triage.training.selection`.
"""

from typing import Any

__all__ = ["run"]


def __getattr__(name: str) -> Any:
    """``run``, imported when first asked for: it loads torch."""
    if name == "run":
        from lens_triage.training.jobs.selection.job import run

        return run
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
