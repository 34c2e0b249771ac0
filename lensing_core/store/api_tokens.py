"""API tokens: made, found by what a program shows, and revoked.

The program holds a random token, the database its hash. A token is good for its owner's name with a
role that is at most its owner's, as long as the name is active, until it expires or is revoked.
"""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from lensing_core.errors import BadInputError, NotFoundError, PolicyError
from lensing_core.store.graders import get_grader
from lensing_core.store.tables import GRADER_ROLES, ApiToken, Grader, utc_now

START = "lt."
"""Begins every token, and no sign-in: the two are never taken for each other."""
MOST_DAYS = 365
_MOST_LETTERS = 80
_MOST_OF_ONE = 50
_TOKEN_BYTES = 32
_NOTED_EVERY = timedelta(minutes=1)


def add_api_token(
    session: Session, grader_id: int, label: str, role: str, days: float
) -> tuple[ApiToken, str]:
    """Make a token for a grader; returns it, and the text that is shown once.

    Raises
    ------
    BadInputError
        If label, role or days are none, or there are too many.
    PolicyError
        If the role is more than the grader's, or the name is deactivated.
    """
    grader = get_grader(session, grader_id)
    label = " ".join(label.split())
    if not 0 < len(label) <= _MOST_LETTERS or not label.isprintable():
        raise BadInputError(f"Say in up to {_MOST_LETTERS} letters what the token is for.")
    if role not in GRADER_ROLES:
        raise BadInputError(f"Role {role!r}: use one of {', '.join(GRADER_ROLES)}.")
    if not 0 < days <= MOST_DAYS:
        raise BadInputError(f"A token of {days:g} days: give up to {MOST_DAYS}.")
    if grader.deactivated_at is not None:
        raise PolicyError(f"The name {grader.name} is deactivated; activate it first.")
    if _lesser(role, grader.role) != role:
        raise PolicyError(f"{grader.name} is {grader.role}: a token cannot be {role}.")
    if sum(is_open(token) for token in list_api_tokens(session, grader_id)) >= _MOST_OF_ONE:
        raise BadInputError(f"{grader.name} has {_MOST_OF_ONE} tokens already; revoke some.")
    text = START + secrets.token_urlsafe(_TOKEN_BYTES)
    made = ApiToken(
        token_sha256=_hashed(text),
        grader_id=grader.id,
        label=label,
        role=role,
        expires_at=utc_now() + timedelta(days=days),
    )
    session.add(made)
    session.flush()
    return made, text


def find_api_token(session: Session, text: str) -> tuple[Grader, ApiToken, str] | None:
    """Owner, token and the role that it has now; None if the token is not valid."""
    token = session.scalar(select(ApiToken).where(ApiToken.token_sha256 == _hashed(text)))
    if token is None or not is_open(token):
        return None
    grader = get_grader(session, token.grader_id)
    if grader.deactivated_at is not None:
        return None
    return grader, token, _lesser(token.role, grader.role)


def is_open(token: ApiToken) -> bool:
    """Return whether a token is neither revoked nor expired."""
    return token.revoked_at is None and token.expires_at > utc_now()


def list_api_tokens(session: Session, grader_id: int | None = None) -> list[ApiToken]:
    """Tokens of a grader, or of all, the newest first."""
    asked = select(ApiToken).order_by(ApiToken.id.desc())
    if grader_id is not None:
        asked = asked.where(ApiToken.grader_id == grader_id)
    return list(session.scalars(asked))


def get_api_token(session: Session, token_id: int) -> ApiToken:
    """The token of a number; raises NotFoundError."""
    token = session.get(ApiToken, token_id)
    if token is None:
        raise NotFoundError(f"There is no API token {token_id}.")
    return token


def revoke_api_token(session: Session, token_id: int) -> ApiToken:
    """Let a token be good for nothing from now on."""
    token = get_api_token(session, token_id)
    token.revoked_at = token.revoked_at or utc_now()
    return token


def note_api_token_use(session: Session, text: str) -> None:
    """Note that a token was used, to the minute."""
    token = session.scalar(select(ApiToken).where(ApiToken.token_sha256 == _hashed(text)))
    now = utc_now()
    if token is not None and (
        token.last_used_at is None or now - token.last_used_at >= _NOTED_EVERY
    ):
        token.last_used_at = now


def _lesser(one: str, other: str) -> str:
    return min(one, other, key=GRADER_ROLES.index)


def _hashed(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
