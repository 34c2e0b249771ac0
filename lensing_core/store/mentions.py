"""Notes that mention a grader: ``@name`` in their text."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from lensing_core.store.tables import Candidate, Grader, Mention, Remark


@dataclass(frozen=True)
class NoteForMe:
    """A note that mentions a grader.

    Attributes
    ----------
    remark_id, candidate_id : int
    object_id : str
    who : str
        Who wrote it.
    text : str
    at : datetime
    """

    remark_id: int
    candidate_id: int
    object_id: str
    who: str
    text: str
    at: datetime


def mention_graders(session: Session, remark: Remark) -> None:
    """Keep whom the text of a note mentions: ``@`` and a name in use, in capital or small letters.

    Of names that begin alike the longest counts; nobody mentions themselves.
    """
    if "@" not in remark.text:
        return
    named = select(Grader.id, Grader.name).where(Grader.deactivated_at.is_(None))
    known = {name.casefold(): key for key, name in session.execute(named)}
    names = "|".join(re.escape(name) for name in sorted(known, key=len, reverse=True))
    if not names:
        return
    mentioned = re.findall(rf"(?<!\w)@({names})(?!\w)", remark.text.casefold())
    keys = {known[name] for name in mentioned} - {remark.grader_id}
    session.add_all(Mention(remark_id=remark.id, grader_id=key) for key in sorted(keys))
    session.flush()


def notes_for(session: Session, grader_id: int, most: int = 20) -> list[NoteForMe]:
    """Return the newest notes that mention a grader, the newest first."""
    rows = session.execute(
        select(Remark, Candidate.object_id, Grader.name)
        .join(Mention, Mention.remark_id == Remark.id)
        .join(Candidate, Candidate.id == Remark.candidate_id)
        .outerjoin(Grader, Grader.id == Remark.grader_id)
        .where(Mention.grader_id == grader_id)
        .order_by(Remark.id.desc())
        .limit(most)
    )
    return [
        NoteForMe(
            remark.id, remark.candidate_id, object_id, who or "lens-triage", remark.text, remark.at
        )
        for remark, object_id, who in rows
    ]
