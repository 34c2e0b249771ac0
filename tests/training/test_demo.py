"""The demonstration's runs."""

from __future__ import annotations

import pytest

from lensing_core.store import open_database
from lensing_core.store.tables import Run
from training.demo import demo_settings, read_demo, submit_demo
from training.runner import runner


@pytest.fixture(autouse=True)
def nothing_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "_launch", lambda *claimed: None)


def test_runs_are_chained_and_queued_once(workspace):
    assert read_demo(workspace) is None
    demo = submit_demo(workspace)
    with open_database(workspace).session() as session:
        runs = {run.id: run for run in session.query(Run)}
    assert [runs[run_id].kind for run_id in demo.run_ids] == [
        *("simulate", "train", "simulate", "score")
    ]
    assert [runs[run_id].after_run_id for run_id in demo.run_ids] == [None, *demo.run_ids[:-1]]
    assert submit_demo(workspace) == demo == read_demo(workspace)
    with open_database(workspace).session() as session:
        assert session.query(Run).count() == 4


def test_settings_fit_together():
    for settings in demo_settings():
        settings.check()
    learn, train, survey, score = demo_settings()
    assert train.catalogs == [learn.catalog]
    assert (score.ensemble, score.catalog) == (train.ensemble, survey.catalog)
    assert (learn.bands, learn.survey, learn.size_arcsec) == (
        survey.bands,
        survey.survey,
        survey.size_arcsec,
    )
    assert learn.labelled
    assert not survey.labelled
    assert learn.seed != survey.seed
