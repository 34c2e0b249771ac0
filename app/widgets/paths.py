"""Paths of the server's files, which on a server for a team only organizers are told."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from lens_triage.app.acting import why_not
from lens_triage.app.context import AppContext
from lensing_core.store.runs import RunSummary

_PATH = re.compile(r"(?<![\w.:/<])/(?:[^\s/:;,'\"()<>]+/)+([^\s/:;,'\"()<>]*)")


def sees_paths(context: AppContext) -> bool:
    """Return whether who looks may know where files are: on a team's server organizers alone."""
    return not context.reach.asks or not why_not(context, "start_run")


def told(context: AppContext, text: str) -> str:
    """A text as who looks is told it: without folders, where they may not know of them."""
    return text if sees_paths(context) else without_folders(text)


def without_folders(text: str) -> str:
    """Return a text in which of each absolute path only the end is left.

    Examples
    --------
    >>> without_folders("/srv/surveys/a.fits has no WCS.")
    '…/a.fits has no WCS.'
    """
    return _PATH.sub(r"…/\1", text)


def told_run(context: AppContext, run: RunSummary) -> RunSummary:
    """A run as it is told to who looks: its settings, errors and results without folders."""
    return run if sees_paths(context) else run_without_folders(run)


def run_without_folders(run: RunSummary) -> RunSummary:
    """The same run without folders in what it tells."""
    return replace(
        run,
        settings=cleaned(run.settings),
        result=None if run.result is None else cleaned(run.result),
        error=None if run.error is None else without_folders(run.error),
        activity=without_folders(run.activity),
    )


def cleaned(value: Any) -> Any:
    """Settings, notes and the like without folders, however deep they stand."""
    if isinstance(value, str):
        return without_folders(value)
    if isinstance(value, Mapping):
        return {key: cleaned(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [cleaned(each) for each in value]
    return value
