"""Start runs of one kind: the settings beside the runs."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import panel as pn

from lens_triage.app.acting import why_not
from lens_triage.app.context import AppContext
from lens_triage.app.runs.forecast import Forecast
from lens_triage.app.runs.panel import RunsPanel
from lens_triage.app.runs.starting import start_run
from lens_triage.app.widgets.action_button import ActionButton
from lens_triage.app.widgets.fields import Choices
from lens_triage.app.widgets.live import in_background
from lens_triage.app.widgets.notice import Notice
from lens_triage.app.widgets.section import (
    columns,
    section,
    stack,
)
from lens_triage.app.widgets.settings_panel import SettingsPanel
from lens_triage.training.checks import refusal
from lens_triage.training.settings import RunSettings
from lensing_core.store.runs import RunSummary

_ASK_AGAIN_S = 10.0
_LAYOUT = """
:host { grid-template-areas: "form now" "rest now"; grid-template-rows: auto 1fr; }
@media (max-width: 900px) { :host { grid-template-areas: "form" "now" "rest"; } }
"""
_STAYS = "@media (min-width: 901px) { :host { position: sticky; top: 0; } }"
"""The run stands beside the button that started it; where the window is narrow, below it."""
ChoicesNow = Callable[[], Mapping[str, Choices]]


def no_choices() -> Mapping[str, Choices]:
    """Empty choices, for forms that offer nothing from the workspace."""
    return {}


class RunForm(pn.viewable.Viewer):
    """A form, its button, and what came of it.

    Whether the run can succeed is asked after every change; where it cannot, the button is disabled
    and the reason stands beside it.

    Parameters
    ----------
    context : AppContext
    settings_class : type
    title, note, button : str
        Of the form.
    choices : callable, optional
        What the workspace has to choose from, asked anew when a run ends.
    values : callable, optional
        In place of the defaults; asked when the form is made.
    lead : sequence of str, optional
        Settings that are seen at once; all others stand in one fold, Advanced.
    folded : sequence of str, optional
        Groups of settings that begin folded, where there is no ``lead``.
    template : str, optional
        CSS columns of form and runs.
    foretell : callable, optional
        From settings to a sentence on what the run will use and how long it will take, which stands
        below them; called in a thread after every change.
    after : sequence, optional
        Sections that stand between the form and the list of runs.
    on_end : callable, optional
        Called with a run when it ends while it is being watched.
    on_change : callable, optional
        Called after every change of a setting by the user.
    """

    def __init__(
        self,
        context: AppContext,
        settings_class: type[RunSettings],
        *,
        title: str,
        button: str,
        note: str = "",
        choices: ChoicesNow = no_choices,
        values: Callable[[], Mapping[str, Any]] = no_choices,
        lead: Sequence[str] = (),
        folded: Sequence[str] = (),
        template: str = "minmax(0, 1fr) minmax(0, 1.15fr)",
        foretell: Callable[[Any], str] | None = None,
        after: Sequence[Any] = (),
        on_end: Callable[[RunSummary], None] = lambda run: None,
        on_change: Callable[[], None] = lambda: None,
    ) -> None:
        self._context = context
        self._settings_class = settings_class
        self._choices = choices
        self._values = values
        self._on_end = on_end
        self._made = False
        self._changed, self._asking, self._asked_at = True, False, 0.0
        self.notice, self.refused = Notice(), Notice()
        self._on_change = on_change
        self._forecast = None if foretell is None else Forecast(foretell)
        self.panel: SettingsPanel[RunSettings] = SettingsPanel(
            settings_class,
            choices=choices(),
            values=values(),
            lead=lead,
            folded=folded,
            under="Advanced" if lead else "",
            on_change=self._note_change,
        )
        self.runs = RunsPanel(
            context,
            [settings_class.kind],
            title="Latest runs",
            on_end=self._ended,
            on_copy=self._copy,
        )
        self.start_button = ActionButton(
            self.start, label=button, icon="play_arrow", forbidden=why_not(context, "start_run")
        )
        button_row = pn.Row(self.start_button, margin=0)
        form = section(
            title,
            *([self.panel.lead] if lead else []),
            self.panel,
            *([] if self._forecast is None else [self._forecast]),
            self.notice,
            self.refused,
            button_row,
            note=note,
        )
        rest = stack(*after, self.runs.list)
        for part, area in ((form, "form"), (self.runs.now, "now"), (rest, "rest")):
            part.styles = {**part.styles, "grid-area": area}
        self.runs.now.stylesheets = [*self.runs.now.stylesheets, _STAYS]
        self._view = columns(form, self.runs.now, rest, template=template)
        self._view.stylesheets = [*self._view.stylesheets, _LAYOUT]
        super().__init__()
        self._made = True
        self._foretell()

    def __panel__(self) -> pn.viewable.Viewable:
        return self._view

    def start(self) -> None:
        """Submit the run, or say what is wrong with the settings."""
        with self.notice.guard():
            start_run(
                self._context,
                self.panel.settings(),
                button=self.start_button,
                notice=self.notice,
                started=self._started,
                point_at=self.panel.point_at,
            )

    def _started(self, run_id: str) -> None:
        self.runs.refresh()
        self.runs.watch(run_id)

    def refresh(self) -> None:
        """Look at the runs again, and whether the settings as they stand can succeed."""
        self.runs.refresh()
        late = bool(self.refused.message) and time.monotonic() - self._asked_at > _ASK_AGAIN_S
        if not self._asking and (self._changed or late):
            self._ask()

    def _foretell(self) -> None:
        if self._forecast is not None:
            self._forecast.update(self.panel.peek())

    def _note_change(self) -> None:
        self._changed = True
        self._on_change()
        if self._made:
            self._foretell()
        if self._made and not self._asking:
            self._ask()

    def _ask(self) -> None:
        """Ask in the background whether a run with these settings could succeed."""
        self._changed, self._asked_at = False, time.monotonic()
        settings = self.panel.peek()
        if settings is None:  # a field says what is wrong with it
            self._judge("")
            return
        self._asking = True
        in_background(lambda: self._answer(settings), self._judge)

    def _answer(self, settings: RunSettings) -> str:
        try:
            return refusal(self._context.workspace, settings)
        finally:
            self._asking = False

    def _judge(self, reason: str) -> None:
        """Show whether the run can be started, and why not."""
        self.start_button.disabled = bool(reason)
        if not reason:
            self.refused.clear()
        elif reason != self.refused.message:
            self.refused.say(reason, "info")  # it answers no action
        if self._changed and not self._asking:
            self._ask()

    def _copy(self, run: RunSummary) -> None:
        """Fill the form with the settings of a run; names that must be new stay fresh."""
        fresh = self._values()
        stored = self._settings_class.with_present_names(run.settings)
        known = {name: value for name, value in stored.items() if name in self.panel.editors}
        with self.notice.guard():
            self.panel.write(**{**known, **fresh})
            self.notice.say(f"The form has the settings of “{run.title}”.", "info")

    def _ended(self, run: RunSummary) -> None:
        self.panel.set_choices(self._choices())
        self._changed = True
        self._on_end(run)
        self._foretell()
