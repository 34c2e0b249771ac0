"""Jobs: long work in processes of its own, with progress, log, cancel and resume.

A run is a row of the ``run`` table. :func:`submit` writes it, :func:`advance` starts what may start
and finds processes that died, and the worker (``python -m lens_triage.training.runner.worker``)
does the work and reports through a :class:`JobContext`. Pages, the command line and tests all use
these functions.
"""

from lens_triage.training.runner.context import (
    Cancelled,
    JobContext,
    Superseded,
)
from lens_triage.training.runner.runner import (
    advance,
    cancel,
    resume,
    submit,
    wait,
)

__all__ = ["Cancelled", "JobContext", "Superseded", "advance", "cancel", "resume", "submit", "wait"]
