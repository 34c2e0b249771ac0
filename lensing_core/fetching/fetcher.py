"""Fetching images of positions, one request at a time; what is kept is not asked for again."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin, urlsplit

import requests
import urllib3

from lensing_core import __version__
from lensing_core.crossmatch.rate_limits import (
    BACKOFF_S,
    RateLimitedAdapter,
    ServiceError,
    guarded,
)
from lensing_core.fetching.kept import Kept, why_absent
from lensing_core.fetching.replies import Refused, most_bytes, planes_of, what_is
from lensing_core.fetching.services import PAUSE_S, TIMEOUT_S, Question, is_here

_CONNECT_S = 10.0
_CHUNK = 64 * 1024
_MOST_TEXT = 100_000  # of an answer that names files, or says what is wrong
_MOST_HOPS = 3
_MOST_UNREACHED, _MOST_AT_FIRST = 3, 20


@dataclass(frozen=True)
class Manners:
    """Settings of requests to a service.

    Attributes
    ----------
    pause_s : float
        Least time between two requests.
    timeout_s : float
        Most time until a reply begins, and again until it has come whole.
    backoff_s : float
        Pause before a repeated request, doubled each time.
    """

    pause_s: float = PAUSE_S
    timeout_s: float = TIMEOUT_S
    backoff_s: float = BACKOFF_S


@dataclass(frozen=True)
class Fetched:
    """Outcome of one object.

    Attributes
    ----------
    asked : bool
        Whether the service was asked at all.
    bands : int
        Bands that there is an image of.
    problem : str
        Why others are missing; '' if none is.
    is_passing : bool
        Whether asking again later may help.
    """

    asked: bool
    bands: int
    problem: str = ""
    is_passing: bool = False


class Fetcher:
    """Fetches the images of an order, object by object.

    It gives up, with a sentence, when a service cannot be reached three times in a row, or refuses
    all of the first 20 objects; what was fetched until then is kept.
    """

    def __init__(self, kept: Kept, manners: Manners) -> None:
        self._kept = kept
        self._order = kept.order
        self._manners = manners
        self._session = requests.Session()
        self._session.auth = _no_password
        self._session.headers.update(
            {"User-Agent": f"lens-triage/{__version__}", "Accept-Encoding": "identity"}
        )
        adapter = RateLimitedAdapter(manners.pause_s, backoff_s=manners.backoff_s)
        for scheme in ("https://", "http://"):
            self._session.mount(scheme, adapter)
        self._unreached, self._refused, self._any_came = 0, 0, False

    def failed_before(self, ra_deg: float, dec_deg: float) -> bool:
        """Return whether a request failed for a reason that may be temporary."""
        paths = [self._kept.path(band, ra_deg, dec_deg) for band in self._order.bands]
        return any(why_absent(path) and not self._kept.is_known_absent(path) for path in paths)

    def fetch(self, ra_deg: float, dec_deg: float) -> Fetched:
        """Fetch what is missing of one object; a problem is noted beside the place of its file.

        Raises
        ------
        ServiceError
            If it makes no sense to go on.
        """
        wanted = [band for band in self._order.bands if self._is_wanted(band, ra_deg, dec_deg)]
        if not wanted:
            return Fetched(False, self._count(ra_deg, dec_deg))
        problems: dict[str, Refused | ServiceError] = {}
        try:
            files = self._files(ra_deg, dec_deg)
        except (Refused, ServiceError) as problem:
            problems = dict.fromkeys(wanted, problem)
            self._note(problems, ra_deg, dec_deg, {})
        else:
            groups = [self._order.bands] if self._order.service.is_cube else [(b,) for b in wanted]
            for bands in groups:
                problems |= self._fetch(bands, ra_deg, dec_deg, files)
        self._judge(list(problems.values()), came=len(problems) < len(wanted))
        bands_of: dict[str, list[str]] = {}
        for band, why in problems.items():
            bands_of.setdefault(str(why).rstrip("."), []).append(band)
        said = "; ".join(f"{', '.join(bands)}: {why}" for why, bands in bands_of.items())
        passing = any(not _is_absent(problem) for problem in problems.values())
        return Fetched(True, self._count(ra_deg, dec_deg), said, passing)

    def _is_wanted(self, band: str, ra_deg: float, dec_deg: float) -> bool:
        path = self._kept.path(band, ra_deg, dec_deg)
        return not self._kept.has(path) and not self._kept.is_known_absent(path)

    def _count(self, ra_deg: float, dec_deg: float) -> int:
        paths = [self._kept.path(band, ra_deg, dec_deg) for band in self._order.bands]
        return sum(map(self._kept.has, paths))

    def _files(self, ra_deg: float, dec_deg: float) -> Mapping[str, str]:
        """The files that a service cuts from, by band, where it must be asked for them."""
        service = self._order.service
        if service.find is None or service.read_files is None:
            return {}
        question = service.find(self._order, ra_deg, dec_deg)
        content = self._ask(question, _MOST_TEXT)
        files = service.read_files(content.decode("utf-8", "replace"))
        if not files and b"filename" not in content[:_CHUNK]:
            raise Refused(f"the list of its files is {what_is(content)}")
        return files

    def _fetch(
        self, bands: tuple[str, ...], ra_deg: float, dec_deg: float, files: Mapping[str, str]
    ) -> dict[str, Refused | ServiceError]:
        """Ask one question and keep what comes; the bands that are missing, and why."""
        service = self._order.service
        if service.find is not None and bands[0] not in files:
            missing = Refused("it has no image there", is_absent=True)
            problems: dict[str, Refused | ServiceError] = {bands[0]: missing}
            self._note(problems, ra_deg, dec_deg, {})
            return problems
        question = service.ask(self._order, ra_deg, dec_deg, bands[0], files.get(bands[0], ""))
        where_from = {
            "service": service.title,
            "layer": self._order.layer_of(bands[0]),
            "url": question.url,
            "parameters": question.parameters,
        }
        try:
            content = self._ask(question, most_bytes(self._order))
            planes = planes_of(content, self._order, bands)
        except (Refused, ServiceError) as problem:
            problems = dict.fromkeys(bands, problem)
        else:
            for band, plane in planes.items():
                self._kept.put(self._kept.path(band, ra_deg, dec_deg), plane, where_from)
            blank = Refused("the image has no data in this band", is_absent=True)
            problems = {band: blank for band in bands if band not in planes}
        self._note(problems, ra_deg, dec_deg, where_from)
        return problems

    def _note(
        self,
        problems: Mapping[str, Refused | ServiceError],
        ra_deg: float,
        dec_deg: float,
        where_from: dict[str, Any],
    ) -> None:
        for band, problem in problems.items():
            said = str(problem).rstrip(".").removeprefix(f"{self._order.service.title} ")
            sentence = f"{self._order.service.title}, band {band}: {said}."
            self._kept.put_problem(
                self._kept.path(band, ra_deg, dec_deg),
                sentence,
                where_from,
                is_absent=_is_absent(problem),
            )

    def _judge(self, problems: list[Refused | ServiceError], *, came: bool) -> None:
        """Raise ServiceError where to go on would only be a burden."""
        title = self._order.service.title
        unreached = any(isinstance(p, ServiceError) and p.unreachable for p in problems)
        self._unreached = self._unreached + 1 if unreached and not came else 0
        if self._unreached >= _MOST_UNREACHED:
            raise ServiceError(
                f"{problems[0]} This happened for {self._unreached} objects in a row.",
                unreachable=True,
            )
        known = [p for p in problems if _is_absent(p) and not getattr(p, "status", 0)]
        self._any_came = self._any_came or came or bool(known)
        self._refused += 1
        if not self._any_came and self._refused >= _MOST_AT_FIRST:
            raise ServiceError(
                f"{title} gave no image of the first {self._refused} objects; of the last it said: "
                f"{problems[0]}. Check its layer and bands, or the setting fetch_address."
            )

    def _ask(self, question: Question, most: int) -> bytes:
        """The reply to a question, of ``most`` bytes at the most."""
        url, parameters = question.url, dict(question.parameters)
        seconds = self._manners.timeout_s
        for _ in range(_MOST_HOPS + 1):
            with guarded(self._order.service.title):
                response = self._session.get(
                    url,
                    params=parameters,
                    timeout=(min(_CONNECT_S, seconds), seconds),
                    stream=True,
                    allow_redirects=False,
                )
            with response:
                if not response.is_redirect:
                    return self._read(response, most)
                target = urljoin(response.url, response.headers["Location"])
            self._check_target(url, target)
            url, parameters = target, {}
        raise Refused(f"it sends the request on more than {_MOST_HOPS} times")

    def _read(self, response: requests.Response, most: int) -> bytes:
        failed = response.status_code != requests.codes.ok
        most = _MOST_TEXT if failed else most
        until = time.monotonic() + self._manners.timeout_s
        late = ServiceError(
            f"the reply was incomplete after {self._manners.timeout_s:g} s", unreachable=True
        )
        content = bytearray()
        try:
            while chunk := response.raw.read1(_CHUNK, decode_content=True):
                content += chunk
                if len(content) > most:
                    raise Refused(f"the reply has more than the {most:,} bytes that it may have")
                if time.monotonic() > until:
                    raise late
        except urllib3.exceptions.ReadTimeoutError:
            raise late from None
        except urllib3.exceptions.HTTPError as error:
            raise Refused(
                f"the file is incomplete: the connection ended after {len(content):,} bytes"
            ) from error
        if failed:
            status = response.status_code
            raise Refused(
                f"HTTP {status}, {what_is(bytes(content))}",
                is_absent=status == requests.codes.not_found,
                status=status,
            )
        return bytes(content)

    def _check_target(self, url: str, target: str) -> None:
        """Raise Refused where a service sends a request on to a host that is none of its own."""
        own, other = urlsplit(url), urlsplit(target)
        host = other.hostname or ""
        named = urlsplit(self._order.address)
        theirs = host == named.hostname
        if self._order.address == self._order.service.address:
            theirs = theirs or f".{host}".endswith(f".{self._order.service.domain}")
        secure = other.scheme == "https" or (other.scheme == own.scheme == "http" and is_here(host))
        if not (theirs and secure):
            raise Refused(f"it sends the request on to {other.scheme}://{host}, which is not asked")


def _is_absent(problem: Refused | ServiceError) -> bool:
    return isinstance(problem, Refused) and problem.is_absent


def _no_password(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """Send none of the passwords that a user keeps for other programs (.netrc)."""
    return request
