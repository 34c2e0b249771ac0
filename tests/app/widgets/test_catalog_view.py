"""Ensembles in tables: metrics of different test sets stand apart."""

from __future__ import annotations

from lens_triage.app.widgets.catalog_view import by_test_set, measured_on
from lensing_core.store import open_database
from lensing_core.store.summaries import list_ensembles
from lensing_core.store.tables import Ensemble
from lensing_core.workspace import Workspace


def rows(workspace: Workspace) -> list[str]:
    ensembles = sorted(open_database(workspace).ask(list_ensembles), key=lambda e: e.name)
    found = by_test_set(ensembles, lambda e: {"key": e.name}, measured_on)
    return [row.get("heading", row["key"]) for row in found]


def add(workspace: Workspace, name: str, **manifest: object) -> None:
    with open_database(workspace).session() as session:
        session.add(Ensemble(name=name, fusion="mean", manifest=manifest))


def test_metrics_of_one_test_set_stand_together_and_of_another_apart(workspace: Workspace) -> None:
    same = {"figures_on": "held-out objects of sky", "data_sha256": "a", "settings": {"seed": 1}}
    add(workspace, "a", **same)
    add(workspace, "c", **same)
    assert rows(workspace) == ["a", "c"]
    add(workspace, "b", **{**same, "settings": {"seed": 2}})  # other objects were held out
    assert rows(workspace) == [
        "Test set 1: held-out objects of sky",
        "a",
        "c",
        "Test set 2: held-out objects of sky",
        "b",
    ]
