"""Graders: who they are, and how each shows that it is them.

A grader may guard the name by a passphrase. It is kept as ``scrypt$<salt>$<hash>`` (hexadecimal;
N = 2^14, r = 8, p = 5: as strong as OWASP's recommendation of 2023, in 16 MiB).
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from lensing_core.errors import BadInputError, NotFoundError, PolicyError, WorkspaceError
from lensing_core.store.labels import grader_named
from lensing_core.store.tables import Grader
from lensing_core.workspace import Workspace

_MIN_PASSPHRASE, _MAX_PASSPHRASE = 8, 200
_SECRET_BYTES = 32


def list_graders(session: Session) -> list[Grader]:
    """All graders by name, sources of imported grades among them."""
    return list(session.scalars(select(Grader).order_by(Grader.name)))


def sign_in(session: Session, name: str, passphrase: str = "") -> Grader:
    """The grader of a name, made where there is none; the first to sign in is an organiser.

    A passphrase given with a new name guards it from now on.

    Raises
    ------
    BadInputError
        If the name is empty or too long, or a new passphrase too short or too long.
    PolicyError
        If the name is guarded and the passphrase is not its own.
    """
    # A write first: of two that sign in at once, one is the first.
    session.execute(text("UPDATE grader SET role = role WHERE 0 = 1"))
    known = session.scalar(select(Grader).where(Grader.name == " ".join(name.split())))
    if known is not None and not _is_right(passphrase, known.secret):
        raise PolicyError(f"The passphrase is not that of {known.name}.")
    grader = known or grader_named(session, name)
    if known is None and passphrase:
        grader.secret = _hash(passphrase)
    if session.scalar(select(Grader.id).where(Grader.role == "organiser").limit(1)) is None:
        grader.role = "organiser"
    return grader


def set_passphrase(session: Session, grader_id: int, old: str, new: str) -> Grader:
    """Guard a grader's name by a passphrase; an empty new one takes the guard away.

    Raises
    ------
    PolicyError
        If ``old`` is not the present passphrase.
    BadInputError
        If the new one is too short or too long.
    """
    grader = get_grader(session, grader_id)
    if not _is_right(old, grader.secret):
        raise PolicyError(f"The present passphrase is not that of {grader.name}.")
    grader.secret = _hash(new) if new else None
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


def sign_in_mark(grader: Grader) -> str:
    """Changes with the passphrase, so that sign-ins from before it end."""
    return hashlib.sha256(f"{grader.id}:{grader.secret or ''}".encode()).hexdigest()[:16]


def workspace_secret(workspace: Workspace) -> str:
    """The workspace's own random secret, made at the first call, readable by its user alone.

    Signs who is signed in, and makes the names of stamps in a session.

    Raises
    ------
    WorkspaceError
        If it can be neither read nor written.
    """
    path = workspace.confine("secret")
    try:
        if not path.exists():
            _write_once(path, secrets.token_urlsafe(_SECRET_BYTES))
        return path.read_text(encoding="ascii")
    except OSError as error:
        raise WorkspaceError(f"{path} cannot be read or written: {error.strerror}.") from error


def _write_once(path: Path, content: str) -> None:
    """Write a whole file that others see at once or not at all; the first writer's stays."""
    beside = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(beside, path)
    except FileExistsError:
        pass  # another process was first
    finally:
        beside.unlink()


def _hash(passphrase: str, salt: bytes | None = None) -> str:
    if not _MIN_PASSPHRASE <= len(passphrase) <= _MAX_PASSPHRASE:
        raise BadInputError(
            f"Passphrase of {len(passphrase)} letters: give {_MIN_PASSPHRASE} to {_MAX_PASSPHRASE}."
        )
    salt = salt or secrets.token_bytes(16)
    return f"scrypt${salt.hex()}${_scrypt(passphrase, salt).hex()}"


def _scrypt(passphrase: str, salt: bytes) -> bytes:
    return hashlib.scrypt(
        passphrase.encode(), salt=salt, n=2**14, r=8, p=5, maxmem=64 * 2**20, dklen=32
    )


def _is_right(passphrase: str, stored: str | None) -> bool:
    """Whether a passphrase opens a name; any does where none is asked for."""
    if stored is None:
        return True
    _, salt, expected = stored.split("$")
    found = _scrypt(passphrase[:_MAX_PASSPHRASE], bytes.fromhex(salt))
    return hmac.compare_digest(found, bytes.fromhex(expected))
