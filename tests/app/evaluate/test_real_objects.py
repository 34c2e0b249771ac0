"""Evaluate on real objects: what can be chosen, and what is told of what was measured."""

from __future__ import annotations

import pytest

from lens_triage.app.context import AppContext
from lens_triage.app.evaluate.real_objects import RealObjects, real_html
from lensing_core.store.candidates import CutoutPlace
from lensing_core.store.summaries import list_catalogs

KEYS = ("auroc", "tpr10", "recall_fpr_0.001", "recall_fpr_0.01", "recall_fpr_0.05")


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
    assert "<td>Ensemble</td><td>0.800 [0.750, 0.850]</td>" in shown
    assert "<td>Ensemble − brightness alone</td><td>+0.100 [+0.080, +0.120]</td>" in shown
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


def test_what_the_ensemble_has_scored_can_be_chosen(filled_workspace):
    context = AppContext.of(filled_workspace)
    part = RealObjects(context)
    part.offer("first", context.database.ask(list_catalogs))
    assert part.catalog.options == ["cosmos"]
    assert part.beside.options == []
    assert part.painted.options == {"none": part.painted.value}
    assert part.painted.value != ""  # else the label would lie on the word
    assert part.__panel__().visible
    part.offer("another", context.database.ask(list_catalogs))
    assert not part.__panel__().visible


def test_too_few_lenses_are_one_sentence(filled_workspace):
    context = AppContext.of(filled_workspace)
    part = RealObjects(context)
    part.offer("first", context.database.ask(list_catalogs))
    part.button.press()
    assert "Label more" in part._notice.message
    assert part._results.object == ""
