"""Graders: who they are, and how each shows that it is them.

A grader may guard the name by a passphrase (:mod:`lensing_core.store.passphrases`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import exists, select, text
from sqlalchemy.orm import Session

from lensing_core.errors import BadInputError, NotFoundError, PolicyError
from lensing_core.store.labels import find_named, grader_named
from lensing_core.store.passphrases import Passphrase
from lensing_core.store.secret import workspace_secret as workspace_secret
from lensing_core.store.sign_ins import revoke_all
from lensing_core.store.tables import GRADER_ROLES, Grader, GraderSignIn, LabelEvent, utc_now
from lensing_core.store.tables.label import GIVEN_HERE, STORED_ROLES


def list_graders(session: Session) -> list[Grader]:
    """All graders by name, sources of imported grades among them."""
    return list(session.scalars(select(Grader).order_by(Grader.name)))


def hold_graders(session: Session) -> None:
    """Take the write lock, so that graders stay as they are to the end of this transaction."""
    session.execute(text("UPDATE grader SET role = role WHERE 0 = 1"))


def works_alone(session: Session) -> bool:
    """Return whether nobody has ever signed in: there are no names to go by."""
    return session.scalar(select(Grader.id).where(Grader.role == "organizer").limit(1)) is None


def has_guarded_organizer(session: Session) -> bool:
    """Return whether an organizer can sign in who has a passphrase."""
    guarded = select(Grader.id).where(
        Grader.role == "organizer", Grader.deactivated_at.is_(None), Grader.secret.is_not(None)
    )
    return session.scalar(guarded.limit(1)) is not None


def add_grader(session: Session, name: str, role: str, passphrase: Passphrase) -> Grader:
    """Make a name that is guarded from the beginning.

    Raises
    ------
    BadInputError
        If the name is taken, breaks a rule or looks like another, or there is no such role.
    """
    hold_graders(session)
    if find_named(session, name) is not None:
        raise BadInputError(f"There is a grader {name!r} already.")
    if role not in GRADER_ROLES:
        raise BadInputError(f"Role {role!r}: use one of {', '.join(GRADER_ROLES)}.")
    grader = grader_named(session, name)
    grader.role, grader.secret = role, passphrase.hashed()
    return grader


def secret_of(session: Session, name: str) -> str | None:
    """Return what is stored of the passphrase of a name; None where there is none."""
    known = find_named(session, name)
    return None if known is None else known.secret


def sign_in(session: Session, name: str, passphrase: str | Passphrase = "") -> Grader:
    """The grader of a name, made where there is none; the first to sign in is an organizer.

    A passphrase given with a new name guards it from now on. The database is locked meanwhile:
    where others write, work out the passphrase before (:meth:`Passphrase.work_out`).

    Raises
    ------
    BadInputError
        If the name breaks a rule, looks like another, or a new passphrase is too short or long.
    PolicyError
        If the name is deactivated, or guarded and the passphrase is not its own.
    """
    given = _as_passphrase(passphrase)
    hold_graders(session)  # of two that sign in at once, one is the first
    known = find_named(session, name)
    if known is not None and known.deactivated_at is not None:
        raise PolicyError(f"The name {known.name} is deactivated; ask an organizer.")
    if known is not None and not given.opens(known.secret):
        raise PolicyError(f"The passphrase is not that of {known.name}.")
    grader = known or grader_named(session, name)
    is_older = known is not None and known.secret and given.is_to_renew(known.secret)
    if is_older or (known is None and given):
        grader.secret = given.hashed()
    if works_alone(session):
        grader.role = "organizer"
    return grader


def set_passphrase(
    session: Session,
    grader_id: int,
    old: str | Passphrase,
    new: str | Passphrase,
    *,
    here: GraderSignIn | None = None,
) -> Grader:
    """Guard a grader's name by a passphrase; an empty new one takes the guard away.

    A name without one is free to all, so that the first passphrase would take it from the others:
    it is set in the browser in which the name was used first, by an organizer who is alone, or by
    :func:`reset_passphrase`.

    Parameters
    ----------
    here : GraderSignIn, optional
        The sign-in of the browser that asks.

    Raises
    ------
    PolicyError
        If ``old`` is not the present passphrase, or the name may not be guarded from here.
    BadInputError
        If the new one is too short or too long.
    """
    grader = get_grader(session, grader_id)
    if not _as_passphrase(old).opens(grader.secret):
        raise PolicyError(f"The present passphrase is not that of {grader.name}.")
    if grader.secret is None and not _may_guard(session, grader, here):
        raise PolicyError(
            f"The name {grader.name} was used without a passphrase before this browser signed in, "
            "so that it may be somebody else's: an organizer sets its first one (Team, People; or "
            "lens-triage graders reset)."
        )
    grader.secret = _as_passphrase(new).hashed() if new else None
    return grader


def reset_passphrase(session: Session, grader_id: int, made: Passphrase | None = None) -> str:
    """Guard a name by a new random passphrase, end its sign-ins, and return the passphrase.

    Parameters
    ----------
    made : Passphrase, optional
        A random one whose hash was worked out before the database was locked.
    """
    grader = get_grader(session, grader_id)
    made = made or Passphrase.random()
    grader.secret = made.hashed()
    revoke_all(session, grader_id)
    return made.text


def set_role(session: Session, grader_id: int, role: str) -> Grader:
    """Give a grader another role.

    Raises
    ------
    BadInputError
        If there is no such role, or the grader is deactivated.
    PolicyError
        If no organizer would be left.
    """
    grader = get_grader(session, grader_id)
    role = next((known for known, stored in STORED_ROLES.items() if stored == role), role)
    if role not in GRADER_ROLES:
        raise BadInputError(f"Role {role!r}: use one of {', '.join(GRADER_ROLES)}.")
    if role == "organizer" and grader.deactivated_at is not None:
        raise BadInputError(f"{grader.name} is deactivated; activate the name first.")
    if role != "organizer":
        _keep_an_organizer(session, grader)
    grader.role = role
    return grader


def set_active(session: Session, grader_id: int, *, active: bool) -> Grader:
    """Let nobody sign in with a name any more, or again; what was done with it stays.

    Raises
    ------
    PolicyError
        If no organizer would be left.
    """
    grader = get_grader(session, grader_id)
    if active:
        grader.deactivated_at = None
        return grader
    _keep_an_organizer(session, grader)
    grader.deactivated_at = grader.deactivated_at or utc_now()
    revoke_all(session, grader_id)
    return grader


def named_grader(session: Session, name: str) -> Grader:
    """The grader of a name; raises NotFoundError."""
    grader = find_named(session, name)
    if grader is None:
        raise NotFoundError(f"There is no grader {name!r}.")
    return grader


def find_grader(session: Session, grader_id: int) -> Grader | None:
    """The grader of an id; None where there is none."""
    return session.get(Grader, grader_id)


def get_grader(session: Session, grader_id: int) -> Grader:
    """The grader of an id; raises NotFoundError."""
    grader = find_grader(session, grader_id)
    if grader is None:
        raise NotFoundError(f"Grader {grader_id} does not exist.")
    return grader


def keep_preferences(session: Session, grader_id: int, preferences: Mapping[str, Any]) -> None:
    """Store preferences with a grader; others that are stored stay."""
    grader = get_grader(session, grader_id)
    grader.preferences = {**grader.preferences, **preferences}


def _may_guard(session: Session, grader: Grader, here: GraderSignIn | None) -> bool:
    if here is None or here.grader_id != grader.id:
        return False
    if here.is_first:
        return True
    others = select(
        exists().where(GraderSignIn.grader_id != grader.id)
        | exists().where(LabelEvent.grader_id != grader.id, LabelEvent.source.in_(GIVEN_HERE))
    )
    return grader.role == "organizer" and not session.scalar(others)


def _keep_an_organizer(session: Session, leaving: Grader) -> None:
    hold_graders(session)  # of two organizers who leave at once, one stays
    left = select(Grader.id).where(
        Grader.role == "organizer", Grader.deactivated_at.is_(None), Grader.id != leaving.id
    )
    is_one = leaving.role == "organizer" and leaving.deactivated_at is None
    if is_one and session.scalar(left.limit(1)) is None:
        raise PolicyError(
            f"{leaving.name} is the only organizer; make somebody else an organizer first."
        )


def _as_passphrase(given: str | Passphrase) -> Passphrase:
    return given if isinstance(given, Passphrase) else Passphrase(given)
