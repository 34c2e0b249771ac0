"""The watch of the server over runs, started where they may and found where they died; backups."""

from __future__ import annotations

import logging
import time
from collections.abc import Hashable
from math import inf

from lens_triage.app.context import AppContext
from lens_triage.training import runner as jobs
from lens_triage.training.demo import complete_demo
from lensing_core.errors import LensTriageError
from lensing_core.store.changes import ChangeFingerprint
from lensing_core.store.schedule import back_up_when_due

_AGAIN_AFTER_S = 3600.0
_log = logging.getLogger(__name__)

_AT_LEAST_EVERY_S = 60.0
"""For what no commit tells: a lock that another machine let go, a run gone silent."""


class BackupWatch:
    """Takes the backups that are due; one that fails is logged and tried again later."""

    def __init__(self, context: AppContext) -> None:
        self._context = context
        self._not_before = -inf

    def look(self) -> None:
        """Take the backup that is due, if one is; not to be called from two threads at once."""
        if time.monotonic() < self._not_before:
            return
        try:
            made = back_up_when_due(self._context.workspace, self._context.database)
        except LensTriageError as error:
            self._not_before = time.monotonic() + _AGAIN_AFTER_S
            _log.warning("No backup could be taken: %s", error)
        else:
            if made is not None:
                _log.info("Backed up to %s", made.path)


class Overseer:
    """Looks after runs, and after the demonstration while it is being made.

    Where nothing is under way, and nobody has written to the database, it looks once a minute.
    """

    def __init__(self, context: AppContext) -> None:
        self._workspace = context.workspace
        self._fingerprint = ChangeFingerprint(context.database)
        self._seen: Hashable = None
        self._at = -inf
        self._busy = True
        self._demo_is_complete = False

    def look(self) -> None:
        """Look, if there may be something to see; not to be called from two threads at once."""
        fingerprint, now = self._fingerprint(), time.monotonic()
        if not self._busy and fingerprint == self._seen and now - self._at < _AT_LEAST_EVERY_S:
            return
        self._busy = True  # also where what follows fails
        busy = jobs.advance(self._workspace)
        self._demo_is_complete = self._demo_is_complete or complete_demo(self._workspace)
        self._seen, self._at = fingerprint, now
        self._busy = busy or not self._demo_is_complete
