"""Times at which people were last seen."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from lensing_core.store.tables import ApiToken, GraderSignIn, LabelEvent, Remark
from lensing_core.store.tables.label import GIVEN_HERE


def last_seen(session: Session) -> dict[int, datetime]:
    """Latest time at which each grader signed in, graded, remarked or used an API token, by id.

    Imported grades are nothing that a person did here.
    """
    newest = (
        select(LabelEvent.grader_id, func.max(LabelEvent.id).label("id"))
        .where(LabelEvent.source.in_(GIVEN_HERE))
        .group_by(LabelEvent.grader_id)
        .subquery()
    )
    asked = (
        select(LabelEvent.grader_id, LabelEvent.received_at).join(
            newest, LabelEvent.id == newest.c.id
        ),
        select(Remark.grader_id, func.max(Remark.at)).group_by(Remark.grader_id),
        select(GraderSignIn.grader_id, func.max(GraderSignIn.created_at)).group_by(
            GraderSignIn.grader_id
        ),
        select(ApiToken.grader_id, func.max(ApiToken.last_used_at)).group_by(ApiToken.grader_id),
    )
    latest: dict[int, datetime] = {}
    for statement in asked:
        for grader_id, at in session.execute(statement):
            if grader_id is not None and at is not None:
                latest[grader_id] = max(at, latest.get(grader_id, at))
    return latest
