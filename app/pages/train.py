"""Train: an ensemble from labelled catalogs, with its curves as they grow."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

import panel as pn

from app.components import format as fmt
from app.components.choices import catalog_choices, fresh_name
from app.components.ensemble_board import EnsembleBoard
from app.components.fields import Choices
from app.components.live import in_background, live
from app.components.run_form import RunForm
from app.components.section import html, stack
from app.context import AppContext
from app.shell import shell
from lensing_core.store.summaries import list_catalogs, list_ensembles
from training.device import describe_device
from training.fit.estimate import estimate_seconds
from training.settings import TrainSettings

_FORECAST_CSS = "p { margin: 0; color: var(--lt-muted); font-size: 12.5px; line-height: 1.5; }"


def page(context: AppContext) -> pn.viewable.Viewable:
    """The page."""

    def choices() -> Mapping[str, Choices]:
        catalogs = list_catalogs(context.database)
        return {"catalogs": catalog_choices([c for c in catalogs if c.label_source is not None])}

    def values() -> Mapping[str, str]:
        taken = [ensemble.name for ensemble in list_ensembles(context.database)]
        return {"ensemble": fresh_name("first", taken)}

    forecast = Forecast(context)
    form = RunForm(
        context,
        TrainSettings,
        title="New ensemble",
        note="Members are trained and calibrated on parts of the labelled catalogs that they "
        "do not share; figures come from a part that nothing was fitted on.",
        button="Train",
        choices=choices,
        values=values,
        folded=("Network", "Optimisation", "Trees"),
        below=(forecast,),
        on_change=forecast.update,
        on_end=lambda run: forecast.update(),
    )
    board = EnsembleBoard(context)
    forecast.follow(form)
    live(form.refresh, board.refresh)
    return shell("Train", stack(form.__panel__(), board.__panel__()), context=context)


class Forecast(pn.viewable.Viewer):
    """One line: what the training runs on, and how long it will take."""

    def __init__(self, context: AppContext) -> None:
        self._context = context
        self._line = html("", css=_FORECAST_CSS)
        self._form: RunForm | None = None
        self._device: dict[str, str] = {}
        super().__init__()

    def __panel__(self) -> pn.viewable.Viewable:
        return self._line

    def follow(self, form: RunForm) -> None:
        """Speak of the settings in this form from now on."""
        self._form = form
        self.update()

    def update(self) -> None:
        """Say it for the settings as they stand; nothing new while one of them is wrong."""
        settings = None if self._form is None else self._form.panel.peek()
        if isinstance(settings, TrainSettings):
            in_background(lambda: self._text(settings), self._show)

    def _text(self, settings: TrainSettings) -> str:
        device = self._device.get(settings.device)
        if device is None:
            device = self._device[settings.device] = describe_device(settings.device)
        seconds = estimate_seconds(self._context.database, settings)
        time = (
            f"about {fmt.duration(seconds)} by the last training of these networks"
            if seconds
            else "no earlier training of these networks to estimate the time from"
        )
        return f"<p>Runs on: {escape(device)}; {escape(time)}.</p>"

    def _show(self, text: str) -> None:
        self._line.object = text
