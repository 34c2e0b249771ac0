"""Columns and rows of tables of catalogs and ensembles."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from lens_triage.app.runs.rows import (
    METRICS,
    is_metric,
    metric_text,
)
from lens_triage.app.widgets import format as fmt
from lens_triage.app.widgets.steps import address
from lens_triage.app.widgets.table import (
    Row,
    column,
)
from lensing_core.store.ensembles import test_set_key
from lensing_core.store.summaries import CatalogSummary, EnsembleSummary
from lensing_core.store.tables import STAGES

_Measured = TypeVar("_Measured")

POLICIES = {
    "all": "all uses",
    "positives_only": "positives only",
    "pretraining_only": "pretraining only",
}


def kind_of(catalog: CatalogSummary) -> str:
    """Origin of the images, in a word."""
    return "rendered" if catalog.pixel_kind == "rendered" else catalog.origin


def state_of(catalog: CatalogSummary) -> dict[str, str]:
    """A chip: complete, or still being filled."""
    if catalog.archived_at is not None:
        return {"text": "archived", "chip": "", "title": "Left out of lists and choices."}
    if catalog.complete:
        return {"text": "complete", "chip": "success"}
    return {
        "text": "incomplete",
        "chip": "warning",
        "title": f"{fmt.count(catalog.rows_read)} source rows read; its run has not finished.",
    }


def quarantine_cell(catalog: CatalogSummary) -> dict[str, str]:
    """The number of quarantined rows, marked where there are some."""
    n = catalog.n_quarantined
    return {"text": fmt.count(n), "tone": "warning" if n else "muted"}


def scored_cell(catalog: CatalogSummary) -> dict[str, str]:
    """Return how many candidates the ensemble that scored most of them has scored."""
    if not catalog.scored:
        return {"text": fmt.MISSING, "tone": "muted", "title": "Not scored yet."}
    detail = ", ".join(f"{name} {fmt.count(n)}" for name, n in sorted(catalog.scored.items()))
    return {"text": fmt.count(max(catalog.scored.values())), "title": detail}


OVERVIEW_COLUMNS = [
    column("name", "Catalog", width="16%"),
    column("survey", "Survey"),
    column("candidates", "Candidates", align="right", width="84px"),
    column(
        "scored",
        "Scored",
        align="right",
        width="7%",
        help_text="By the ensemble that scored most of it",
    ),
    column("quarantined", "Quarantined", align="right", width="90px"),
    *(
        column(stage, fmt.words(stage), align="right", width=f"{24 + 5.6 * len(stage):.0f}px")
        for stage in STAGES
    ),
]


def overview_rows(catalogs: list[CatalogSummary]) -> list[Row]:
    """A row a catalog, with counts by stage, and their sum where there are several."""
    rows = [_overview_row(catalog) for catalog in catalogs]
    if len(catalogs) > 1:
        total = sum(c.n_candidates for c in catalogs)
        stages = {stage: sum(c.stages.get(stage, 0) for c in catalogs) for stage in STAGES}
        rows.append(
            {
                "key": "",
                "name": {"text": "All catalogs", "tone": "muted"},
                "survey": "",
                "candidates": fmt.count(total),
                "scored": fmt.count(sum(max(c.scored.values(), default=0) for c in catalogs)),
                "quarantined": fmt.count(sum(c.n_quarantined for c in catalogs)),
                **{stage: fmt.count(n) for stage, n in stages.items()},
            }
        )
    return rows


def _overview_row(catalog: CatalogSummary) -> Row:
    return {
        "key": catalog.name,
        "name": {"text": catalog.shown_name, "href": address("catalogs", catalog=catalog.name)},
        "survey": {"text": catalog.survey, "title": catalog.survey_title},
        "candidates": fmt.count(catalog.n_candidates),
        "scored": scored_cell(catalog),
        "quarantined": quarantine_cell(catalog),
        **{
            stage: {
                "text": fmt.count(catalog.stages.get(stage, 0)),
                "tone": "" if catalog.stages.get(stage) else "muted",
            }
            for stage in STAGES
        },
    }


CATALOG_COLUMNS = [
    column("name", "Catalog"),
    column("state", "State", width="92px"),
    column("survey", "Survey", width="76px"),
    column("kind", "Origin", width="80px"),
    column("labels", "Labels", width="12%", help_text="Source and policy of the labels"),
    column("bands", "Bands", width="10%"),
    column("size", "Size", align="right", width="106px", help_text="Side of the cutouts"),
    column("scale", "Scale (″/px)", align="right", width="86px"),
    column("candidates", "Candidates", align="right", width="84px"),
    column("quarantined", "Quarantined", align="right", width="86px"),
]


def catalog_row(catalog: CatalogSummary) -> Row:
    """A row for :data:`CATALOG_COLUMNS`."""
    return {
        "key": catalog.name,
        "name": {"text": catalog.shown_name, "note": catalog.name if catalog.title else ""},
        "state": state_of(catalog),
        "survey": {"text": catalog.survey, "title": catalog.survey_title},
        "kind": kind_of(catalog),
        "bands": {"text": " ".join(catalog.bands), "title": ", ".join(catalog.bands)},
        "size": {
            "text": f"{catalog.size_px} px",
            "note": f"{fmt.number(catalog.size_arcsec)}″",
        },
        "scale": fmt.number(catalog.pixel_scale_arcsec),
        "candidates": fmt.count(catalog.n_candidates),
        "quarantined": quarantine_cell(catalog),
        "labels": labels_cell(catalog),
    }


def labels_cell(catalog: CatalogSummary) -> dict[str, str]:
    """Source of the labels, and what they may be used for."""
    if catalog.label_source is None:
        return {"text": "none", "tone": "muted"}
    policy = POLICIES.get(catalog.label_policy, catalog.label_policy)
    return {
        "text": catalog.label_source,
        "title": f"{catalog.label_source}: {policy}, confidence "
        f"{fmt.number(catalog.label_confidence)}",
    }


# Ranking figures that mean something at survey prevalence; AUROC is no headline.
_HEADLINES = ("tpr0", "tpr10", "recall_fpr_1e-2", "average_precision")
_SHORT = {
    "tpr0": "TPR0",
    "tpr10": "TPR10",
    "recall_fpr_1e-2": "R@1 %",
    "average_precision": "AP",
}

ENSEMBLE_COLUMNS = [
    column("name", "Ensemble"),
    column("members", "Members", width="22%"),
    *(
        column(name, _SHORT[name], align="right", width="60px", help_text=METRICS[name])
        for name in _HEADLINES
    ),
    column("when", "Made", align="right", width="84px"),
]


def by_test_set(
    measured: Sequence[_Measured],
    row: Callable[[_Measured], Row],
    key_of: Callable[[_Measured], tuple[str, str]],
) -> list[Row]:
    """A row each, under a heading for each set of objects that metrics were measured on.

    Metrics of different test sets are not comparable; those of one stand together, in the order of
    the first of each.

    Parameters
    ----------
    key_of : callable
        What something was measured on in words, and a key that other objects do not share.
    """
    sets: dict[tuple[str, str], list[_Measured]] = {}
    for item in measured:
        sets.setdefault(key_of(item), []).append(item)
    if len(sets) == 1:
        return [row(item) for item in measured]
    rows: list[Row] = []
    for number, (key, members) in enumerate(sets.items(), start=1):
        title = f"Test set {number}: {key[0] or 'not measured'}"
        rows.append({"key": f"test set {number}", "heading": title})
        rows += [row(item) for item in members]
    return rows


def measured_on(ensemble: EnsembleSummary) -> tuple[str, str]:
    """Return what an ensemble was measured on, for :func:`by_test_set`."""
    return str(ensemble.manifest.get("figures_on", "")), test_set_key(ensemble.manifest)


def ensemble_row(ensemble: EnsembleSummary) -> Row:
    """A row for :data:`ENSEMBLE_COLUMNS`: metrics on held-out objects, as its manifest has them."""
    metrics = ensemble.manifest.get("figures", {}).get("ensemble", {})
    on = str(ensemble.manifest.get("figures_on", ""))
    row: Row = {
        "key": ensemble.name,
        "name": {"text": ensemble.shown_name, "note": "promoted" if ensemble.promoted_at else ""},
        "members": {
            "text": ", ".join(kind for _, kind in ensemble.members),
            "title": ", ".join(model_id for model_id, _ in ensemble.members),
        },
        "when": {"text": fmt.ago(ensemble.created_at), "title": fmt.moment(ensemble.created_at)},
    }
    for name in _HEADLINES:
        metric = metrics.get(name)
        if metric is None or not is_metric(metric) or metric["value"] is None:
            row[name] = {"text": fmt.MISSING, "tone": "muted", "title": "Not measured."}
        else:
            row[name] = {
                "text": fmt.number(metric["value"]),
                "title": f"{METRICS[name]}: {metric_text(metric)}, {on}",
            }
    return row
