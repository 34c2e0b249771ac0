"""The demonstration's runs."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from lens_triage.training import demo
from lens_triage.training.demo import SESSION, complete_demo, demo_settings, read_demo, submit_demo
from lens_triage.training.runner import runner
from lensing_core.store import open_database
from lensing_core.store.tables import LabelEvent, LabelSession, Run


@pytest.fixture(autouse=True)
def nothing_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "_launch", lambda *claimed: None)


def test_runs_are_chained_and_queued_once(workspace):
    assert read_demo(workspace) is None
    queued = submit_demo(workspace)
    with open_database(workspace).session() as session:
        runs = {run.id: run for run in session.query(Run)}
    assert [runs[run_id].kind for run_id in queued.run_ids] == [
        *("simulate", "train", "simulate", "score")
    ]
    assert [runs[run_id].after_run_id for run_id in queued.run_ids] == [None, *queued.run_ids[:-1]]
    assert submit_demo(workspace) == queued == read_demo(workspace)
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
    assert learn.labeled
    assert not survey.labeled
    assert learn.seed != survey.seed


def test_a_session_without_grades_is_made_once_the_ranking_is_there(filled_workspace, monkeypatch):
    monkeypatch.setattr(demo, "ENSEMBLE", "first")
    monkeypatch.setattr(demo, "SURVEY_CATALOG", "cosmos")
    assert complete_demo(filled_workspace)  # without a demonstration there is nothing to do
    run_ids = submit_demo(filled_workspace).run_ids
    database = open_database(filled_workspace)
    for run_id in run_ids:
        assert not complete_demo(filled_workspace)
        with database.session() as session:
            session.get_one(Run, run_id).status = "succeeded"
    for _ in range(2):  # also where the server was started again between
        assert complete_demo(filled_workspace)
        with database.session() as session:
            (made,) = session.scalars(select(LabelSession))
            assert made.name == SESSION
            assert made.closed_at is None
            assert session.scalars(select(LabelEvent)).all() == []
