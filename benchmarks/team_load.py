"""Does a server bear a team, on SQLite and on PostgreSQL?

    python benchmarks/team_load.py [--minutes 10]

Twenty graders of one session, each in an order of their own, send a grade a second through the
server that ``lens-triage serve`` starts: times until each is acknowledged, what was refused, and in
the log each grade once. Memory of the server's processes at the start, in the middle and at the
end. Then fifty sessions of pages are opened and closed again: without a browser, by the page and
its websocket, which is what a tab is to the server. All of it once on SQLite and once on a
PostgreSQL server of its own (Debian's programs, with its default durability) on the same machine;
the clients run there too.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import re
import sys
import tempfile
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from uuid import uuid4

import numpy as np
import psutil
from labeling import JSON, ROOT, Server, fill
from sqlalchemy import select
from tornado.httpclient import AsyncHTTPClient
from tornado.websocket import websocket_connect
from under_attack import Graders

from lensing_core.store import choose_database, open_database
from lensing_core.store.labels import verify
from lensing_core.store.tables import LabelEvent, utc_now
from lensing_core.workspace import Workspace

KINDS = ("SQLite", "PostgreSQL")
WANTED_MS = 100
BUILT_S = 10  # the body of a page follows its frame
AFTER_CLOSING_S = 45  # Bokeh keeps a session for 15 to 32 s in case its tab comes back


@dataclass
class Found:
    """What one database bore."""

    times_ms: list[float] = field(default_factory=list)
    refused: Counter[str] = field(default_factory=Counter)
    memory_mib: list[float] = field(default_factory=list)

    @property
    def p95(self) -> float:
        return float(np.percentile(self.times_ms, 95))


class Team(Graders):
    """Twenty graders at an even pace, who note what was acknowledged and what was refused."""

    def __init__(self, server: Server, workspace: Workspace, n: int, cutouts: int) -> None:
        super().__init__(server, workspace, n, cutouts)
        self.cookies = self._cookies
        self.session = self._session
        self.acknowledged: list[str] = []

    def work(self, seconds: float, found: Found) -> None:
        """Grade for a while, all at once."""
        threads = [
            threading.Thread(target=self._at_a_pace, args=(k, seconds, found))
            for k in range(len(self._ids))
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def _at_a_pace(self, k: int, seconds: float, found: Found) -> None:
        link = HTTPConnection("127.0.0.1", self._port, timeout=60)
        headers = {**JSON, "Cookie": self._cookies[k]}
        begun = time.monotonic() + k / len(self._ids)
        for second in range(int(seconds)):
            time.sleep(max(0.0, begun + second - time.monotonic()))
            event = {
                "uuid": str(uuid4()),
                "kind": "grade",
                "grade": "AX"[second % 2],
                "token": self._items[k].pop(0),
                "given_at": utc_now().isoformat(),
            }
            body = json.dumps({"grader": self._ids[k], "events": [event]})
            start = time.perf_counter()
            try:
                link.request("POST", f"/labeling/{self._session}/events", body, headers)
                answer = link.getresponse()
                said = json.loads(answer.read())
            except (OSError, HTTPException) as error:
                found.refused[type(error).__name__] += 1
                link.close()
                continue
            if answer.status != 200 or said["written"] != [event["uuid"]]:
                found.refused[f"{answer.status}: {said}"[:120]] += 1
                continue
            found.times_ms.append(1e3 * (time.perf_counter() - start))
            self.acknowledged.append(event["uuid"])


def memory_mib(server: Server) -> float:
    """Memory of the server's processes, of their own."""
    front = psutil.Process(server._process.pid)
    total = 0
    for process in (front, *front.children(recursive=True)):
        status = Path(f"/proc/{process.pid}/status").read_text()
        if kept := re.search(r"^RssAnon:\s+(\d+) kB", status, re.MULTILINE):
            total += int(kept.group(1))
    return total / 1024


def team_on(workspace: Workspace, graders: int, minutes: float, sessions: int) -> Found:
    """Let the team work, then open and close tabs; prints what was found."""
    seconds, found = minutes * 60, Found()
    fill(workspace, int(seconds) + 200)
    server = Server(workspace)
    try:
        team = Team(server, workspace, graders, int(seconds) + 100)
        team.work(5, Found())  # what is loaded once
        n_before = len(team.acknowledged)
        for _ in range(2):
            found.memory_mib.append(memory_mib(server))
            team.work(seconds / 2, found)
        found.memory_mib.append(memory_mib(server))
        tell_grades(workspace, team, found, n_before)
        asyncio.run(open_tabs(server, team, sessions))
    finally:
        server.kill()
    return found


def tell_grades(workspace: Workspace, team: Team, found: Found, n_before: int) -> None:
    """Print times, what was refused, and what the log holds."""
    with open_database(workspace).session() as session:
        written = Counter(session.scalars(select(LabelEvent.uuid)))
        in_log = Counter((e.grader_id, e.candidate_id) for e in session.scalars(select(LabelEvent)))
        n_events = verify(session).n_events
    lost = sum(uuid not in written for uuid in team.acknowledged)
    doubled = sum(n - 1 for n in in_log.values())
    p50, p99 = np.percentile(found.times_ms, (50, 99))
    locked = sum(n for said, n in found.refused.items() if "lock" in said)
    start, middle, end = found.memory_mib
    print(
        f"  acknowledged: p50 {p50:.0f} ms, p95 {found.p95:.0f} ms ({WANTED_MS} wanted), p99 "
        f"{p99:.0f} ms, n = {len(found.times_ms)} of {len(found.times_ms) + found.refused.total()}"
        f", load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores\n"
        f"  refused {found.refused.total()} (locks {locked}){dict(found.refused) or ''}; lost "
        f"{lost}, doubled {doubled} of {len(team.acknowledged)} ({n_before} before); "
        f"{n_events} in the log, unbroken\n"
        f"  memory of the server: {start:.0f} MiB at the start, {middle:.0f} in the middle, "
        f"{end:.0f} at the end, ratio {end / start:.2f}",
        flush=True,
    )


async def open_tabs(server: Server, team: Team, n: int) -> None:
    """Open sessions of the labeling page, as many browsers would; print what they hold."""
    address = f"label?session={team.session}"

    async def some(count: int) -> list[object]:
        return [
            await open_tab(server.url, address, team.cookies[k % len(team.cookies)])
            for k in range(count)
        ]

    async def end(tabs: list[object]) -> float:
        for tab in tabs:
            tab.close()  # type: ignore[attr-defined]
        await asyncio.sleep(AFTER_CLOSING_S)
        return memory_mib(server)

    before = await end(await some(5))  # what all pages share is loaded
    tabs = await some(n)
    await asyncio.sleep(BUILT_S)
    held = memory_mib(server)
    after = await end(tabs)
    tabs = await some(n)
    await asyncio.sleep(BUILT_S)
    again = memory_mib(server)
    print(
        f"  {n} sessions of the labeling page: {(held - before) / n:.2f} MiB each "
        f"({before:.0f} to {held:.0f} MiB); {AFTER_CLOSING_S} s after they were closed "
        f"{after:.0f} MiB, {(held - after) / max(held - before, 1e-9):.0%} given back to the "
        f"system; with {n} others then open {again:.0f} MiB",
        flush=True,
    )


async def open_tab(url: str, address: str, cookie: str) -> object:
    """The page, and its websocket, open."""
    headers = {"Cookie": cookie}
    answer = await AsyncHTTPClient().fetch(f"{url}/{address}", headers=headers, request_timeout=60)
    found = re.search(r'"token":"([^"]+)"', answer.body.decode())
    if found is None:
        raise SystemExit(f"{address}: the page has no token")
    socket = url.replace("http", "ws") + f"/{address.partition('?')[0]}/ws"
    connection = await websocket_connect(socket, subprotocols=["bokeh", found.group(1)])
    await connection.read_message()  # the server has the session
    return connection


def main() -> None:
    """Print the figures of both databases."""
    sys.path.insert(0, str(ROOT / "tests" / "support"))
    from postgresql import fresh_database, running_server

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=10, help="of grading, on each database")
    parser.add_argument("--graders", type=int, default=20)
    parser.add_argument(
        "--only", default="", help="SQLite or PostgreSQL; default: one, then the other"
    )
    parser.add_argument("--sessions", type=int, default=50, help="of pages, without a browser")
    options = parser.parse_args()
    found = {}
    with tempfile.TemporaryDirectory() as folder, running_server(durable=True) as url:
        for name in [each for each in KINDS if options.only in ("", each)]:
            workspace = Workspace.create(Path(folder) / name)
            if name == "PostgreSQL":
                choose_database(workspace, fresh_database(url))
            open_database(workspace)
            print(f"{name}, {options.graders} graders, {options.minutes:g} minutes:", flush=True)
            found[name] = team_on(workspace, options.graders, options.minutes, options.sessions)
    if len(found) < len(KINDS):
        return
    lite, server = (found[name] for name in KINDS)
    median = float(np.median(server.times_ms) / np.median(lite.times_ms))
    print(
        f"PostgreSQL against SQLite: p50 ratio {median:.2f}, p95 ratio {server.p95 / lite.p95:.2f}"
    )


if __name__ == "__main__":
    main()
