"""Probing an ensemble for shortcuts, as a run and from the command line."""

from __future__ import annotations

import json

import pytest
import retraining_data

from lens_triage.training.checks.probing import check_probe
from lens_triage.training.jobs import probe
from lens_triage.training.settings import ProbeSettings
from lensing_core.errors import BadInputError
from lensing_core.store import open_database
from lensing_core.store.runs import last_probes
from lensing_core.store.tables import Run


def test_labeled_objects_are_scored_with_parts_taken_away(workspace, make_context):
    model = retraining_data.make_base(workspace)
    retraining_data.make_survey(workspace, model, n=160, lenses=16, others=40)
    settings = ProbeSettings(ensemble="first", catalog="survey", most_objects=100, device="cpu")
    check_probe(workspace, settings)
    context = make_context(settings)
    result = probe.run(context, settings)
    assert (result["lenses"], result["others"], result["kind_of_others"]) == (16, 40, "vetted")
    names = [of["name"] for of in result["probes"]]
    assert names[0] == "ensemble"
    assert {"center_only", "outside_only", "without_g", "gray", "turned_90", "shuffled"} <= set(
        names
    )
    assert all(of["auroc"]["low_95"] <= of["auroc"]["high_95"] for of in result["probes"])
    json.dumps(result, allow_nan=False)
    with open_database(workspace).session() as session:
        run = session.get_one(Run, context.run_id)
        run.status, run.result = "succeeded", result
    assert open_database(workspace).ask(last_probes, "first", "survey") == result
    assert open_database(workspace).ask(last_probes, "first", "other") is None


def test_too_few_labels_are_refused_before_the_run(workspace):
    model = retraining_data.make_base(workspace)
    retraining_data.make_survey(workspace, model, n=60, lenses=2, others=10, outputs=False)
    settings = ProbeSettings(ensemble="first", catalog="survey")
    with pytest.raises(BadInputError, match="2 lenses, 10 vetted and 48 unlabeled"):
        check_probe(workspace, settings)
