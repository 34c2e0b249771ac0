"""A real Caddy in front of a server, by the configuration that ``deploy/`` has ready."""

from __future__ import annotations

import os
import shutil
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from nginx import DEPLOY, NAME, free_port, listens, make_certificate
from waiting import until

_ALONE = "{\n\tadmin off\n\tauto_https off\n}\n"
"""Options by which it listens on nothing else."""


@contextmanager
def caddy_in_front(port: int, folder: Path) -> Iterator[tuple[int, ssl.SSLContext]]:
    """Yield the port of a Caddy before a server, and what trusts its certificate; skip without.

    Parameters
    ----------
    port : int
        Of the server.
    """
    caddy = shutil.which("caddy")
    if caddy is None:
        pytest.skip("no Caddy here (Debian: apt install caddy)")
    certificate, key = make_certificate(folder)
    front = free_port()
    site = (DEPLOY / "Caddyfile").read_text()
    for ours, here in (
        (f"\n{NAME} {{\n", f"\n{NAME}:{front} {{\n\tbind 127.0.0.1\n\ttls {certificate} {key}\n"),
        ("reverse_proxy 127.0.0.1:5006", f"reverse_proxy 127.0.0.1:{port}"),
    ):
        assert site.count(ours) == 1, ours
        site = site.replace(ours, here)
    file = folder / "Caddyfile"
    file.write_text(_ALONE + site)
    with (folder / "caddy.log").open("wb") as log:
        running = subprocess.Popen(
            [caddy, "run", "--adapter", "caddyfile", "--config", file],
            stdout=log,
            stderr=log,
            env={**os.environ, "HOME": str(folder), "XDG_CONFIG_HOME": str(folder)},
        )
    try:
        until(lambda: listens(front) or running.poll() is not None, 20)
        assert running.poll() is None, (folder / "caddy.log").read_text()
        yield front, ssl.create_default_context(cafile=str(certificate))
    finally:
        running.terminate()
        running.wait(10)
