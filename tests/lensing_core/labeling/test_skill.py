"""Skill by the kind of known object: counted once an object and session, by class or reason."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import uuid4

import pytest
import sqlalchemy as sa

from lensing_core.acquisition import QueueEntry
from lensing_core.labeling import (
    NewSession,
    SessionOptions,
    create_session,
    open_grader_view,
    record,
)
from lensing_core.labeling.skill import KindSkill, all_graders, skill_by_kind
from lensing_core.proportions import Proportion
from lensing_core.store import open_database
from lensing_core.store.labels import grader_named
from lensing_core.store.tables import Candidate, Catalog, Observation, SessionItem

AT = datetime(2026, 5, 1, tzinfo=UTC)


@pytest.fixture
def night(filled_workspace):
    """A session with ten lenses and ten others of known answer; two others are observed spirals."""
    database = open_database(filled_workspace)
    with database.session() as session:
        of = session.scalar(sa.select(Catalog.id).where(Catalog.name == "cosmos"))
        queue = session.scalars(sa.select(Candidate.id).where(Candidate.catalog_id == of)).all()
        entries = [QueueEntry(key, "") for key in queue[:20]]
        options = SessionOptions(gold_fraction=0.5, repeat_fraction=0.5)
        made = create_session(session, NewSession("night", entries, {}, options=options), None).id
        gold = session.execute(
            sa.select(SessionItem.candidate_id, SessionItem.answer)
            .where(SessionItem.session_id == made, SessionItem.answer.is_not(None))
            .order_by(SessionItem.position)
        ).all()
        lenses = [key for key, answer in gold if answer]
        others = [key for key, answer in gold if not answer]
        kinds = dict.fromkeys(lenses, "lens") | dict.fromkeys(others[:8], "ring")
        for key, kind in kinds.items():
            session.merge(Observation(candidate_id=key, truth={"class": kind}))
    return database, made, lenses, others


def grade(database, made: str, who: str, said: dict[int, tuple[str, str | None]]) -> int:
    with database.session() as session:
        grader = grader_named(session, who)
        view = open_grader_view(session, "secret", made, grader.id)
        cutouts = {s.candidate_id: s for s in view.cutouts if not s.is_repeat}
        events = [
            {
                "uuid": str(uuid4()), "kind": "grade", "token": cutouts[key].token,
                "given_at": AT.isoformat(), "grade": key_of, "reject_reason": reason,
            }
            for key, (key_of, reason) in said.items()
        ]  # fmt: skip
        assert not any(outcome.refused for outcome in record(session, view, events))
        return grader.id


def test_kinds_are_classes_of_the_truth_or_reasons_of_graders(night):
    database, made, lenses, others = night
    said = dict.fromkeys(lenses[:7], ("A", None)) | dict.fromkeys(others[:5], ("X", None))
    said |= {lenses[7]: ("X", None), lenses[8]: ("C", None), others[5]: ("B", None)}
    said |= {others[8]: ("X", "spiral"), others[9]: ("X", "spiral")}
    ana = grade(database, made, "Ana", said)
    bo = grade(database, made, "Bo", {others[0]: ("A", None), others[8]: ("B", None)})
    with database.session() as session:
        found = skill_by_kind(session)
    assert found == [
        KindSkill(ana, "lens", 1, Proportion(7, 8), 1),
        KindSkill(ana, "ring", 0, Proportion(5, 6), 0),
        KindSkill(bo, "ring", 0, Proportion(0, 1), 0),
        KindSkill(ana, "spiral", 0, Proportion(2, 2), 0),
        KindSkill(bo, "spiral", 0, Proportion(0, 1), 0),
    ]
    together = {(one.kind, one.grader_id): one.right for one in all_graders(found)}
    expected = {"lens": Proportion(7, 8), "ring": Proportion(5, 7), "spiral": Proportion(2, 3)}
    assert together == {(kind, 0): share for kind, share in expected.items()}
    low, high = found[0].right.interval
    assert (round(low, 3), round(high, 3)) == (0.473, 0.997)  # Clopper-Pearson of 7 of 8

    # A second thought replaces the first, and what was graded nowhere has no line.
    grade(database, made, "Bo", {others[0]: ("X", None)})
    with database.session() as session:
        again = {(one.grader_id, one.kind): one.right for one in skill_by_kind(session)}
    assert again[bo, "ring"] == Proportion(1, 1)
    assert (bo, "lens") not in again
