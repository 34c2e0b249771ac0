"""The functions that carry out the kinds of runs.

Functions are named, not imported, so that listing runs costs no torch import. Each has the
signature ``run(context: JobContext, settings: RunSettings) -> dict[str, Any]``; the dictionary
(plain JSON) becomes the run's ``result``.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

from lens_triage.training.runner.context import JobContext
from lens_triage.training.settings import RunSettings
from lensing_core.errors import JobError

JobFunction = Callable[[JobContext, RunSettings], dict[str, Any]]

_FUNCTIONS = {
    "simulate": "lens_triage.training.jobs.simulate:run",
    "inject": "lens_triage.training.jobs.inject:run",
    "ingest": "lens_triage.training.jobs.ingest:run",
    "attach": "lens_triage.training.jobs.attach:run",
    "search": "lens_triage.training.jobs.search:run",
    "train": "lens_triage.training.jobs.train:run",
    "encode": "lens_triage.training.jobs.encode:run",
    "score": "lens_triage.training.jobs.score:run",
    "selection": "lens_triage.training.jobs.selection:run",
    "probe": "lens_triage.training.jobs.probe:run",
    "crossmatch": "lens_triage.training.jobs.crossmatch:run",
    "model": "lens_triage.training.jobs.model:run",
    "retrain": "lens_triage.training.jobs.retrain:run",
    "finetune": "lens_triage.training.jobs.retrain.finetuning:run",
    "report": "lens_triage.training.jobs.report:run",
}


def job_function(kind: str) -> JobFunction:
    """The function for a kind of run; raises JobError for an unknown kind."""
    if kind not in _FUNCTIONS:
        raise JobError(f"Run kind {kind!r} is unknown; known: {', '.join(sorted(_FUNCTIONS))}.")
    module, name = _FUNCTIONS[kind].split(":")
    function: JobFunction = getattr(import_module(module), name)
    return function
