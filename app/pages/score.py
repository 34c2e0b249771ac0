"""Score: rank a catalog with an ensemble, and see how its scores are distributed."""

from __future__ import annotations

from collections.abc import Mapping

import panel as pn

from app.components.choices import catalog_choices, ensemble_choices
from app.components.fields import Choices
from app.components.live import live
from app.components.run_form import RunForm
from app.components.score_results import ScoreResults
from app.components.section import stack
from app.context import AppContext
from app.shell import argument, shell
from lensing_core.store.runs import RunSummary
from lensing_core.store.summaries import list_catalogs, list_ensembles
from training.settings import ScoreSettings


def page(context: AppContext) -> pn.viewable.Viewable:
    """The page; ``?ensemble=`` and ``?catalog=`` choose what the form begins with."""
    asked = {"ensemble": argument("ensemble"), "catalog": argument("catalog")}
    results = ScoreResults(context, **asked)

    def choices() -> Mapping[str, Choices]:
        return {
            "ensemble": ensemble_choices(list_ensembles(context.database)),
            "catalog": catalog_choices(list_catalogs(context.database)),
        }

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
        on_end=ended,
    )
    live(form.refresh)
    body = stack(form.__panel__(), results.__panel__())
    return shell("Score", body, context=context)
