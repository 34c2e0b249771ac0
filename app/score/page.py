"""Score: rank a catalog with an ensemble, and see how its scores are distributed."""

from __future__ import annotations

from collections.abc import Mapping

from lens_triage.app.context import AppContext
from lens_triage.app.runs.form import RunForm
from lens_triage.app.score.results import ScoreResults
from lens_triage.app.shell import Body, argument, shell
from lens_triage.app.widgets import format as fmt
from lens_triage.app.widgets.choices import (
    catalog_choices,
    ensemble_choices,
)
from lens_triage.app.widgets.fields import Choices
from lens_triage.app.widgets.live import live
from lens_triage.app.widgets.section import stack
from lens_triage.training.device import describe_device
from lens_triage.training.jobs.train.estimate import estimate_scoring_seconds
from lens_triage.training.settings import ScoreSettings
from lensing_core.store.runs import RunSummary
from lensing_core.store.summaries import list_catalogs, list_ensembles


def page(context: AppContext) -> Body:
    """The page; ``?ensemble=`` and ``?catalog=`` choose what the form begins with."""
    asked = {"ensemble": argument("ensemble"), "catalog": argument("catalog")}
    results = ScoreResults(context, **asked)

    def choices() -> Mapping[str, Choices]:
        catalogs = context.database.ask(list_catalogs)
        return {
            "ensemble": ensemble_choices(context.database.ask(list_ensembles), catalogs),
            "catalog": catalog_choices(catalogs),
            "additional_catalogs": catalog_choices(catalogs),
        }

    def foretell(settings: ScoreSettings) -> str:
        seconds = estimate_scoring_seconds(context.database, settings)
        time = (
            f"about {fmt.duration(seconds)} by the last scoring with this ensemble"
            if seconds is not None
            else "no earlier scoring with this ensemble to estimate the time from"
        )
        return f"Runs on: {describe_device(settings.device)}; {time}."

    def ended(run: RunSummary) -> None:
        results.reload()
        results.choose(str(run.settings.get("ensemble")), str(run.settings.get("catalog")))

    form = RunForm(
        context,
        ScoreSettings,
        title="Score a catalog",
        button="Score",
        choices=choices,
        values=lambda: {name: value for name, value in asked.items() if value},
        foretell=foretell,
        on_end=ended,
    )
    live(form.refresh)
    body = stack(form.__panel__(), results.__panel__())
    return shell("Score", body, context=context)
