"""Accounts at other services that are tied to names: by issuer and subject, which never change.

A name that was made by such an account has a passphrase that nobody knows, so that it is guarded as
any other, wherever the workspace is served.
"""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import select
from sqlalchemy.orm import Session

from lensing_core.errors import BadInputError, PolicyError
from lensing_core.store.grader_names import MOST_LETTERS, clean_name, skeleton
from lensing_core.store.graders import add_grader, get_grader
from lensing_core.store.passphrases import Passphrase
from lensing_core.store.sign_ins import revoke_all
from lensing_core.store.tables import Grader, GraderIdentity, utc_now

_MOST_TRIES = 100


def find_identity(session: Session, issuer: str, subject: str) -> GraderIdentity | None:
    """Return what is known of an account; None where it is tied to no name."""
    return session.get(GraderIdentity, (issuer, subject))


def tie(
    session: Session, grader: Grader, issuer: str, subject: str, *, is_invited: bool
) -> GraderIdentity:
    """Tie an account to a name; raises PolicyError if it is tied to another one."""
    if find_identity(session, issuer, subject) is not None:
        raise PolicyError("This account is tied to another name here already.")
    made = GraderIdentity(
        issuer=issuer, subject=subject, grader_id=grader.id, is_invited=is_invited
    )
    session.add(made)
    session.flush()
    return made


def untie(session: Session, grader: Grader) -> int:
    """Let nobody sign in with a name by an account of another service; returns how many it had."""
    identities = list_identities(session, grader.id)
    for each in identities:
        session.delete(each)
    if identities:
        revoke_all(session, grader.id)
    return len(identities)


def list_identities(session: Session, grader_id: int) -> list[GraderIdentity]:
    """Accounts that are tied to a name, the first tied first."""
    asked = select(GraderIdentity).where(GraderIdentity.grader_id == grader_id)
    return list(session.scalars(asked.order_by(GraderIdentity.created_at)))


def identities_by_grader(session: Session) -> dict[int, list[GraderIdentity]]:
    """Accounts that are tied to names, by the id of the name."""
    by_grader: dict[int, list[GraderIdentity]] = {}
    for each in session.scalars(select(GraderIdentity).order_by(GraderIdentity.created_at)):
        by_grader.setdefault(each.grader_id, []).append(each)
    return by_grader


def note_use(session: Session, identity: GraderIdentity, email: str) -> Grader:
    """Note a sign-in by an account; returns the name that it is tied to.

    Raises
    ------
    PolicyError
        If the name is deactivated.
    """
    grader = get_grader(session, identity.grader_id)
    if grader.deactivated_at is not None:
        raise PolicyError(f"The name {grader.name} is deactivated; ask an organizer.")
    identity.last_at, identity.email = utc_now(), email
    return grader


def add_under_free_name(
    session: Session, wanted: Iterable[str], role: str, passphrase: Passphrase
) -> Grader:
    """Make a name for somebody new: one of those that are wanted, with a number where it is taken.

    Raises
    ------
    BadInputError
        If all of them break a rule.
    """
    for name in wanted:
        try:
            kept = clean_name(name[: MOST_LETTERS - len(f" {_MOST_TRIES}")])
        except BadInputError:
            continue
        for n in range(1, _MOST_TRIES):
            tried = kept if n == 1 else f"{kept} {n}"
            if not is_taken(session, tried):
                return add_grader(session, tried, role, passphrase)
    raise BadInputError("No name could be made for this account; ask an organizer to invite you.")


def is_taken(session: Session, name: str) -> bool:
    """Return whether somebody has a name, or one that looks like it."""
    asked = select(Grader.id).where(Grader.skeleton == skeleton(name))
    return session.scalar(asked.limit(1)) is not None
