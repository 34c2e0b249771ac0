"""Passphrases as they are stored: argon2id in its usual form, ``$argon2id$v=19$...``.

46 MiB and two passes, twice OWASP's recommendation. That is slow, as it has to be, so that
:meth:`Passphrase.work_out` does it before a transaction begins: under the lock of the database it
would stop everybody who grades. Older workspaces hold ``scrypt$<salt>$<hash>`` (hexadecimal), and
get the other form at the next sign-in of each name.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from lensing_core.errors import BadInputError

_SHORTEST, _LONGEST = 8, 200
_RANDOM_BYTES = 12  # 16 letters
_HASHER = PasswordHasher(time_cost=2, memory_cost=46 * 1024, parallelism=1)


class Passphrase:
    """A passphrase that somebody gave, with what has been worked out of it.

    Parameters
    ----------
    text : str
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self._opens: dict[str, bool] = {}
        self._hash = ""

    @classmethod
    def random(cls) -> Passphrase:
        """Make one that nobody guesses."""
        return cls(secrets.token_urlsafe(_RANDOM_BYTES))

    def __bool__(self) -> bool:
        return bool(self.text)

    def work_out(self, stored: str | None) -> None:
        """Compare with what is stored, or make what will be stored where nothing is."""
        if stored is not None:
            if self.opens(stored) and self.is_to_renew(stored):
                self.hashed()
        elif self.text:
            self.hashed()

    def is_to_renew(self, stored: str) -> bool:
        """Return whether what is stored has another form than :meth:`hashed` makes, and can be
        replaced by it.
        """
        is_allowed = _SHORTEST <= len(self.text) <= _LONGEST
        return is_allowed and (stored.startswith("scrypt$") or _HASHER.check_needs_rehash(stored))

    def opens(self, stored: str | None) -> bool:
        """Return whether this is the passphrase that is stored; any is where none is asked for."""
        if stored is None:
            return True
        if stored not in self._opens:
            matches = _matches_scrypt if stored.startswith("scrypt$") else _matches_argon2
            self._opens[stored] = matches(self.text[:_LONGEST], stored)
        return self._opens[stored]

    def hashed(self) -> str:
        """Return what is stored of it; raises BadInputError if it is too short or too long."""
        if not _SHORTEST <= len(self.text) <= _LONGEST:
            raise BadInputError(
                f"Passphrase of {len(self.text)} letters: give {_SHORTEST} to {_LONGEST}."
            )
        if not self._hash:
            self._hash = _HASHER.hash(self.text)
        return self._hash


def _matches_argon2(text: str, stored: str) -> bool:
    try:
        return _HASHER.verify(stored, text)
    except (VerificationError, InvalidHashError):
        return False


def _matches_scrypt(text: str, stored: str) -> bool:
    _, salt, expected = stored.split("$")
    digest = hashlib.scrypt(
        text.encode(), salt=bytes.fromhex(salt), n=2**14, r=8, p=5, maxmem=64 * 2**20, dklen=32
    )
    return hmac.compare_digest(digest, bytes.fromhex(expected))
