"""Papers of NASA's Astrophysics Data System about a position.

ADS answers only with a token of its user (https://ui.adsabs.harvard.edu/user/settings/token). It is
taken from the environment (:data:`VARIABLES`) or from ``~/.ads/dev_key``, as other clients of ADS
do, sent to ADS alone, and kept nowhere else. A search by position gives papers about objects that
SIMBAD and NED have there (https://ui.adsabs.harvard.edu/help/search/search-syntax).
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import requests
from requests.auth import AuthBase

from lensing_core.crossmatch.answers import EMPTY, Answer
from lensing_core.crossmatch.rate_limits import RateLimitedAdapter, ServiceError, guarded

ADS_URL = "https://api.adsabs.harvard.edu"
VARIABLES = ("ADS_API_TOKEN", "ADS_DEV_KEY")
TOKEN_FILE = Path("~/.ads/dev_key")
NO_TOKEN = (
    f"Not asked: ADS wants a token of its user. Set {VARIABLES[0]} where the server runs, or write "
    f"the token into {TOKEN_FILE}."
)
TIMEOUT_S = 30
MOST_PAPERS = 200
_FIELDS = ("bibcode", "title", "first_author", "year", "citation_count")


class _Bearer(AuthBase):
    def __init__(self, token: str) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request


def find_token(environment: Mapping[str, str] | None = None) -> str:
    """Return the user's token; '' where there is none."""
    given = os.environ if environment is None else environment
    for name in VARIABLES:
        if token := given.get(name, "").strip():
            return token
    try:
        return TOKEN_FILE.expanduser().read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError, RuntimeError):
        return ""


def ask_ads(
    url: str,
    token: str,
    ra_deg: float,
    dec_deg: float,
    radius_arcsec: float,
    *,
    pause_s: float,
    backoff_s: float,
) -> Answer:
    """All papers about objects around one position, the newest first, at most 200.

    Raises
    ------
    ServiceError
        If ADS does not answer, or refuses the token.
    """
    session = requests.Session()
    for scheme in ("http://", "https://"):
        session.mount(scheme, RateLimitedAdapter(pause_s, backoff_s=backoff_s))
    asked: dict[str, Any] = {
        "q": f'object:"{ra_deg:.6f} {dec_deg:+.6f}:{radius_arcsec / 3600:.6f}"',
        "fl": ",".join(_FIELDS),
        "sort": "date desc",
        "rows": MOST_PAPERS,
    }
    with guarded("ADS"), session:
        response = session.get(
            f"{url}/v1/search/query",
            params=asked,
            auth=_Bearer(token),  # and not what a .netrc has
            timeout=TIMEOUT_S,
            allow_redirects=False,  # the token is for ADS alone
        )
        if response.status_code in (401, 403):
            raise ServiceError("ADS refused the token; make a new one in your settings there.")
        response.raise_for_status()
        papers = json.loads(response.content)["response"]["docs"]
        rows = [{name: _plain(paper.get(name)) for name in _FIELDS} for paper in papers]
    if not rows:
        return EMPTY
    n = len(rows)
    return Answer(
        [str(row["bibcode"]) for row in rows],
        [ra_deg] * n,
        [dec_deg] * n,
        [None] * n,
        {name: [row[name] for row in rows] for name in _FIELDS},
    )


def _plain(value: Any) -> Any:
    """A cell; ADS gives titles as lists."""
    if isinstance(value, list):
        value = value[0] if value else None
    return value if value is None or isinstance(value, int | float | str) else str(value)
