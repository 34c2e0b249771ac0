"""A real nginx in front of a server, by the configuration that ``deploy/`` has ready."""

from __future__ import annotations

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
daemon off;
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


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def nginx_in_front(port: int, folder: Path) -> Iterator[tuple[int, ssl.SSLContext]]:
    """Yield the port of an nginx before a server, and what trusts its certificate; skip without.

    Parameters
    ----------
    port : int
        Of the server.
    """
    nginx = shutil.which("nginx", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin")
    openssl = shutil.which("openssl")
    if nginx is None or openssl is None:
        pytest.skip("no nginx here (Debian: apt install nginx-light openssl)")
    key, certificate, front = folder / "key.pem", folder / "certificate.pem", _free_port()
    subject = ("-subj", f"/CN={NAME}", "-addext", f"subjectAltName=DNS:{NAME}")
    files = ("-keyout", key, "-out", certificate)
    subprocess.run(
        [openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", *files, *subject],
        check=True,
        capture_output=True,
    )
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
    main.write_text(_MAIN.format(folder=folder))
    subprocess.run([nginx, "-t", "-q", "-e", folder / "error.log", "-c", main], check=True)
    running = subprocess.Popen([nginx, "-e", folder / "error.log", "-c", main])
    try:
        until(lambda: _listens(front), 20)
        yield front, ssl.create_default_context(cafile=str(certificate))
    finally:
        running.terminate()
        running.wait(10)


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
