"""Requests that no page sends: odd paths, queries, headers and bodies, to every endpoint."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from http.client import HTTPConnection, HTTPException
from urllib.parse import quote

import pytest
from attacking import Attack, seeds
from filling import fill_workspace
from serving import Server

from lensing_core.store import open_database
from lensing_core.workspace import Workspace

WORDS = [
    "", "0", "-1", "1", "9" * 19, "9" * 400, "1e999", "NaN", "٣", "../" * 9 + "etc/passwd",
    "%00", "\ud800", "\x00", "é", "observed", "~ab", "a" * 3000, "' OR 1=1 --", "{{7*7}}", "<svg>",
]  # fmt: skip
PATHS = [
    "/tiles/{}/{}", "/tiles/{}/{}/info", "/tiles/~{}/{}", "/pixels/{}/{}", "/attention/{}/{}/{}",
    "/attention/{}/{}/{}/info", "/wide-field/{}", "/export/{}", "/export/csv", "/export/regions",
    "/labeling/{}/queue", "/labeling/ab/queue", "/labeling/ab/figures", "/labeling/ab/skipped",
    "/static/{}", "/static/extensions/{}/{}", "/components/{}/{}/css/x", "/{}", "/{}/ws",
    "/review", "/review", "/label",
]  # fmt: skip
QUERIES = [
    "candidate", "limit", "only", "ensemble", "catalog", "sort", "after", "v", "size", "stretch",
    "band", "bands", "kind", "layer", "curve", "q", "black", "method", "p_min", "p_max", "format",
]  # fmt: skip
POSTS = [
    "/sign-in", "/sign-out", "/passphrase", "/labeling/preferences", "/labeling/ab/events",
    "/lens-test",
]  # fmt: skip
FIELDS = [
    "name", "passphrase", "old", "new", "grader", "events", "label", "uuid", "candidate",
    "positions",
]  # fmt: skip
BODIES = [
    b"", b"{", b"[]", b"null", b"\xff\xfe", b'{"a": NaN}', b"[" * 100_000, b'{"a":' * 5000,
    b'{"grader": ' + b"9" * 4000 + b"}", b'{"events": [[]]}', b" " * 5_000_000,
]  # fmt: skip


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("attacked")
    workspace = Workspace.create(folder / "workspace")
    open_database(workspace)
    running = Server(fill_workspace(workspace), folder / "server.log")
    yield running
    running.stop()


def value(rng: random.Random, depth: int = 0) -> object:
    """Something that JSON can say."""
    kind = rng.randrange(9)
    if kind < 2 and depth < 4:
        return [value(rng, depth + 1) for _ in range(rng.randrange(4))]
    if kind < 4 and depth < 4:
        return {rng.choice(FIELDS): value(rng, depth + 1) for _ in range(rng.randrange(4))}
    return rng.choice([None, True, -1, 2**63, 10**300, 1e308, float("inf"), *WORDS])


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
        rng = random.Random(seed)
        path = rng.choice(PATHS)
        words = [quote(w, safe="", errors="surrogatepass") for w in rng.choices(WORDS, k=3)]
        names = rng.choices(QUERIES, k=rng.randrange(4))
        pairs = [f"{n}={quote(rng.choice(WORDS), errors='surrogatepass')}" for n in names]
        address = path.format(*words) + ("?" + "&".join(pairs) if pairs else "")
        method = rng.choice(["GET", "GET", "GET", "HEAD", "POST", "OPTIONS", "DELETE"])
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
        rng = random.Random(seed)
        path = rng.choice([each for each in POSTS if each != "/sign-out"])
        body = rng.choice(BODIES)
        if rng.random() < 0.7:
            content = {name: value(rng) for name in rng.choices(FIELDS, k=3)}
            body = json.dumps(content).encode()
        headers = {**signed, "Cookie": ""} if path == "/sign-in" else signed  # it ends the last one
        with attack.case(seed):
            send(server, attack, f"POST {path} {body[:200]!r}", ("POST", path, body, headers))


def test_the_server_lives_on_and_its_log_names_no_fault(server):
    link = HTTPConnection("127.0.0.1", server.port, timeout=60)
    link.request("GET", "/overview")
    assert link.getresponse().status == 200
    assert "Traceback" not in server.output, server.output[-3000:]
