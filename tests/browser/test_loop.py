"""The whole loop in the browser: score, session, grades, retrain, promote, and a better queue."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import retraining_data
import sqlalchemy as sa
from playwright.sync_api import Page, expect

from lens_triage.training.labeling import SessionSettings, make_session
from lensing_core.acquisition import QueueRequest, choose_queue
from lensing_core.store import open_database
from lensing_core.store.ranking import RankingQuery
from lensing_core.store.tables import Candidate, Consensus, Ensemble, SessionItem, Vote
from lensing_core.workspace import Workspace

GRADED, NEXT = 120, 100


def lenses_in_queue(workspace: Workspace, ensemble: str, truth: np.ndarray) -> int:
    """True lenses among the next candidates to grade by a ranking."""
    with open_database(workspace).session() as session:
        found = session.scalars(sa.select(Ensemble).where(Ensemble.name == ensemble)).one()
        request = QueueRequest("top", NEXT, RankingQuery(ensemble_id=found.id))
        ids = [entry.candidate_id for entry in choose_queue(session, workspace, request)]
        graded = set(session.scalars(sa.select(Vote.candidate_id)))
        rows = session.scalars(sa.select(Candidate.cutout_index).where(Candidate.id.in_(ids))).all()
    assert not graded & set(ids)
    return int(truth[rows].sum())


@pytest.mark.slow
def test_a_round_of_the_loop_finds_more_lenses(
    server: str,
    workspace: Workspace,
    page: Page,
    visit: Callable[[str], None],
    screenshot: Callable[[str], Path],
) -> None:
    model = retraining_data.make_base(workspace)
    truth = retraining_data.make_survey(workspace, model, lenses=0, others=0)
    settings = SessionSettings(
        session="first night",
        ensemble="first",
        catalogs=["survey"],
        n=GRADED,
        shuffled=False,
        gold_fraction=0,
        repeat_fraction=0,
    )
    session_id = make_session(workspace, settings, None)
    with open_database(workspace).session() as session:
        rows = session.scalars(
            sa.select(Candidate.cutout_index)
            .join(SessionItem, SessionItem.candidate_id == Candidate.id)
            .where(SessionItem.session_id == session_id)
            .order_by(SessionItem.position)
        ).all()
    page.request.post(
        f"{server}/sign-in",
        data=json.dumps({"name": "Ana"}),
        headers={"Content-Type": "application/json"},
    )
    page.goto(f"{server}/label?session={session_id}")
    page.wait_for_selector(".work-view[data-shown]", timeout=60_000)
    for row in rows:  # the grader knows the hidden truth
        page.keyboard.press("a" if truth[row] else "x")
    expect(page.locator(".work-view")).to_have_attribute("data-unsent", "0", timeout=60_000)
    with open_database(workspace).session() as session:
        said = session.execute(
            sa.select(Candidate.cutout_index, Vote.is_lens).join(
                Vote, Vote.candidate_id == Candidate.id
            )
        )
        assert dict(said.all()) == {row: int(truth[row]) for row in rows}
    before = lenses_in_queue(workspace, "first", truth)

    visit(f"{server}/team")
    page.get_by_role("button", name="Run consensus").click()
    expect(page.get_by_text("In the list:")).to_be_visible(timeout=60_000)
    page.get_by_role("button", name="Retrain", exact=True).click()
    expect(page.get_by_text("is made, measured on")).to_be_visible(timeout=180_000)
    rounds = page.get_by_role("table", name="Rounds")
    expect(rounds.get_by_text("round-2")).to_be_visible(timeout=60_000)
    rounds.get_by_role("row").filter(has_text="round-2").get_by_role(
        "button", name="Promote"
    ).click()
    expect(page.get_by_text("round-2 is promoted")).to_be_visible(timeout=60_000)
    screenshot("promoted")

    with open_database(workspace).session() as session:
        ensemble = session.scalars(sa.select(Ensemble).where(Ensemble.name == "round-2")).one()
        assert ensemble.promoted_at is not None
        assert len(session.scalars(sa.select(Consensus)).all()) == GRADED
        splits = ensemble.manifest["splits"]
    found = sum(part["lenses"] for part in splits.values())
    assert found == truth[rows].sum()
    after = lenses_in_queue(workspace, "round-2", truth)
    assert after > 1.3 * before, f"{after} lenses in the next {NEXT}, {before} by the old ranking"
