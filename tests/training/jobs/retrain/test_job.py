"""Fast retrain from stored outputs: better ranking, honest splits, resume, plain refusals."""

from __future__ import annotations

import json

import numpy as np
import pytest
from retraining_data import logits_of
from sqlalchemy import select, update

from lens_triage.training.jobs import retrain as retraining
from lens_triage.training.jobs.retrain.frozen_set import frozen_set_path
from lens_triage.training.jobs.train.held_out import (
    HeldOut,
    compare_ensembles,
)
from lens_triage.training.runner.context import Cancelled
from lens_triage.training.settings import RetrainSettings
from lensing_core.errors import BadInputError, NotFoundError, PolicyError
from lensing_core.metrics import ranking_metrics
from lensing_core.models.files import load_member
from lensing_core.store import open_database
from lensing_core.store.tables import Candidate, Ensemble, MemberScore, Model, RunLog

QUICK = {"ensemble": "second", "heads": ["logistic", "trees"], "folds": 3, "survey_prior": 0.1}


def settings_of(**changes) -> RetrainSettings:
    return RetrainSettings(**{**QUICK, **changes})


def ensemble_of(workspace, name):
    with open_database(workspace).session() as session:
        return session.scalars(select(Ensemble).where(Ensemble.name == name)).one()


def test_a_catalog_is_ranked_better_after_labels(workspace, make_survey, make_context):
    y = make_survey()
    settings = settings_of(heads=["nnpu", "logistic", "trees"])
    result = retraining.run(make_context(settings), settings)

    logits = logits_of(workspace, "second")
    assert result["scored"] == len(logits) == 2000
    stored = np.load(workspace.embeddings / "trees-1" / "logit" / "survey.npy")
    before, after = ranking_metrics(stored, y), ranking_metrics(logits, y)
    assert before["auroc"] < 0.75
    assert after["auroc"] > 0.93
    assert after["average_precision"] > before["average_precision"] + 0.3

    ensemble = ensemble_of(workspace, "second")
    manifest = ensemble.manifest
    assert ensemble.promoted_at is None
    assert manifest["calibrated"]
    assert "vetted lenses" in result["calibration"]
    assert [m.model_id.split("-")[0] for m in ensemble.members] == [
        "trees", "nnpu", "logistic", "trees",
    ]  # fmt: skip
    assert set(manifest["cross_validation"]) == {"nnpu", "logistic", "trees"}
    assert manifest["cross_validation"]["logistic"]["auroc"] > 0.85
    splits = manifest["splits"]
    assert splits["train"]["lenses"] + splits["held_out"]["lenses"] == 60
    assert 0.1 <= splits["held_out"]["lenses"] / 60 <= 0.35
    assert manifest["figures_on"].startswith(f"{splits['held_out']['lenses']} held-out lenses")
    assert manifest["figures"]["ensemble"]["auroc"]["value"] > 0.85
    assert {"low_95", "high_95"} <= set(manifest["figures"]["ensemble"]["recall_fpr_1e-3"])
    # unlabeled objects drawn for it: enough to measure a recall at FPR 1e-2
    assert manifest["figures_against_unlabeled"]["ensemble"]["recall_fpr_1e-2"]["value"] > 0
    with open_database(workspace).session() as session:
        assert len(session.scalars(select(MemberScore)).all()) == 4 * 2000
        kinds = {m.id: m.kind for m in session.scalars(select(Model))}
    for key, kind in kinds.items():
        names = {path.suffix for path in (workspace.models / key).iterdir()}
        assert names <= {".json", ".txt", ".safetensors"}
        if kind == "pu_head":
            stored_manifest = json.loads((workspace.models / key / "manifest.json").read_text())
            assert stored_manifest["versions"]["lightgbm"]
            assert stored_manifest["base"] == "first"
            assert len(stored_manifest["data_sha256"]) == 64
            assert load_member(workspace, key).member.base_ids == ("trees-1",)


def test_held_out_objects_never_train(workspace, make_survey, make_context, monkeypatch):
    """Whole groups are frozen once; retraining again, with more labels, keeps them out."""
    make_survey(lenses=80)
    used = []
    from lens_triage.training.jobs.retrain import fitting

    real = fitting.cross_fit

    def watch(method, training, **rest):
        used.append(set(training.group.tolist()))
        return real(method, training, **rest)

    monkeypatch.setattr(fitting, "cross_fit", watch)
    settings = settings_of(heads=["logistic"])
    context = make_context(settings)
    retraining.run(context, settings)
    first = np.load(frozen_set_path(workspace, "survey"))
    chosen = np.load(context.folder / "selection.npz")
    assert not used[0] & set(chosen["group"][chosen["frozen"]].tolist())
    ids = set(chosen["candidate_id"][chosen["frozen"]].tolist())
    assert ids <= set(first["candidate_id"][first["reserved"]].tolist())
    assert 0.1 < first["reserved"].mean() < 0.3

    with open_database(workspace).session() as session:
        session.execute(update(Candidate).where(Candidate.cutout_index % 10 == 3).values(label=0))
    again = settings_of(ensemble="third", heads=["logistic"])
    context = make_context(again, "again")
    retraining.run(context, again)
    second = np.load(frozen_set_path(workspace, "survey"))
    np.testing.assert_array_equal(first["reserved"], second["reserved"])
    chosen = np.load(context.folder / "selection.npz")
    assert not used[1] & set(chosen["group"][chosen["frozen"]].tolist())


def test_ensembles_are_compared_on_what_neither_saw(workspace, make_survey, make_context):
    make_survey(lenses=120, others=120)
    first = settings_of(heads=["logistic"])
    retraining.run(make_context(first), first)
    second = settings_of(ensemble="third", heads=["trees"], base="second")
    retraining.run(make_context(second, "again"), second)
    # the heads of the base are replaced, its member that sees pixels is kept
    members = [m.model_id for m in ensemble_of(workspace, "third").members]
    assert members[0] == "trees-1"
    assert len(members) == 2
    found = compare_ensembles(workspace, "second", "third")
    assert found.n_lenses >= 15
    assert "base second" in ensemble_of(workspace, "third").manifest["figures"]
    held = HeldOut.read(workspace, "third")
    ids = np.load(frozen_set_path(workspace, "survey"))
    assert np.isin(held.candidate_id, ids["candidate_id"][ids["reserved"]]).all()


def test_few_vetted_others_leave_it_uncalibrated(workspace, make_survey, make_context):
    make_survey(others=0)
    settings = settings_of()
    result = retraining.run(make_context(settings), settings)
    assert result["calibration"].startswith("Not calibrated on this catalog")
    assert "0 non-lenses are vetted" in result["calibration"]
    manifest = ensemble_of(workspace, "second").manifest
    assert not manifest["calibrated"]
    assert manifest["rule"]["fusion"] == "mean"
    assert "unlabeled objects, counted as others" in manifest["figures_on"]
    assert manifest["figures"]["ensemble"]["auroc"]["value"] > 0.8
    with open_database(workspace).session() as session:
        levels = session.scalars(
            select(RunLog.level).where(RunLog.message.startswith("Not calibrated"))
        ).all()
    assert levels == ["warning"]


def test_a_stopped_run_goes_on_and_ends_the_same(workspace, make_survey, make_context, monkeypatch):
    make_survey()
    whole = settings_of()
    retraining.run(make_context(whole, "whole"), whole)
    expected = logits_of(workspace, "second")

    stopped = settings_of(ensemble="third", base="first")
    for stop_at in ("Fitting head logistic", "Fitting head trees", "Fusing", "Ranking survey"):
        context = make_context(stopped, "stopped")
        report = context.progress

        def stop(done, total=None, activity=None, *, report=report, stop_at=stop_at):
            if activity and activity.startswith(stop_at) and done > 1:
                raise Cancelled
            report(done, total, activity)

        monkeypatch.setattr(context, "progress", stop)
        monkeypatch.setattr("lens_triage.training.jobs.retrain.rescoring.BATCH", 700)
        with pytest.raises(Cancelled):
            retraining.run(context, stopped)
        with open_database(workspace).session() as session:  # labels come in meanwhile
            session.execute(update(Candidate).where(Candidate.cutout_index == 5).values(label=1))
    result = retraining.run(make_context(stopped, "stopped"), stopped)
    assert result["scored"] == 1300
    np.testing.assert_allclose(logits_of(workspace, "third"), expected, atol=1e-9)
    with open_database(workspace).session() as session:
        assert len(session.scalars(select(Model)).all()) == 1 + 2 + 2  # no head twice


def test_labels_that_the_base_was_trained_on_only_train(
    workspace, make_survey, make_context, base_model
):
    make_survey(lenses=150, others=150)
    with open_database(workspace).session() as session:
        ids = session.execute(
            select(Candidate.id, Candidate.label).where(Candidate.label.is_not(None))
        ).all()
        model = session.get_one(Model, base_model)
        model.manifest = {**model.manifest, "catalogs": ["survey"]}
        context = make_context(settings_of(), "training")
        model.run_id = "training"
        session.scalars(select(Ensemble)).one().run_id = "training"
    held = [(k, label) for k, label in ids][::2]
    HeldOut(
        np.array([k for k, _ in held]),
        np.array([label for _, label in held]),
        np.zeros(len(held)),
    ).write(workspace, "first")
    settings = settings_of(heads=["logistic"])
    context = make_context(settings)
    retraining.run(context, settings)
    chosen = np.load(context.folder / "selection.npz")
    labeled = chosen["state"] >= 0
    honest = np.isin(chosen["candidate_id"], [k for k, _ in held])
    np.testing.assert_array_equal(chosen["seen"][labeled], ~honest[labeled])
    assert not chosen["seen"][~labeled].any()
    evaluated = HeldOut.read(workspace, "second").candidate_id
    assert np.isin(evaluated, [k for k, _ in held]).all()
    assert len(evaluated) > 10


@pytest.mark.parametrize(
    ("survey", "changes", "error", "message"),
    [
        ({"lenses": 0}, {}, BadInputError, "no labeled lenses"),
        ({"lenses": 1}, {}, BadInputError, "stand in 1 groups"),
        ({"lenses": 200, "others": 1800}, {}, BadInputError, "All 2,000 candidates .* Use train"),
        ({"outputs": False}, {}, NotFoundError, "stored for 0 of the 2,000 .* score the catalog"),
        ({}, {"catalog": "ghost"}, NotFoundError, "no catalog ghost"),
        ({}, {"base": "ghost"}, NotFoundError, "no ensemble ghost"),
        ({}, {"ensemble": "first"}, BadInputError, "exists and is never changed"),
        ({"label_policy": "pretraining_only"}, {}, BadInputError, "no labeled lenses"),
        ({}, {"min_confidence": 1.0}, None, ""),
        ({"label_confidence": 0.3}, {}, BadInputError, "no labeled lenses"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(
    make_survey, make_context, survey, changes, error, message
):
    make_survey(**survey)
    settings = settings_of(**{"heads": ["logistic"], **changes})
    if error is None:
        retraining.run(make_context(settings), settings)
        return
    with pytest.raises(error, match=message) as caught:
        retraining.run(make_context(settings), settings)
    assert "\n" not in str(caught.value)


def test_known_lenses_of_another_survey_need_company(workspace, make_survey, make_context):
    make_survey()
    make_survey("known", 30, lenses=30, others=0, share=1.0, seed=5, label_policy="positives_only")
    settings = settings_of(heads=["logistic"], additional_catalogs=["known"])
    retraining.run(make_context(settings), settings)  # one survey: welcome
    assert len(logits_of(workspace, "second")) == 2030


def test_one_part_of_the_sky_asks_for_smaller_blocks(workspace, make_survey, make_context):
    make_survey()
    with open_database(workspace).session() as session:
        session.execute(
            update(Candidate).values(ra_deg=150.0 + Candidate.cutout_index * 7e-4, dec_deg=2.2)
        )
    settings = settings_of(heads=["logistic"])
    with pytest.raises(BadInputError, match="larger block_nside"):
        retraining.run(make_context(settings), settings)
    settings = settings_of(heads=["logistic"], block_nside=2048)
    result = retraining.run(make_context(settings), settings)
    assert result["scored"] == 2000


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"heads": []}, "at least one head"),
        ({"block_nside": 48}, "power of 2"),
        ({"catalog": ""}, "name the catalog"),
    ],
)
def test_settings_are_checked(values, message):
    with pytest.raises(BadInputError, match=message):
        RetrainSettings(**values).check()


def test_policy_error_is_for_lenses_alone(workspace, make_survey, make_context):
    make_survey(lenses=0, others=0)
    make_survey("known", 30, lenses=30, others=0, share=1.0, seed=5, label_policy="positives_only")
    with open_database(workspace).session() as session:
        from lensing_core.store.tables import Catalog

        session.execute(
            update(Catalog).where(Catalog.name == "known").values(pixel_kind="rendered")
        )
    settings = settings_of(additional_catalogs=["known"])
    with pytest.raises(PolicyError, match="known lenses only"):
        retraining.run(make_context(settings), settings)
