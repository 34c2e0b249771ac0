"""Labels: who graded what, when, and what they saw; a log that only grows.

``label_event`` is the truth. ``vote`` is the active grade of each grader and candidate, kept
for lists and filters, and made again from the log by
:func:`lensing_core.store.labels.rebuild_votes`.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import (
    CheckConstraint,
    Dialect,
    ForeignKey,
    Index,
    String,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import TypeDecorator

from lensing_core.store.tables.base import Base, utc_now

GRADER_ROLES = ("reader", "grader", "organizer")
"""Each may do what those before it may, and more."""
ROLE_CHECK = "role IN ('grader', 'organiser', 'reader')"
STORED_ROLES = {"organizer": "organiser"}
"""Roles that the database holds in another spelling: seals of logs and their checks have it."""
SESSION_STATES = ("open", "closed")
ITEM_KINDS = ("queue", "gold", "tutorial")
LABEL_EVENT_KINDS = ("grade", "undo", "skip", "flag", "unflag")
GIVEN_HERE = ("browser", "api")
"""Sources of events that somebody gave in this workspace, by a page or by a program; others were
imported."""


class GraderRole(TypeDecorator[str]):
    """One of :data:`GRADER_ROLES`, stored as :data:`STORED_ROLES` spell it."""

    impl = String(10)
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        return None if value is None else STORED_ROLES.get(value, value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> str | None:
        return next((role for role, stored in STORED_ROLES.items() if stored == value), value)


class Grader(Base):
    """A person who grades, reads or organizes, or the source of imported grades."""

    __tablename__ = "grader"
    __table_args__ = (
        CheckConstraint(ROLE_CHECK, name="role"),
        Index(None, "skeleton"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(120), unique=True)
    role: Mapped[str] = mapped_column(GraderRole, default="grader", doc="of GRADER_ROLES")
    secret: Mapped[str | None] = mapped_column(
        String(255), doc="salted hash of the passphrase; NULL: none is asked for"
    )
    preferences: Mapped[dict[str, Any]] = mapped_column(
        default=dict, doc="keys, hand, stretch and the like"
    )
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    skeleton: Mapped[str] = mapped_column(
        String(480), default="", doc="what names that look alike have in common"
    )
    deactivated_at: Mapped[datetime | None] = mapped_column(
        doc="since when nobody can sign in with the name; NULL: anybody whose name it is can"
    )


class GraderSignIn(Base):
    """A browser in which a grader is, or was, signed in."""

    __tablename__ = "grader_sign_in"
    __table_args__ = (Index(None, "grader_id"),)

    token_sha256: Mapped[str] = mapped_column(
        String(64), primary_key=True, doc="of the token that only the browser's cookie has"
    )
    grader_id: Mapped[int] = mapped_column(ForeignKey("grader.id", ondelete="CASCADE"))
    is_first: Mapped[bool] = mapped_column(
        default=False, doc="whether the name had done nothing before: here it may be guarded"
    )
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    revoked_at: Mapped[datetime | None] = mapped_column(doc="NULL: still signed in")


class LabelSession(Base):
    """A queue of candidates to grade, by one scheme, under conditions that stay as they are."""

    __tablename__ = "label_session"
    __table_args__ = (
        CheckConstraint("status IN ('open', 'closed')", name="status"),
        Index(None, "status", "created_at"),
    )

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    name: Mapped[str] = mapped_column(String(120), unique=True)
    status: Mapped[str] = mapped_column(String(8), default="open")
    scheme: Mapped[dict[str, Any]] = mapped_column(doc="the grading scheme as JSON")
    queue: Mapped[dict[str, Any]] = mapped_column(doc="how its candidates were chosen")
    options: Mapped[dict[str, Any]] = mapped_column(
        doc="blind, shuffled, seed, gold_fraction, repeat_fraction, feedback, target_votes"
    )
    ensemble_id: Mapped[int | None] = mapped_column(
        ForeignKey("ensemble.id", ondelete="SET NULL"), doc="whose scores made the queue"
    )
    created_by: Mapped[int | None] = mapped_column(ForeignKey("grader.id"))
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    closed_at: Mapped[datetime | None] = mapped_column()
    archived_at: Mapped[datetime | None] = mapped_column(
        doc="since when lists leave it out; NULL: they have it"
    )


class SessionGrader(Base):
    """A grader invited to a session."""

    __tablename__ = "session_grader"

    session_id: Mapped[str] = mapped_column(
        ForeignKey("label_session.id", ondelete="CASCADE"), primary_key=True
    )
    grader_id: Mapped[int] = mapped_column(ForeignKey("grader.id"), primary_key=True)
    invited_at: Mapped[datetime] = mapped_column(default=utc_now)


class SessionItem(Base):
    """A candidate in the queue of a session, and why it is there."""

    __tablename__ = "session_item"
    __table_args__ = (
        CheckConstraint("kind IN ('queue', 'gold', 'tutorial')", name="kind"),
        UniqueConstraint("session_id", "candidate_id"),
        Index(None, "candidate_id"),
    )

    session_id: Mapped[str] = mapped_column(
        ForeignKey("label_session.id", ondelete="CASCADE"), primary_key=True
    )
    position: Mapped[int] = mapped_column(primary_key=True, doc="in the queue, from 0")
    candidate_id: Mapped[int] = mapped_column(ForeignKey("candidate.id", ondelete="CASCADE"))
    kind: Mapped[str] = mapped_column(String(8), default="queue")
    why: Mapped[str] = mapped_column(String(255), default="", doc="why it was chosen, for people")
    answer: Mapped[int | None] = mapped_column(doc="of a gold object: 1 lens, 0 not; else NULL")
    explanation: Mapped[str] = mapped_column(Text, default="", doc="shown as feedback")


def _index_of_some(name: str, which: str) -> Index:
    """Index of the few events that a filter of lists asks for."""
    some = text(which)
    return Index(f"ix_label_event_{name}", "candidate_id", sqlite_where=some, postgresql_where=some)


class LabelEvent(Base):
    """One thing that a grader did; never changed, never deleted, chained by hashes.

    ``hash`` is the SHA-256 of the row before (``previous_hash``) and of this row's content, so that
    a changed, removed or inserted row breaks the chain (:func:`lensing_core.store.labels.verify`).
    """

    __tablename__ = "label_event"
    __table_args__ = (
        CheckConstraint("kind IN ('grade', 'undo', 'skip', 'flag', 'unflag')", name="kind"),
        CheckConstraint("is_lens IS NULL OR is_lens IN (0, 1)", name="is_lens"),
        CheckConstraint("p_lens IS NULL OR (p_lens >= 0 AND p_lens <= 1)", name="p_lens"),
        Index(None, "candidate_id", "id"),
        Index(None, "session_id", "grader_id", "id"),
        Index(None, "grader_id", "id"),
        _index_of_some("flag", "kind = 'flag'"),
        _index_of_some("comment", "comment <> ''"),
    )

    id: Mapped[int] = mapped_column(primary_key=True, doc="order of the chain, without gaps")
    uuid: Mapped[str] = mapped_column(
        String(36), unique=True, doc="made by the client: sent twice, it is kept once"
    )
    kind: Mapped[str] = mapped_column(String(8))
    grader_id: Mapped[int] = mapped_column(ForeignKey("grader.id"))
    candidate_id: Mapped[int] = mapped_column(ForeignKey("candidate.id"))
    session_id: Mapped[str | None] = mapped_column(
        ForeignKey("label_session.id"), doc="NULL: graded in Review or imported"
    )
    scheme: Mapped[str] = mapped_column(String(32), doc="name of the grading scheme")
    grade: Mapped[str | None] = mapped_column(String(32), doc="key of the grade; NULL: not a grade")
    is_lens: Mapped[int | None] = mapped_column(doc="what the grade says: 1, 0, or NULL undecided")
    p_lens: Mapped[float | None] = mapped_column(doc="probability that the grade stands for")
    reject_reason: Mapped[str | None] = mapped_column(String(32), doc="kind of non-lens")
    comment: Mapped[str] = mapped_column(Text, default="")
    undoes: Mapped[str | None] = mapped_column(
        String(36), doc="UUID of the event that an undo takes back"
    )
    is_repeat: Mapped[bool] = mapped_column(
        default=False, doc="shown again to the same grader, to measure repeatability"
    )
    is_gold: Mapped[bool] = mapped_column(default=False)
    source: Mapped[str] = mapped_column(
        String(64), default="browser", doc="'browser', 'api', or what was imported"
    )
    given_at: Mapped[datetime] = mapped_column(doc="by the clock of the client")
    received_at: Mapped[datetime] = mapped_column(doc="by the clock of the server")
    shown_ms: Mapped[int | None] = mapped_column(doc="how long the image was on screen")
    view: Mapped[dict[str, Any]] = mapped_column(default=dict, doc="stretch and bands on screen")
    visible: Mapped[dict[str, Any]] = mapped_column(
        default=dict, doc="what the grader could see: blind or not, which ensemble's score"
    )
    previous_hash: Mapped[str] = mapped_column(String(64), unique=True)
    hash: Mapped[str] = mapped_column(String(64), unique=True)


class Vote(Base):
    """Active grade of a grader on a candidate: the last that was not undone, no repeat."""

    __tablename__ = "vote"
    __table_args__ = (
        Index(None, "grader_id", "candidate_id"),
        Index(None, "event_id", "candidate_id"),
        Index(None, "grade"),
        Index(None, "is_lens"),
    )

    candidate_id: Mapped[int] = mapped_column(
        ForeignKey("candidate.id", ondelete="CASCADE"), primary_key=True
    )
    grader_id: Mapped[int] = mapped_column(ForeignKey("grader.id"), primary_key=True)
    event_id: Mapped[int] = mapped_column(ForeignKey("label_event.id"))
    session_id: Mapped[str | None] = mapped_column(ForeignKey("label_session.id"))
    scheme: Mapped[str] = mapped_column(String(32))
    grade: Mapped[str] = mapped_column(String(32))
    is_lens: Mapped[int | None] = mapped_column()
    p_lens: Mapped[float | None] = mapped_column()
    reject_reason: Mapped[str | None] = mapped_column(String(32))
    at: Mapped[datetime] = mapped_column(doc="when the server received it")


class Consensus(Base):
    """Consensus of the graders on a candidate, by one method."""

    __tablename__ = "consensus"
    __table_args__ = (
        CheckConstraint("state IN ('open', 'accepted', 'retired')", name="state"),
        Index(None, "method", "posterior", "candidate_id"),
        Index(None, "method", "state"),
    )

    candidate_id: Mapped[int] = mapped_column(
        ForeignKey("candidate.id", ondelete="CASCADE"), primary_key=True
    )
    method: Mapped[str] = mapped_column(String(16), primary_key=True, doc="'swap' or 'dawid_skene'")
    posterior: Mapped[float] = mapped_column(doc="probability of a lens, given the votes")
    low_95: Mapped[float] = mapped_column()
    high_95: Mapped[float] = mapped_column()
    prior: Mapped[float] = mapped_column(doc="probability before any vote")
    n_votes: Mapped[int] = mapped_column()
    votes_needed: Mapped[int | None] = mapped_column(
        doc="expected further votes to a decision; NULL: decided, or none would decide"
    )
    state: Mapped[str] = mapped_column(String(8), doc="'open', 'accepted' or 'retired'")
    last_event_id: Mapped[int] = mapped_column(doc="the log was read up to here")
    updated_at: Mapped[datetime] = mapped_column(default=utc_now)


class ConsensusChoice(Base):
    """Consensus settings used last by a method; the latest of all are the current ones."""

    __tablename__ = "consensus_choice"

    method: Mapped[str] = mapped_column(String(16), primary_key=True, doc="'swap' or 'dawid_skene'")
    prior: Mapped[float | None] = mapped_column(
        doc="probability of a lens before any vote; NULL: the method's own"
    )
    ensemble_id: Mapped[int | None] = mapped_column(
        ForeignKey("ensemble.id", ondelete="SET NULL"), doc="whose calibrated scores are the prior"
    )
    accept: Mapped[float] = mapped_column(doc="posterior from which a lens is accepted")
    retire: Mapped[float] = mapped_column(doc="posterior at which it is retired")
    last_event_id: Mapped[int] = mapped_column(doc="the log was read up to here")
    joined_at: Mapped[datetime] = mapped_column(default=utc_now)
