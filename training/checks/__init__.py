"""Checks that a run can succeed, before it starts: one function a kind of run.

Pages, the command line and the queue of runs ask :func:`check_run`, so that all refuse the same for
the same reason. Each function has the signature ``check(workspace, settings, run_id)`` and raises a
:class:`~lensing_core.errors.LensTriageError` that says what is wrong and what to do. They read the
database and files, and change nothing but the consensus, which is brought up to date.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module

from lens_triage.training.settings import RunSettings
from lensing_core.errors import LensTriageError
from lensing_core.workspace import Workspace

Check = Callable[[Workspace, RunSettings, str], None]

# Named, not imported, as in training.runner.registry: some load torch.
_CHECKS = {
    "simulate": "lens_triage.training.checks.catalogs:check_simulate",
    "inject": "lens_triage.training.checks.catalogs:check_inject",
    "ingest": "lens_triage.training.checks.catalogs:check_ingest",
    "attach": "lens_triage.training.checks.catalogs:check_attach",
    "crossmatch": "lens_triage.training.checks.catalogs:check_crossmatch",
    "encode": "lens_triage.training.checks.encoding:check_encode",
    "search": "lens_triage.training.checks.searching:check_search",
    "selection": "lens_triage.training.checks.selecting:check_selection",
    "probe": "lens_triage.training.checks.probing:check_probe",
    "model": "lens_triage.training.checks.catalogs:check_model",
    "score": "lens_triage.training.checks.ensembles:check_score",
    "train": "lens_triage.training.checks.ensembles:check_train",
    "retrain": "lens_triage.training.checks.retraining:check_retrain",
    "finetune": "lens_triage.training.checks.retraining:check_finetune",
    "report": "lens_triage.training.checks.catalogs:check_report",
}


def check_run(workspace: Workspace, settings: RunSettings, *, run_id: str = "") -> None:
    """Raise LensTriageError where a run with these settings cannot succeed as things are.

    Parameters
    ----------
    run_id : str, optional
        Of the run itself where it exists already: what it has made is no obstacle to it.
    """
    settings.check()
    if settings.kind in _CHECKS:
        module, name = _CHECKS[settings.kind].split(":")
        check: Check = getattr(import_module(module), name)
        check(workspace, settings, run_id)


def refusal(workspace: Workspace, settings: RunSettings, *, run_id: str = "") -> str:
    """Reason why a run with these settings cannot succeed, in one sentence; '' where it can."""
    try:
        check_run(workspace, settings, run_id=run_id)
    except LensTriageError as error:
        return str(error)
    return ""
