"""Notice in open tabs that a run has ended, with its link and a mark in the title."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import param
from panel.custom import JSComponent

from lens_triage.app.acting import why_not
from lens_triage.app.context import AppContext
from lens_triage.app.scripts import bundle, styles
from lens_triage.app.theme import TOKENS_CSS
from lens_triage.app.widgets.live import live_in_frame
from lensing_core.store import Database
from lensing_core.store.runs import RunEnd, list_active_runs, read_ends

_KEPT = 5  # the newest that a tab is told of


class RunEnds:
    """Ends of runs since it was made, each once."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._active: set[str] = set()
        self._seen: dict[str, object] = {}
        self.look()

    @property
    def waits(self) -> bool:
        """Return whether a run was queued or at work at the last look."""
        return bool(self._active)

    def look(self) -> list[RunEnd]:
        """Return what has ended since the last look, the latest last."""
        with self._database.session() as session:
            active = {run.id for run in list_active_runs(session)}
            found = read_ends(session, self._active - active)
        new = [end for end in found if self._seen.get(end.id, "") != end.finished_at]
        self._seen.update((end.id, end.finished_at) for end in new)
        self._active = active
        return sorted(new, key=lambda end: str(end.finished_at))


class RunBell(JSComponent):
    """Notices of runs that have ended, also in a tab that is not visible."""

    ends = param.List(default=[], doc="The newest: number, id, title, status, error.")
    preferences = param.Dict(
        default=None, allow_None=True, doc="Of who is signed in; None: this browser has them."
    )

    _esm = bundle("run-bell")
    _stylesheets: ClassVar[list[str]] = [TOKENS_CSS, styles("run_bell.css")]

    def tell(self, ends: list[RunEnd]) -> None:
        """Tell of some ends."""
        number = self.ends[-1]["number"] if self.ends else 0
        told = [end_to_json(end, number + k) for k, end in enumerate(ends, start=1)]
        if told:
            self.ends = [*self.ends, *told][-_KEPT:]


def end_to_json(end: RunEnd, number: int) -> dict[str, Any]:
    """Return what the script needs to know of an end."""
    return {
        "number": number,
        "id": end.id,
        "title": end.title,
        "status": end.status,
        "error": end.error or "",
    }


def run_bell(context: AppContext, preferences: Mapping[str, Any] | None) -> RunBell:
    """Return the bell of a session; it is silent for those who may start no run."""
    bell = RunBell(preferences=None if preferences is None else dict(preferences), margin=0)
    if not why_not(context, "start_run"):
        ends = RunEnds(context.database)
        live_in_frame(lambda: bell.tell(ends.look()), even_hidden=lambda: ends.waits)
    return bell
