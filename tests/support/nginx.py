"""A real nginx in front of a server, by the configuration that ``deploy/`` has ready."""

from __future__ import annotations

import os
import shutil
import socket
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from waiting import until

DEPLOY = Path(__file__).parent.parent.parent / "deploy"
NAME = "lenses.example.org"
_MAIN = """
{user}daemon off;
pid {folder}/pid;
error_log {folder}/error.log;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {folder}/site.conf;
}}
"""


def free_port() -> int:
    """Return a port of this machine that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def make_certificate(folder: Path) -> tuple[Path, Path]:
    """Make a certificate of :data:`NAME` that signs itself; return it and its key.

    Skips the test where there is no openssl.
    """
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("no openssl here (Debian: apt install openssl)")
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    subject = ("-subj", f"/CN={NAME}", "-addext", f"subjectAltName=DNS:{NAME}")
    kind = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2")
    subprocess.run(
        [openssl, "req", "-x509", *kind, "-keyout", key, "-out", certificate, *subject],
        check=True,
        capture_output=True,
    )
    return certificate, key


@contextmanager
def nginx_in_front(port: int, folder: Path) -> Iterator[tuple[int, ssl.SSLContext]]:
    """Yield the port of an nginx before a server, and what trusts its certificate; skip without.

    Parameters
    ----------
    port : int
        Of the server.
    """
    nginx = shutil.which("nginx", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin")
    if nginx is None:
        pytest.skip("no nginx here (Debian: apt install nginx-light)")
    certificate, key = make_certificate(folder)
    front = free_port()
    site = (DEPLOY / "nginx.conf").read_text()
    for ours, here in (
        ("/etc/ssl/certs/lenses.example.org.pem", str(certificate)),
        ("/etc/ssl/private/lenses.example.org.key", str(key)),
        ("listen 443 ssl", f"listen 127.0.0.1:{front} ssl"),
        ("http://127.0.0.1:5006", f"http://127.0.0.1:{port}"),
    ):
        assert site.count(ours) == 1, ours
        site = site.replace(ours, here)
    (folder / "site.conf").write_text(site)
    main = folder / "nginx.conf"
    user = "user root;\n" if os.geteuid() == 0 else ""  # its own may not enter pytest's folders
    main.write_text(_MAIN.format(folder=folder, user=user))
    subprocess.run([nginx, "-t", "-q", "-e", folder / "error.log", "-c", main], check=True)
    running = subprocess.Popen([nginx, "-e", folder / "error.log", "-c", main])
    try:
        until(lambda: listens(front), 20)
        yield front, ssl.create_default_context(cafile=str(certificate))
    finally:
        running.terminate()
        running.wait(10)


def listens(port: int) -> bool:
    """Return whether something listens on a port of this machine."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
