"""Servers on this machine that speak the protocols of services of the sky.

CDS X-Match, NED's object search and MAST's cone search (:class:`SkyServices`), pictures of
hips2fits (:class:`PictureService`), and cutouts as FITS of all services that images are fetched
from (:class:`CutoutServices`). Clients are tested whole: query, answer, faults.
"""

from __future__ import annotations

import csv
import io
import json
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
from astropy.io import fits
from astropy.io.votable import from_table
from astropy.table import Table, hstack
from PIL import Image

MAST_FIELDS = {
    **dict.fromkeys(("obs_collection", "provenance_name", "instrument_name", "obs_id"), "string"),
    **dict.fromkeys(("s_ra", "s_dec"), "float"),
}
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
    mast : list of dict
        Observations with :data:`MAST_FIELDS`, all of which every cone search gives.
    ads : list of dict
        Papers, all of which every search of ADS gives.
    ads_token : str
        The token that ADS takes; others are refused with 401.
    faults : list
        Taken from the front, one a request: a status (with an HTML page), 'garbage', or None.
    most_rows : int
        An answer of X-Match with more is cut short and says OVERFLOW.
    asked : list of str
        ``xmatch <table> <rows>``, ``tables`` and ``ned <ra>`` in their order.
    """

    tables: dict[str, Table] = field(default_factory=dict)
    ned: Table | None = None
    mast: list[dict[str, object]] = field(default_factory=list)
    ads: list[dict[str, object]] = field(default_factory=list)
    ads_token: str = "a-token"  # noqa: S105 - of this stand-in
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
            elif parts.path == "/ads/v1/search/query":
                self._ads(query)
            else:
                self._send(b"no such page", "text/plain", 404)

        def _ads(self, query: dict[str, str]) -> None:
            services.asked.append(f"ads {query['q']}")
            if self.headers["Authorization"] != f"Bearer {services.ads_token}":
                self._send(b'{"error": "Unauthorized"}', "application/json", 401)
            elif not self._fault():
                names = query["fl"].split(",")
                docs = [{n: paper[n] for n in names if n in paper} for paper in services.ads]
                answer = {"response": {"numFound": len(docs), "start": 0, "docs": docs}}
                self._send(json.dumps(answer).encode(), "application/json")

        def _ned(self, query: dict[str, str]) -> None:
            center = SkyCoord(15 * float(query["lon"]), float(query["lat"]), unit="deg")
            known = SkyCoord(services.ned["RA(deg)"], services.ned["DEC(deg)"], unit="deg")
            near = center.separation(known) <= float(query["radius"]) * u.arcmin
            if not near.any():
                body = (
                    b'<?xml version="1.0"?><VOTABLE version="1.1"><RESOURCE>'
                    b'<PARAM name="a" value="b"/>'
                    b'<PARAM name="Error" value=" No objects were found."/></RESOURCE></VOTABLE>'
                )
                self._send(body, "text/xml")
                return
            self._send(votable_bytes(services.ned[near]), "text/xml")

        def _mast(self, body: bytes) -> None:
            if self.path.endswith("columnsconfig"):
                self._send(b"{}", "application/json")
                return
            request = json.loads(parse_qs(body.decode())["request"][0])
            services.asked.append(f"mast {request['params']['ra']:.4f}")
            if self._fault():
                return
            fields = [{"name": name, "type": kind} for name, kind in MAST_FIELDS.items()]
            answer = {"status": "COMPLETE", "data": services.mast, "fields": fields}
            self._send(json.dumps(answer).encode(), "application/json")

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.path.startswith("/mast/"):
                self._mast(body)
                return
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


@dataclass
class CutoutServices:
    """A server that cuts images out as Pan-STARRS, Legacy Surveys, hips2fits and SkyView do.

    Each image has a galaxy in the middle, of a flux that follows from the position.

    Attributes
    ----------
    faults : dict of str to list
        By what is asked ("ps1filenames", "fitscut", "legacy", "hips2fits", "skyview"), taken from
        the front, one a request: a status, a (status, Retry-After) pair, or a word of
        :meth:`_faulty`; None for no fault.
    faults_at : dict of float to object
        The same, for all requests of a right ascension, rounded to 0.01 degrees.
    south_deg : float
        No service has anything south of it.
    asked : list of (str, dict)
        What was asked with which parameters, in their order.
    held : threading.Event
        Slow replies wait until it is set.
    """

    faults: dict[str, list[object]] = field(default_factory=dict)
    faults_at: dict[float, object] = field(default_factory=dict)
    south_deg: float = -90.0
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    agents: set[str] = field(default_factory=set)
    held: threading.Event = field(default_factory=threading.Event)
    url: str = ""

    def address(self, service: str) -> str:
        """Of a service, as the setting of its address has it."""
        return f"{self.url}/{service}"

    def count(self, what: str) -> int:
        """How often something was asked."""
        return sum(name == what for name, _ in self.asked)

    def image(
        self, query: dict[str, str], side: int, scale: float, bands: str, keys: dict[str, object]
    ) -> bytes:
        """A FITS image around a position, or a cube where there are several bands."""
        ra, dec = sky_position(query)
        y, x = np.mgrid[:side, :side] - (side - 1) / 2
        planes = np.stack(
            [
                np.exp(-(x**2 + y**2) / 18) * galaxy_flux(ra, band)
                + np.random.default_rng(int(ra * 1e4)).normal(0, 0.02, (side, side))
                for band in bands
            ]
        ).astype("f4")
        if dec < self.south_deg:
            planes[:] = 0 if "layer" in query else np.nan
        hdu = fits.PrimaryHDU(planes if len(bands) > 1 else planes[0])
        hdu.header.update(
            CTYPE1="RA---TAN", CTYPE2="DEC--TAN", CRVAL1=ra, CRVAL2=dec, CRPIX1=(side + 1) / 2,
            CRPIX2=(side + 1) / 2, CDELT1=-scale / 3600, CDELT2=scale / 3600, **keys,
        )  # fmt: skip
        stream = io.BytesIO()
        hdu.writeto(stream)
        return stream.getvalue()


def galaxy_flux(ra_deg: float, band: str) -> float:
    """Flux of the brightest pixel of the galaxy at a position."""
    return 5 + "ugrizy".index(band) + round(ra_deg % 1, 4)


def sky_position(query: dict[str, str]) -> tuple[float, float]:
    """The position of a query of any service."""
    if "Position" in query:
        ra, dec = query["Position"].split(",")
        return float(ra), float(dec)
    return float(query["ra"]), float(query["dec"])


_WEB_PAGE = b"<!DOCTYPE html><html><head><title>Down for maintenance</title></head></html>"


def _cutout_handler(services: CutoutServices) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_args: object) -> None:
            """Quiet."""

        def _send(
            self, body: bytes, kind: str, status: int = 200, length: int | None = None, **more: str
        ) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body) if length is None else length))
            for name, value in more.items():
                self.send_header(name.replace("_", "-"), value)
            self.end_headers()
            self.wfile.write(body)

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            query = {name: values[0] for name, values in parse_qs(parts.query).items()}
            what = {
                "/panstarrs/ps1filenames.py": "ps1filenames",
                "/panstarrs/fitscut.cgi": "fitscut",
                "/legacy/fits-cutout": "legacy",
                "/hips2fits/hips2fits": "hips2fits",
                "/skyview/runquery.pl": "skyview",
            }[parts.path]
            services.asked.append((what, query))
            services.agents.add(self.headers["User-Agent"])
            waiting = services.faults.get(what) or [None]
            fault = waiting.pop(0)
            fault = services.faults_at.get(round(sky_position(query)[0], 2), fault)
            body, kind = getattr(self, f"_{what}")(query)
            if fault is None:
                self._send(body, kind)
            else:
                self._faulty(fault, body, kind)

        def _faulty(self, fault: object, body: bytes, kind: str) -> None:
            if isinstance(fault, int):
                self._send(_WEB_PAGE, "text/html", fault)
            elif isinstance(fault, tuple):
                self._send(b"slow down", "text/plain", fault[0], Retry_After=str(fault[1]))
            elif fault == "html":
                self._send(_WEB_PAGE, "text/html")
            elif fault == "message":
                body = b'{"title": "Unknown HiPS", "description": "No HiPS of that name."}'
                self._send(body, "application/json", 400)
            elif fault == "half":
                self._send(body[: len(body) // 2], kind)
            elif fault == "cut off":
                self._send(body[: len(body) // 2], kind, length=len(body))
            elif fault == "slow":
                services.held.wait(20)
                self._send(body, kind)
            elif fault == "large":
                self._send(body + b"\0" * 40_000_000, kind)
            elif fault == "elsewhere":
                self._send(b"", kind, 302, Location="https://example.org/image.fits")
            elif fault == "asinh":
                card = b"BSOFTEN =                  0.3".ljust(80)
                self._send(body.replace(b"END".ljust(80), card + b"END".ljust(80), 1), kind)
            else:
                raise AssertionError(fault)

        def _ps1filenames(self, query: dict[str, str]) -> tuple[bytes, str]:
            lines = ["projcell subcell ra dec filter mjd type filename shortname badflag"]
            if sky_position(query)[1] >= services.south_deg:
                for band in query["filters"]:
                    name = f"rings.v3.skycell.1313.075.stk.{band}.unconv.fits"
                    lines.append(
                        f"1313 75 {query['ra']} {query['dec']} {band} 0.0 stack "
                        f"/rings.v3.skycell/1313/075/{name} {name} 0"
                    )
            return "\n".join(lines).encode(), "text/plain"

        def _fitscut(self, query: dict[str, str]) -> tuple[bytes, str]:
            band = query["red"].split(".stk.")[1][0]
            keys = {"EXPTIME": 600.0, "HIERARCH FPA.TELESCOPE": "PS1"}
            body = services.image(query, int(query["size"]), 0.25, band, keys)
            return body, "image/x-fits"

        def _legacy(self, query: dict[str, str]) -> tuple[bytes, str]:
            bands = query["bands"]
            keys = {"SURVEY": "LegacySurvey", "BANDS": bands}
            keys |= {f"BAND{k}": band for k, band in enumerate(bands)}
            scale = float(query["pixscale"])
            return services.image(query, int(query["size"]), scale, bands, keys), "image/fits"

        def _hips2fits(self, query: dict[str, str]) -> tuple[bytes, str]:
            side, band = int(query["width"]), query["hips"][-1]
            scale = float(query["fov"]) * 3600 / side
            return services.image(query, side, scale, band, {}), "image/fits"

        def _skyview(self, query: dict[str, str]) -> tuple[bytes, str]:
            side, band = int(query["Pixels"]), query["Survey"][-1]
            scale = float(query["Size"]) * 3600 / side
            return services.image(query, side, scale, band, {}), "application/x-fits"

    return Handler


@contextmanager
def serve_cutouts(services: CutoutServices) -> Iterator[CutoutServices]:
    """Serve on a free port of this machine until the block ends."""
    with _served(_cutout_handler(services)) as services.url:
        try:
            yield services
        finally:
            services.held.set()
