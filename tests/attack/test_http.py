"""Requests that no page sends: odd paths, queries, headers and bodies, to every endpoint."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from http.client import HTTPConnection, HTTPException

import pytest
from attacking import Attack, seeds
from filling import fill_workspace
from odd_requests import odd_address, odd_body
from serving import Server

from lensing_core.store import open_database
from lensing_core.workspace import Workspace


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("attacked")
    workspace = Workspace.create(folder / "workspace")
    open_database(workspace)
    running = Server(fill_workspace(workspace), folder / "server.log")
    yield running
    running.stop()


def send(server: Server, attack: Attack, name: str, request: tuple[object, ...]) -> None:
    """Send a request, and count what its reply tells of the server."""
    link = HTTPConnection("127.0.0.1", server.port, timeout=30)
    try:
        link.request(*request)  # type: ignore[arg-type]
        reply = link.getresponse()
        text = reply.read(2000).decode("utf-8", "replace")
    except (ConnectionError, HTTPException) as error:
        attack.crashes.append(f"{name}: {error!r}")
        return
    except TimeoutError:
        attack.hangs.append(name)
        return
    finally:
        link.close()
    attack.refused += 400 <= reply.status < 500 or reply.status == 503
    if reply.status >= 500 and reply.status != 503:
        attack.uncaught.append(f"{name}: {reply.status} {text[:200]}")
    if "Traceback" in text or 'File "' in text:
        attack.uncaught.append(f"{name}: a traceback in the reply")
    if reply.getheader("X-Frame-Options") != "DENY" and reply.status != 400:
        attack.accepted.append(f"{name}: {reply.status} without the headers")


@pytest.mark.attack("addresses and queries")
def test_no_address_stops_the_server(attack, server):
    for seed in seeds(120):
        method, address = odd_address(random.Random(seed))
        with attack.case(seed):
            send(server, attack, f"{method} {address[:300]}", (method, address))


@pytest.mark.attack("JSON bodies")
def test_no_body_stops_the_server(attack, server):
    signed = {"Content-Type": "application/json"}
    link = HTTPConnection("127.0.0.1", server.port, timeout=30)
    link.request("POST", "/sign-in", json.dumps({"name": "Mallory"}), signed)
    reply = link.getresponse()
    reply.read()
    signed["Cookie"] = str(reply.getheader("Set-Cookie")).partition(";")[0]
    for seed in seeds(80):
        path, body = odd_body(random.Random(seed))
        headers = {**signed, "Cookie": ""} if path == "/sign-in" else signed  # it ends the last one
        with attack.case(seed):
            send(server, attack, f"POST {path} {body[:200]!r}", ("POST", path, body, headers))


def test_the_server_lives_on_and_its_log_names_no_fault(server):
    link = HTTPConnection("127.0.0.1", server.port, timeout=60)
    link.request("GET", "/overview")
    assert link.getresponse().status == 200
    assert "Traceback" not in server.output, server.output[-3000:]
