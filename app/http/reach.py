"""Reach of the server: checked settings of ``lens-triage serve`` and ``server.toml``.

They are read by :mod:`lens_triage.app.server_settings`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from lens_triage.app.http.providers import Provider
from lensing_core.errors import PolicyError

ADDRESS = "127.0.0.1"
LOCAL_NAMES = (ADDRESS, "localhost")


@dataclass(frozen=True)
class Reach:
    """Checked settings of the server's reach.

    Attributes
    ----------
    host : str
        Address to listen on.
    names : tuple of str
        That it answers to.
    prefix : str
        '' or a path that begins with a slash and ends with none.
    proxies : frozenset of str
        Addresses whose ``X-Forwarded-`` headers are believed.
    asks : bool
        Whether every request needs a sign-in with a secret.
    roots : tuple of Path
        That files of this machine are confined to, where it asks.
    providers : tuple of Provider
        Services by which people may sign in.
    """

    host: str = ADDRESS
    names: tuple[str, ...] = LOCAL_NAMES
    prefix: str = ""
    proxies: frozenset[str] = frozenset()
    asks: bool = False
    roots: tuple[Path, ...] = ()
    providers: tuple[Provider, ...] = ()

    def without_secrets(self) -> Reach:
        """The same for a process that signs nobody in."""
        kept = tuple(replace(each, client_secret="") for each in self.providers)
        return replace(self, providers=kept)

    def confine(self, path: Path) -> Path:
        """Return a path with its links followed; raises PolicyError if it is in none of the roots.

        A server that asks for no sign-in is reached by its own user alone, who has all files.
        """
        found = path.expanduser().resolve()
        if self.asks and not any(found.is_relative_to(root) for root in self.roots):
            allowed = ", ".join(map(str, self.roots)) or "none: the server's root names no folder"
            raise PolicyError(f"{found} is in no folder that this server reads from ({allowed}).")
        return found


LOCAL = Reach()
