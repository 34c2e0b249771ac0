"""A server on this machine that speaks the protocols of CDS X-Match and of NED's object search.

It matches by itself, so that clients are tested whole: upload, query, answer, faults.
"""

from __future__ import annotations

import csv
import io
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.parser import BytesParser
from email.policy import HTTP
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import astropy.units as u
import numpy as np
from astropy.coordinates import SkyCoord
from astropy.io.votable import from_table
from astropy.table import Table, hstack
from PIL import Image

NED_FIELDS = ("Object Name", "RA(deg)", "DEC(deg)", "Type", "Redshift")


@dataclass
class SkyServices:
    """What the server knows, what it was asked, and which faults it shows.

    Attributes
    ----------
    tables : dict of str to Table
        Of X-Match, with columns RAJ2000 and DEJ2000 or ra and dec.
    ned : Table
        With :data:`NED_FIELDS`.
    faults : list
        Taken from the front, one a request: a status (with an HTML page), 'garbage', or None.
    most_rows : int
        An answer of X-Match with more is cut short and says OVERFLOW.
    asked : list of str
        ``xmatch <table> <rows>``, ``tables`` and ``ned <ra>`` in their order.
    """

    tables: dict[str, Table] = field(default_factory=dict)
    ned: Table | None = None
    faults: list[int | str | None] = field(default_factory=list)
    most_rows: int = 1_000_000
    asked: list[str] = field(default_factory=list)
    url: str = ""

    @property
    def mirrors(self) -> dict[str, str]:
        """For the setting of this name."""
        return {"xmatch": f"{self.url}/xmatch", "ned": f"{self.url}/objsearch"}

    def match(self, upload: Table, name: str, radius_arcsec: float) -> tuple[Table, bool]:
        """Rows of both tables within the radius, and whether they were cut."""
        table = self.tables[name.removeprefix("vizier:")]
        ra, dec = ("RAJ2000", "DEJ2000") if "RAJ2000" in table.colnames else ("ra", "dec")
        i, j, separation, _ = SkyCoord(table[ra], table[dec], unit="deg").search_around_sky(
            SkyCoord(upload["lt_ra"], upload["lt_dec"], unit="deg"), radius_arcsec * u.arcsec
        )
        found = hstack([Table({"angDist": separation.arcsec}), upload[i], table[j]])
        return found[: self.most_rows], len(found) > self.most_rows


def votable_bytes(table: Table, status: str = "OK") -> bytes:
    """A VOTable document with its QUERY_STATUS."""
    document = from_table(table)
    stream = io.BytesIO()
    document.to_xml(stream)
    info = f'<INFO ID="QUERY_STATUS" name="QUERY_STATUS" value="{status}"/>'
    return stream.getvalue().replace(b"<TABLE", info.encode() + b"<TABLE", 1)


def _handler(services: SkyServices) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_args: object) -> None:
            """Quiet."""

        def _send(self, body: bytes, kind: str, status: int = 200) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def _fault(self) -> bool:
            fault = services.faults.pop(0) if services.faults else None
            if isinstance(fault, int):
                self._send(b"<html>busy</html>", "text/html", fault)
            elif fault:
                self._send(b"<html>maintenance</html>", "text/html")
            return fault is not None

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            query = {name: values[0] for name, values in parse_qs(parts.query).items()}
            if parts.path == "/xmatch/tables":
                services.asked.append("tables")
                if not self._fault():
                    self._send("\n".join(services.tables).encode(), "text/plain")
            elif parts.path == "/objsearch":
                services.asked.append(f"ned {15 * float(query['lon']):.4f}")  # hours
                if not self._fault():
                    self._ned(query)
            else:
                self._send(b"no such page", "text/plain", 404)

        def _ned(self, query: dict[str, str]) -> None:
            centre = SkyCoord(15 * float(query["lon"]), float(query["lat"]), unit="deg")
            known = SkyCoord(services.ned["RA(deg)"], services.ned["DEC(deg)"], unit="deg")
            near = centre.separation(known) <= float(query["radius"]) * u.arcmin
            if not near.any():
                body = (
                    b'<?xml version="1.0"?><VOTABLE version="1.1"><RESOURCE>'
                    b'<PARAM name="a" value="b"/>'
                    b'<PARAM name="Error" value=" No objects were found."/></RESOURCE></VOTABLE>'
                )
                self._send(body, "text/xml")
                return
            self._send(votable_bytes(services.ned[near]), "text/xml")

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            head = f"Content-Type: {self.headers['Content-Type']}\r\n\r\n".encode()
            form = {
                part.get_param("name", header="content-disposition"): part.get_payload(decode=True)
                for part in BytesParser(policy=HTTP).parsebytes(head + body).iter_parts()
            }
            rows = list(csv.DictReader(io.StringIO(form["cat1"].decode())))
            name = form["cat2"].decode()
            services.asked.append(f"xmatch {name} {len(rows)}")
            if self._fault():
                return
            assert form["request"] == b"xmatch"
            assert (form["colRA1"], form["colDec1"]) == (b"lt_ra", b"lt_dec")
            upload = Table(
                {
                    "lt_row": [int(row["lt_row"]) for row in rows],
                    "lt_ra": [float(row["lt_ra"]) for row in rows],
                    "lt_dec": [float(row["lt_dec"]) for row in rows],
                }
            )
            found, cut = services.match(upload, name, float(form["distMaxArcsec"]))
            self._send(
                votable_bytes(found, "OVERFLOW" if cut else "OK"), "application/x-votable+xml"
            )

    return Handler


@contextmanager
def _served(handler: type[BaseHTTPRequestHandler]) -> Iterator[str]:
    """Serve on a free port of this machine until the block ends; yields the URL."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def serve_sky(services: SkyServices) -> Iterator[SkyServices]:
    """Serve on a free port of this machine until the block ends."""
    with _served(_handler(services)) as services.url:
        yield services


def simbad_table(ra: np.ndarray, dec: np.ndarray) -> Table:
    """As X-Match gives SIMBAD: errors in mas."""
    n = len(ra)
    table = Table(
        {
            "main_id": [f"[TEST] {k}" for k in range(n)],
            "ra": ra,
            "dec": dec,
            "coo_err_maj": np.full(n, 300.0, dtype=np.float32),
            "main_type": ["Galaxy"] * n,
            "redshift": np.where(np.arange(n) % 2, 0.5, np.nan),
        }
    )
    table["coo_err_maj"].unit = "mas"
    return table


@dataclass
class PictureService:
    """A server that speaks the protocol of hips2fits.

    Attributes
    ----------
    blank : set of str
        Maps that have no data: their pictures are black.
    faults : list
        As of :class:`SkyServices`.
    asked : list of dict
        The queries, in their order.
    """

    blank: set[str] = field(default_factory=set)
    faults: list[int | str | None] = field(default_factory=list)
    asked: list[dict[str, str]] = field(default_factory=list)
    url: str = ""


def _picture_handler(service: PictureService) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_args: object) -> None:
            """Quiet."""

        def do_GET(self) -> None:
            query = {
                name: values[0] for name, values in parse_qs(urlsplit(self.path).query).items()
            }
            service.asked.append(query)
            fault = service.faults.pop(0) if service.faults else None
            if fault is not None:
                body, kind = b"<html>busy</html>", "text/html"
            else:
                body, kind = _stars(query, blank=query["hips"] in service.blank), "image/jpeg"
            self.send_response(fault if isinstance(fault, int) else 200)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    return Handler


def _stars(query: dict[str, str], *, blank: bool) -> bytes:
    """A made-up field of stars, the same for the same position."""
    width, height = int(query["width"]), int(query["height"])
    sky = np.zeros((height, width, 3))
    if not blank:
        rng = np.random.default_rng(abs(hash((query["ra"], query["dec"]))) % 2**32)
        y, x = np.mgrid[:height, :width]
        for _ in range(40):
            at = rng.uniform(0, width, 2)
            glow = np.exp(-((x - at[0]) ** 2 + (y - at[1]) ** 2) / rng.uniform(4, 40))
            sky += glow[..., None] * rng.uniform(60, 255, 3)
    stream = io.BytesIO()
    Image.fromarray(sky.clip(0, 255).astype(np.uint8)).save(stream, "JPEG")
    return stream.getvalue()


@contextmanager
def serve_pictures(service: PictureService) -> Iterator[PictureService]:
    """Serve on a free port of this machine until the block ends."""
    with _served(_picture_handler(service)) as url:
        service.url = f"{url}/hips2fits"
        yield service
