"""Search one's own survey: arcs painted onto its own galaxies, a committee, scores, in one run.

`job.py` goes through the steps, `sets.py` puts training sets together and divides them,
`committee.py` fits their members, `estimate.py` says beforehand what time and room they take, from
what `timing.py` measures on the first few galaxies.
"""

from typing import Any

__all__ = ["run"]


def __getattr__(name: str) -> Any:
    """``run``, imported when first asked for: it loads torch."""
    if name == "run":
        from lens_triage.training.jobs.search.job import run

        return run
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
