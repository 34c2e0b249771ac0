"""The time that a training will take, from earlier ones."""

from __future__ import annotations

from datetime import timedelta

import pytest

from lens_triage.training.device import describe_device
from lens_triage.training.jobs.train.estimate import (
    estimate_scoring_seconds,
    estimate_seconds,
)
from lens_triage.training.settings import ScoreSettings, TrainSettings
from lensing_core.store import open_database
from lensing_core.store.tables import Run, utc_now


def settings(**changes) -> TrainSettings:
    return TrainSettings(**{"catalogs": ["simulated"], "epochs": 10, **changes})


@pytest.fixture
def trained(filled_workspace):
    """A workspace in which a training of 5 epochs on 18 objects took 45 s."""
    now = utc_now()
    with open_database(filled_workspace).session() as session:
        session.add(
            Run(
                id="earlier", kind="train", title="t", status="succeeded", created_at=now,
                settings=settings(epochs=5).to_json(), started_at=now,
                finished_at=now + timedelta(seconds=45), done=1, total=1, attempt=1,
                result={"splits": {"train": {"objects": 18}}},
            )
        )  # fmt: skip
    return open_database(filled_workspace)


def test_time_goes_with_objects_epochs_and_networks(trained):
    # 0.6 of the labeled objects train: half a second an object and epoch.
    once = estimate_seconds(trained, settings())
    assert once == pytest.approx(0.5 * 0.6 * 60 * 10)
    assert estimate_seconds(trained, settings(copies=3)) == pytest.approx(3 * once)


def test_other_networks_tell_nothing(trained):
    assert estimate_seconds(trained, settings(backbones=["resnet18"])) is None


def test_the_device_is_named():
    assert "core" in describe_device("cpu")


def test_scoring_time_is_what_is_left_at_the_last_rate(filled_workspace):
    database = open_database(filled_workspace)
    wanted = ScoreSettings(ensemble="first", catalog="simulated")
    assert estimate_scoring_seconds(database, wanted) is None
    now = utc_now()
    with database.session() as session:
        session.add(
            Run(
                id="scored", kind="score", title="s", status="succeeded", created_at=now,
                settings=wanted.to_json(), started_at=now, finished_at=now, done=1, total=1,
                attempt=1, result={"per_second": 20.0},
            )
        )  # fmt: skip
    assert estimate_scoring_seconds(database, wanted) == pytest.approx(60 / 20)
    both = ScoreSettings(ensemble="first", catalog="cosmos", additional_catalogs=["simulated"])
    assert estimate_scoring_seconds(database, both) == pytest.approx(60 / 20)  # cosmos is done
