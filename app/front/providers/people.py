"""The name that an account of another service signs in with."""

from __future__ import annotations

from lens_triage.app.http.providers import INVITED, Account, Provider
from lensing_core.errors import PolicyError
from lensing_core.store import Session
from lensing_core.store.audit import record
from lensing_core.store.identities import add_under_free_name, find_identity, note_use, tie
from lensing_core.store.invitations import accept
from lensing_core.store.passphrases import Passphrase
from lensing_core.store.tables import Grader


def is_known(session: Session, account: Account) -> bool:
    """Return whether an account is tied to a name."""
    return find_identity(session, account.issuer, account.subject) is not None


def admit(
    session: Session,
    provider: Provider,
    account: Account,
    invitation: str,
    nobodys: Passphrase,
    address: str,
) -> Grader:
    """Return who signs in by an account; made where an invitation or the settings allow it.

    Parameters
    ----------
    invitation : str
        Token of one that is accepted by it; '' where there is none.
    nobodys : Passphrase
        A random one, worked out already, that guards a new name and that nobody is told.
    address : str
        IP address of the browser.

    Raises
    ------
    PolicyError
        If the account may not sign in.
    """
    email = account.emails[0] if account.emails else ""
    known = find_identity(session, account.issuer, account.subject)
    if known is not None and invitation:
        raise PolicyError(
            f"This account of {provider.title} has a name here already: sign in with it, without "
            "the invitation."
        )
    if known is not None:
        if not (known.is_invited or account.is_allowed_by(provider)):
            raise PolicyError(_refusal(provider))
        return note_use(session, known, email)
    if invitation:
        grader = accept(session, invitation, nobodys)
        record(session, "invitation", grader.name, f"accepted, by {provider.title}", address)
    elif provider.new_people != INVITED and account.is_allowed_by(provider):
        grader = add_under_free_name(session, account.names, provider.new_people, nobodys)
        record(session, "name", grader.name, f"made by {provider.title}, {grader.role}", address)
    else:
        raise PolicyError(_refusal(provider))
    tied = tie(session, grader, account.issuer, account.subject, is_invited=bool(invitation))
    return note_use(session, tied, email)


def _refusal(provider: Provider) -> str:
    return (
        f"This account of {provider.title} may not sign in here: ask an organizer for an "
        "invitation, and open its link."
    )
