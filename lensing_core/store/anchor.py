"""The anchor: the last seal of the log of labels, in a file beside the database.

The seal in the database shows that the log is one that this workspace wrote; the anchor shows that
it is the latest. It is written after each commit, so it may lag behind the database by what was
committed when the process ended, and is never ahead of it, unless the database is an older one.
"""

from __future__ import annotations

import fcntl
import hashlib
import hmac
import json
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from lensing_core.errors import WorkspaceError

FILE = "label-anchor.json"
_LOCK = "label-anchor.lock"
_LETTERS = 512  # a sector; a seal takes about 400


@dataclass(frozen=True)
class Seal:
    """A state of the log; see :class:`lensing_core.store.tables.LogSeal`.

    ``diverged`` is set in the anchor alone, once the database was found to be an older one.
    """

    serial: int
    n_events: int
    head: str
    identities: str
    notes: str
    diverged: bool = False
    mac: str = ""

    def signed(self, key: bytes) -> Seal:
        """Return the seal with its keyed digest."""
        return replace(self, mac=self._mac(key))

    def is_genuine(self, key: bytes) -> bool:
        """Return whether the digest was made with this key, of these values."""
        return hmac.compare_digest(self.mac.encode(), self._mac(key).encode())

    def _mac(self, key: bytes) -> str:
        content = {name: value for name, value in asdict(self).items() if name != "mac"}
        text = json.dumps(content, sort_keys=True)
        return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()


@dataclass(frozen=True)
class LogAnchor:
    """The file of a workspace, and the key of its seals."""

    root: Path
    key: bytes

    @property
    def path(self) -> Path:
        """The file."""
        return self.root / FILE

    def read(self) -> Seal | None:
        """Return the anchored seal; None where there is no file.

        Raises
        ------
        WorkspaceError
            If the file cannot be read, or was not written with this workspace's secret.
        """
        if not self.path.exists():
            return None
        with self._locked(fcntl.LOCK_SH):
            return self._read()

    def advance(self, seal: Seal) -> None:
        """Write a seal that has been committed, unless the file holds a later one.

        It is written in place, as one sector, and not synced: a power cut may leave the one before,
        and a grade does not wait for the disk a second time. A file that is gone is not made again:
        :func:`lensing_core.store.sealed_log.check` tells.
        """
        with self._locked(fcntl.LOCK_EX):
            present = self._read()
            if present is not None and not present.diverged and present.serial < seal.serial:
                file = os.open(self.path, os.O_WRONLY)
                try:
                    os.pwrite(file, _content(seal), 0)
                finally:
                    os.close(file)

    def mark_diverged(self) -> None:
        """Keep in the file that the database was found to be older than the anchor."""
        with self._locked(fcntl.LOCK_EX):
            present = self._read()
            if present is not None and not present.diverged:
                self._write(replace(present, diverged=True).signed(self.key))

    def replace(self, seal: Seal) -> None:
        """Write a seal whatever the file holds."""
        with self._locked(fcntl.LOCK_EX):
            self._write(seal)

    def _read(self) -> Seal | None:
        try:
            text = self.path.read_text(encoding="utf-8")
        except FileNotFoundError:
            return None
        except (OSError, UnicodeDecodeError) as error:
            raise WorkspaceError(f"{self.path} cannot be read: {error}.") from error
        try:
            seal = Seal(**json.loads(text))
            genuine = seal.is_genuine(self.key)
        except (TypeError, ValueError, AttributeError):
            genuine = False
        if not genuine:
            raise WorkspaceError(
                f"{self.path} was changed, or written with another secret than that of {self.root}."
            )
        return seal

    @contextmanager
    def _locked(self, kind: int) -> Iterator[None]:
        lock = self.root / _LOCK
        try:
            file = os.open(lock, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise WorkspaceError(f"{lock} cannot be written: {error.strerror}.") from error
        try:
            fcntl.flock(file, kind)
            yield
        finally:
            os.close(file)

    def _write(self, seal: Seal) -> None:
        beside = self.path.with_name(f"{FILE}.{secrets.token_hex(8)}.part")
        try:
            made = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(made, "wb") as file:
                file.write(_content(seal))
                file.flush()
                os.fsync(file.fileno())
            beside.replace(self.path)
        finally:
            beside.unlink(missing_ok=True)


def _content(seal: Seal) -> bytes:
    """A seal as JSON of one length, so that it can be written in place."""
    return json.dumps(asdict(seal)).ljust(_LETTERS - 1).encode() + b"\n"
