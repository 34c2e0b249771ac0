"""What the workspace has to choose from, by the text that is shown."""

from __future__ import annotations

from collections.abc import Sequence

from app.context import AppContext
from app.widgets import format as fmt
from app.widgets.fields import Choices
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


def catalog_choices(catalogs: Sequence[CatalogSummary | Catalog]) -> Choices:
    """Catalogs that hold candidates."""
    return {
        f"{catalog.name} ({fmt.plural(catalog.n_candidates, 'candidate')})": catalog.name
        for catalog in catalogs
        if catalog.n_candidates
    }


def ensemble_choices(ensembles: Sequence[EnsembleSummary]) -> Choices:
    """Ensembles, the promoted one first, else the newest."""
    ranked = sorted(ensembles, key=_promoted_first)
    return {
        ensemble.name + (" (promoted)" if ensemble.promoted_at else ""): ensemble.name
        for ensemble in ranked
    }


def newest_promoted(ensembles: Sequence[EnsembleSummary]) -> str:
    """The name of the ensemble that was promoted last; '' where none was."""
    promoted = sorted((e for e in ensembles if e.promoted_at), key=_promoted_first)
    return promoted[0].name if promoted else ""


def _promoted_first(ensemble: EnsembleSummary) -> float:
    return -ensemble.promoted_at.timestamp() if ensemble.promoted_at else 0.0


def fresh_name(wanted: str, taken: Sequence[str]) -> str:
    """``wanted``, or with the first free number after it: names are never given twice."""
    names = (wanted, *(f"{wanted}-{k}" for k in range(2, len(taken) + 3)))
    return next(name for name in names if name not in taken)
