"""Base of the API's handlers: tokens for what writes, checked parameters, pages of lists."""

from __future__ import annotations

import base64
import json
from typing import Any, ClassVar

from lens_triage.app.http.forms import key_in
from lens_triage.app.http.identity import NOBODY as SIGN_IN
from lens_triage.app.http.identity import GraderHandler, is_by_token, role_of_request
from lens_triage.app.http.pools import Pool
from lens_triage.app.permissions import ALONE, NOBODY
from lensing_core.errors import BadInputError

PROGRAMS = Pool("requests of programs", 2, 32)
MOST_ROWS = 1000
ROWS = 100
NOT_BY_COOKIE = (
    "A program shows an API token here (Authorization: Bearer TOKEN); a browser's sign-in is not "
    "enough."
)


class ApiHandler(GraderHandler):
    """Base of the API's handlers."""

    pool = PROGRAMS
    parameters: ClassVar[dict[str, frozenset[str]]] = {}
    """Names of the parameters of the query, by method; filled from the table of endpoints."""

    def prepare(self) -> None:
        """Refuse what writes by a cookie alone, and bodies of another kind."""
        super().prepare()
        if self._finished or self.request.method != "POST" or is_by_token(self.request):
            return
        who = role_of_request(self.context, self.request)
        if who == NOBODY:
            self.refuse(401, SIGN_IN)
        elif who != ALONE:
            self.refuse(403, NOT_BY_COOKIE)

    def asked(self) -> dict[str, list[str]]:
        """Parameters of the query; raises BadInputError for one that the address does not know."""
        words = self.words()
        known = self.parameters.get(str(self.request.method), frozenset())
        for name in words:
            if name not in known:
                raise BadInputError(
                    f"{name[:40]!r} is no parameter of this address; it takes "
                    f"{', '.join(sorted(known)) or 'none'}."
                )
        return words

    def one(self, words: dict[str, list[str]], name: str, default: str = "") -> str:
        """The one value of a parameter; raises BadInputError where there are several."""
        values = words.get(name, [])
        if len(values) > 1:
            raise BadInputError(f"{name}: give it once.")
        return values[0] if values else default

    def limit(self, words: dict[str, list[str]], default: int = ROWS) -> int:
        """Rows of a page; raises BadInputError unless from 1 to :data:`MOST_ROWS`."""
        text = self.one(words, "limit", str(default))
        n = key_in(text)
        if n is None or not 1 <= n <= MOST_ROWS:
            raise BadInputError(f"limit {text[:20]!r}: give a whole number from 1 to {MOST_ROWS}.")
        return n

    def key(self, text: str, what: str) -> int:
        """Id that a part of the path is; raises BadInputError."""
        key = key_in(text)
        if key is None:
            raise BadInputError(f"{what} {text[:20]!r}: give its id, a whole number.")
        return key


def write_place(place: list[Any]) -> str:
    """A place in a list as a word of an address."""
    written = json.dumps(place, separators=(",", ":"))
    return base64.urlsafe_b64encode(written.encode()).decode().rstrip("=")


def read_place(text: str, *kinds: tuple[type, ...]) -> list[Any]:
    """Read what :func:`write_place` wrote; raises BadInputError for anything else."""
    wrong = BadInputError("after: give what the page before said as next.")
    try:
        place = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except (ValueError, RecursionError):
        raise wrong from None
    if not isinstance(place, list) or len(place) != len(kinds):
        raise wrong
    if not all(isinstance(part, kind) for part, kind in zip(place, kinds, strict=True)):
        raise wrong
    return place
