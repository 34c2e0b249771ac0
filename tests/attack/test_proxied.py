"""The same and more against a server that others reach: behind a real nginx, and at its own port.

Who is not signed in gets nothing by any way; who is, ends no process by what is sent.
"""

from __future__ import annotations

import json
import random
import re
import shutil
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from attacking import Attack, seeds
from nginx import NAME, nginx_in_front
from odd_heads import (
    AROUND,
    FOREIGN_HOSTS,
    FOREIGN_NETWORK,
    LONG_HEADS,
    TRUSTED_BY_OTHERS,
    ambiguous,
    damaged_head,
    foreign_origins,
    forged_headers,
    frame,
    odd_token,
)
from odd_requests import odd_address, odd_body
from proxied import ANA, BO, PREFIX, UPGRADE, Proxied, serve_behind
from raw_http import exchange
from stranger import REFUSED, Client, credentials
from tornado.routing import PathMatches
from tornado.web import Application

from lens_triage.app.context import AppContext
from lens_triage.app.front.main import front_application
from lens_triage.app.front.pages import Pages
from lens_triage.app.main import make_server
from lensing_core.acquisition import QueueEntry
from lensing_core.labeling import NewSession, create_session
from lensing_core.store import open_database
from lensing_core.store.audit import latest_entries
from lensing_core.store.graders import named_grader, reset_passphrase
from lensing_core.store.invitations import invite
from lensing_core.store.passphrases import Passphrase
from lensing_core.store.tables import Invitation
from lensing_core.workspace import Workspace

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "FIND")


@pytest.fixture(scope="module")
def proxied(
    tmp_path_factory: pytest.TempPathFactory, filled_on_sqlite: Workspace
) -> Iterator[Proxied]:
    folder = tmp_path_factory.mktemp("attacked")
    shutil.copytree(filled_on_sqlite.root, folder / "workspace")
    workspace = Workspace(folder / "workspace")
    with open_database(workspace).session() as session:
        create_session(session, NewSession("one", [QueueEntry(1, "rank 1")], {}), None)
    with serve_behind(nginx_in_front, workspace, folder) as running:
        yield running


@pytest.fixture(scope="module")
def cookie(proxied: Proxied) -> str:
    """What Ana's browser sends."""
    return proxied.sign_in(*ANA).partition(";")[0]


@pytest.fixture(scope="module")
def addresses(proxied: Proxied) -> list[str]:
    """An address of every route of both processes."""
    context = AppContext.of(proxied.workspace)
    with TemporaryDirectory() as folder:  # not pytest's: a socket's name must be short
        pages = Pages(proxied.workspace.root, 1, Path(folder))
        applications: list[Application] = [
            front_application(context, pages),
            make_server(context, pages.settings)._tornado,
        ]
    rules = [rule for each in applications for rule in each.wildcard_router.rules]
    patterns = [r.matcher.regex.pattern for r in rules if isinstance(r.matcher, PathMatches)]
    return [_address(each) for each in patterns if each.rstrip("$") != ".*"]


def _address(pattern: str) -> str:
    """Return an address that a pattern matches, with ``ab`` in place of each group."""
    text = re.sub(r"\((?:[^()\\]|\\.)*\)\??", "ab", pattern)
    text = text.removesuffix("$").removesuffix("/?")
    assert re.fullmatch(pattern, text), pattern
    return text


@pytest.mark.attack("through nginx: ways past the sign-in")
def test_no_route_answers_who_is_not_signed_in(attack, proxied, cookie, addresses):
    client, strangers = Client(proxied, attack), credentials(proxied, cookie)
    assert {"/overview", "/overview/ws", "/tiles/ab/abab", "/export/ab"} <= set(addresses)
    for path in addresses:
        reply = client.ask("DELETE", f"{PREFIX}{path}", [("Cookie", cookie)])
        assert reply is not None
        assert reply.status in (404, 405), path  # a good cookie comes past the sign-in
        for who, sent in strangers.items():
            socket_asked = [*UPGRADE.items()] if path.endswith("/ws") else []
            with attack.case(f"{path} with {who}"):
                reply = client.ask("GET", f"{PREFIX}{path}", [*sent, *socket_asked])
                # 429: strangers who try token after token have to wait
                if reply is not None and reply.status not in (401, 429):
                    attack.accepted.append(f"{path} with {who}: {reply.status}")


@pytest.mark.attack("through nginx: ways past the sign-in, other addresses")
def test_no_spelling_of_an_address_answers_who_is_not_signed_in(attack, proxied, cookie, addresses):
    client = Client(proxied, attack)
    for seed in seeds(150):
        rng = random.Random(seed)
        path = rng.choice([*addresses, "/tiles/cosmos/0", "/export/csv", "/static/js/bokeh.min.js"])
        method = rng.choice(METHODS)
        address = AROUND[seed % len(AROUND)](path)
        headers = [("Accept", rng.choice(["*/*", "text/html"]))]
        headers += rng.choices([*TRUSTED_BY_OTHERS.items()], k=rng.randrange(3))
        headers += [("Cookie", f"a={quoted}") for quoted in rng.choices([cookie, '"', ";"], k=1)]
        with attack.case(f"{method} {address}"):
            reply = client.ask(method, address, headers)
            if reply is None:
                continue
            way = reply.status == 308 and reply.all("location") == [f"{proxied.origin}/lens/"]
            if reply.status not in REFUSED and not way:
                attack.accepted.append(f"{method} {address} {headers}: {reply.status}")
            if b"hsc-0" in reply.body or b"cosmos-0" in reply.body:
                attack.accepted.append(f"{method} {address}: rows of the survey")


@pytest.mark.attack("through nginx: addresses and queries")
def test_no_address_stops_the_server(attack, proxied, cookie):
    client = Client(proxied, attack)
    for seed in seeds(40):
        method, address = odd_address(random.Random(seed))
        with attack.case(seed):
            client.ask(method, f"{PREFIX}{address}", [("Cookie", cookie)])


@pytest.mark.attack("through nginx: JSON bodies")
def test_no_body_stops_the_server(attack, proxied, cookie):
    client = Client(proxied, attack)
    for seed in seeds(25):
        path, body = odd_body(random.Random(seed))
        headers = [("Content-Type", "application/json")]
        headers += [] if path == "/sign-in" else [("Cookie", cookie)]  # it ends the last one
        with attack.case(seed):
            client.ask("POST", f"{PREFIX}{path}", headers, body)


@pytest.mark.attack("through nginx: forged hosts, origins and X-Forwarded headers")
def test_no_forged_header_changes_a_reply(attack, proxied, cookie):
    client = Client(proxied, attack)
    wrong = json.dumps({"name": "Nobody", "passphrase": ""}).encode()
    for seed in seeds(60):
        rng = random.Random(seed)
        forged = forged_headers(rng)
        with attack.case(forged):
            reply = client.ask("GET", f"{PREFIX}/", [("Cookie", cookie), *forged])
            if reply is not None and reply.all("location") != ["overview"]:
                attack.accepted.append(f"{forged}: {reply.status} {reply.all('location')}")
        host = rng.choice(FOREIGN_HOSTS)
        with attack.case(f"Host {host!r}"):
            reply = client.ask("GET", f"{PREFIX}/overview", [("Host", host), ("Cookie", cookie)])
            if reply is not None and reply.status not in (400, 403):
                attack.accepted.append(f"Host {host!r}: {reply.status}")
        origin = rng.choice(foreign_origins(proxied.host))
        for method, path, more in (
            ("GET", "/overview/ws", [*UPGRADE.items()]),
            ("POST", "/sign-in", [("Content-Type", "application/json")]),
        ):
            with attack.case(f"Origin {origin} {path}"):
                headers = [("Origin", origin), ("Cookie", cookie), *more]
                body = wrong if method == "POST" else None
                reply = client.ask(method, f"{PREFIX}{path}", headers, body)
                if reply is not None and reply.status != 403:
                    attack.accepted.append(f"Origin {origin} {path}: {reply.status}")


def test_no_forged_address_is_written_down_or_counted_anew(proxied, cookie):
    for path in ("/export/csv", "/nothing"):  # the first is written down by the process of pages
        lies = {"X-Forwarded-For": f"{FOREIGN_NETWORK}9", "X-Lens-Triage-Address": "::9"}
        proxied.open(path, Cookie=cookie, **lies).read()
    for k in range(6):
        lies = {"X-Forwarded-For": f"{FOREIGN_NETWORK}{k}", "X-Real-Ip": f"{FOREIGN_NETWORK}{k}"}
        reply = proxied.open("/sign-in", "POST", {"name": "Bo", "passphrase": f"no {k}"}, **lies)
    assert reply.status == 429
    with open_database(proxied.workspace).session() as session:
        entries = latest_entries(session, 20)
    assert {"export", "wrong passphrase"} <= {each.kind for each in entries}
    assert {each.address for each in entries} == {"127.0.0.1"}


def ways(proxied: Proxied) -> dict[str, Callable[[], socket.socket]]:
    """Connections to nginx, and past it to the server's port, as another account here has them."""
    port = proxied.server.port
    return {
        "nginx": proxied.connect,
        "port": lambda: socket.create_connection(("127.0.0.1", port), 30),
    }


@pytest.mark.attack("behind nginx and at the port: ambiguous requests")
def test_no_request_hides_in_another(attack, proxied, cookie):
    hidden = (
        f"GET /lens/tiles/cosmos/0 HTTP/1.1\r\nHost: {NAME}\r\nCookie: {cookie}\r\n"
        "Connection: close\r\n\r\n"
    ).encode()
    for way, connect in ways(proxied).items():
        (alone,) = exchange(connect(), hidden)
        assert alone.status == 200
        send_alone(attack, way, connect, ambiguous(hidden))


@pytest.mark.attack("behind nginx and at the port: damaged and long heads")
def test_no_head_stops_the_server(attack, proxied):
    heads = {str(seed): damaged_head(random.Random(seed)) for seed in seeds(40)}
    for way, connect in ways(proxied).items():
        send_alone(attack, way, connect, heads | LONG_HEADS)


def send_alone(
    attack: Attack, way: str, connect: Callable[[], socket.socket], requests: dict[str, bytes]
) -> None:
    """Send requests that are to be refused, each by a connection of its own."""
    for name, sent in requests.items():
        with attack.case(f"{way}, {name}", limit_s=60):
            replies = exchange(connect(), sent, patience_s=0.5)
            attack.refused += any(reply.status in REFUSED for reply in replies)
            for reply in replies:
                kind = attack.accepted if reply.status < 400 else attack.uncaught
                if reply.status not in REFUSED:
                    kind.append(f"{way}, {name}: {reply.status} to {sent[:400]!r}")


@pytest.mark.attack("through nginx: frames of websockets")
def test_no_frame_stops_the_server(attack, proxied, cookie):
    asked = {**proxied.socket_asked("/overview", cookie), "Cookie": cookie}
    for seed in seeds(15):
        rng = random.Random(seed)
        reply = proxied.open("/overview/ws", **asked)
        assert reply.status == 101
        frames = b"".join(frame(rng) for _ in range(rng.randint(1, 12)))
        with attack.case(seed, limit_s=60):
            exchange(reply.link.sock, frames, patience_s=0.3)
    again = proxied.open("/overview/ws", **asked)
    assert b"ACK" in again.link.sock.recv(65536)


@pytest.mark.attack("through nginx: tokens of pages")
def test_no_token_but_its_own_opens_a_page(attack, proxied, cookie):
    client = Client(proxied, attack)
    asked = proxied.socket_asked("/overview", cookie)
    good = asked["Sec-WebSocket-Protocol"].partition(", ")[2]
    for seed in seeds(30):
        token = odd_token(random.Random(seed), good)
        headers = {**asked, "Cookie": cookie, "Sec-WebSocket-Protocol": f"bokeh, {token}"}
        with attack.case(seed):
            reply = client.ask("GET", f"{PREFIX}/overview/ws", [*headers.items()])
            if reply is not None and reply.status not in (400, 403):  # nginx: too long
                attack.accepted.append(f"{token[:200]}: {reply.status}")


@pytest.mark.attack("behind nginx and at the port: slow clients")
def test_slow_clients_keep_nobody_waiting(attack, proxied, cookie):
    head, chunked = f"Host: {NAME}\r\nCookie: {cookie}\r\n", "Transfer-Encoding: chunked"
    begun = [
        b"",
        b"GET /lens/over",
        f"GET /lens/overview HTTP/1.1\r\n{head}".encode(),
        f"POST /lens/sign-in HTTP/1.1\r\n{head}Content-Length: 900\r\n\r\n{{".encode(),
        f"POST /lens/lens-test HTTP/1.1\r\n{head}{chunked}\r\n\r\n5\r\n{{".encode(),
        f"GET /lens/static/js/bokeh.min.js HTTP/1.1\r\n{head}\r\n".encode(),  # and reads nothing
    ]  # fmt: skip
    ports = (proxied.port, proxied.server.port)
    with ExitStack() as opened:
        for seed in seeds(40)[:80]:  # of the connections that a server has
            plain = (socket.create_connection(("127.0.0.1", port), 30) for port in ports)
            for link in (proxied.connect(), *plain):
                opened.enter_context(link).sendall(begun[seed % len(begun)])
            if seed % 5 == 0:
                with attack.case(seed, limit_s=10):
                    reply = proxied.open("/tiles/cosmos/0", Cookie=cookie)
                    assert reply.status == 200, reply.status


@pytest.mark.attack("through nginx: invitations and sign-ins used again")
def test_nothing_that_has_ended_is_good_again(attack, proxied):
    client = Client(proxied, attack)
    joins = [("Content-Type", "application/json"), ("Origin", proxied.origin)]

    def join(token: object) -> int:
        body = json.dumps({"token": token, "passphrase": "tall giraffes"}).encode()
        reply = client.ask("POST", f"{PREFIX}/join", joins, body)
        return reply.status if reply else 0

    with open_database(proxied.workspace).session() as session:
        first, second, late, raced = (invite(session, n) for n in ("Flo", "Flo", "Gil", "Hal"))
        kept = session.query(Invitation).filter_by(name="Gil").one()
        kept.expires_at -= timedelta(days=8)
        sha256 = kept.token_sha256
    tried = {"replaced": first, "expired": late, "its hash": sha256, "cut": second[:-1],
             "empty": "", "none": None, "a list": [second], "half a letter": "\ud800"}  # fmt: skip
    for name, token in tried.items():
        with attack.case(f"invitation: {name}"):
            if join(token) not in (400, 403):
                attack.accepted.append(f"invitation: {name}")
    statuses: list[int] = []
    body = {"token": raced, "passphrase": "tall giraffes"}
    racing = [
        threading.Thread(target=lambda: statuses.append(proxied.open("/join", "POST", body).status))
        for _ in range(6)
    ]
    with attack.case("one invitation by six at once"):
        for thread in racing:
            thread.start()
        for thread in racing:
            thread.join()
        if statuses.count(200) != 1:
            attack.accepted.append(f"one invitation by six at once: {statuses}")

    mine = proxied.sign_in("Hal", "tall giraffes").partition(";")[0]
    asked = proxied.socket_asked("/overview", mine)
    assert proxied.open("/overview/ws", **asked, Cookie=mine).status == 101
    assert proxied.open("/sign-out", "POST", {}, Cookie=mine).status == 200
    for path in ("/overview", "/tiles/cosmos/0", "/export/csv", "/overview/ws"):
        for headers in ({"Cookie": mine}, {"Cookie": f"{mine}; {mine}"}, {}):
            with attack.case(f"a cookie after its sign-out: {path}"):
                reply = proxied.open(path, **asked, **headers)
                attack.refused += reply.status == 401
                if reply.status != 401:
                    attack.accepted.append(f"a cookie after its sign-out: {path}: {reply.status}")


def test_a_page_of_one_is_not_opened_again_by_another(proxied, cookie):
    """What a page shows is its session's: another who has its token may not take it over."""
    asked = proxied.socket_asked("/team", cookie)
    with open_database(proxied.workspace).session() as session:
        reset_passphrase(session, named_grader(session, "Bo").id, Passphrase(BO[1]))
    theirs = proxied.sign_in(*BO).partition(";")[0]
    assert proxied.open("/team/ws", **asked, Cookie=theirs).status == 403
    assert proxied.open("/team/ws", **asked, Cookie=cookie).status == 101


def test_the_server_lives_on_and_its_log_names_no_fault(proxied, cookie):
    reply = proxied.open("/overview", Cookie=cookie)
    assert (reply.status, len(reply.read()) > 10_000) == (200, True)
    for said in (proxied.server.output, proxied.server.page_output):
        assert "Traceback" not in said, said[-3000:]
