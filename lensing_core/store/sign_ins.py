"""Browsers in which graders are signed in: opened, found by their token, and revoked.

The browser holds a random token, the database its hash: a copy of the database signs nobody in, and
a revoked sign-in ends every copy of its cookie.
"""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta

from sqlalchemy import exists, select, update
from sqlalchemy.orm import Session

from lensing_core.store.tables import Grader, GraderSignIn, LabelEvent, Remark, utc_now

LASTS = timedelta(days=90)
_TOKEN_BYTES = 32


def open_sign_in(session: Session, grader: Grader) -> str:
    """Sign a grader in in one more browser; returns the token that its cookie is to hold."""
    used = session.scalar(
        select(
            exists().where(GraderSignIn.grader_id == grader.id)
            | exists().where(LabelEvent.grader_id == grader.id)
            | exists().where(Remark.grader_id == grader.id)
        )
    )
    return _open(session, grader.id, is_first=not used)


def find_sign_in(session: Session, token: str) -> tuple[Grader, GraderSignIn] | None:
    """Grader signed in by a token, and since when; None if it is revoked, expired or unknown."""
    sign_in = session.get(GraderSignIn, _hashed(token))
    if sign_in is None or sign_in.revoked_at is not None or utc_now() - sign_in.created_at > LASTS:
        return None
    grader = session.get_one(Grader, sign_in.grader_id)
    return None if grader.deactivated_at is not None else (grader, sign_in)


def revoke_sign_in(session: Session, token: str) -> None:
    """End a sign-in, in all tabs and for every copy of its cookie."""
    sign_in = session.get(GraderSignIn, _hashed(token))
    if sign_in is not None and sign_in.revoked_at is None:
        sign_in.revoked_at = utc_now()


def revoke_all(session: Session, grader_id: int) -> None:
    """End all sign-ins of a grader."""
    session.execute(
        update(GraderSignIn)
        .where(GraderSignIn.grader_id == grader_id, GraderSignIn.revoked_at.is_(None))
        .values(revoked_at=utc_now())
    )


def renew_sign_in(session: Session, old: GraderSignIn) -> str:
    """End all sign-ins of a grader but open one anew, for the browser that asks for it."""
    revoke_all(session, old.grader_id)
    return _open(session, old.grader_id, is_first=old.is_first)


def _open(session: Session, grader_id: int, *, is_first: bool) -> str:
    token = secrets.token_urlsafe(_TOKEN_BYTES)
    session.add(GraderSignIn(token_sha256=_hashed(token), grader_id=grader_id, is_first=is_first))
    session.flush()
    return token


def _hashed(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
