"""Train: an ensemble from labeled catalogs, new heads from fresh labels, or its networks on."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from lens_triage.app.context import AppContext
from lens_triage.app.runs.form import RunForm
from lens_triage.app.shell import Body, argument, shell
from lens_triage.app.train.class_prior import ClassPriorPanel
from lens_triage.app.train.ensembles import EnsembleBoard
from lens_triage.app.widgets import format as fmt
from lens_triage.app.widgets.choices import (
    catalog_choices,
    ensemble_choices,
    fresh_name,
)
from lens_triage.app.widgets.fields import Choices
from lens_triage.app.widgets.lazy_tabs import LazyTabs, Tab
from lens_triage.app.widgets.live import live
from lens_triage.app.widgets.section import stack
from lens_triage.training.device import describe_device
from lens_triage.training.jobs.train.estimate import estimate_seconds
from lens_triage.training.settings import (
    EncodeSettings,
    FinetuneSettings,
    RetrainSettings,
    TrainSettings,
)
from lensing_core.store.ensembles import ensemble_names
from lensing_core.store.summaries import list_catalogs, list_ensembles


def page(context: AppContext) -> Body:
    """The page; ``?tab=`` names a tab; ``base``, ``catalog``, ``survey_prior`` fill its form."""
    wanted = argument("tab")
    asked = {name: argument(name) for name in ("base", "catalog", "survey_prior")}
    for_tab = {wanted: asked}

    tabs = LazyTabs(
        (
            Tab("train", "New ensemble", lambda: _training(context)),
            Tab(
                "retrain",
                "Fast retrain",
                lambda: _from_labels(context, *_RETRAIN, for_tab.get("retrain", {})),
            ),
            Tab(
                "finetune",
                "Fine-tune",
                lambda: _from_labels(context, *_FINETUNE, for_tab.get("finetune", {})),
            ),
            Tab("encode", "Encode", lambda: _encoding(context)),
        ),
        wanted,
        stylesheets=[":host { max-height: none; }"],  # else the board below would cover its end
    )
    board = EnsembleBoard(context)
    live(tabs.refresh, board.refresh)
    return shell("Train", stack(tabs, board), context=context)


def _training(context: AppContext) -> RunForm:
    def choices() -> Mapping[str, Choices]:
        catalogs = context.database.ask(list_catalogs)
        return {
            "catalogs": catalog_choices([c for c in catalogs if c.label_source is not None]),
            "pretrain_catalogs": catalog_choices([c for c in catalogs if c.pixel_kind == "flux"]),
        }

    def values() -> Mapping[str, str]:
        taken = context.database.ask(ensemble_names)
        return {"ensemble": fresh_name("first", taken)}

    def foretell(settings: TrainSettings) -> str:
        seconds = estimate_seconds(context.database, settings)
        time = (
            f"about {fmt.duration(seconds)} by the last training of these networks"
            if seconds
            else "no earlier training of these networks to estimate the time from"
        )
        return f"Runs on: {describe_device(settings.device)}; {time}."

    return RunForm(
        context,
        TrainSettings,
        title="New ensemble",
        note="Members are trained and calibrated on parts of the labeled catalogs that they "
        "do not share; metrics come from a test split that nothing was fitted on.",
        button="Train",
        choices=choices,
        values=values,
        lead=("preset", "ensemble", "catalogs", "survey_prior"),
        foretell=foretell,
    )


def _encoding(context: AppContext) -> RunForm:
    def choices() -> Mapping[str, Choices]:
        catalogs = catalog_choices(context.database.ask(list_catalogs))
        return {"catalog": catalogs, "additional_catalogs": catalogs}

    return RunForm(
        context,
        EncodeSettings,
        title="Encode",
        note="A network that was trained elsewhere, on photographs or galaxies, computes "
        "embeddings of a catalog without further training. Fast retrain fits heads to them from "
        "some tens of labels; look-alikes and queues can use them at once.",
        button="Encode",
        choices=choices,
        lead=("catalog", "encoder"),
    )


_RETRAIN = (
    RetrainSettings,
    "Fast retrain",
    "New heads are fitted to the labels of a scored catalog and the stored outputs of members, "
    "are added to the members, and the catalog is ranked again without reading pixels. One part "
    "of the sky is a frozen evaluation set on which ensembles are compared.",
    "Retrain",
    "retrained",
)
_FINETUNE = (
    FinetuneSettings,
    "Fine-tune",
    "The networks of an ensemble are trained further on the labels of a catalog and its pixels, by "
    "nnPU; then the catalog is scored again. Labels, frozen evaluation set and folds are those "
    "of the fast "
    "retrain. Minutes to hours; a GPU helps.",
    "Fine-tune",
    "fine-tuned",
)


def _from_labels(
    context: AppContext,
    settings: type[RetrainSettings],
    title: str,
    note: str,
    button: str,
    name: str,
    asked: Mapping[str, str],
) -> RunForm:
    first = dict(asked)

    def choices() -> Mapping[str, Choices]:
        scored = [c for c in context.database.ask(list_catalogs) if c.scored]
        bases = {name for catalog in scored for name in catalog.scored}
        ensembles = [e for e in context.database.ask(list_ensembles) if e.name in bases]
        return {
            "base": ensemble_choices(ensembles, scored),
            "catalog": catalog_choices(scored),
            "additional_catalogs": catalog_choices(scored),
        }

    def values() -> Mapping[str, Any]:
        taken = context.database.ask(ensemble_names)
        filled = fill(first, choices())
        first.clear()  # asked again, it is for a fresh name alone
        return {"ensemble": fresh_name(name, taken), **filled}

    prior = ClassPriorPanel(context)

    def show_prior() -> None:
        chosen = form.panel.peek()
        if isinstance(chosen, RetrainSettings) and chosen.catalog != prior.catalog:
            prior.show_catalog(chosen.catalog)

    form = RunForm(
        context,
        settings,
        title=title,
        note=note,
        button=button,
        choices=choices,
        values=values,
        lead=("catalog", "base", "ensemble", "survey_prior"),
        after=(prior,) if settings is RetrainSettings else (),
        on_change=show_prior,
        on_end=lambda run: prior.show_catalog(prior.catalog),
    )
    show_prior()
    return form


def fill(asked: Mapping[str, str], choices: Mapping[str, Choices]) -> dict[str, Any]:
    """Return what an address says of a form's settings, as far as it can be chosen there."""
    filled: dict[str, Any] = {
        name: asked[name]
        for name in ("base", "catalog")
        if asked.get(name) in choices[name].values()
    }
    with suppress(ValueError):  # none was given: the settings have a default
        filled["survey_prior"] = float(asked.get("survey_prior", ""))
    return filled
