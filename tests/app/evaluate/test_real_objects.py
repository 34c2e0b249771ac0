"""Evaluate on real objects: what can be chosen, and what is told of what was measured."""

from __future__ import annotations

from dataclasses import replace

import pytest
from people import signed_in_as

from lens_triage.app.context import AppContext
from lens_triage.app.evaluate.real_objects import RealObjects
from lens_triage.app.evaluate.real_tables import real_html
from lensing_core.store import open_database
from lensing_core.store.candidates import CutoutPlace
from lensing_core.store.runs import get_run
from lensing_core.store.summaries import list_catalogs

ENDED = "20260101-120000-simulate-aaaaaa"
RATES = ("recall_fpr_0.001", "recall_fpr_0.01", "recall_fpr_0.05")
KEYS = ("auroc", "average_precision", "tpr0", "tpr10", *RATES)


def measured(value: float) -> dict:
    metric = {"value": value, "low_95": value - 0.05, "high_95": value + 0.05}
    return {"figures": dict.fromkeys(KEYS, metric), "matched": metric}


def found(difference: float) -> dict:
    less = {"value": difference, "low_95": difference - 0.02, "high_95": difference + 0.02}
    comparison = {
        "sentence": "50 lenses and 100 vetted non-lenses, in 150 groups",
        "measured": {"ensemble": measured(0.8), "brightness alone": measured(0.8 - difference)},
        "differences": {"brightness alone": dict.fromkeys((*KEYS, "matched"), less)},
    }
    return {"notes": ["A <note>."], "comparisons": [comparison], "visibility": []}


def test_metrics_stand_beside_those_of_brightness_alone():
    shown = real_html(found(0.1))
    assert "A &lt;note&gt;." in shown
    assert "<td>Ensemble</td><td>0.800 [0.750,\N{NO-BREAK SPACE}0.850]</td>" in shown
    less = "+0.100 [+0.080,\N{NO-BREAK SPACE}+0.120]"
    assert f"<td>Ensemble − brightness alone</td><td>{less}</td>" in shown
    assert "warning" not in shown


@pytest.mark.parametrize("difference", [0.01, -0.1])
def test_a_baseline_that_is_as_good_is_a_warning(difference):
    shown = real_html(found(difference))
    assert (
        '<p class="warning">The ensemble is not shown to be better than brightness alone on'
        in shown
    )
    assert ('class="beaten"' in shown) == (difference < 0)


def test_classes_of_visibility_and_what_gives_painted_arcs_away():
    of = found(0.1)
    row = {"name": "clear", "found": 7, "lenses": 10, "recall": 0.7}
    of["visibility"] = [row | {"low_95": 0.35, "high_95": 0.93}]
    of["realism"] = [{"sentence": "Told apart.", "passed": False, "candidates": [3, 4]}]
    of["places"] = {3: CutoutPlace("o<3", 1, "sky", 2, "ab" * 32)}
    shown = real_html(of)
    assert "<td>7 of 10</td><td>0.70 [0.35, 0.93]</td>" in shown
    assert '<p class="warning">Told apart.</p>' in shown
    assert shown.count("<img") == 1
    assert "review?catalog=sky&amp;candidate=3" in shown
    assert "o&lt;3" in shown


def offered(workspace, ensemble: str) -> RealObjects:
    return offered_to(AppContext.of(workspace), ensemble)


def offered_to(context: AppContext, ensemble: str) -> RealObjects:
    part = RealObjects(context)
    part.offer(ensemble, context.database.ask(list_catalogs))
    return part


def test_labeled_catalogs_can_be_chosen_before_they_are_scored(filled_workspace):
    part = offered(filled_workspace, "first")
    assert part.catalog.options == {"cosmos": "cosmos", "simulated (not scored yet)": "simulated"}
    assert part.beside.options == ["simulated"]
    assert part.painted.value != ""  # else the label would lie on the word
    assert part.button.label == "Measure"
    part.catalog.value = "simulated"
    assert part.button.label == "Score, then measure"
    part = offered(filled_workspace, "another")
    assert part.catalog.options == {"simulated (not scored yet)": "simulated"}


def test_who_may_start_no_run_measures_what_is_scored(filled_workspace):
    context = signed_in_as(AppContext.of(filled_workspace), "Bo", "reader")[0]
    part = offered_to(context, "first")
    assert part.button.forbidden == ""
    part.catalog.value = "simulated"
    assert "may" in part.button.forbidden


def test_what_has_no_scores_is_scored_by_a_run_and_then_measured(filled_workspace, monkeypatch):
    submitted = []

    def submit(context, settings):
        submitted.append(settings)
        return ENDED

    monkeypatch.setattr("lens_triage.app.acts.start_run", submit)
    part = offered(filled_workspace, "another")
    part.button.press()
    assert (submitted[0].ensemble, submitted[0].catalog) == ("another", "simulated")
    assert part.monitor.run_id == ENDED
    run = open_database(filled_workspace).ask(get_run, ENDED)
    part._scored(replace(run, status="failed"))
    assert part._notice.message == ""  # its card says why
    part.button.press()
    part._scored(replace(run, status="succeeded"))
    assert "another" in part._notice.message  # there is no such ensemble, which measuring says


def test_too_few_lenses_are_one_sentence(filled_workspace):
    part = offered(filled_workspace, "first")
    part.button.press()
    assert "Label more" in part._notice.message
    assert part._results.object == ""
