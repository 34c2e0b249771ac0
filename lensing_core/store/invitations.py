"""Invitations: made under a name, and accepted once by whoever has the link.

The link holds a random token, the database its hash. An invitation that was accepted or replaced is
removed; what was done with it stands in the audit log.
"""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from lensing_core.errors import BadInputError, NotFoundError, PolicyError
from lensing_core.store.graders import add_grader
from lensing_core.store.label_sessions import add_guest, get_session
from lensing_core.store.labels import check_grader_name, find_named
from lensing_core.store.passphrases import Passphrase
from lensing_core.store.tables import GRADER_ROLES, Grader, Invitation, utc_now

_TOKEN_BYTES = 32
_MOST_DAYS = 90
NOT_OPEN = "This invitation is not open any more, or never was: ask an organizer for another."


def invite(
    session: Session,
    name: str,
    role: str = "grader",
    days: float = 7.0,
    session_id: str | None = None,
) -> str:
    """Invite somebody under a name; returns the token. One from before, of that name, ends.

    Parameters
    ----------
    session_id : str, optional
        A labeling session that whoever accepts it may grade in.

    Raises
    ------
    BadInputError
        If the name is taken, breaks a rule or looks like another, or the role or time is none, or a
        reader is invited to grade.
    NotFoundError
        If there is no such session.
    """
    if session_id is not None:
        found = get_session(session, session_id)
        if role == "reader":
            raise BadInputError(f"A reader does not grade: invite a grader to {found.name}.")
    if find_named(session, name) is not None:
        raise BadInputError(f"There is a grader {name!r} already.")
    if role not in GRADER_ROLES:
        raise BadInputError(f"Role {role!r}: use one of {', '.join(GRADER_ROLES)}.")
    if not 0 < days <= _MOST_DAYS:
        raise BadInputError(f"An invitation of {days:g} days: give up to {_MOST_DAYS}.")
    kept = check_grader_name(session, name)
    session.execute(delete(Invitation).where(Invitation.name == kept))
    token = secrets.token_urlsafe(_TOKEN_BYTES)
    until = utc_now() + timedelta(days=days)
    made = Invitation(
        token_sha256=_hashed(token),
        name=kept,
        role=role,
        expires_at=until,
        session_id=session_id,
    )
    session.add(made)
    session.flush()
    return token


def open_invitations(session: Session) -> list[Invitation]:
    """Invitations that can be accepted still, the one that ends first at the beginning."""
    asked = select(Invitation).where(Invitation.expires_at > utc_now())
    return list(session.scalars(asked.order_by(Invitation.expires_at)))


def withdraw(session: Session, name: str) -> None:
    """End the invitation of a name; raises NotFoundError where there is none."""
    ended = session.execute(delete(Invitation).where(Invitation.name == name))
    if ended.rowcount != 1:  # type: ignore[attr-defined]  # of the result of a DELETE
        raise NotFoundError(f"There is no invitation of {name!r}.")


def accept(session: Session, token: str, passphrase: Passphrase) -> Grader:
    """Make the name of an invitation with a passphrase; the invitation ends.

    Raises
    ------
    PolicyError
        If there is no such invitation, or its time is over.
    BadInputError
        If the passphrase is too short or too long, or the name has been taken meanwhile.
    """
    invitation = session.get(Invitation, _hashed(token))
    if invitation is None or invitation.expires_at <= utc_now():
        raise PolicyError(NOT_OPEN)
    grader = add_grader(session, invitation.name, invitation.role, passphrase)
    if invitation.session_id is not None:
        add_guest(session, invitation.session_id, grader.id)
    ended = session.execute(delete(Invitation).where(Invitation.token_sha256 == _hashed(token)))
    if ended.rowcount != 1:  # type: ignore[attr-defined]  # of the result of a DELETE
        raise PolicyError(NOT_OPEN)  # somebody else had the link, and was first
    return grader


def link_of(token: str, session_id: str | None = None) -> str:
    """Return the end of the address of an invitation, and of the session that it leads to."""
    return f"join#{token}/{session_id}" if session_id else f"join#{token}"


def _hashed(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
