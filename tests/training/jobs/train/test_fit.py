"""Training, and scoring with what was trained, on objects that are easy to tell apart."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest
from safetensors import safe_open
from sqlalchemy import select
from typer.testing import CliRunner

from lens_triage.app.cli import cli
from lens_triage.training.jobs import (
    score as scoring,
)
from lens_triage.training.jobs import (
    train as fit,
)
from lens_triage.training.jobs.train.data import (
    SPLITS,
    TrainingData,
)
from lens_triage.training.jobs.train.held_out import (
    HeldOut,
    compare_ensembles,
)
from lens_triage.training.jobs.train.network import plan_networks
from lens_triage.training.runner.context import Cancelled
from lens_triage.training.settings import ScoreSettings, TrainSettings
from lens_triage.training.verifying import verify_scores
from lensing_core.errors import BadInputError, ContractError, NotFoundError, PolicyError
from lensing_core.metrics import ranking_metrics
from lensing_core.store import open_database
from lensing_core.store.tables import (
    Candidate,
    Ensemble,
    MemberScore,
    Model,
    Observation,
    RunLog,
    RunMetric,
    Score,
)

pytestmark = pytest.mark.slow
QUICK = {
    "epochs": 4,
    "rounds": 80,
    "backbones": ["test_resnet"],
    "network_batch": 32,
    "device": "cpu",
}


def train_settings(**changes) -> TrainSettings:
    return TrainSettings(**{"ensemble": "e1", "catalogs": ["train"], **QUICK, **changes})


def scores_of(workspace, catalog_size):
    with open_database(workspace).session() as session:
        rows = session.execute(
            select(Candidate.cutout_index, Score)
            .join(Score, Score.candidate_id == Candidate.id)
            .order_by(Candidate.cutout_index)
        ).all()
    assert [index for index, _ in rows] == list(range(catalog_size))
    return [score for _, score in rows]


def logits_of(workspace, catalog_size):
    return np.array([score.logit for score in scores_of(workspace, catalog_size)])


def _check_verify(workspace):
    """Stored scores follow from the weights; one that was changed, and changed pixels, show."""
    found = verify_scores(workspace, "e1", "survey", sample=40, device="cpu")
    assert found.agrees
    assert found.sample == 40
    assert found.largest_logit < 1e-4
    assert found.data == {"train": "as then"}
    assert found.sentences()[0].startswith("40 of 40 scores of survey by e1 agree within 0.01")
    with open_database(workspace).session() as session:
        first = session.scalars(select(Score).order_by(Score.candidate_id)).first()
        first.logit += 1
        changed = session.get_one(Candidate, first.candidate_id)
        of_train = session.scalars(select(Candidate).where(Candidate.label.is_not(None))).first()
        of_train.label = 1 - of_train.label
        other = session.get_one(Candidate, first.candidate_id + 1)
        other.cutout_sha256 = "0" * 64
        names = changed.object_id, other.object_id
    found = verify_scores(workspace, "e1", "survey", sample=1000, device="cpu")
    assert not found.agrees
    (one,) = found.disagreeing
    assert one.object_id == names[0]
    assert one.stored_logit == pytest.approx(one.logit + 1, abs=1e-4)
    assert found.other_pixels == (names[1],)
    assert found.sample == 299
    assert found.data == {"train": "labels changed since"}
    command = ["verify", str(workspace.root), "--ensemble", "e1", "--catalog", "survey"]
    shown = CliRunner().invoke(cli, [*command, "--sample", "1000", "--device", "cpu"])
    assert shown.exit_code == 1
    assert f"{names[0]}: stored" in shown.output


def test_train_then_score(workspace, make_catalog, make_context):
    make_catalog("train", 600, seed=1)
    truth = make_catalog("survey", 300, seed=2, labeled=False)
    settings = train_settings(survey_prior=0.01)
    result = fit.run(make_context(settings), settings)

    assert result["figures"]["auroc"]["value"] > 0.97
    with open_database(workspace).session() as session:
        ensemble = session.scalars(select(Ensemble)).one()
        assert ensemble.promoted_at is None  # that is for people to choose
        assert [m.model.kind for m in ensemble.members] == ["lightgbm", "network"]
        manifest = ensemble.manifest
        curves = set(session.execute(select(RunMetric.member, RunMetric.name)).all())
    assert {
        ("test_resnet", "train_loss"),
        ("test_resnet", "validation_loss"),
        ("test_resnet", "learning_rate"),
        ("trees", "validation_loss"),
    } <= curves
    assert manifest["class_prior_of_training"] == pytest.approx(1 / 3, abs=0.01)
    assert manifest["rule"]["survey_prior"] == 0.01
    assert manifest["data_snapshot"]["train"]["candidates"] == 600
    assert sum(s["objects"] for s in manifest["splits"].values()) == 600
    for folder in workspace.models.iterdir():
        names = {path.name for path in folder.iterdir()}
        assert names in ({"manifest.json", "trees.txt"}, {"manifest.json", "weights.safetensors"})
        stored = json.loads((folder / "manifest.json").read_text())
        assert stored["versions"]["torch"]
        assert stored["made_with"]["device"].startswith("CPU: ")
        assert len(stored["data_sha256"]) == 64
        if "weights.safetensors" in names:
            with safe_open(folder / "weights.safetensors", "np") as tensors:
                assert all(np.isfinite(tensors.get_tensor(k)).all() for k in tensors.keys())  # noqa: SIM118 - no mapping

    score_settings = ScoreSettings(ensemble="e1", catalog="survey", batch_size=64, device="cpu")
    result = scoring.run(make_context(score_settings, "score-1"), score_settings)
    assert result["scored"] == result["objects"] == 300
    scores = scores_of(workspace, 300)
    logits = np.array([s.logit for s in scores])
    assert ranking_metrics(logits, truth)["auroc"] > 0.97
    np.testing.assert_allclose([s.probability for s in scores], 1 / (1 + np.exp(-logits)))
    assert all(s.epistemic >= 0 and s.aleatoric >= 0 and s.ood_distance > 0 for s in scores)
    # probabilities are at the survey's prior: a third are lenses, but 1 % was asked for
    assert np.mean([s.probability for s in scores]) < truth.mean()
    files = list(workspace.embeddings.glob("*/survey.npy"))
    assert np.load(files[0]).shape[0] == 300
    assert np.abs(np.load(files[0])).sum(axis=1).min() > 0

    # again: nothing to do; with another batch size: the same scores
    assert scoring.run(make_context(score_settings, "score-2"), score_settings)["scored"] == 0
    with open_database(workspace).session() as session:
        for score in session.scalars(select(Score)).all():
            session.delete(score)
    other = ScoreSettings(ensemble="e1", catalog="survey", batch_size=7, device="cpu")
    scoring.run(make_context(other, "score-3"), other)
    assert np.abs(logits_of(workspace, 300) - logits).max() < 1e-3
    _check_verify(workspace)


def test_scoring_goes_on_where_it_stopped(workspace, make_catalog, make_context, monkeypatch):
    make_catalog("train", 450, seed=1)
    make_catalog("survey", 300, seed=2, labeled=False)
    settings = train_settings(members=["trees"])
    fit.run(make_context(settings), settings)
    score_settings = ScoreSettings(ensemble="e1", catalog="survey", batch_size=50, device="cpu")
    context = make_context(score_settings, "score-1")

    def stop_after_two_batches(done, total=None, activity=None):
        if done == 100:
            raise Cancelled

    monkeypatch.setattr(context, "progress", stop_after_two_batches)
    with pytest.raises(Cancelled):
        scoring.run(context, score_settings)
    result = scoring.run(make_context(score_settings, "score-1"), score_settings)
    assert result["scored"] == 200
    resumed = logits_of(workspace, 300)
    with open_database(workspace).session() as session:
        assert len(session.scalars(select(MemberScore)).all()) == 300
        for score in session.scalars(select(Score)).all():
            session.delete(score)
    scoring.run(make_context(score_settings, "score-2"), score_settings)
    np.testing.assert_array_equal(logits_of(workspace, 300), resumed)


def test_a_network_goes_on_from_its_last_epoch(workspace, make_catalog, make_context, monkeypatch):
    """Stopped after two epochs and resumed, the network is the one trained without a stop."""
    make_catalog("train", 240, seed=1)
    settings = train_settings(members=["network"], epochs=3)
    whole = fit.run(make_context(settings, "whole"), settings)

    again = train_settings(members=["network"], epochs=3, ensemble="e2")
    context = make_context(again, "stopped")
    report = context.progress

    def stop_in_third_epoch(done, total=None, activity=None):
        if activity and "epoch 3" in activity:
            raise Cancelled
        report(done, total, activity)

    monkeypatch.setattr(context, "progress", stop_in_third_epoch)
    with pytest.raises(Cancelled):
        fit.run(context, again)
    assert (context.folder / "test_resnet" / "last.ckpt").exists()
    resumed = fit.run(make_context(again, "stopped"), again)

    weights = []
    for result in (whole, resumed):
        path = workspace.models / result["members"][0] / "weights.safetensors"
        with safe_open(path, "np") as tensors:
            weights.append({k: tensors.get_tensor(k) for k in tensors.keys()})  # noqa: SIM118 - no mapping
    for name, value in weights[0].items():
        np.testing.assert_allclose(value, weights[1][name], rtol=1e-4, atol=1e-5, err_msg=name)


def test_several_networks_are_fused_as_is_best(workspace, make_catalog, make_context):
    make_catalog("train", 450, seed=1)
    make_catalog("survey", 100, seed=2, labeled=False)
    settings = train_settings(
        copies=2,
        epochs=2,
        fusion="best",
        average_decay=0.9,
        accumulate=2,
        loss="balanced",
        gain=0.05,
        dihedral_averaging=True,
        weight_bits="16",
    )
    result = fit.run(make_context(settings), settings)
    assert len(result["members"]) == 3
    with open_database(workspace).session() as session:
        ensemble = session.scalars(select(Ensemble)).one()
        manifest = ensemble.manifest
        assert ensemble.fusion == manifest["rule"]["fusion"]
        members = {m.model.manifest["kind"] for m in ensemble.members}
        assert members == {"lightgbm", "network"}
    assert set(manifest["fusion_choice"]) == {
        "mean", "inverse_variance", "stacking", "isotonic_bayes",
    }  # fmt: skip
    assert 0.5 < manifest["conformal"]["coverage"]["lens"] <= 1
    assert len(HeldOut.read(workspace, "e1").label) == manifest["splits"]["test"]["objects"]
    scoring.run(
        make_context(ScoreSettings(ensemble="e1", catalog="survey"), "score"),
        ScoreSettings(ensemble="e1", catalog="survey"),
    )
    assert np.isfinite(logits_of(workspace, 100)).all()


def test_ensembles_are_compared_on_what_neither_has_seen(workspace, make_catalog, make_context):
    make_catalog("train", 900, seed=1)
    for name, rounds in (("good", 80), ("poor", 1)):
        settings = train_settings(ensemble=name, members=["trees"], rounds=rounds)
        fit.run(make_context(settings, name), settings)
    found = compare_ensembles(workspace, "good", "poor")
    assert found.n_lenses + found.n_others == len(HeldOut.read(workspace, "good").label)
    auroc = found.differences["auroc"]
    assert auroc.value == pytest.approx(auroc.second - auroc.first)
    assert auroc.low_95 <= auroc.value <= auroc.high_95
    assert auroc.value <= 0
    with pytest.raises(NotFoundError, match="ghost"):
        compare_ensembles(workspace, "good", "ghost")
    make_catalog("train2", 300, seed=4)
    other = train_settings(ensemble="other", catalogs=["train2"], members=["trees"])
    fit.run(make_context(other, "other"), other)
    with pytest.raises(BadInputError, match="too few to compare"):
        compare_ensembles(workspace, "good", "other")


def test_validation_folds_share_no_block(workspace, make_catalog, make_context):
    make_catalog("train", 450, seed=1)
    data = TrainingData.open(workspace, ["train"])
    splits = data.split(1)
    plans = plan_networks(train_settings(copies=3), data, splits)
    held = [set(plan.validation.tolist()) for plan in plans]
    assert not held[0] & held[1]
    assert not held[1] & held[2]
    known = set(splits["train"].tolist()) | set(splits["validation"].tolist())
    for plan in plans:
        assert set(plan.train.tolist()) | set(plan.validation.tolist()) == known
        blocks = data.labels.group
        assert not set(blocks[plan.train].tolist()) & set(blocks[plan.validation].tolist())


def test_the_learning_rate_can_be_looked_for(workspace, make_catalog, make_context):
    make_catalog("train", 450, seed=1)
    settings = train_settings(members=["network"], epochs=1, find_learning_rate=True)
    context = make_context(settings)
    fit.run(context, settings)
    with open_database(workspace).session() as session:
        lines = [line.message for line in session.scalars(select(RunLog)).all()]
    assert any("range test" in line for line in lines)


def test_members_that_are_done_are_not_trained_again(workspace, make_catalog, make_context):
    make_catalog("train", 450, seed=1)
    settings = train_settings(members=["trees"])
    first = fit.run(make_context(settings), settings)
    with open_database(workspace).session() as session:
        session.delete(session.scalars(select(Ensemble)).one())
        session.flush()
        session.delete(session.scalars(select(Model)).one())
    assert fit.run(make_context(settings), settings)["members"] == first["members"]
    shutil.rmtree(workspace.models / first["members"][0])


def test_splits_keep_sky_blocks_together(workspace, make_catalog):
    make_catalog("train", 900, seed=1)
    data = TrainingData.open(workspace, ["train"])
    splits = data.split(seed=3)
    assert sorted(np.concatenate(list(splits.values()))) == list(range(900))
    blocks = [set(data.labels.group[indices]) for indices in splits.values()]
    for a in range(4):
        for b in range(a):
            assert not blocks[a] & blocks[b]
    for name, share in SPLITS.items():
        assert len(splits[name]) / 900 == pytest.approx(share, abs=0.02)
    again = data.split(seed=3)
    assert all(np.array_equal(splits[name], again[name]) for name in splits)
    assert not np.array_equal(data.split(seed=4)["test"], splits["test"])


def test_what_cannot_be_trained_is_said(workspace, make_catalog, make_context):
    make_catalog("train", 60, seed=1)
    make_catalog("blank", 60, seed=1, labeled=False)
    make_catalog(
        "galaxies", 60, seed=2, label_source="pretrain:galaxiesml", label_policy="pretraining_only"
    )
    make_catalog("known", 60, seed=3, label_source="obs:castles", label_policy="positives_only")
    for catalogs, error, message in (
        (["nothing"], NotFoundError, "no catalog nothing"),
        (["blank"], BadInputError, "no labeled"),
        (["galaxies"], PolicyError, "pretraining only"),
        (["known"], PolicyError, "non-lenses"),
    ):
        settings = train_settings(catalogs=catalogs)
        with pytest.raises(error, match=message):
            fit.run(make_context(settings), settings)
    assert not list(workspace.models.iterdir())


def test_images_that_do_not_fit_are_said(workspace, make_catalog, make_context):
    make_catalog("train", 450, seed=1)
    make_catalog("small", 30, seed=2, size_px=24)
    make_catalog("large", 30, seed=2, size_px=40)
    settings = train_settings(members=["trees"])
    fit.run(make_context(settings), settings)
    small = ScoreSettings(ensemble="e1", catalog="small", device="cpu")
    with pytest.raises(ContractError, match="24 px, fewer than 32"):
        scoring.run(make_context(small, "s1"), small)
    large = ScoreSettings(ensemble="e1", catalog="large", device="cpu")
    assert scoring.run(make_context(large, "s2"), large)["scored"] == 30
    with pytest.raises(BadInputError, match="e1 exists"):
        fit.run(make_context(settings, "again"), settings)
    missing = ScoreSettings(ensemble="none", catalog="large")
    with pytest.raises(NotFoundError, match="no ensemble none"):
        scoring.run(make_context(missing, "s3"), missing)


def test_a_network_is_told_what_is_known_beside_the_pixels(workspace, make_catalog, make_context):
    make_catalog("train", 450, seed=1)
    make_catalog("survey", 60, seed=2, labeled=False)
    with open_database(workspace).session() as session:
        for k, row in enumerate(session.scalars(select(Observation)).all()):
            row.psf_fwhm_arcsec = None if k % 7 == 0 else 0.6 + 0.01 * (k % 30)
    settings = train_settings(
        members=["network"], epochs=2, metadata=["psf_fwhm_arcsec", "pixel_scale_arcsec", "survey"]
    )
    fit.run(make_context(settings), settings)
    with open_database(workspace).session() as session:
        spec = session.scalars(select(Model)).one().manifest["network"]
    assert [field["name"] for field in spec["metadata"]] == settings.metadata
    assert spec["metadata"][0]["mean"] == pytest.approx(0.745, abs=0.02)

    logits = []
    for name in ("score-1", "score-2"):
        score_settings = ScoreSettings(ensemble="e1", catalog="survey")
        scoring.run(make_context(score_settings, name), score_settings)
        logits.append(logits_of(workspace, 60))
        with open_database(workspace).session() as session:
            for score in session.scalars(select(Score)).all():
                session.delete(score)
            for row in session.scalars(select(Observation)).all():
                row.psf_fwhm_arcsec = 1.6
    assert np.isfinite(logits).all()
    assert (logits[0] != logits[1]).all()


def test_metadata_that_nothing_has_is_named(workspace, make_catalog, make_context):
    make_catalog("train", 450, seed=1)
    settings = train_settings(members=["network"], metadata=["richness"])
    with pytest.raises(BadInputError, match="richness: no row has a value"):
        fit.run(make_context(settings), settings)


def test_a_network_is_pretrained_on_cutouts_without_labels(
    workspace, make_catalog, make_context, monkeypatch
):
    make_catalog("train", 450, seed=1)
    make_catalog("sky", 200, seed=5, labeled=False)
    settings = train_settings(
        members=["network"], epochs=1, pretrain_catalogs=["sky", "train"], pretrain_epochs=2
    )
    context = make_context(settings)
    fit.run(context, settings)
    with open_database(workspace).session() as session:
        curve = session.scalars(
            select(RunMetric.value)
            .where(RunMetric.name == "contrast_loss")
            .order_by(RunMetric.step)
        ).all()
        lines = [line.message for line in session.scalars(select(RunLog)).all()]
    assert len(curve) == 2
    assert curve[1] < curve[0]
    assert any("pretrained on 650 cutouts" in line for line in lines)

    few = train_settings(ensemble="few", members=["network"], pretrain_catalogs=["few"])
    make_catalog("few", 20, seed=6, labeled=False)
    with pytest.raises(BadInputError, match="hold 20 cutouts"):
        fit.run(make_context(few, "few"), few)
