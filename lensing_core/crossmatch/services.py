"""Asking online references in batches, with every answer kept."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np

from lensing_core.arrays import Float64Array
from lensing_core.crossmatch.answers import Answer, AnswerCache
from lensing_core.crossmatch.clients import CrossMatchClient, ask_ned
from lensing_core.crossmatch.rate_limits import BACKOFF_S, ServiceError, TooManyRows
from lensing_core.crossmatch.reference import Reference
from lensing_core.crossmatch.service_list import (
    MAX_RADIUS_ARCSEC,
    NED_URL,
    SERVICES,
    XMATCH_URL,
    Service,
)
from lensing_core.errors import BadInputError


@dataclass(frozen=True)
class Asking:
    """Settings of requests to services.

    Attributes
    ----------
    mirrors : dict of str to str
        Address by service (``xmatch``, ``ned``) in place of the usual one.
    batch : int
        Positions a request, of services that take many.
    pause_s : float
        Least time between two requests to one service.
    backoff_s : float
        Pause before a repeated request, doubled each time.
    """

    mirrors: Mapping[str, str]
    batch: int = 5000
    pause_s: float = 1.0
    backoff_s: float = BACKOFF_S

    def __post_init__(self) -> None:
        for name, url in self.mirrors.items():
            if name not in ("xmatch", "ned") or not url.startswith(("http://", "https://")):
                raise BadInputError(
                    f"Mirror {name}={url}: give xmatch=URL or ned=URL, beginning with http."
                )


@dataclass(frozen=True)
class Asked:
    """Progress: positions asked for so far, of how many, and whether the last were kept."""

    done: int
    total: int
    from_cache: bool


class ServiceReference:
    """Collects a reference from a service, batch by batch; every answer is kept at once.

    Parameters
    ----------
    service : Service
    asking : Asking
    cache : AnswerCache
    """

    def __init__(self, service: Service, asking: Asking, cache: AnswerCache) -> None:
        self._service = service
        self._asking = asking
        self._cache = cache
        self._client: CrossMatchClient | None = None
        self._parts: list[Answer] = []
        self._times: list[datetime] = []
        self.n_done = 0

    def collect(
        self, ra_deg: Float64Array, dec_deg: Float64Array, radius_arcsec: float
    ) -> Iterator[Asked]:
        """Ask for all positions, in their order; yields after each request.

        Raises
        ------
        ServiceError
            As soon as a batch has no answer; :attr:`n_done` positions have one then.
        BadInputError
            If the radius is more than the service takes.
        """
        if radius_arcsec > MAX_RADIUS_ARCSEC:
            raise BadInputError(
                f"radius_arcsec = {radius_arcsec:g}: online services take at most "
                f"{MAX_RADIUS_ARCSEC:g}."
            )
        step = self._asking.batch if self._service.table else 1
        for first in range(0, len(ra_deg), step):
            part = slice(first, first + step)
            cached = self._batch(ra_deg[part], dec_deg[part], radius_arcsec)
            self.n_done = min(first + step, len(ra_deg))
            yield Asked(self.n_done, len(ra_deg), cached)

    def reference(self) -> Reference:
        """Return what has been found so far, each object once."""
        index: dict[tuple[str, float, float], tuple[Answer, int]] = {}
        for answer in self._parts:
            for k in range(len(answer)):
                index.setdefault(
                    (answer.names[k], answer.ra_deg[k], answer.dec_deg[k]), (answer, k)
                )
        rows = list(index.values())
        columns = list(dict.fromkeys(name for answer in self._parts for name in answer.columns))
        asked = f"{min(self._times):%Y-%m-%d}" if self._times else "never"
        table = f" {self._service.table}" if self._service.table not in ("", "simbad") else ""
        return Reference(
            key=self._service.key,
            title=self._service.title,
            kind=self._service.kind,
            version=f"asked {asked}{table}",
            names=[a.names[k] for a, k in rows],
            ra_deg=np.array([a.ra_deg[k] for a, k in rows]),
            dec_deg=np.array([a.dec_deg[k] for a, k in rows]),
            error_arcsec=np.array([a.error_arcsec[k] for a, k in rows], dtype=float),
            columns={
                name: [a.columns[name][k] if name in a.columns else None for a, k in rows]
                for name in columns
                if name != "angDist"  # to the position of one request, not of the object
            },
        )

    def _batch(self, ra: Float64Array, dec: Float64Array, radius_arcsec: float) -> bool:
        """One request, from the cache where it is there; True if it was."""
        request: dict[str, Any] = {
            "service": "xmatch" if self._service.table else "ned",
            "address": self._address(),
            "table": self._service.table,
            "radius_arcsec": radius_arcsec,
            "ra_deg": ra.tolist(),
            "dec_deg": dec.tolist(),
        }
        kept = self._cache.get(request)
        if kept is None:
            answers = list(self._ask(ra, dec, radius_arcsec))
            merged = _join(answers)
            kept = merged, self._cache.put(request, merged)
            cached = False
        else:
            cached = True
        self._parts.append(kept[0])
        self._times.append(kept[1])
        return cached

    def _ask(self, ra: Float64Array, dec: Float64Array, radius_arcsec: float) -> Iterator[Answer]:
        asking = self._asking
        if not self._service.table:
            yield ask_ned(
                self._address(),
                float(ra[0]),
                float(dec[0]),
                radius_arcsec,
                pause_s=asking.pause_s,
                backoff_s=asking.backoff_s,
            )
            return
        if self._client is None:
            self._client = CrossMatchClient(
                self._address(), pause_s=asking.pause_s, backoff_s=asking.backoff_s
            )
        for table in self._client.resolve(self._service.table):
            yield from _halving(self._client.ask, table, ra, dec, radius_arcsec)

    def _address(self) -> str:
        if self._service.table:
            return self._asking.mirrors.get("xmatch", XMATCH_URL)
        return self._asking.mirrors.get("ned", NED_URL)


def _halving(
    ask: Callable[..., Answer],
    table: str,
    ra: Float64Array,
    dec: Float64Array,
    radius_arcsec: float,
) -> Iterator[Answer]:
    """Ask for half of the positions at a time where an answer is cut short."""
    try:
        yield ask(table, ra, dec, radius_arcsec)
    except TooManyRows:
        if len(ra) == 1:
            raise
        half = len(ra) // 2
        for part in (slice(None, half), slice(half, None)):
            yield from _halving(ask, table, ra[part], dec[part], radius_arcsec)


def _join(answers: list[Answer]) -> Answer:
    names = list(dict.fromkeys(name for answer in answers for name in answer.columns))
    return Answer(
        [name for a in answers for name in a.names],
        [value for a in answers for value in a.ra_deg],
        [value for a in answers for value in a.dec_deg],
        [value for a in answers for value in a.error_arcsec],
        {
            name: [v for a in answers for v in a.columns.get(name, [None] * len(a))]
            for name in names
        },
    )


__all__ = ["SERVICES", "Asked", "Asking", "Service", "ServiceError", "ServiceReference"]
