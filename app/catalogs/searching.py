"""Search this catalog: one form from an imported catalog to ranked candidates."""

from __future__ import annotations

from collections.abc import Mapping

from lens_triage.app.context import AppContext
from lens_triage.app.runs.form import RunForm
from lens_triage.app.widgets.choices import catalog_choices, fresh_name
from lens_triage.app.widgets.fields import Choices
from lens_triage.training.jobs.search.estimate import estimate_search
from lens_triage.training.settings import SearchSettings
from lensing_core.errors import LensTriageError
from lensing_core.store.ensembles import ensemble_names
from lensing_core.store.summaries import list_catalog_rows


def searching_form(context: AppContext, catalog: str = "") -> RunForm:
    """The form, with what the search will take below it.

    Parameters
    ----------
    catalog : str
        Chosen at first, where it is one that can be searched.
    """

    def choices() -> Mapping[str, Choices]:
        usable = [
            found
            for found in context.database.ask(list_catalog_rows)
            if found.complete and found.scale == "galaxy" and found.origin == "observed"
        ]
        return {"catalog": catalog_choices(usable)}

    def values() -> Mapping[str, str]:
        taken = context.database.ask(ensemble_names)
        known = choices()["catalog"].values()
        chosen = {"catalog": catalog} if catalog in known else {}
        return {
            "ensemble": fresh_name(f"search-{catalog}" if chosen else "search", taken),
            **chosen,
        }

    def foretell(settings: SearchSettings) -> str:
        try:
            return estimate_search(context.workspace, context.database, settings).sentence
        except LensTriageError:  # the form says what is wrong
            return ""

    return RunForm(
        context,
        SearchSettings,
        title="Search this catalog",
        note="Arcs of real galaxies are painted around red, extended galaxies of the catalog "
        "itself; a committee learns to tell them from the same galaxies without arcs and from all "
        "other objects, and ranks the catalog. Known lenses and your grades are added. Every "
        "object is "
        "ranked by members that were not trained on it.",
        button="Search",
        choices=choices,
        values=values,
        folded=("Hosts", "Arcs", "Training", "Running"),
        foretell=foretell,
    )
