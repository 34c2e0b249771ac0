"""Notes, tags and moves between stages: remarks of people on a candidate beside their grades.

Every one is a row of ``remark`` that stays; ``candidate_tag`` and ``candidate.stage`` follow
from the rows, for lists and filters.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from lensing_core.consensus.schemes import REJECT_REASONS
from lensing_core.errors import BadInputError
from lensing_core.store.candidates import get_candidate
from lensing_core.store.label_events import canonical_text, check_uuid
from lensing_core.store.mentions import mention_graders
from lensing_core.store.tables import STAGES, Candidate, CandidateTag, Remark, RemarkReceipt

MAX_NOTE = 4000
MAX_TAG = 64
MAX_TAGS = 30

SENT_KINDS = ("note", "tag", "untag", "stage")
"""Types of :func:`do_once`."""


def do_once(session: Session, candidate_id: int, grader_id: int, sent: Mapping[str, Any]) -> None:
    """Do what a page sent under a UUID; sent again, it does nothing.

    Parameters
    ----------
    sent : mapping
        Unchecked: ``uuid``, ``kind``, and as the kind wants ``text``, ``tag``, or ``stage`` with
        ``reason`` and ``expected`` (:func:`move_stage`).

    Raises
    ------
    BadInputError
        If a field is wrong, or the UUID is another grader's.
    """
    uuid, kind = sent.get("uuid"), sent.get("kind")
    check_uuid(uuid, "uuid")
    receipt = session.get(RemarkReceipt, uuid)
    if receipt is not None:
        if receipt.grader_id != grader_id:
            raise BadInputError("Its UUID is another grader's.")
        return
    if kind == "note":
        text, reply_to = canonical_text(sent.get("text"), "text"), sent.get("reply_to")
        if reply_to is not None and type(reply_to) is not int:
            raise BadInputError("reply_to: give the number of a note.")
        add_note(session, candidate_id, grader_id, text, reply_to=reply_to)
    elif kind == "tag":
        add_tag(session, candidate_id, grader_id, canonical_text(sent.get("tag"), "tag"))
    elif kind == "untag":
        remove_tag(session, candidate_id, grader_id, canonical_text(sent.get("tag"), "tag"))
    elif kind == "stage":
        named = {
            name: canonical_text(sent[name], name)
            for name in ("reason", "expected")
            if sent.get(name) is not None
        }
        stage = canonical_text(sent.get("stage"), "stage")
        move_stage(session, candidate_id, grader_id, stage, **named)
    else:
        raise BadInputError(f"kind: give one of {', '.join(SENT_KINDS)}.")
    session.add(RemarkReceipt(uuid=uuid, grader_id=grader_id))
    session.flush()


def add_note(
    session: Session, candidate_id: int, grader_id: int, text: str, *, reply_to: int | None = None
) -> Remark:
    """Write a note, and keep whom it mentions by ``@name``.

    Parameters
    ----------
    reply_to : int, optional
        The note of the same candidate that it answers; an answer to an answer is one to the first.

    Raises
    ------
    BadInputError
        If it is empty or too long, or answers no note of the candidate.
    """
    text = text.strip()
    if not 0 < len(text) <= MAX_NOTE:
        raise BadInputError(f"A note has 1 to {MAX_NOTE} letters; this one has {len(text)}.")
    get_candidate(session, candidate_id)
    made = Remark(candidate_id=candidate_id, grader_id=grader_id, kind="note")
    if reply_to is not None:
        answered = session.get(Remark, reply_to) if 0 < reply_to < 2**31 else None
        if answered is None or (answered.candidate_id, answered.kind) != (candidate_id, "note"):
            raise BadInputError(f"There is no note {reply_to} of this candidate to answer.")
        made.reply_to = answered.reply_to or answered.id
    _write(session, made, text)
    mention_graders(session, made)
    return made


def clean_tag(tag: str) -> str:
    """A tag as it is kept: one space between words, no commas, letters as they are.

    Raises
    ------
    BadInputError
        If nothing is left, or too much.
    """
    cleaned = " ".join(tag.replace(",", " ").split())
    if not 0 < len(cleaned) <= MAX_TAG:
        raise BadInputError(f"Tag {tag[:20]!r}: give 1 to {MAX_TAG} letters.")
    return cleaned


def add_tag(session: Session, candidate_id: int, grader_id: int, tag: str) -> bool:
    """Tag a candidate; False where it has the tag already, in whatever case.

    A tag that another candidate has in other case is written like that one.
    """
    tag = clean_tag(tag)
    get_candidate(session, candidate_id)
    mine = tags_of(session, [candidate_id])[candidate_id]
    if tag.lower() in {one.lower() for one in mine}:
        return False
    if len(mine) >= MAX_TAGS:
        raise BadInputError(f"A candidate has {MAX_TAGS} tags at most; take one away first.")
    known = session.scalar(
        select(CandidateTag.tag).where(func.lower(CandidateTag.tag) == tag.lower()).limit(1)
    )
    tag = known or tag
    session.add(CandidateTag(candidate_id=candidate_id, tag=tag))
    _write(session, Remark(candidate_id=candidate_id, grader_id=grader_id, kind="tag", value=tag))
    return True


def remove_tag(session: Session, candidate_id: int, grader_id: int, tag: str) -> bool:
    """Take a tag away; False where the candidate does not have it."""
    stored = session.get(CandidateTag, (candidate_id, tag))
    if stored is None:
        return False
    session.delete(stored)
    _write(session, Remark(candidate_id=candidate_id, grader_id=grader_id, kind="untag", value=tag))
    return True


def tags_of(session: Session, candidate_ids: Sequence[int]) -> dict[int, list[str]]:
    """Tags of candidates, in alphabetical order."""
    tags: dict[int, list[str]] = {key: [] for key in candidate_ids}
    rows = session.execute(
        select(CandidateTag.candidate_id, CandidateTag.tag)
        .where(CandidateTag.candidate_id.in_(candidate_ids))
        .order_by(CandidateTag.tag)
    )
    for candidate_id, tag in rows:
        tags[candidate_id].append(tag)
    return tags


def known_tags(session: Session, most: int = 200) -> list[str]:
    """Tags in use, the most frequent first."""
    return list(
        session.scalars(
            select(CandidateTag.tag)
            .group_by(CandidateTag.tag)
            .order_by(func.count().desc(), CandidateTag.tag)
            .limit(most)
        )
    )


def move_stage(
    session: Session,
    candidate_id: int,
    grader_id: int | None,
    stage: str,
    *,
    reason: str | None = None,
    expected: str | None = None,
) -> bool:
    """Move a candidate to a stage; False where it is there.

    People move candidates; nothing moves one for its score.

    Parameters
    ----------
    grader_id : int or None
        None: the program, for a rule that people made.
    reason : str, optional
        Key of :data:`REJECT_REASONS`: needed to reject, and only there.
    expected : str, optional
        The stage that the person saw; the move is refused if another person has moved it since.

    Raises
    ------
    BadInputError
        If stage or reason is unknown, or the candidate is not where it was expected.
    """
    if stage not in STAGES:
        raise BadInputError(f"Stage {stage!r}: use one of {', '.join(STAGES)}.")
    if (stage == "rejected") != (reason is not None):
        raise BadInputError("A candidate is rejected with a reason, and only then has one.")
    if reason is not None and reason not in REJECT_REASONS:
        raise BadInputError(f"Reason {reason!r}: use one of {', '.join(REJECT_REASONS)}.")
    before = get_candidate(session, candidate_id).stage
    if expected is not None and before != expected:
        raise BadInputError(
            f"Somebody has moved this candidate from {expected} to {before} meanwhile; look at its "
            "history, then move it again."
        )
    if before == stage:
        return False
    moved = session.execute(
        update(Candidate)
        .where(Candidate.id == candidate_id, Candidate.stage == before)
        .values(stage=stage)
    )
    if not moved.rowcount:  # type: ignore[attr-defined]  # of the result of an update
        raise BadInputError("Somebody moved this candidate at the same moment; try again.")
    remark = Remark(
        candidate_id=candidate_id, grader_id=grader_id, kind="stage", value=stage, before=before
    )
    _write(session, remark, reason or "")
    return True


def _write(session: Session, remark: Remark, text: str = "") -> Remark:
    remark.text = text
    session.add(remark)
    session.flush()
    return remark
