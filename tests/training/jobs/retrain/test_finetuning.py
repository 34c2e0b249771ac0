"""Networks trained further on labels: the splits of the fast retrain, honest logits, resume."""

from __future__ import annotations

import numpy as np
import pytest
from retraining_data import logits_of
from sqlalchemy import select, update

from lens_triage.training.jobs import (
    retrain as retraining,
)
from lens_triage.training.jobs import (
    score as scoring,
)
from lens_triage.training.jobs import (
    train as fit,
)
from lens_triage.training.jobs.retrain import finetuning
from lens_triage.training.jobs.retrain.frozen_set import frozen_set_path
from lens_triage.training.jobs.retrain.networks import LensesInEveryBatch
from lens_triage.training.jobs.retrain.selection import RetrainingSample
from lens_triage.training.jobs.train.held_out import HeldOut
from lens_triage.training.runner.context import Cancelled
from lens_triage.training.settings import (
    FinetuneSettings,
    RetrainSettings,
    ScoreSettings,
    TrainSettings,
)
from lensing_core.datasets.table import REASONS
from lensing_core.errors import BadInputError
from lensing_core.metrics import ranking_metrics
from lensing_core.models.files import load_member
from lensing_core.store import open_database
from lensing_core.store.tables import (
    Candidate,
    Catalog,
    Ensemble,
    MemberScore,
    Model,
    RunMetric,
)

N = 300


def test_every_batch_has_its_share_of_lenses():
    lens = np.zeros(100, dtype=bool)
    lens[[3, 50, 51, 52, 53]] = True
    order = LensesInEveryBatch(lens, 16, seed=1)
    first = np.array(list(order)).reshape(-1, 16)
    assert len(order) == first.size == 8 * 16  # 95 others, 12 a batch
    np.testing.assert_array_equal(lens[first].sum(axis=1), order.share)
    assert set(first.ravel().tolist()) == set(range(100))
    counts = np.bincount(first[lens[first]], minlength=100)
    assert counts[lens].max() - counts[lens].min() <= 1
    np.testing.assert_array_equal(first.ravel(), list(LensesInEveryBatch(lens, 16, seed=1)))
    order.set_epoch(1)
    assert list(order) != first.ravel().tolist()


def test_settings_are_those_of_the_fast_retrain():
    settings = FinetuneSettings(catalog="survey", folds=4)
    settings.check()
    assert "heads" not in settings.to_json()
    assert FinetuneSettings.from_json(settings.to_json()).folds == 4
    with pytest.raises(BadInputError, match="power of 2"):
        FinetuneSettings(block_nside=48).check()
    with pytest.raises(BadInputError, match="unknown heads"):
        FinetuneSettings(heads=["trees"])


def test_labels_count_as_often_as_in_the_fast_retrain(make_context, monkeypatch):
    """Doubted lenses less than sure ones, others by weight, kinds of hard negatives balanced."""
    n = 12
    state = np.array([1, 1, 0, 0, 0, 0, -1, -1, -1, -1, -1, -1], dtype=np.int8)
    weight = np.array([1, 0.5, 1, 0.5, 1, 1] + [1] * 6, dtype=np.float32)
    ring, spiral = REASONS.index("ring"), REASONS.index("spiral")
    reason = np.array([-1, -1, -1, -1, ring, spiral] + [-1] * 6, dtype=np.int8)
    some = np.zeros(n, dtype=bool)
    numbers = np.arange(n)
    chosen = RetrainingSample(
        numbers, numbers, numbers, numbers, state, some, some, weight, reason, share_unlabeled=1.0
    )
    settings = FinetuneSettings(non_lens_weight=4, hard_weight=3.0)
    taken: list[np.ndarray] = []
    monkeypatch.setattr(
        finetuning, "finetune", lambda *given, name, seed: taken.append(np.sort(given[4]))
    )
    train = 100 + numbers
    fits = finetuning._Fits(
        make_context(settings), settings, "base", None, None, train, numbers % 2, chosen
    )
    fits._fit("all", numbers, 0)
    counts = dict(zip(*np.unique(taken[0], return_counts=True), strict=True))
    expected = {100: 4, 101: 2, 102: 4, 103: 2, 104: 12, 105: 12}
    assert counts == {**dict.fromkeys(train.tolist(), 1), **expected}
    fits._fit("a fold", np.array([0, 3, 7]), 0)
    assert taken[1].tolist() == [100] * 4 + [103] * 2 + [107]


def test_an_ensemble_of_trees_has_nothing_to_train(workspace, make_survey, make_context):
    make_survey()
    settings = FinetuneSettings()
    with pytest.raises(BadInputError, match="no network to train further"):
        finetuning.run(make_context(settings), settings)


@pytest.fixture
def survey(workspace, make_catalog, make_context):
    """A scored survey of rings that are fainter than those of the base's training; its classes."""
    make_catalog("train", 200, seed=1)
    base = TrainSettings(
        ensemble="first", catalogs=["train"], epochs=1, rounds=20, network_batch=32, device="cpu",
        feature_blocks=["grid"],
    )  # fmt: skip
    fit.run(make_context(base, "training"), base)
    labels = make_catalog("survey", N, seed=2, labeled=False)
    rng = np.random.default_rng(3)
    known = {1: rng.permutation(np.flatnonzero(labels == 1))[:70],
             0: rng.permutation(np.flatnonzero(labels == 0))[:60]}  # fmt: skip
    with open_database(workspace).session() as session:
        of = session.scalar(select(Catalog.id).where(Catalog.name == "survey"))
        for label, rows in known.items():
            session.execute(
                update(Candidate)
                .where(Candidate.catalog_id == of, Candidate.cutout_index.in_(rows.tolist()))
                .values(label=label)
            )
    score = ScoreSettings(ensemble="first", catalog="survey", device="cpu")
    scoring.run(make_context(score, "scoring"), score)
    return labels


def quick(**changes) -> FinetuneSettings:
    return FinetuneSettings(
        **{
            "ensemble": "second", "base": "first", "survey_prior": 0.3, "folds": 2, "epochs": 1,
            "network_batch": 32, "non_lens_weight": 2, "device": "cpu", "learning_rate": 1e-3,
            "fusion": "mean", **changes,
        }
    )  # fmt: skip


@pytest.mark.slow
def test_networks_are_trained_on_the_splits_of_the_fast_retrain(
    workspace, survey, make_context, monkeypatch
):
    used: dict[str, set[int]] = {}
    real = finetuning.finetune

    def watch(context, settings, member, data, rows, *, name, seed):
        used[name] = set(data.labels.candidate_id[rows].tolist())
        return real(context, settings, member, data, rows, name=name, seed=seed)

    monkeypatch.setattr(finetuning, "finetune", watch)
    settings = quick(consistency=1.0)
    context = make_context(settings)
    report = context.progress

    def stop(done, total=None, activity=None):
        if activity and activity.startswith("Scoring what") and "fold-2" in activity:
            raise Cancelled
        report(done, total, activity)

    monkeypatch.setattr(context, "progress", stop)
    with pytest.raises(Cancelled):
        finetuning.run(context, settings)
    assert [name.split("-fold-")[1] for name in used] == ["1", "2"]
    used.clear()
    result = finetuning.run(make_context(settings), settings)
    with open_database(workspace).session() as session:
        curves = set(session.scalars(select(RunMetric.name)))
    assert {"train_consistency", "train_share_sure"} <= curves
    folds = [name for name in used if "-fold-" in name]
    assert len(folds) == 1  # the first stands on the disk
    (final,) = set(used) - set(folds)

    # The held-out objects are those of the fast retrain, and nothing was trained on them.
    stored = np.load(frozen_set_path(workspace, "survey"))
    reserved = set(stored["candidate_id"][stored["reserved"]].tolist())
    assert not used[final] & reserved
    assert not used[folds[0]] & reserved
    held = HeldOut.read(workspace, "second")
    assert set(held.candidate_id.tolist()) <= reserved
    quicker = RetrainSettings(
        ensemble="heads", base="second", heads=["logistic"], survey_prior=0.3, folds=3
    )
    retraining.run(make_context(quicker, "heads"), quicker)
    again = np.load(frozen_set_path(workspace, "survey"))
    np.testing.assert_array_equal(stored["reserved"], again["reserved"])

    with open_database(workspace).session() as session:
        ensemble = session.scalars(select(Ensemble).where(Ensemble.name == "second")).one()
        members = [m.model_id for m in ensemble.members]
        kinds = [session.get_one(Model, key).kind for key in members]
        base = session.scalars(select(Ensemble).where(Ensemble.name == "first")).one()
        before = [m.model_id for m in base.members]
        manifest = ensemble.manifest
        assert session.scalars(select(MemberScore).where(MemberScore.model_id == members[1])).all()
    assert kinds == ["lightgbm", "network"]
    assert members[0] == before[0]
    assert members[1].startswith("fine-tuned-")
    new = load_member(workspace, members[1])
    assert new.manifest["from"] == before[1]
    assert new.member.ood_distance is not None
    old = load_member(workspace, before[1]).member.network.state_dict()
    moved = [k for k, v in new.member.network.state_dict().items() if not v.equal(old[k])]
    assert len(moved) > 10
    assert manifest["calibrated"], manifest["calibration_note"]
    assert "base first" in manifest["figures"]
    assert result["scored"] == N
    logits = logits_of(workspace, "second")
    assert len(logits) == N
    assert ranking_metrics(logits, survey)["average_precision"] > 0.6  # a third are lenses
