"""Requests of a stranger to a server behind a proxy: ways around the sign-in, forged and odd heads.

Everything is meant for a server below ``/lens`` under the name ``lenses.example.org``.
"""

from __future__ import annotations

import base64
import json
import random
from collections.abc import Callable

from nginx import NAME

FOREIGN = "evil.example"
FOREIGN_NETWORK = "203.0.113."
AROUND: list[Callable[[str], str]] = [
    lambda path: f"/lens/sign-in/..{path}",
    lambda path: f"/lens/join/%2e%2e{path}",
    lambda path: f"/lens/sign-in%2f..{path}",
    lambda path: f"/lens/sign-in;/..{path}",
    lambda path: f"/lens/.{path}",
    lambda path: f"/lens/{path}",
    lambda path: f"//lens{path}",
    lambda path: f"/lens/lens{path}",
    lambda path: f"/lens/..{path}",
    lambda path: f"/lens/..;{path}",
    lambda path: f"/lens{path}/",
    lambda path: f"/lens{path}/../join",
    lambda path: f"/lens{path}%00",
    lambda path: f"/lens{path}%23/join",
    lambda path: f"/lens{path};/join",
    lambda path: f"/lens{path}?/../sign-in",
    lambda path: f"/lens{path.upper()}",
    lambda path: "/lens" + path.replace("/", "%2f"),
    lambda path: "/lens" + path.replace("/", "%252f"),
    lambda path: "/lens" + path.replace("/", "\\"),
    lambda path: f"/%6cens{path}",
    lambda path: f"https://lenses.example.org/lens{path}",
    lambda path: f"http://{FOREIGN}/lens{path}",
    lambda path: f"//{FOREIGN}/lens{path}",
    lambda path: path,
]
"""What somebody tries in place of the address ``/lens`` + path."""

TRUSTED_BY_OTHERS = {
    "Authorization": "Basic QW5hOmNvcnJlY3QgaG9yc2U=",
    "Remote-User": "Ana",
    "X-Forwarded-User": "Ana",
    "X-Remote-User": "Ana",
    "X-Auth-Request-User": "Ana",
    "X-Original-URL": "/sign-in",
    "X-Rewrite-URL": "/join",
    "X-HTTP-Method-Override": "POST",
    "X-Forwarded-Prefix": "/sign-in",
    "X-Lens-Triage-Front": "1",
    "X-Lens-Triage-Scheme": "https",
    "Cf-Connecting-Ip": "127.0.0.1",
    "True-Client-Ip": "127.0.0.1",
}
"""Headers that some server believes who sent them, or where to."""

FOREIGN_HOSTS = [
    FOREIGN, f"{NAME}.{FOREIGN}", f"{FOREIGN}:443", "", "[::1", f"{NAME}@{FOREIGN}",
    f"{FOREIGN}#{NAME}", f"{NAME}\t{FOREIGN}",
]  # fmt: skip

_FORGED: list[tuple[str, list[str]]] = [
    ("X-Forwarded-Host", [FOREIGN, f"{FOREIGN}, {NAME}", f"{NAME}@{FOREIGN}"]),
    ("X-Forwarded-Proto", ["http", "javascript", "http, https", "https, http"]),
    ("X-Forwarded-For", ["203.0.113.66", "127.0.0.1, 203.0.113.66", "::1", "x" * 4000, ","]),
    ("X-Forwarded-Port", ["80", "x"]),
    ("X-Forwarded-Prefix", [f"//{FOREIGN}", "/other"]),
    ("X-Forwarded-Server", [FOREIGN]),
    ("X-Script-Name", [f"//{FOREIGN}"]),
    ("X-Proxycontextpath", [f"//{FOREIGN}"]),
    ("X-Scheme", ["http"]),
    ("X-Real-Ip", ["203.0.113.66"]),
    ("Forwarded", [f"for=203.0.113.66;host={FOREIGN};proto=http"]),
    ("Connection", ["X-Forwarded-Proto", "Host, Cookie, close", "X-Forwarded-For"]),
]  # fmt: skip


def forged_headers(rng: random.Random) -> list[tuple[str, str]]:
    """Return some headers of proxies with lies in them, some of them twice."""
    chosen = rng.choices(_FORGED, k=rng.randint(1, 4))
    return [(name, rng.choice(values)) for name, values in chosen]


def foreign_origins(host: str) -> list[str]:
    """Return origins that are none of a server's, whose pages have ``https://host``."""
    return [
        f"https://{FOREIGN}", f"http://{host}", "null", f"https://{NAME}", f"https://{host}.{FOREIGN}",
        f"https://{FOREIGN}/{host}", f"https://{host}@{FOREIGN}", "https://[", "file://", "",
    ]  # fmt: skip


def _request(*lines: str, first: str = "POST /lens/sign-in HTTP/1.1") -> bytes:
    return "\r\n".join([first, f"Host: {NAME}", *lines, "", ""]).encode("latin-1")


def ambiguous(hidden: bytes) -> dict[str, bytes]:
    """Return requests that two servers may end at different places, by name.

    Parameters
    ----------
    hidden : bytes
        A whole request that stands in the body of each; a server that answers it was misled.
    """
    kind, chunked = "Content-Type: application/json", "Transfer-Encoding: chunked"
    n, ended = len(hidden), b"0\r\n\r\n" + hidden
    length, whole = f"Content-Length: {n}", f"Content-Length: {len(ended)}"
    heads = {
        "both lengths": (whole, chunked),
        "chunked first": (chunked, whole),
        "coded twice": (chunked, "Transfer-Encoding: identity"),
        "coded by a list": ("Transfer-Encoding: identity, chunked",),
        "unknown coding": ("Transfer-Encoding: xchunked", whole),
        "space before the colon": ("Transfer-Encoding : chunked", length),
        "tab in the coding": ("Transfer-Encoding:\tchunked\x0b", length),
        "folded line": (f"X: y\r\n {chunked}", length),
        "bare line feed": (f"X: y\n{length}", chunked),
        "bare return": (f"X: y\r{length}", chunked),
        "underscores": (f"Content_Length: {n}", length),
    }
    made = {name: _request(kind, *lines) + ended for name, lines in heads.items()}
    for name, lines in {
        "two lengths": (length, "Content-Length: 0"),
        "a list of lengths": (f"Content-Length: 0, {n}",),
        "a signed length": (f"Content-Length: +{n}",),
        "a negative length": ("Content-Length: -1",),
        "a length in hexadecimal": (f"Content-Length: {n:#x}",),
        "a length with underscores": (f"Content-Length: {n}_0",),
        "a huge length": (f"Content-Length: {2**64 + n}",),
        "a length and words": (f"Content-Length: {n} bytes",),
        "two hosts": ("Host: evil.example", length),
    }.items():
        made[name] = _request(kind, *lines) + hidden
    head = _request(kind, chunked)
    for name, size in {
        "a signed chunk": b"+%x", "a chunk with 0x": b"0x%x", "a chunk with a space": b" %x",
        "a chunk with an extension": b"%x;a=\n", "a huge chunk": b"1%016x",
    }.items():  # fmt: skip
        made[name] = head + size % n + b"\r\n" + hidden + b"\r\n0\r\n\r\n"
    made["a chunk that goes on"] = head + b"%x\r\n" % (n - 4) + hidden + b"\r\n0\r\n\r\n"
    made["a body of GET"] = _request(length, first="GET /lens/overview HTTP/1.1") + hidden
    made["an old version"] = _request(chunked, first="POST /lens/sign-in HTTP/1.0") + ended
    return made


def damaged_head(rng: random.Random) -> bytes:
    """Return the head of a request with bytes that were changed, doubled or taken out."""
    head = bytearray(
        _request("Accept: text/html", "Cookie: a=b", "X-Forwarded-For: 1.2.3.4",
                 first="GET /lens/tiles/cosmos/0?v=1 HTTP/1.1")
    )  # fmt: skip
    for _ in range(rng.randint(1, 6)):
        at = rng.randrange(len(head) - 4)  # its end stays, so that nobody waits for more
        change = rng.randrange(4)
        if change == 0:
            head[at] = rng.randrange(256)
        elif change == 1:
            del head[at : at + rng.randint(1, 8)]
        elif change == 2:
            head[at:at] = head[at : at + rng.randint(1, 40)]
        else:
            head[at:at] = rng.choice([b"\0", b"\r", b"\n", b"\r\n", b"\xff\xfe", b" ", b":", b"%"])
    return bytes(head) + b"\r\n\r\n"


LONG_HEADS = {
    "a long address": _request(first=f"GET /lens/{'a' * 70_000} HTTP/1.1"),
    "a long query": _request(first=f"GET /lens/overview?{'a' * 70_000} HTTP/1.1"),
    "a long header": _request("X: " + "a" * 70_000),
    "a long cookie": _request("Cookie: a=" + "b" * 70_000, first="GET /lens/overview HTTP/1.1"),
    "many headers": _request(*(f"X-{k}: y" for k in range(9000))),
    "many cookies": _request("Cookie: " + "; ".join(f"c{k}=" for k in range(9000))),
    "a long name of a header": _request("X" * 70_000 + ": y"),
    "a long method": _request(first="G" * 70_000 + " /lens/ HTTP/1.1"),
}
"""Heads that are longer than any server takes."""


_KINDS = ["PATCH-DOC", "PULL-DOC-REQ", "SERVER-INFO-REQ", "PUSH-DOC", "EVENT", "NOTHING", "OK"]
_WORDS = [json.dumps({"msgid": "1", "msgtype": each}).encode() for each in _KINDS]
_WORDS += [b"", b"\xff\xfe", b"{" * 9000, b"{}", b"[]", b"null", b"NaN", b'{"events": [{}]}']


def frame(rng: random.Random) -> bytes:
    """Return a frame of a websocket: a message of a kind of Bokeh's, or of none, or damaged."""
    payload = rng.choice(
        [*_WORDS, rng.randbytes(rng.randrange(200)), b"\xff\xfe", b"", b"{" * 9000]
    )
    opcode = rng.choice([1, 1, 1, 2, 0, 8, 9, 10, 3, 15])
    first = opcode | rng.choice([0x80, 0x80, 0x80, 0x00, 0xF0])
    size = rng.choice([len(payload)] * 6 + [2**62, len(payload) + 5])
    masked = rng.choice([0x80, 0x80, 0x80, 0x00])
    if size < 126:
        head = bytes([first, masked | size])
    elif size < 2**16:
        head = bytes([first, masked | 126]) + size.to_bytes(2, "big")
    else:
        head = bytes([first, masked | 127]) + size.to_bytes(8, "big")
    return head + (bytes(4) if masked else b"") + payload  # a mask of zeros changes nothing


def odd_token(rng: random.Random, good: str) -> str:
    """Return what is no token of a page, most of them made from a good one."""
    body, _, signature = good.partition(".")
    packed = base64.urlsafe_b64encode(
        rng.choice([b"[]", b"null", b"{", b"{}", b'{"session_id": 1}', rng.randbytes(9)])
    ).decode()
    return rng.choice([
        body, f"{body}.", f".{signature}", f"{packed}.{signature}", packed, good[9:],
        f"{signature}.{body}", good[:-1], good + "A", good.swapcase(), "a.b.c", "x" * 9000,
        "".join(rng.sample(good, len(good))), "%", '"', ";",
    ])  # fmt: skip
