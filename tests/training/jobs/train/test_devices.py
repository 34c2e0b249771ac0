"""Networks that several processes train together, and the second task of simulated lenses."""

from __future__ import annotations

import json
import threading
import time

import numpy as np
import pytest
from sqlalchemy import select, update

from lens_triage.training.jobs import train as fit
from lens_triage.training.jobs.train.batches import (
    LabeledCutouts,
    train_loader,
    validation_loader,
)
from lens_triage.training.jobs.train.data import TrainingData
from lens_triage.training.runner.context import Cancelled
from lens_triage.training.settings import TrainSettings
from lensing_core.errors import BadInputError
from lensing_core.store import open_database
from lensing_core.store.tables import Candidate, Observation, Run, RunMetric

QUICK = {
    "ensemble": "e1",
    "catalogs": ["train"],
    "members": ["network"],
    "backbones": ["test_resnet"],
    "network_batch": 32,
    "device": "cpu",
}


def curve(workspace, name, run_id="test-run"):
    with open_database(workspace).session() as session:
        rows = session.execute(
            select(RunMetric.step, RunMetric.value)
            .where(RunMetric.name == name, RunMetric.run_id == run_id)
            .order_by(RunMetric.step)
        ).all()
    return [step for step, _ in rows], np.array([value for _, value in rows])


def test_processes_share_an_epoch_without_overlap(workspace, make_catalog, monkeypatch):
    make_catalog("train", 150, seed=1)
    data = TrainingData.open(workspace, ["train"])
    cutouts = LabeledCutouts(data, np.arange(101), (), np.empty((150, 0), dtype="f4"))
    seen: dict[str, list[list[int]]] = {"train": [], "validation": []}
    for rank in (0, 1):
        monkeypatch.setattr("lens_triage.training.jobs.train.batches._rank", lambda rank=rank: rank)
        train = train_loader(cutouts, 8, seed=1, processes=2)
        seen["train"].append(list(train.sampler))
        seen["validation"].append(list(validation_loader(cutouts, 8, processes=2).sampler))
    assert [len(part) for part in seen["train"]] == [50, 50]  # equally many steps
    assert len({*seen["train"][0], *seen["train"][1]}) == 100
    assert sorted(seen["validation"][0] + seen["validation"][1]) == list(range(101))


@pytest.mark.slow
def test_two_processes_train_one_network(workspace, make_catalog, make_context):
    make_catalog("train", 600, seed=1)
    settings = TrainSettings(**QUICK, epochs=3, devices=2)
    result = fit.run(make_context(settings), settings)
    assert result["figures"]["auroc"]["value"] > 0.9
    # one process reports: each epoch stands once in the curves
    steps, loss = curve(workspace, "train_loss")
    assert steps == [1, 2, 3]
    assert loss[-1] < loss[0]
    steps, _ = curve(workspace, "validation_average_precision")
    assert steps == [1, 2, 3]


@pytest.mark.slow
def test_several_processes_stop_when_asked(workspace, make_catalog, make_context):
    make_catalog("train", 240, seed=1)
    settings = TrainSettings(**QUICK, epochs=500, patience=500, devices=2)
    context = make_context(settings)
    checkpoint = context.folder / "test_resnet" / "last.ckpt"

    def ask() -> None:
        while not checkpoint.exists():
            time.sleep(0.1)
        with open_database(workspace).session() as session:
            session.execute(update(Run).values(cancel_requested=True))

    asking = threading.Thread(target=ask)
    asking.start()
    context.start_heart()
    try:
        with pytest.raises(Cancelled):
            fit.run(context, settings)
    finally:
        context.stop_heart()
        asking.join()


@pytest.mark.slow
def test_the_mass_of_simulated_lenses_is_learned_beside(workspace, make_catalog, make_context):
    labels = make_catalog("train", 600, seed=1)
    settings = TrainSettings(**QUICK, epochs=5, physics_weight=0.5)
    with pytest.raises(BadInputError, match=r"physics_weight = 0\.5: no object .* theta_e_arcsec"):
        fit.run(make_context(settings), settings)

    rng = np.random.default_rng(3)
    with open_database(workspace).session() as session:
        for candidate in session.scalars(select(Candidate)).all():
            truth = {"theta_e_arcsec": 1.2, "lens_axis_ratio": 0.8, "lens_angle_rad": rng.random()}
            session.merge(
                Observation(
                    candidate_id=candidate.id,
                    truth=truth if labels[candidate.cutout_index] else {"z": 0.3},
                )
            )
    result = fit.run(make_context(settings), settings)
    _, loss = curve(workspace, "train_physics_loss")
    assert loss[-1] < loss[0]
    # nothing of the task is in the stored model
    folder = workspace.models / result["members"][0]
    assert "mass" not in json.dumps(json.loads((folder / "manifest.json").read_text())["network"])
