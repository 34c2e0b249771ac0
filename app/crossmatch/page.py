"""Cross-match: which candidates are known, which are new, and how complete the ranking is."""

from __future__ import annotations

from collections.abc import Mapping

from lens_triage.app.context import AppContext
from lens_triage.app.crossmatch.view import CrossmatchBoard
from lens_triage.app.runs.form import RunForm
from lens_triage.app.shell import Body, argument, shell
from lens_triage.app.widgets.choices import (
    catalog_choices,
    ensemble_choices,
)
from lens_triage.app.widgets.fields import Choices
from lens_triage.app.widgets.live import live
from lens_triage.app.widgets.section import stack
from lens_triage.training.settings import CrossmatchSettings
from lensing_core.crossmatch.service_list import SERVICES
from lensing_core.store.runs import RunSummary
from lensing_core.store.summaries import list_catalogs, list_ensembles


def page(context: AppContext) -> Body:
    """The page; ``?catalog=`` and ``?ensemble=`` choose what it begins with."""
    asked = {"catalog": argument("catalog"), "ensemble": argument("ensemble")}
    board = CrossmatchBoard(context, **asked)

    def choices() -> Mapping[str, Choices]:
        found = context.database.ask(list_catalogs)
        catalogs = catalog_choices(found)
        automatic = {"The promoted one, else the first of these": ""}
        return {
            "references": reference_choices(),
            "catalog": catalogs,
            "catalogs": catalogs,
            "ensemble": automatic
            | dict(ensemble_choices(context.database.ask(list_ensembles), found)),
        }

    def ended(run: RunSummary) -> None:
        board.reload(str(run.settings.get("catalog")))

    form = RunForm(
        context,
        CrossmatchSettings,
        title="Match a catalog",
        note="Known lenses, your own tables and duplicates are matched on this machine. All "
        "other references are queried over the network; their answers are stored, and without a "
        "network the rest is still matched.",
        button="Cross-match",
        choices=choices,
        values=lambda: {name: value for name, value in asked.items() if value},
        folded=("Own tables", "Matching", "Online services"),
        on_end=ended,
    )
    live(form.refresh)
    return shell("Cross-match", stack(form.__panel__(), board.__panel__()), context=context)


def reference_choices() -> Choices:
    """References by the text shown; which of them need the network stands there."""
    here = {
        "Known lenses": "lenscat",
        "Probable lenses": "lenscat_probable",
        "Duplicates": "duplicates",
    }
    return here | {f"{service.title} (online)": service.key for service in SERVICES.values()}
