"""Do twenty people grade on while the server is attacked?

    python benchmarks/under_attack.py

Twenty graders send one grade after the other, each with a pause, first on a quiet server, then
while each attack runs: wrong passphrases, exports of contact sheets, reloads of a page. Prints the
p95 of an acknowledged grade, its ratio to the quiet server's, and what the attackers were told.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from uuid import uuid4

import numpy as np
from labeling import JSON, Server, fill, session_of

from lensing_core.store import open_database
from lensing_core.store.labels import grader_named, verify
from lensing_core.store.tables import utc_now
from lensing_core.workspace import Workspace

WANTED_MS = 100
GUARDED = {"name": "Guarded", "passphrase": "correct horse battery"}
Attack = Callable[[HTTPConnection, int], int]


def wrong_passphrase(link: HTTPConnection, k: int) -> int:
    """Try to open a guarded name."""
    body = json.dumps({"name": "Guarded", "passphrase": f"wrong passphrase {k}"})
    link.request("POST", "/sign-in", body, JSON)
    return finish(link)


def export(link: HTTPConnection, k: int) -> int:
    """Ask for contact sheets of the whole catalog."""
    link.request("GET", "/export/png?catalog=field")
    return finish(link)


def reload(link: HTTPConnection, k: int) -> int:
    """Load the overview."""
    link.request("GET", "/overview")
    return finish(link)


def finish(link: HTTPConnection) -> int:
    answer = link.getresponse()
    answer.read()
    return answer.status


ATTACKS: dict[str, tuple[int, Attack]] = {
    "16 parallel wrong passphrases": (16, wrong_passphrase),
    "40 parallel wrong passphrases": (40, wrong_passphrase),
    "8 clients on /export/png": (8, export),
    "8 clients reloading Overview": (8, reload),
}


class Attackers:
    """Clients that do the same over and over, until the block ends."""

    def __init__(self, port: int, n: int, attack: Attack) -> None:
        self._port, self._attack = port, attack
        self._end = threading.Event()
        self._threads = [threading.Thread(target=self._run) for _ in range(n)]
        self.told: Counter[str] = Counter()

    def _run(self) -> None:
        k = 0
        while not self._end.is_set():
            link = HTTPConnection("127.0.0.1", self._port, timeout=120)
            try:
                while not self._end.is_set():
                    self.told[str(self._attack(link, k))] += 1
                    k += 1
            except (OSError, HTTPException) as error:
                self.told[type(error).__name__] += 1
            finally:
                link.close()

    def __enter__(self) -> Attackers:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        for thread in self._threads:
            thread.join()


class Graders:
    """Twenty people, signed in, each in front of the same session."""

    def __init__(self, server: Server, workspace: Workspace, n: int, cutouts: int) -> None:
        self._port = server.port
        self._session = session_of(workspace, "under attack", cutouts)
        names = [f"Grader {k}" for k in range(n)]
        with open_database(workspace).session() as session:
            self._ids = [grader_named(session, name).id for name in names]
        self._cookies = [self._sign_in({"name": name}) for name in names]
        self._items = [self._queue(cookie) for cookie in self._cookies]
        self.sent = 0

    def _sign_in(self, who: dict[str, str]) -> str:
        link = HTTPConnection("127.0.0.1", self._port, timeout=60)
        link.request("POST", "/sign-in", json.dumps(who), JSON)
        answer = link.getresponse()
        answer.read()
        return str(answer.getheader("Set-Cookie")).partition(";")[0]

    def _queue(self, cookie: str) -> list[str]:
        tokens: list[str] = []
        link = HTTPConnection("127.0.0.1", self._port, timeout=60)
        after = -1
        while True:
            path = f"/labeling/{self._session}/queue?after={after}"
            link.request("GET", path, headers={"Cookie": cookie})
            items = json.loads(link.getresponse().read())["items"]
            if not items:
                return tokens
            tokens += [item["token"] for item in items]
            after = items[-1]["number"]

    def grade(self, seconds: float, pause_s: float) -> list[float]:
        """Times in ms until each grade was acknowledged; all graders at once."""
        times: list[float] = []
        threads = [
            threading.Thread(target=self._grade, args=(k, seconds, pause_s, times))
            for k in range(len(self._ids))
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.sent += len(times)
        return times

    def _grade(self, k: int, seconds: float, pause_s: float, times: list[float]) -> None:
        rng = np.random.default_rng(k)
        link = HTTPConnection("127.0.0.1", self._port, timeout=120)
        headers = {**JSON, "Cookie": self._cookies[k]}
        end = time.monotonic() + seconds
        time.sleep(pause_s * rng.random())
        while time.monotonic() < end and self._items[k]:
            event = {
                "uuid": str(uuid4()),
                "kind": "grade",
                "grade": "X",
                "token": self._items[k].pop(0),
                "given_at": utc_now().isoformat(),
            }
            body = json.dumps({"grader": self._ids[k], "events": [event]})
            begun = time.perf_counter()
            link.request("POST", f"/labeling/{self._session}/events", body, headers)
            answer = link.getresponse()
            found = json.loads(answer.read())
            if answer.status != 200 or found["written"] != [event["uuid"]]:
                raise RuntimeError(f"{answer.status}: {found}")
            times.append(1e3 * (time.perf_counter() - begun))
            time.sleep(pause_s * (0.5 + rng.random()))


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--graders", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--pause", type=float, default=1.0, help="mean between grades, seconds")
    parser.add_argument("--only", default="", help="attacks whose name holds this text")
    parser.add_argument("--lead", type=float, default=5, help="an attack alone before, seconds")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        workspace = Workspace.create(Path(folder) / "workspace")
        open_database(workspace)
        cutouts = int(8 * (options.seconds + 5) / max(options.pause, 0.05)) + 50
        fill(workspace, max(cutouts, 1000))
        server = Server(workspace)
        try:
            graders = Graders(server, workspace, options.graders, cutouts)
            graders._sign_in(GUARDED)
            HTTPConnection("127.0.0.1", server.port).request("GET", "/overview")
            time.sleep(3)
            quiet = report("quiet", graders.grade(options.seconds, options.pause), 0.0, {})
            for name, (n, attack) in ATTACKS.items():
                if options.only not in name:
                    continue
                with Attackers(server.port, n, attack) as attackers:
                    time.sleep(options.lead)
                    times = graders.grade(options.seconds, options.pause)
                report(name, times, quiet, attackers.told)
            report("quiet again", graders.grade(options.seconds, options.pause), quiet, {})
        finally:
            server.kill()
        with open_database(workspace).session() as session:
            n_events = verify(session).n_events
    print(f"{graders.sent} grades acknowledged, {n_events} in the log")
    assert n_events == graders.sent


def report(name: str, times: list[float], quiet: float, told: dict[str, int]) -> float:
    """Print one line; returns the p95."""
    p50, p95 = np.percentile(times, (50, 95))
    ratio = f", {p95 / quiet:.1f} times quiet" if quiet else ""
    load = os.getloadavg()[0]
    replies = ", ".join(f"{n} x {status}" for status, n in sorted(told.items()))
    print(
        f"{name}: p50 {p50:.0f} ms, p95 {p95:.0f} ms ({WANTED_MS} wanted){ratio}, "
        f"n = {len(times)}, load {load:.1f}{'; attackers got ' if replies else ''}{replies}",
        flush=True,
    )
    return float(p95)


if __name__ == "__main__":
    main()
