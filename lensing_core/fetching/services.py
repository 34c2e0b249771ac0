"""Services that cut out images at positions, and the requests to each; light to import.

Each fact stands with its source in :attr:`CutoutService.facts`.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import ceil
from typing import NamedTuple
from urllib.parse import urlsplit

from lensing_core.errors import BadInputError

MAX_SIDE_PX = 1024
"""The largest cutout that is asked for; a larger one should come from a survey's own files."""
DEFAULT_ARCSEC = {"galaxy": 12.0, "cluster": 100.0}
"""Side of a cutout where none is named: lenses of galaxies, of clusters."""
PAUSE_S, LEAST_PAUSE_S, TIMEOUT_S = 1.0, 0.3, 30.0
"""Between two requests of a run: as a rule, and at the least; and how long a reply may take."""
_LAYER = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._+/{}-]{0,99}")


class Question(NamedTuple):
    """A request by GET: its address without parameters, and the parameters."""

    url: str
    parameters: dict[str, str]


@dataclass(frozen=True)
class CutoutService:
    """An online service that cuts images out.

    Attributes
    ----------
    key, title : str
    address : str
        What its paths begin with.
    domain : str
        Hosts that it may send a request on to end with this.
    survey : str
        Definition of the survey that its default layer shows.
    layer : str
        HiPS, layer or survey that is asked for by default, ``{band}`` standing for the band; ''
        where there is nothing to choose.
    bands : tuple of str
        Asked for by default.
    scale_arcsec : float
        Pixel scale that is asked for by default.
    ask : callable
        From an order, a position, a band and one of the files of :attr:`find` to a question.
    has_one_scale : bool
        Whether it resamples nothing, so that :attr:`scale_arcsec` is the only scale.
    is_cube : bool
        Whether one reply holds all bands.
    find : callable, optional
        From an order and a position to a question whose answer names the files to cut from, by
        :attr:`read_files`.
    read_files : callable, optional
        From that answer's text to files by band.
    zero_point_mag : float, optional
        AB magnitude of one unit of the pixels, for layers that :attr:`calibrated` matches. None: as
        the headers say, or not known.
    calibrated : str
        A regular expression of layers.
    facts : str
        What its pixels are, and where that is said.
    """

    key: str
    title: str
    address: str
    domain: str
    survey: str
    layer: str
    bands: tuple[str, ...]
    scale_arcsec: float
    ask: Callable[[Order, float, float, str, str], Question]
    facts: str
    has_one_scale: bool = False
    is_cube: bool = False
    find: Callable[[Order, float, float], Question] | None = None
    read_files: Callable[[str], Mapping[str, str]] | None = None
    zero_point_mag: float | None = None
    calibrated: str = ""

    def zero_point_of(self, layer: str) -> float | None:
        """AB zero point of a layer's pixels, where it is the same in all images."""
        if self.zero_point_mag is None or not re.fullmatch(self.calibrated, layer):
            return None
        return self.zero_point_mag


@dataclass(frozen=True)
class Order:
    """Order of an image at each position.

    Attributes
    ----------
    service : CutoutService
    address : str
        Of the service, or of a mirror.
    layer : str
    bands : tuple of str
    size_px : int
    scale_arcsec : float
    """

    service: CutoutService
    address: str
    layer: str
    bands: tuple[str, ...]
    size_px: int
    scale_arcsec: float

    @property
    def size_arcsec(self) -> float:
        """Side of a cutout."""
        return self.size_px * self.scale_arcsec

    @property
    def requests_per_object(self) -> int:
        """Return how often the service is asked for one object."""
        images = 1 if self.service.is_cube else len(self.bands)
        return images + (self.service.find is not None)

    def layer_of(self, band: str) -> str:
        """The layer that shows a band."""
        return self.layer.replace("{band}", band)

    def to_json(self) -> dict[str, object]:
        """Plain JSON: what decides the pixels of a reply, besides the position."""
        return {
            "service": self.service.key,
            "address": self.address,
            "layer": self.layer,
            "bands": list(self.bands),
            "size_px": self.size_px,
            "scale_arcsec": self.scale_arcsec,
        }


def make_order(
    service: CutoutService,
    *,
    address: str = "",
    layer: str = "",
    bands: tuple[str, ...] = (),
    size_arcsec: float,
    scale_arcsec: float = 0.0,
) -> Order:
    """An order, with the service's defaults for what is not named.

    Raises
    ------
    BadInputError
        If the address, layer, bands, size or pixel scale cannot be asked for.
    """
    address = check_address(address or service.address)
    layer = layer or service.layer
    if layer and not service.layer:
        raise BadInputError(f"{service.title} has no layers to choose from; leave it empty.")
    if layer and not _LAYER.fullmatch(layer):
        raise BadInputError(f"{layer!r} cannot be the name of a HiPS, layer or survey.")
    bands = bands or service.bands
    if bad := [band for band in bands if not re.fullmatch(r"[A-Za-z0-9_]{1,8}", band)]:
        raise BadInputError(f"{bad[0]!r} cannot be a band of {service.title}.")
    by_letters = service.is_cube or service.find is not None  # asked as one word, such as grz
    if by_letters and (long := [band for band in bands if len(band) > 1]):
        raise BadInputError(
            f"{service.title} names bands by one letter each; {long[0]!r} has more."
        )
    if len(set(bands)) < len(bands):
        raise BadInputError(f"A band is named twice: {', '.join(bands)}.")
    if len(bands) > 1 and "{band}" in service.layer and "{band}" not in layer:
        raise BadInputError(
            f"{layer} is one map for {len(bands)} bands; write {{band}} where its name has the "
            f"band, as in {service.layer}, or name one band."
        )
    scale = scale_arcsec or service.scale_arcsec
    if service.has_one_scale and scale != service.scale_arcsec:
        raise BadInputError(
            f"{service.title} gives images of {service.scale_arcsec:g} arcsec a pixel only; for "
            "another scale choose grid_scale_arcsec, or another service."
        )
    size_px = ceil(round(size_arcsec / scale, 6))
    if not 8 <= size_px <= MAX_SIDE_PX:
        raise BadInputError(
            f"Cutouts of {size_arcsec:g} arcsec are {size_px:,} px of {scale:g} arcsec; 8 to "
            f"{MAX_SIDE_PX:,} can be fetched."
        )
    return Order(service, address, layer, bands, size_px, scale)


def check_address(address: str) -> str:
    """An address without its last slash: https, or http on this machine alone.

    Raises
    ------
    BadInputError
    """
    try:
        parts = urlsplit(address)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        parts, host = urlsplit(""), ""
    is_bare = not (parts.query or parts.fragment or parts.username or parts.password)
    secure = parts.scheme == "https" or (parts.scheme == "http" and is_here(host))
    if not (host and is_bare and secure):
        raise BadInputError(
            f"{address!r} is no address that images are fetched from: give https://HOST/PATH, or "
            "http:// on this machine (127.0.0.1)."
        )
    return address.rstrip("/")


def is_here(host: str) -> bool:
    """Return whether a host is this machine."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _position(ra_deg: float, dec_deg: float) -> dict[str, str]:
    return {"ra": f"{ra_deg:.6f}", "dec": f"{dec_deg:.6f}"}


def _ask_hips2fits(order: Order, ra_deg: float, dec_deg: float, band: str, _: str) -> Question:
    return Question(
        f"{order.address}/hips2fits",
        {
            "hips": order.layer_of(band),
            **_position(ra_deg, dec_deg),
            "width": str(order.size_px),
            "height": str(order.size_px),
            "fov": f"{order.size_arcsec / 3600:.8f}",
            "projection": "TAN",
            "coordsys": "icrs",
            "rotation_angle": "0",
            "format": "fits",
        },
    )


def _ask_legacy(order: Order, ra_deg: float, dec_deg: float, band: str, _: str) -> Question:
    return Question(
        f"{order.address}/fits-cutout",
        {
            **_position(ra_deg, dec_deg),
            "layer": order.layer,
            "pixscale": f"{order.scale_arcsec:g}",
            "size": str(order.size_px),
            "bands": "".join(order.bands),
        },
    )


def _ask_skyview(order: Order, ra_deg: float, dec_deg: float, band: str, _: str) -> Question:
    return Question(
        f"{order.address}/runquery.pl",
        {
            "Position": f"{ra_deg:.6f},{dec_deg:.6f}",
            "Survey": order.layer_of(band),
            "Coordinates": "ICRS",
            "Projection": "Tan",
            "Pixels": str(order.size_px),
            "Size": f"{order.size_arcsec / 3600:.8f}",
            "Sampler": "LI",
            "Return": "FITS",
        },
    )


def _find_panstarrs(order: Order, ra_deg: float, dec_deg: float) -> Question:
    return Question(
        f"{order.address}/ps1filenames.py",
        {**_position(ra_deg, dec_deg), "filters": "".join(order.bands), "type": "stack"},
    )


def _read_panstarrs(text: str) -> dict[str, str]:
    """Files by band of a table with the columns ``filter`` and ``filename``; the first counts."""
    lines = [line.split() for line in text.splitlines() if line.strip()]
    files: dict[str, str] = {}
    for cells in lines[1:]:
        row = dict(zip(lines[0], cells, strict=False))
        name = row.get("filename", "")
        if re.fullmatch(r"[\w./-]{1,300}\.fits", name):
            files.setdefault(row.get("filter", ""), name)
    return files


def _ask_panstarrs(order: Order, ra_deg: float, dec_deg: float, _: str, file: str) -> Question:
    return Question(
        f"{order.address}/fitscut.cgi",
        {
            "red": file,
            **_position(ra_deg, dec_deg),
            "size": str(order.size_px),
            "format": "fits",
        },
    )


CUTOUT_SERVICES: dict[str, CutoutService] = {
    service.key: service
    for service in (
        CutoutService(
            key="panstarrs",
            title="Pan-STARRS1 (STScI)",
            address="https://ps1images.stsci.edu/cgi-bin",
            domain="stsci.edu",
            survey="ps1",
            layer="",
            bands=("g", "r", "i"),
            scale_arcsec=0.25,
            ask=_ask_panstarrs,
            has_one_scale=True,
            find=_find_panstarrs,
            read_files=_read_panstarrs,
            facts="Stack images, not resampled, in linear flux; AB zero point 25 + 2.5 log10 "
            "EXPTIME by each header (Waters et al. 2020, ApJS 251, 4; PS1 Image Cutout Service, "
            "STScI). North of declination -30.",
        ),
        CutoutService(
            key="legacy",
            title="Legacy Surveys",
            address="https://www.legacysurvey.org/viewer",
            domain="legacysurvey.org",
            survey="decals",
            layer="ls-dr10",
            bands=("g", "r", "z"),
            scale_arcsec=0.262,
            ask=_ask_legacy,
            is_cube=True,
            zero_point_mag=22.5,
            calibrated=r"(ls-|decals-|dr\d).*",
            facts="Coadds resampled to the scale that is asked for, in nanomaggies: AB zero point "
            "22.5 (legacysurvey.org/dr10/description).",
        ),
        CutoutService(
            key="hips2fits",
            title="hips2fits (CDS)",
            address="https://alasky.cds.unistra.fr/hips-image-services",
            domain="unistra.fr",
            survey="ps1",
            layer="CDS/P/PanSTARRS/DR1/{band}",
            bands=("g", "r", "i"),
            scale_arcsec=0.25,
            ask=_ask_hips2fits,
            facts="Any HiPS, interpolated between its cells (Boch et al. 2020, ASPC 527, 121), in "
            "the unit of the HiPS; replies have no zero point. Noise of neighboring pixels is "
            "correlated.",
        ),
        CutoutService(
            key="skyview",
            title="SkyView (NASA)",
            address="https://skyview.gsfc.nasa.gov/current/cgi",
            domain="nasa.gov",
            survey="sdss",
            layer="SDSS{band}",
            bands=("g", "r", "i"),
            scale_arcsec=0.396,
            ask=_ask_skyview,
            facts="Any survey of SkyView, interpolated linearly (McGlynn, Scollick & White 1998, "
            "IAUS 179, 465), in the unit of the survey; replies have no zero point.",
        ),
    )
}
