"""Requests to online services: patient, slow, and ending in one sentence.

Every request waits for its turn, is repeated with growing pauses while a service is busy
(429 and 5xx, ``Retry-After`` honored), and ends in a :class:`ServiceError` that says whether the
service could be reached at all.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Self
from xml.parsers.expat import ExpatError

import requests
from astropy.io.votable.exceptions import VOTableSpecError
from astroquery.exceptions import (
    InvalidQueryError,
    RemoteServiceError,
    TableParseError,
)
from astroquery.exceptions import TimeoutError as ServiceTimeout
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

from lensing_core.errors import LensTriageError

RETRIES = 5
BACKOFF_S = 1.0
MOST_WAIT_S = 120.0
"""The longest pause that is kept for a service; one that wants more is asked another time."""
BUSY = (429, 500, 502, 503, 504)
_PARSE_ERRORS = (VOTableSpecError, ExpatError, TableParseError, ValueError, IndexError, KeyError)


class ServiceError(LensTriageError):
    """A service did not answer, or not as it should.

    Parameters
    ----------
    message : str
    unreachable : bool
        True where there is no network or the service is down: worth trying again later.
    """

    def __init__(self, message: str, *, unreachable: bool = False) -> None:
        super().__init__(message)
        self.unreachable = unreachable


class TooManyRows(ServiceError):
    """A service cut its answer short; ask for fewer positions at a time."""


class _Patient(Retry):
    """Repeats a request after the pause that the service asks for, or not at all if it is long."""

    def increment(self, *args: Any, **kwargs: Any) -> Self:
        """Count a try; raises MaxRetryError where there is to be no other."""
        response = kwargs.get("response")
        if response is not None and (self.get_retry_after(response) or 0) > MOST_WAIT_S:
            return Retry.increment(self.new(total=0), *args, **kwargs)
        return super().increment(*args, **kwargs)


class RateLimitedAdapter(HTTPAdapter):
    """Sends no request sooner than ``pause_s`` after the last, and repeats while it is busy."""

    def __init__(self, pause_s: float, *, backoff_s: float = BACKOFF_S) -> None:
        self._pause_s = pause_s
        self._next = 0.0
        super().__init__(
            max_retries=_Patient(
                total=RETRIES,
                connect=1,  # no network is known at once
                read=2,
                status=RETRIES,
                backoff_factor=backoff_s,
                status_forcelist=BUSY,
                allowed_methods=None,  # a query by POST changes nothing either
                respect_retry_after_header=True,
            )
        )

    def send(self, *args: Any, **kwargs: Any) -> requests.Response:
        """Wait for the turn, then send."""
        wait = self._next - time.monotonic()
        if wait > 0:
            time.sleep(wait)
        try:
            return super().send(*args, **kwargs)
        finally:
            self._next = time.monotonic() + self._pause_s


def limit_rate(client: Any, pause_s: float, backoff_s: float) -> None:
    """Let all requests of an astroquery client go through a :class:`RateLimitedAdapter`."""
    adapter = RateLimitedAdapter(pause_s, backoff_s=backoff_s)
    for scheme in ("http://", "https://"):
        client._session.mount(scheme, adapter)  # astroquery has no public name for its session


@contextmanager
def guarded(service: str) -> Iterator[None]:
    """Turn what clients raise into one sentence."""
    try:
        yield
    except requests.HTTPError as error:
        status = "an error" if error.response is None else f"HTTP {error.response.status_code}"
        raise ServiceError(f"{service} answered with {status}.") from error
    except requests.exceptions.RetryError as error:
        raise ServiceError(
            f"{service} was busy {RETRIES + 1} times in a row, or asked for a long pause; run it "
            "again later.",
            unreachable=True,
        ) from error
    except (requests.RequestException, ServiceTimeout) as error:
        raise ServiceError(
            f"{service} cannot be reached from here; check the network, or run it again later.",
            unreachable=True,
        ) from error
    except (InvalidQueryError, RemoteServiceError) as error:
        detail = " ".join(str(error).split())[:300]
        raise ServiceError(f"{service} refused the request: {detail}") from error
    except _PARSE_ERRORS as error:
        raise ServiceError(f"{service} answered with something that is no table.") from error
