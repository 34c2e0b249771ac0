"""Start runs of one kind: the settings beside the runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import panel as pn
import panel_material_ui as pmui

from app.context import AppContext
from app.runs.panel import RunsPanel
from app.widgets.fields import Choices
from app.widgets.notice import Notice
from app.widgets.section import (
    columns,
    section,
    stack,
)
from app.widgets.settings_panel import SettingsPanel
from lensing_core.store.runs import RunSummary
from training import runner as jobs
from training.settings import RunSettings

ChoicesNow = Callable[[], Mapping[str, Choices]]


def no_choices() -> Mapping[str, Choices]:
    """Nothing to choose from the workspace."""
    return {}


class RunForm(pn.viewable.Viewer):
    """A form, its button, and what came of it.

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
    folded : sequence of str, optional
        Groups of settings that begin folded.
    template : str, optional
        CSS columns of form and runs.
    below : sequence, optional
        Parts that stand between the form and the list of runs.
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
        folded: Sequence[str] = (),
        template: str = "minmax(0, 1fr) minmax(0, 1.15fr)",
        below: Sequence[Any] = (),
        on_end: Callable[[RunSummary], None] = lambda run: None,
        on_change: Callable[[], None] = lambda: None,
    ) -> None:
        self._context = context
        self._choices = choices
        self._values = values
        self._on_end = on_end
        self.notice = Notice()
        self.panel: SettingsPanel[RunSettings] = SettingsPanel(
            settings_class, choices=choices(), values=values(), folded=folded, on_change=on_change
        )
        self.runs = RunsPanel(
            context,
            [settings_class.kind],
            title="Latest runs",
            on_end=self._ended,
            on_copy=self._copy,
        )
        self.start_button = pmui.Button(
            label=button, icon="play_arrow", margin=0, disable_elevation=True
        )
        self.start_button.on_click(lambda _: self.start())
        button_row = pn.Row(self.start_button, margin=0)
        self._view = columns(
            stack(
                section(title, self.panel, *below, self.notice, button_row, note=note),
                self.runs.list,
            ),
            self.runs.now,
            template=template,
        )
        super().__init__()

    def __panel__(self) -> pn.viewable.Viewable:
        return self._view

    def start(self) -> None:
        """Submit the run, or say what is wrong with the settings."""
        with self.notice.guard():
            run_id = jobs.submit(self._context.workspace, self.panel.settings())
            self.runs.refresh()
            self.runs.watch(run_id)

    def refresh(self) -> None:
        """Look at the runs again."""
        self.runs.refresh()

    def _copy(self, run: RunSummary) -> None:
        """Fill the form with the settings of a run; names that must be new stay fresh."""
        fresh = self._values()
        known = {name: value for name, value in run.settings.items() if name in self.panel.editors}
        with self.notice.guard():
            self.panel.write(**{**known, **fresh})
            self.notice.say(f"The settings of “{run.title}” stand in the form.", "info")

    def _ended(self, run: RunSummary) -> None:
        self.panel.set_choices(self._choices())
        self._on_end(run)
