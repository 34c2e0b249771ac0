"""Choices that the workspace offers, by the text that is shown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from lens_triage.app.context import AppContext
from lens_triage.app.widgets import format as fmt
from lens_triage.app.widgets.fields import Choices
from lensing_core.named_sets.known import NAMED_SETS
from lensing_core.store.ensembles import by_preference
from lensing_core.store.summaries import CatalogSummary, EnsembleSummary
from lensing_core.store.tables import Catalog
from lensing_core.surveys import load_surveys


def survey_choices(context: AppContext, *, unset: str = "") -> Choices:
    """Survey definitions, the workspace's own included; ``unset`` is the text for none of them."""
    surveys = load_surveys(context.workspace).values()
    first = {unset: ""} if unset else {}
    return first | {
        f"{survey.name} · {survey.title}": survey.name
        for survey in sorted(surveys, key=lambda survey: survey.name)
    }


def named_set_choices(keys: Iterable[str], *, unset: str = "") -> Choices:
    """Published data sets by their titles; ``unset`` is the text for none of them."""
    first = {unset: ""} if unset else {}
    return first | {NAMED_SETS[key].title: key for key in keys}


def catalog_choices(catalogs: Sequence[CatalogSummary | Catalog]) -> Choices:
    """Catalogs that hold candidates."""
    return {
        f"{catalog.shown_name} ({fmt.plural(catalog.n_candidates, 'candidate')})": catalog.name
        for catalog in catalogs
        if catalog.n_candidates
    }


def ensemble_choices(
    ensembles: Sequence[EnsembleSummary], catalogs: Sequence[CatalogSummary] = ()
) -> Choices:
    """Ensembles in the order of preference; surveys of ``catalogs`` say which bundled one suits."""
    surveys = {catalog.survey for catalog in catalogs if catalog.n_candidates}
    return {
        ensemble.shown_name + _state(ensemble): ensemble.name
        for ensemble in by_preference(ensembles, surveys)
    }


def _state(ensemble: EnsembleSummary) -> str:
    if ensemble.problem:
        return " (broken)"
    return " (promoted)" if ensemble.promoted_at else ""


def newest_promoted(ensembles: Sequence[EnsembleSummary]) -> str:
    """The name of the ensemble that was promoted last; '' where none was."""
    first = next(iter(by_preference(ensembles)), None)
    return first.name if first is not None and first.promoted_at else ""


def fresh_name(wanted: str, taken: Sequence[str]) -> str:
    """``wanted``, or with the first free number after it: names are never given twice."""
    names = (wanted, *(f"{wanted}-{k}" for k in range(2, len(taken) + 3)))
    return next(name for name in names if name not in taken)
