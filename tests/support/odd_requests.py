"""Requests that no page sends, by their seeds: odd addresses, queries and JSON bodies."""

from __future__ import annotations

import json
import random
from urllib.parse import quote

WORDS = [
    "", "0", "-1", "1", "9" * 19, "9" * 400, "1e999", "NaN", "٣", "../" * 9 + "etc/passwd",
    "%00", "\ud800", "\x00", "é", "observed", "~ab", "a" * 3000, "' OR 1=1 --", "{{7*7}}", "<svg>",
]  # fmt: skip
_PATHS = [
    "/tiles/{}/{}", "/tiles/{}/{}/info", "/tiles/~{}/{}", "/pixels/{}/{}", "/attention/{}/{}/{}",
    "/attention/{}/{}/{}/info", "/wide-field/{}", "/export/{}", "/export/csv", "/export/regions",
    "/labeling/{}/queue", "/labeling/ab/queue", "/labeling/ab/metrics", "/labeling/ab/skipped",
    "/labeling/ab/references",
    "/static/{}", "/static/extensions/{}/{}", "/components/{}/{}/css/x", "/{}", "/{}/ws",
    "/review", "/review", "/label", "/api/v1/{}", "/api/v1/candidates", "/api/v1/candidates/{}",
    "/api/v1/candidates/{}/pixels", "/api/v1/candidates/{}/labels", "/api/v1/labels",
    "/api/v1/runs", "/api/v1/runs/{}/log", "/api/v1/score",
]  # fmt: skip
_QUERIES = [
    "candidate", "limit", "only", "ensemble", "catalog", "sort", "after", "v", "size", "stretch",
    "band", "bands", "kind", "layer", "curve", "q", "black", "method", "p_min", "p_max", "format",
]  # fmt: skip
_POSTS = [
    "/sign-in", "/passphrase", "/labeling/preferences", "/labeling/ab/events", "/lens-test",
    "/api/v1/labels", "/api/v1/score",
]  # fmt: skip
_FIELDS = [
    "name", "passphrase", "old", "new", "grader", "events", "label", "uuid", "candidate",
    "positions",
]  # fmt: skip
_BODIES = [
    b"", b"{", b"[]", b"null", b"\xff\xfe", b'{"a": NaN}', b"[" * 100_000, b'{"a":' * 5000,
    b'{"grader": ' + b"9" * 4000 + b"}", b'{"events": [[]]}', b" " * 5_000_000,
]  # fmt: skip


def odd_address(rng: random.Random) -> tuple[str, str]:
    """Return a method, and a path with a query."""
    path = rng.choice(_PATHS)
    words = [quote(w, safe="", errors="surrogatepass") for w in rng.choices(WORDS, k=3)]
    names = rng.choices(_QUERIES, k=rng.randrange(4))
    pairs = [f"{n}={quote(rng.choice(WORDS), errors='surrogatepass')}" for n in names]
    address = path.format(*words) + ("?" + "&".join(pairs) if pairs else "")
    return rng.choice(["GET", "GET", "GET", "HEAD", "POST", "OPTIONS", "DELETE"]), address


def odd_body(rng: random.Random) -> tuple[str, bytes]:
    """Return a path, and what is posted there."""
    path, body = rng.choice(_POSTS), rng.choice(_BODIES)
    if rng.random() < 0.7:
        content = {name: _value(rng) for name in rng.choices(_FIELDS, k=3)}
        body = json.dumps(content).encode()
    return path, body


def _value(rng: random.Random, depth: int = 0) -> object:
    """Something that JSON can say."""
    kind = rng.randrange(9)
    if kind < 2 and depth < 4:
        return [_value(rng, depth + 1) for _ in range(rng.randrange(4))]
    if kind < 4 and depth < 4:
        return {rng.choice(_FIELDS): _value(rng, depth + 1) for _ in range(rng.randrange(4))}
    return rng.choice([None, True, -1, 2**63, 10**300, 1e308, float("inf"), *WORDS])
