"""Sign-ins that have begun: kept by the front alone, for a while, and taken once."""

from __future__ import annotations

import hashlib
import secrets
import threading
import time
from base64 import urlsafe_b64encode
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

LASTS_S = 600.0
_MOST = 5000
_MOST_OF_ONE = 50
_TOKEN_BYTES = 32


@dataclass(frozen=True)
class Pending:
    """A sign-in that has begun.

    Attributes
    ----------
    provider : str
        Name of the service.
    redirect_uri : str
        Where the service sends the browser back to.
    page : str
        Of this server, to open then.
    invitation : str
        Token of one that is accepted by it; '' where there is none.
    address : str
        Of the browser.
    begun_s : float
    state, nonce, verifier, browser : str
        Random: what the service gives back, what the ID token has, the secret of PKCE, and what
        the cookie of the browser holds.
    """

    provider: str
    redirect_uri: str
    page: str
    invitation: str = field(repr=False)
    address: str
    begun_s: float
    state: str = field(default_factory=lambda: _random(), repr=False)
    nonce: str = field(default_factory=lambda: _random(), repr=False)
    verifier: str = field(default_factory=lambda: _random(), repr=False)
    browser: str = field(default_factory=lambda: _random(), repr=False)

    @property
    def challenge(self) -> str:
        """S256 of the verifier (RFC 7636, 4.2)."""
        digest = hashlib.sha256(self.verifier.encode("ascii")).digest()
        return urlsafe_b64encode(digest).rstrip(b"=").decode("ascii")


class PendingSignIns:
    """Sign-ins that have begun, bounded in number and time; those of one address give way first.

    Parameters
    ----------
    clock : callable, optional
        Seconds that only grow.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._begun: OrderedDict[str, Pending] = OrderedDict()
        self._lock = threading.Lock()

    def begin(
        self, provider: str, redirect_uri: str, page: str, invitation: str, address: str
    ) -> Pending:
        """Keep a new one."""
        made = Pending(provider, redirect_uri, page, invitation, address, self._clock())
        with self._lock:
            self._drop_old()
            theirs = [key for key, each in self._begun.items() if each.address == address]
            for key in theirs[: max(0, len(theirs) + 1 - _MOST_OF_ONE)]:
                del self._begun[key]
            while len(self._begun) >= _MOST:
                self._begun.popitem(last=False)
            self._begun[made.state] = made
        return made

    def take(self, state: str) -> Pending | None:
        """Return the one with a state, which is over now; None where there is none any more."""
        with self._lock:
            self._drop_old()
            return self._begun.pop(state, None)

    def _drop_old(self) -> None:
        oldest = self._clock() - LASTS_S
        while self._begun and next(iter(self._begun.values())).begun_s < oldest:
            self._begun.popitem(last=False)


def _random() -> str:
    return secrets.token_urlsafe(_TOKEN_BYTES)
