"""Doing what changes something: who is signed in is looked up anew, and the table is asked.

Every callback of a page and every handler goes through here at the moment when the thing is done,
so that a forged message, a page that was opened before a sign-out and a role that was taken away
change nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import RLock

from lens_triage.app.context import AppContext
from lens_triage.app.http.identity import SignedIn, signed_in_by, token_of
from lens_triage.app.permissions import ALONE, NOBODY, ORGANIZER, PAGES, check, check_page
from lensing_core.errors import PolicyError
from lensing_core.store import Database, Session, open_database
from lensing_core.store.graders import hold_graders, works_alone

# One writer at a time, in the order in which they came: SQLite has a single one anyway, and makes
# the others look again after sleeps that grow to 100 ms.
_TURN = RLock()


@contextmanager
def acting(
    context: AppContext, action: str, *additional: str
) -> Iterator[tuple[Session, SignedIn | None]]:
    """Yield a database session to do an action in, or several, and who does it.

    The check and the change are one transaction: who is signed out meanwhile changes nothing.

    Raises
    ------
    PolicyError
        If who is signed in in this context's browser may not do it.
    """
    with _TURN, writable(context).session() as session:
        # A write first: nobody signs the person out between the check and the change.
        hold_graders(session)
        for each in additional:
            _check(session, context, each)
        yield session, _check(session, context, action)


def writable(context: AppContext) -> Database:
    """The database of what was permitted, where it opens sessions by itself."""
    return open_database(context.workspace)


def permit(context: AppContext, action: str) -> SignedIn | None:
    """Return who does an action that opens the database by itself; raises PolicyError."""
    with context.database.session() as session:
        return _check(session, context, action)


def permit_page(context: AppContext, name: str) -> None:
    """Raise PolicyError unless who is signed in may open a page."""
    with context.database.session() as session:
        person = signed_in_by(session, token_of(context, context.cookie))
        check_page(name, role_of(session, person))


def pages_for(context: AppContext) -> set[str]:
    """Names of the pages that who is signed in may open: for what the navigation offers."""
    with context.database.session() as session:
        who = role_of(session, signed_in_by(session, token_of(context, context.cookie)))
    return {name for name, may in PAGES.items() if who in may}


def why_not(context: AppContext, action: str) -> str:
    """Reason why the person signed in may not do it; '' where they may.

    For what a page offers, never for whether it is done: that is asked when it is done.
    """
    with context.database.session() as session:
        try:
            _check(session, context, action)
        except PolicyError as error:
            return str(error)
    return ""


def hides_blind(context: AppContext) -> bool:
    """Return whether who looks is kept from what others say of candidates in open blind sessions:
    all but organizers, and who works alone.
    """
    with context.database.session() as session:
        person = signed_in_by(session, token_of(context, context.cookie))
        return role_of(session, person) not in (ALONE, ORGANIZER)


def name_of(person: SignedIn | None) -> str:
    """Name of who does something; '' where nobody is signed in."""
    return person.name if person is not None else ""


def role_of(session: Session, person: SignedIn | None) -> str:
    """Role of somebody in the workspace: a key of :data:`~.permissions.WHO`."""
    if person is not None:
        return person.role
    return ALONE if works_alone(session) else NOBODY


def _check(session: Session, context: AppContext, action: str) -> SignedIn | None:
    person = signed_in_by(session, token_of(context, context.cookie))
    check(action, role_of(session, person))
    return person
