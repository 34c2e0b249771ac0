"""Services at which people have accounts, by which they sign in here: as the settings name them."""

from __future__ import annotations

from dataclasses import dataclass, field

GITHUB, GOOGLE, OIDC = "github", "google", "oidc"
KINDS = (GITHUB, GOOGLE, OIDC)
INVITED = "invited"
"""People come by an invitation alone."""


@dataclass(frozen=True)
class Provider:
    """A service at which people have accounts, by which they sign in here.

    Attributes
    ----------
    name : str
        In addresses of this server.
    kind : str
        One of :data:`KINDS`.
    title : str
        As the button has it.
    issuer : str
        Address of the service, as it calls itself; accounts are told apart by it and their subject.
    client_id, client_secret : str
        What the service knows this server by.
    allow_domains : frozenset of str
        Verified addresses of e-mail in these may sign in, and those of :attr:`allow_subjects`.
    allow_subjects : frozenset of str
        Accounts, by the subject that the service gives them.
    new_people : str
        :data:`INVITED`, or the role of whom the two lists let in.
    """

    name: str
    kind: str
    title: str
    issuer: str
    client_id: str
    client_secret: str = field(repr=False)
    allow_domains: frozenset[str] = frozenset()
    allow_subjects: frozenset[str] = frozenset()
    new_people: str = INVITED


@dataclass(frozen=True)
class Account:
    """An account at such a service, whose owner has shown that it is theirs.

    Attributes
    ----------
    issuer, subject : str
        Which it is; neither ever changes.
    names : tuple of str
        That a person of it may be called by, the best first.
    emails : tuple of str
        Verified, in small letters.
    """

    issuer: str
    subject: str
    names: tuple[str, ...] = ()
    emails: tuple[str, ...] = ()

    def is_allowed_by(self, provider: Provider) -> bool:
        """Return whether the lists of a provider have the account."""
        domains = {email.rpartition("@")[2] for email in self.emails}
        return self.subject in provider.allow_subjects or bool(domains & provider.allow_domains)
