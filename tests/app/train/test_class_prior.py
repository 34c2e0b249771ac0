"""What Train and Evaluate show of the class prior."""

from __future__ import annotations

from datetime import UTC, datetime

from lens_triage.app.train.class_prior import newest_of
from lens_triage.app.widgets.class_prior import class_prior_html
from lensing_core.store.summaries import EnsembleSummary

PU = {
    "survey_prior": 0.001,
    "priors": {
        "estimates": {
            "Elkan-Noto": {"value": 0.04, "low": 0.03, "high": 0.055},
            "ROC curve": {"value": None, "low": None, "high": None},
        },
        "n_unlabeled": 12000,
        "warnings": ["An estimate of the class prior is no share (0.04, nan)."],
    },
    "prior_scan": [
        {"head": "nnpu", "factor": 0.5, "rank_correlation": 0.98, "top": 100, "top_kept": 0.91}
    ],
    "scar": {
        "verdict": "differs",
        "sentence": "Labeled lenses are brighter <than> others.",
        "covariates": [
            {
                "name": "magnitude", "labeled_median": 19.5, "unlabeled_median": 21.0,
                "auroc": 0.2, "low": 0.1, "high": 0.3,
            }
        ],
    },
}  # fmt: skip


def ensemble(name, catalogs, pu):
    manifest = {"catalogs": catalogs, "pu": pu}
    return EnsembleSummary(1, name, "mean", (), manifest, None, datetime.now(UTC), None)


def test_estimates_stand_with_their_intervals_and_warnings():
    shown = class_prior_html(PU)
    for part in (
        "12,000 unlabeled", "0.03 to 0.055", "Used by the run</td><td>0.001", "– to –",
        "nnpu, half the prior", "91 % of 100", "0.2 (0.1 to 0.3)", "brighter &lt;than&gt; others",
    ):  # fmt: skip
        assert part in shown
    assert shown.count('class="warning"') == 2


def test_an_ensemble_that_was_not_retrained_has_nothing_to_show():
    assert class_prior_html({}) == ""
    assert class_prior_html({"survey_prior": 0.1, "priors": None, "scar": None}) == ""


def test_the_newest_retraining_on_the_catalog_is_shown():
    newest_first = [
        ensemble("trained", ["field"], {}),
        ensemble("other", ["elsewhere"], PU),
        ensemble("second", ["field", "additional_catalogs"], PU),
        ensemble("first", ["field"], PU),
    ]
    assert newest_of(newest_first, "field").name == "second"
    assert newest_of(newest_first, "unknown") is None
