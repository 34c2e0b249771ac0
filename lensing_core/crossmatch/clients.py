"""The clients of online services: astroquery's own, made polite and without its cache."""

from __future__ import annotations

import re
from io import BytesIO
from pathlib import Path
from typing import Any

import astropy.units as u
import numpy as np
import requests
from astropy.coordinates import SkyCoord
from astropy.io import votable
from astropy.table import Table
from astroquery import cache_conf
from astroquery.exceptions import (
    RemoteServiceError,
)
from astroquery.ipac.ned import Ned
from astroquery.xmatch import XMatchClass

from lensing_core.arrays import Float64Array
from lensing_core.crossmatch.answers import EMPTY, Answer
from lensing_core.crossmatch.rate_limits import (
    BACKOFF_S,
    RateLimitedAdapter,
    ServiceError,
    TooManyRows,
    guarded,
    limit_rate,
)
from lensing_core.ingest.columns import recognize, to_number
from lensing_core.ingest.tables import SourceTable

_OURS = ("lt_row", "lt_ra", "lt_dec")
_NAMES = ("main_id", "DR3Name", "Source", "Object Name")


class CrossMatchClient(XMatchClass):
    """The cross-match service of the CDS: positions are uploaded, SIMBAD or any VizieR table asked.

    Boch, Pineau & Derriere 2012, ASPC 461, 291. The list of its tables is asked for once.
    """

    def __init__(self, url: str, *, pause_s: float, backoff_s: float = BACKOFF_S) -> None:
        super().__init__()
        self.URL = url
        self._tables: list[str] | None = None
        limit_rate(self, pause_s, backoff_s)

    def _request(self, *args: Any, **kwargs: Any) -> requests.Response:
        """A page of errors is no table; the client would try to read it as one."""
        response: requests.Response = super()._request(*args, **kwargs)
        if b"<VOTABLE" not in response.content:
            response.raise_for_status()
        return response

    def _prepare_sending_table(
        self,
        cat_index: int,
        payload: dict[str, Any],
        kwargs: dict[str, Any],
        cat: Any,
        *columns: Any,
    ) -> None:
        """The service knows ``simbad`` by that name; astroquery would write ``vizier:simbad``."""
        if isinstance(cat, str) and cat == "simbad":
            payload[f"cat{cat_index}"] = cat
            return
        super()._prepare_sending_table(cat_index, payload, kwargs, cat, *columns)

    def get_available_tables(self, *, cache: bool = True) -> list[str]:
        """Names of all tables with positions."""
        if self._tables is None:
            names: list[str] = super().get_available_tables(cache=False)
            self._tables = [name.strip() for name in names if name.strip()]
        return self._tables

    def resolve(self, wanted: str) -> list[str]:
        """The tables of a VizieR catalog id; a table id stands for itself.

        Raises
        ------
        ServiceError
            If the service has no such table with positions.
        """
        if wanted == "simbad":
            return [wanted]
        with guarded("CDS X-Match"):
            known = self.get_available_tables()
        if wanted in known:
            return [wanted]
        tables = [name for name in known if name.startswith(f"{wanted}/")]
        if not tables:
            raise ServiceError(
                f"The CDS cross-match service has no table {wanted} with positions; look for its "
                "id on vizier.cds.unistra.fr."
            )
        return tables

    def ask(
        self,
        table: str,
        ra_deg: Float64Array,
        dec_deg: Float64Array,
        radius_arcsec: float,
    ) -> Answer:
        """All objects of ``table`` within the radius of any of the positions.

        Raises
        ------
        TooManyRows
            If the answer was cut short.
        ServiceError
            If there is none.
        """
        rows = np.arange(len(ra_deg))
        upload = Table([rows, ra_deg, dec_deg], names=_OURS)
        name = table if table == "simbad" else f"vizier:{table}"
        with guarded("CDS X-Match"):
            response = self.query_async(
                upload,
                name,
                radius_arcsec * u.arcsec,
                colRA1="lt_ra",
                colDec1="lt_dec",
                cache=False,  # its cache is of pickles, outside the workspace
            )
            document = votable.parse(BytesIO(response.content), verify="ignore")
            first = document.get_first_table()
            matches = first.to_table(use_names_over_ids=True)
        statuses = [info.value for r in document.resources for info in r.infos]
        if "OVERFLOW" in statuses:
            raise TooManyRows(f"CDS X-Match cut its answer for {len(rows)} positions short.")
        return answer_of(matches, table)


def ask_ned(
    url: str,
    ra_deg: float,
    dec_deg: float,
    radius_arcsec: float,
    *,
    pause_s: float,
    backoff_s: float,
) -> Answer:
    """All objects of NED around one position (its interface takes no list)."""
    if url != Ned.OBJ_SEARCH_URL or not isinstance(
        Ned._session.adapters["https://"], RateLimitedAdapter
    ):
        Ned.OBJ_SEARCH_URL = url
        limit_rate(Ned, pause_s, backoff_s)
    with guarded("NED"), cache_conf.set_temp("cache_active", False):
        try:
            objects = Ned.query_region(
                SkyCoord(ra_deg, dec_deg, unit="deg"), radius=radius_arcsec * u.arcsec
            )
        except RemoteServiceError as error:
            if re.search(r"\bno\b.*\b(object|match|found)", str(error).lower()):
                return EMPTY
            raise
    return answer_of(objects, "NED")


def answer_of(table: Table, source: str) -> Answer:
    """A service's table with plain values; positions and names by the names of columns.

    Raises
    ------
    ServiceError
        If there are rows, but no columns of positions.
    """
    if not len(table):
        return EMPTY
    columns = SourceTable(table, Path(source), "")
    theirs = [name for name in table.colnames if name not in _OURS]
    roles = recognize(columns, ()).roles
    if "ra" not in roles or "dec" not in roles:
        raise ServiceError(f"{source} came without positions that are recognized: {theirs}.")
    cells = {name: [_plain(cell) for cell in columns.cells(name)] for name in theirs}
    naming = next((name for name in (*_NAMES, roles.get("id")) if name in cells), None)
    ra, dec = (np.array([_degrees(c) for c in cells[roles[r]]]) for r in ("ra", "dec"))
    placed = np.isfinite(ra) & np.isfinite(dec)
    keep = np.flatnonzero(placed)
    names = cells[naming] if naming else [None] * len(table)
    return Answer(
        [str(names[k]) if names[k] is not None else f"row {k + 1}" for k in keep],
        ra[keep].tolist(),
        dec[keep].tolist(),
        [_error(table, cells, int(k)) for k in keep],
        {name: [cells[name][k] for k in keep] for name in theirs},
    )


def _plain(cell: Any) -> Any:
    return cell if cell is None or isinstance(cell, bool | int | float | str) else str(cell)


def _degrees(cell: Any) -> float:
    number = to_number(cell)
    return np.nan if number is None else number


def _error(table: Table, cells: dict[str, list[Any]], k: int) -> float | None:
    """SIMBAD's error of a position: the major axis of an ellipse, in the unit that it states."""
    if "coo_err_maj" not in cells or table["coo_err_maj"].unit is None:
        return None
    number = to_number(cells["coo_err_maj"][k])
    return None if not number else float((number * table["coo_err_maj"].unit).to_value(u.arcsec))
