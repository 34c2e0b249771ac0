"""One run as it happens: progress, speed, curves, log, result, and cancel or resume."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import panel as pn

from lens_triage.app import acts
from lens_triage.app.acting import why_not
from lens_triage.app.context import AppContext
from lens_triage.app.runs import rows as run_view
from lens_triage.app.runs.curves import Curves
from lens_triage.app.runs.shift import SHIFT_CSS
from lens_triage.app.runs.starting import why_not_resumed
from lens_triage.app.scripts import styles
from lens_triage.app.widgets.action_button import ActionButton
from lens_triage.app.widgets.live import in_background
from lens_triage.app.widgets.notice import Notice
from lens_triage.app.widgets.paths import sees_paths, told_run, without_folders
from lens_triage.app.widgets.section import (
    html,
    stack,
)
from lensing_core.store import runs
from lensing_core.store.runs import RunSummary

_CSS = styles("widgets/chip.css", "runs/monitor.css") + SHIFT_CSS
_SPEED_OVER_S = 20.0


class Speed:
    """Speed of progress over the last seconds."""

    def __init__(self) -> None:
        self._seen: deque[tuple[float, int]] = deque()
        self._activity = ""

    def update(self, run: RunSummary, now: float) -> tuple[float | None, float | None]:
        """Steps a second, and seconds left of the present activity; None while unknown."""
        step = run.activity.split(",")[0]
        if step != self._activity or (self._seen and run.done < self._seen[-1][1]):
            self._seen.clear()
            self._activity = step
        self._seen.append((now, run.done))
        while self._seen[0][0] < now - _SPEED_OVER_S:
            self._seen.popleft()
        (began, first), (ended, last) = self._seen[0], self._seen[-1]
        if ended - began < 1.5 or last <= first:
            return None, None
        per_second = (last - first) / (ended - began)
        return per_second, (run.total - run.done) / per_second if run.total else None


class RunMonitor(pn.viewable.Viewer):
    """Shows one run; :meth:`refresh` is to be called about once a second.

    Parameters
    ----------
    context : AppContext
    run_id : str, optional
        '' shows nothing until :meth:`watch`.
    on_end : callable, optional
        Called with the run once, when it ends while it is being watched.
    on_copy : callable, optional
        Called with the run when its settings are to be used again; without it there is no button.
    """

    def __init__(
        self,
        context: AppContext,
        run_id: str = "",
        *,
        on_end: Callable[[RunSummary], None] = lambda run: None,
        on_copy: Callable[[RunSummary], None] | None = None,
    ) -> None:
        self._context = context
        self._on_end = on_end
        self._on_copy = on_copy
        self.run_id = ""
        self.run: RunSummary | None = None
        self._speed = Speed()
        self._n_metrics = 0
        self._notice = Notice()
        self._error, self._no_use = Notice(), Notice()
        self._head = html("", css=_CSS)
        self._log = html("", css=_CSS)
        self._result = html("", css=_CSS, visible=False)
        self._settings = html("", css=_CSS)
        self._curves = Curves()
        button: dict[str, Any] = {"size": "small", "variant": "outlined"}
        self._cancel = ActionButton(
            lambda: self._act(acts.cancel_run),
            label="Cancel",
            icon="stop",
            forbidden=why_not(context, "cancel_run"),
            **button,
        )
        self._resume = ActionButton(
            lambda: self._act(acts.resume_run),
            label="Resume",
            icon="play_arrow",
            forbidden=why_not(context, "resume_run"),
            **button,
        )
        self._copy = ActionButton(
            self._use_again,
            label="Use these settings",
            icon="content_copy",
            visible=on_copy is not None,
            **button,
        )
        self._buttons = pn.Row(
            self._cancel, self._resume, self._copy, margin=0, styles={"gap": "8px"}
        )
        self._view = stack(
            self._head,
            self._error,
            self._no_use,
            self._notice,
            self._buttons,
            self._result,
            self._curves,
            self._log,
            self._settings,
            gap=10,
        )
        super().__init__()
        self.watch(run_id)

    def __panel__(self) -> pn.viewable.Viewable:
        return self._view

    def watch(self, run_id: str, *, shut: bool = False) -> None:
        """Show another run.

        Parameters
        ----------
        run_id : str
        shut : bool, optional
            Begin with its curves folded, where it has ended.
        """
        if run_id == self.run_id and run_id:
            return
        self.run_id = run_id
        self.run = None
        self._speed = Speed()
        self._n_metrics = 0
        self._curves.clear()
        self._notice.clear()
        self._error.clear()
        self._no_use.clear()
        self._resume.visible = False
        self._view.visible = bool(run_id)
        self.refresh()
        self._curves.fold(shut=shut and self.run is not None and not self.run.active)

    def refresh(self) -> None:
        """Look at the run again."""
        if not self.run_id:
            return
        before = self.run
        run = told_run(self._context, self._context.database.ask(runs.get_run, self.run_id))
        if run == before and not run.active:
            return
        self.run = run
        per_second, left_s = self._speed.update(run, time.monotonic())
        _set(self._head, run_view.head_html(run, per_second=per_second, left_s=left_s))
        lines = self._context.database.ask(runs.fetch_log, run.id)
        if not sees_paths(self._context):
            lines = [replace(line, message=without_folders(line.message)) for line in lines]
        _set(self._log, run_view.log_html(lines, run.id))
        _set(self._settings, run_view.settings_html(run))
        _set(self._result, run_view.result_html(run))
        self._result.visible = bool(self._result.object)
        if run.error and not run.active:
            if self._error.message != run.error:
                self._error.say(run.error, "warning" if run.status == "cancelled" else "error")
        else:
            self._error.clear()
        self._cancel.visible = run.active
        self._cancel.disabled = run.cancel_requested
        self._offer_to_resume(run)
        self._buttons.visible = any(button.visible for button in self._buttons)
        n_metrics = self._context.database.ask(runs.count_metrics, run.id)
        if n_metrics != self._n_metrics:
            self._curves.update(self._context.database.ask(runs.fetch_curves, run.id))
            self._n_metrics = n_metrics
        if before is not None and before.active and not run.active:
            self._on_end(run)

    def _offer_to_resume(self, run: RunSummary) -> None:
        """Offer to resume a run that has stopped, unless it would stop again at once."""
        if not run.resumable:
            self._resume.visible = False
            self._no_use.clear()
            return

        def show(reason: str) -> None:
            if self.run is None or (self.run.id, self.run.status) != (run.id, run.status):
                return  # another run is watched meanwhile, or this one goes on
            self._resume.visible = not reason
            self._buttons.visible = any(button.visible for button in self._buttons)
            if reason and reason != run.error:
                self._no_use.say(f"Resuming cannot help at present: {reason}", "info")
            else:
                self._no_use.clear()

        in_background(
            lambda: why_not_resumed(self._context, run.id, run.kind, dict(run.settings)), show
        )

    def _use_again(self) -> None:
        if self._on_copy is not None and self.run is not None:
            self._on_copy(self.run)

    def _act(self, action: Callable[[AppContext, str], None]) -> None:
        with self._notice.guard():
            action(self._context, self.run_id)
        self.refresh()


def _set(pane: Any, text: str) -> None:
    if pane.object != text:
        pane.object = text
