"""Evaluate: metrics with intervals, what they mean in a survey, and what is not known."""

from __future__ import annotations

import numpy as np
import pytest
from evaluation_data import PRIOR, hold_out

from lens_triage.app.context import AppContext
from lens_triage.app.evaluate.deployment import DeploymentView
from lens_triage.app.evaluate.plots import bin_label
from lens_triage.app.evaluate.tables import (
    about_html,
    deployment_html,
    importance_html,
    metrics_html,
)
from lens_triage.app.evaluate.view import EvaluationBoard
from lens_triage.training.evaluation import evaluate
from lensing_core.metrics import RankingCurve, deploy, ranking_metrics_with_intervals
from lensing_core.store.summaries import list_ensembles


@pytest.fixture
def ranking():
    rng = np.random.default_rng(1)
    labels = np.repeat([1, 0], [100, 400])
    return rng.normal(2 * labels), labels


def test_metrics_have_both_intervals_and_the_area_comes_last(ranking):
    metrics = ranking_metrics_with_intervals(*ranking, n_bootstrap=100)
    shown = metrics_html(metrics)
    tpr10 = metrics["tpr10"]
    assert f"<td>{tpr10.value:.3f}</td><td>{tpr10.low_68:.3f} – {tpr10.high_68:.3f}</td>" in shown
    assert f"<td>{tpr10.low_95:.3f} – {tpr10.high_95:.3f}</td>" in shown
    assert shown.count("not measurable") == 2  # 1e-4 and 1e-3 with 400 non-lenses
    assert shown.index("Average precision") < shown.index("AUROC")


def test_a_survey_is_costed_at_its_prior(ranking):
    found = deploy(RankingCurve.of(*ranking), 1e-3)
    shown = deployment_html(found, 100_000, 3.0)
    assert shown.count("not measurable with 400 non-lenses") == 2
    k = found.at_fpr(0.1)
    passing = 100_000 * (1e-3 * found.recall[k] + 0.999 * found.fpr[k])
    assert f"<td>{round(passing):,}</td>" in shown
    assert f"{found.recall[k]:.3f} [" in shown


def test_the_prior_moves_purity_and_discoveries(ranking):
    view = DeploymentView()
    view.display(RankingCurve.of(*ranking), prior=3e-3, candidates=5000)
    assert view.prior.value == 3e-3
    assert view.candidates.value == 5000
    purity = view._purity._source.data["purity"].copy()
    assert view._discovery._source.data["found"][-1] == pytest.approx(15)
    view.prior.value = 1e-2
    assert (view._purity._source.data["purity"] >= purity).all()
    assert view._discovery._source.data["found"][-1] == pytest.approx(50)
    hours = view._discovery._source.data["hours"][-1]
    view.seconds.value = 2 * view.seconds.value
    assert view._discovery._source.data["hours"][-1] == pytest.approx(2 * hours)
    view.candidates.value = None  # while a field is edited
    assert view._discovery._source.data["found"][-1] == pytest.approx(50)


def test_the_board_shows_an_ensemble_and_what_it_was_measured_on(filled_workspace):
    hold_out(filled_workspace)
    hold_out(filled_workspace, "second", contrast=3.0, seed=1)
    board = EvaluationBoard(AppContext.of(filled_workspace), ensemble="second")
    assert board.ensemble.value == "second"
    assert "of simulated (simulated, labels from sim:test)" in board._about.object
    assert "real lenses are found less often" in board._about.object
    assert board._deployment.prior.value == PRIOR
    assert board._results.visible
    assert board._compare.visible
    assert (board._comparison.first.value, board._comparison.second.value) == ("first", "second")
    assert "both test splits" in board._comparison._differences.object
    before = board._metrics.object
    board.ensemble.value = "first"
    assert board._metrics.object != before
    assert (board._comparison.first.value, board._comparison.second.value) == ("second", "first")
    # members whose folders are gone are told of, in a sentence
    assert "There is no model" in str(board._importance.select()[-1].object)


def test_without_held_out_scores_there_is_no_curve(filled_workspace):
    board = EvaluationBoard(AppContext.of(filled_workspace))
    assert "which this workspace does not have" in board._about.object
    assert not board._survey.visible
    assert board._no_curve.visible
    assert "<td>" in board._metrics.object
    assert not board._compare.visible


def test_an_empty_workspace_says_what_to_do(workspace):
    board = EvaluationBoard(AppContext.of(workspace))
    assert board._empty.visible
    assert not board._body.visible


def test_unlabeled_others_are_told_of(filled_workspace):
    hold_out(filled_workspace)
    (ensemble,) = AppContext.of(filled_workspace).database.ask(list_ensembles)
    found = evaluate(filled_workspace, "first")
    assert "never too high" not in about_html(ensemble, found)
    on = "3 held-out lenses and 40 unlabeled objects, counted as others"
    ensemble.manifest["figures_on"] = on
    assert "never too high" in about_html(ensemble, found)


def test_names_are_escaped_and_cut():
    shown = importance_html([("a<b", "mag", 0.75), *[(f"f{k}", "", 0.25 / 15) for k in range(15)]])
    assert "A&lt;b (mag)" in shown
    assert "4 others" in shown
    assert "75.0 %" in shown
    assert bin_label({"name": "a-survey-with-a-long-name"}) == "a-survey-with…"
    assert bin_label({"low": None, "high": 18.0}) == "< 18"
