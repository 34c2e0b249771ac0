"""Entries of archives and the literature at one position, requested once and stored.

The cluster programs need no network; NED gives objects with their redshifts, MAST the observations
of space telescopes and the products that teams delivered (HLSP), ADS papers, for users with a token
(:mod:`~lensing_core.crossmatch.ads`). Answers are files of
:class:`~lensing_core.crossmatch.answers.AnswerCache` beside those of cross-matches. Other addresses
may stand in ``services.toml`` of the workspace::

    [archives]
    ned = "https://…/objsearch"
    mast = "https://…"
    ads = "https://…"
"""

from __future__ import annotations

import tomllib
import warnings
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import astropy.units as u
from astropy.coordinates import SkyCoord

from lensing_core.crossmatch.ads import ADS_URL, NO_TOKEN, ask_ads, find_token
from lensing_core.crossmatch.answers import EMPTY, Answer, AnswerCache
from lensing_core.crossmatch.clients import answer_of, ask_ned
from lensing_core.crossmatch.cluster_programs import clusters_near
from lensing_core.crossmatch.rate_limits import BACKOFF_S, ServiceError, guarded, limit_rate
from lensing_core.crossmatch.service_list import NED_URL
from lensing_core.errors import BadInputError
from lensing_core.wide_field import SETTINGS
from lensing_core.workspace import Workspace

MAST_URL = "https://mast.stsci.edu"
NED_RADIUS_ARCSEC = 10.0
MAST_RADIUS_ARCSEC = 30.0
ADS_RADIUS_ARCSEC = 30.0
_SHOWN = 6
_COLUMNS = ("obs_collection", "provenance_name", "instrument_name")


@dataclass(frozen=True)
class ArchiveFinding:
    """Entries of one archive.

    Attributes
    ----------
    source : str
    n : int
        Objects, observations or clusters.
    text : str
        The first of them, in words.
    at : datetime or None
        When it was answered; None: no network was needed.
    problem : str
        Why there is no answer; '' where there is one.
    asked : bool
        False: not even asked, since it wants a token that is not there.
    """

    source: str
    n: int
    text: str
    at: datetime | None = None
    problem: str = ""
    asked: bool = True


def look_up(
    workspace: Workspace,
    ra_deg: float,
    dec_deg: float,
    *,
    pause_s: float = 1.0,
    backoff_s: float = BACKOFF_S,
) -> list[ArchiveFinding]:
    """Ask all sources about a position; one that does not answer says why, the others go on.

    Raises
    ------
    BadInputError
        If ``services.toml`` makes no sense.
    """
    urls = {"ned": NED_URL, "mast": MAST_URL, "ads": ADS_URL, **_addresses(workspace)}
    cache = AnswerCache(workspace.cache / "crossmatch")
    here = {"ra": round(ra_deg, 7), "dec": round(dec_deg, 7)}
    patient: dict[str, Any] = {"pause_s": pause_s, "backoff_s": backoff_s}
    ned = {"service": "ned", "radius_arcsec": NED_RADIUS_ARCSEC, **here}
    mast = {"service": "mast", "radius_arcsec": MAST_RADIUS_ARCSEC, **here}
    ads = {"service": "ads", "radius_arcsec": ADS_RADIUS_ARCSEC, **here}

    def ask_for_papers() -> Answer:
        token = find_token()
        if not token:
            raise ServiceError(NO_TOKEN)
        return ask_ads(urls["ads"], token, ra_deg, dec_deg, ADS_RADIUS_ARCSEC, **patient)

    return [
        _programs(ra_deg, dec_deg),
        _asked(
            f"NED, {NED_RADIUS_ARCSEC:g}″",
            cache,
            ned,
            lambda: ask_ned(urls["ned"], ra_deg, dec_deg, NED_RADIUS_ARCSEC, **patient),
            _objects,
        ),
        _asked(
            f"MAST, {MAST_RADIUS_ARCSEC:g}″",
            cache,
            mast,
            lambda: ask_mast(urls["mast"], ra_deg, dec_deg, MAST_RADIUS_ARCSEC, **patient),
            _observations,
        ),
        _asked(f"ADS, {ADS_RADIUS_ARCSEC:g}″", cache, ads, ask_for_papers, _papers),
    ]


def ask_mast(
    url: str,
    ra_deg: float,
    dec_deg: float,
    radius_arcsec: float,
    *,
    pause_s: float,
    backoff_s: float,
) -> Answer:
    """All observations of MAST around one position."""
    from astroquery.exceptions import NoResultsWarning
    from astroquery.mast import ObservationsClass  # here: slow to import

    client = ObservationsClass()
    portal = client._portal_api_connection
    portal.MAST_REQUEST_URL = f"{url}/api/v0/invoke"
    portal.COLUMNS_CONFIG_URL = f"{url}/portal/Mashup/Mashup.asmx/columnsconfig"
    limit_rate(portal, pause_s, backoff_s)
    with guarded("MAST"), warnings.catch_warnings():
        warnings.simplefilter("ignore", NoResultsWarning)
        observations = client.query_region(
            SkyCoord(ra_deg, dec_deg, unit="deg"), radius=radius_arcsec * u.arcsec
        )
    if not len(observations):
        return EMPTY
    observations = observations[
        [name for name in (*_COLUMNS, "s_ra", "s_dec", "obs_id") if name in observations.colnames]
    ]
    observations.rename_columns(["s_ra", "s_dec"], ["ra", "dec"])
    return answer_of(observations, "MAST")


def _addresses(workspace: Workspace) -> Mapping[str, str]:
    path = workspace.root / SETTINGS
    if not path.is_file():
        return {}
    try:
        given = tomllib.loads(path.read_text("utf-8")).get("archives", {})
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadInputError(f"{path} is no TOML: {error}.") from error
    for name, url in given.items() if isinstance(given, dict) else [("archives", given)]:
        if name not in ("ned", "mast", "ads") or not str(url).startswith(("http://", "https://")):
            raise BadInputError(
                f"{path}: [archives] {name} = {url!r}: give ned, mast or ads, beginning with http."
            )
    return {name: str(url).rstrip("/") for name, url in given.items()}


def _asked(
    source: str,
    cache: AnswerCache,
    request: Mapping[str, Any],
    ask: Callable[[], Answer],
    words: Callable[[Answer], str],
) -> ArchiveFinding:
    kept = cache.get(request)
    try:
        if kept is None:
            answer = ask()
            kept = answer, cache.put(request, answer)
    except ServiceError as error:
        problem = str(error)
        return ArchiveFinding(source, 0, "", problem=problem, asked=problem != NO_TOKEN)
    answer, at = kept
    return ArchiveFinding(source, len(answer), words(answer), at)


def _programs(ra_deg: float, dec_deg: float) -> ArchiveFinding:
    near = clusters_near(ra_deg, dec_deg)
    text = "; ".join(
        f"{cluster.name} of {cluster.program} at {apart:.1f}′ ({cluster.reference})"
        for cluster, apart in near
    )
    return ArchiveFinding("CLASH, RELICS and HFF, 3′", len(near), text)


def _objects(answer: Answer) -> str:
    redshifts = answer.columns.get("Redshift", [None] * len(answer))
    kinds = answer.columns.get("Type", [""] * len(answer))
    parts = []
    for name, kind, z in zip(answer.names, kinds, redshifts, strict=True):
        known = isinstance(z, int | float) and z == z
        parts.append(f"{name} ({kind}{f', z = {z:g}' if known else ''})")
    return _first(parts)


def _observations(answer: Answer) -> str:
    columns = [answer.columns.get(name, [""] * len(answer)) for name in _COLUMNS]
    counted = Counter(
        " ".join(str(cell) for cell in cells if cell) for cells in zip(*columns, strict=True)
    )
    return _first([f"{n} × {name}" for name, n in counted.most_common()])


def _papers(answer: Answer) -> str:
    authors = answer.columns.get("first_author", [None] * len(answer))
    titles = answer.columns.get("title", [None] * len(answer))
    return _first(
        [
            f"{author or '?'}: {title or 'no title'} ({bibcode})"
            for author, title, bibcode in zip(authors, titles, answer.names, strict=True)
        ]
    )


def _first(parts: list[str]) -> str:
    rest = f" and {len(parts) - _SHOWN} more" if len(parts) > _SHOWN else ""
    return "; ".join(parts[:_SHOWN]) + rest
