"""Starting a run from a page: beside the page's thread, and whether or not the tab stays open."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from lens_triage.app import acts
from lens_triage.app.context import AppContext
from lens_triage.app.widgets.action_button import ActionButton
from lens_triage.app.widgets.live import in_background
from lens_triage.app.widgets.notice import Notice
from lens_triage.training.checks import refusal
from lens_triage.training.settings import SETTINGS, RunSettings
from lensing_core.errors import LensTriageError


@dataclass(frozen=True)
class _Submitted:
    """The run's id, or why there is none."""

    run_id: str = ""
    refused: str = ""
    setting: str = ""


def start_run(
    context: AppContext,
    settings: RunSettings,
    *,
    button: ActionButton,
    notice: Notice,
    started: Callable[[str], None],
    point_at: Callable[[str], None] = lambda setting: None,
) -> None:
    """Queue a run, then call ``started`` with its id; or say in ``notice`` why it cannot succeed.

    ``point_at`` is called with the setting that then must be mended, where one must.

    The row of the run is written in a thread that asks nothing of the browser: it is there also
    where the tab is closed as soon as the button was pressed.
    """

    def submit() -> _Submitted:
        try:
            return _Submitted(run_id=acts.start_run(context, settings))
        except LensTriageError as error:
            return _Submitted(refused=str(error), setting=error.setting)

    def show(found: _Submitted) -> None:
        if found.refused:
            notice.say(found.refused)
            point_at(found.setting)
        else:
            with notice.guard():
                started(found.run_id)

    in_background(submit, show, button=button)


def why_not_resumed(context: AppContext, run_id: str, kind: str, stored: dict[str, object]) -> str:
    """Reason why resuming a run cannot succeed at present; '' if it can."""
    try:
        settings = SETTINGS[kind].from_json(stored)
    except (LensTriageError, KeyError) as error:
        return f"Its settings are not those of this version ({error})."
    return refusal(context.workspace, settings, run_id=run_id)
