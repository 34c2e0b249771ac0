"""A workspace with things to change, and everybody who may open a page of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import sqlalchemy as sa

from lens_triage.app.context import AppContext
from lens_triage.app.http.identity import SignedIn, cookie_name
from lensing_core.store import open_database
from lensing_core.store.query_json import query_to_json
from lensing_core.store.ranking_query import RankingQuery
from lensing_core.store.tables import Base, LabelSession
from lensing_core.workspace import Workspace

OTHERS, OWN = "of somebody else", "of their own"
INVITED = "Finn"
QUERY = query_to_json(RankingQuery(1))


class FakeLink:
    """Programs that take everything."""

    connected = True

    def __init__(self) -> None:
        self.done: list[str] = []

    def others(self) -> list[str]:
        return []

    def __getattr__(self, name: str) -> Callable[..., int]:
        return lambda *given: self.done.append(name) or 1


@dataclass(frozen=True)
class Place:
    """What all tests share: a workspace, a server of its endpoints, and programs around it."""

    workspace: Workspace
    url: str
    link: FakeLink


@dataclass(frozen=True)
class Scene:
    """A workspace with things to change, and a browser in it.

    ``person`` is who opened the page; ``who`` is how they stand by now; ``token`` is of a program
    of theirs.
    """

    place: Place
    context: AppContext
    person: SignedIn | None
    who: str
    token: str = ""

    @property
    def database(self):
        return open_database(self.context.workspace)

    @property
    def person_id(self) -> int | None:
        return self.person.id if self.person else None

    def session_id(self, name: str) -> str:
        return self.id_of(LabelSession, name)

    def id_of(self, table: Any, name: str) -> Any:
        with self.database.session() as session:
            return session.scalar(sa.select(table.id).where(table.name == name))

    def everything(self) -> dict[str, list[str]]:
        """All rows of all tables, the backups, and what other programs were told."""
        with self.database.session() as session:
            found = {
                table.name: sorted(map(repr, session.execute(sa.select(table)).all()))
                for table in Base.metadata.sorted_tables
            }
        backups = sorted(map(str, self.context.workspace.backups.iterdir()))
        return {**found, "backups": backups, "told": list(self.place.link.done)}

    def request(self, path: str, sent: dict[str, Any] | None = None) -> str:
        """Ask as this browser does; returns the refusal, or ''."""
        cookie = f"{cookie_name(self.context)}={self.context.cookie}"
        headers = {"Content-Type": "application/json", "Cookie": cookie}
        body = None if sent is None else json.dumps(sent).encode()
        try:
            with urlopen(Request(self.place.url + path, body, headers)) as answer:  # noqa: S310 - ours
                status, said = answer.status, answer.read().decode()
                is_json = answer.headers["Content-Type"].startswith("application/json")
        except HTTPError as refusal:
            status, said = refusal.code, refusal.read().decode()
            is_json = said.startswith("{")
        assert (status == 401) == ("Nobody is signed in" in said), (status, said)
        told = json.loads(said) if is_json else {}
        if status != 200:
            return str(told.get("error", said))
        assert told.get("type") != "error", told
        return "; ".join(told.get("refused", {}).values())

    def as_program(self, path: str, body: bytes | None = None) -> str:
        """Ask the API with a token of the person's role, and their cookie beside it; returns the
        refusal, or ''.
        """
        cookie, kind = f"{cookie_name(self.context)}={self.context.cookie}", "application/json"
        if body and not body.startswith(b"{"):
            kind = "application/octet-stream"
        headers = {"Content-Type": kind, "Cookie": cookie}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        request = Request(f"{self.place.url}/api/v1{path}", body, headers)  # noqa: S310 - ours
        try:
            with urlopen(request) as answer:  # noqa: S310 - ours
                answer.read()
        except HTTPError as refusal:
            return str(json.loads(refusal.read())["error"])
        return ""

    def review(self, _type: str, **message: Any) -> str:
        """Send a message of the page of Review."""
        sent = {"type": _type, "query": QUERY, "grader": self.person_id, **message}
        return self.request("/review/ask", sent)
