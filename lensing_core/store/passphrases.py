"""Passphrases as they are stored: ``scrypt$<salt>$<hash>`` (hexadecimal).

N = 2^14, r = 8, p = 5: as strong as OWASP's recommendation of 2023, in 16 MiB. That is slow, as it
has to be, so that :meth:`Passphrase.work_out` does it before a transaction begins: under the lock
of the database it would stop everybody who grades.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets

from lensing_core.errors import BadInputError

_SHORTEST, _LONGEST = 8, 200
_RANDOM_BYTES = 12  # 16 letters


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
            self.opens(stored)
        elif self.text:
            self.hashed()

    def opens(self, stored: str | None) -> bool:
        """Return whether this is the passphrase that is stored; any is where none is asked for."""
        if stored is None:
            return True
        if stored not in self._opens:
            _, salt, expected = stored.split("$")
            found = _scrypt(self.text[:_LONGEST], bytes.fromhex(salt))
            self._opens[stored] = hmac.compare_digest(found, bytes.fromhex(expected))
        return self._opens[stored]

    def hashed(self) -> str:
        """Return what is stored of it; raises BadInputError if it is too short or too long."""
        if not _SHORTEST <= len(self.text) <= _LONGEST:
            raise BadInputError(
                f"Passphrase of {len(self.text)} letters: give {_SHORTEST} to {_LONGEST}."
            )
        if not self._hash:
            salt = secrets.token_bytes(16)
            self._hash = f"scrypt${salt.hex()}${_scrypt(self.text, salt).hex()}"
        return self._hash


def _scrypt(passphrase: str, salt: bytes) -> bytes:
    return hashlib.scrypt(
        passphrase.encode(), salt=salt, n=2**14, r=8, p=5, maxmem=64 * 2**20, dklen=32
    )
