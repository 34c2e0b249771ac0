"""Train: an ensemble from labelled catalogs, with its curves as they grow."""

from __future__ import annotations

from collections.abc import Mapping

import panel as pn

from app.components import format as fmt
from app.components.choices import catalog_choices, fresh_name
from app.components.ensemble_board import EnsembleBoard
from app.components.fields import Choices
from app.components.forecast import Forecast
from app.components.live import live
from app.components.run_form import RunForm
from app.components.section import stack
from app.context import AppContext
from app.shell import shell
from lensing_core.store.summaries import list_catalogs, list_ensembles
from training.device import describe_device
from training.fit.estimate import estimate_seconds
from training.settings import TrainSettings


def page(context: AppContext) -> pn.viewable.Viewable:
    """The page."""

    def choices() -> Mapping[str, Choices]:
        catalogs = list_catalogs(context.database)
        return {
            "catalogs": catalog_choices([c for c in catalogs if c.label_source is not None]),
            "pretrain_catalogs": catalog_choices([c for c in catalogs if c.pixel_kind == "flux"]),
        }

    def values() -> Mapping[str, str]:
        taken = [ensemble.name for ensemble in list_ensembles(context.database)]
        return {"ensemble": fresh_name("first", taken)}

    def foretell(settings: TrainSettings) -> str:
        seconds = estimate_seconds(context.database, settings)
        time = (
            f"about {fmt.duration(seconds)} by the last training of these networks"
            if seconds
            else "no earlier training of these networks to estimate the time from"
        )
        return f"Runs on: {describe_device(settings.device)}; {time}."

    forecast = Forecast(foretell)
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
