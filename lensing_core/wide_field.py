"""The sky around a candidate, from the hips2fits service of the CDS.

Boch et al. 2020, ASPC 527, 121. A workspace may name another address in ``services.toml``::

    hips2fits = "https://alaskybis.cds.unistra.fr/hips-image-services/hips2fits"

Pictures are kept below ``cache/wide-field/``. The service learns the position that is asked for.
"""

from __future__ import annotations

import hashlib
import json
import time
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from threading import Lock
from typing import Any

import astropy.units as u
import numpy as np
from astropy.coordinates import Angle, Latitude, Longitude
from PIL import Image, UnidentifiedImageError

from lensing_core.crossmatch.rate_limits import ServiceError, guarded, limit_rate
from lensing_core.disk import replacing
from lensing_core.errors import BadInputError
from lensing_core.workspace import Workspace

SERVICE = "The picture service of the CDS (hips2fits)"
SETTINGS = "services.toml"
PICTURE_PX = 400
WIDER = 6.0
"""Width of the field in sides of the cutout."""
MIN_WIDTH_ARCSEC, MAX_WIDTH_ARCSEC = 60.0, 3600.0
TIMEOUT_S = 10
_REST_S = 60.0  # after a failure to reach the service nobody waits for it again so soon
_MOST_KEPT = 2000  # pictures of some 50 kB
_PAUSE_S = 0.3
_BACKOFF_S = 0.3


@dataclass(frozen=True)
class HipsSurvey:
    """A colored map of the sky."""

    hips: str
    title: str


SURVEYS = (
    HipsSurvey("CDS/P/DESI-Legacy-Surveys/DR10/color", "DESI Legacy Surveys DR10"),
    HipsSurvey("CDS/P/PanSTARRS/DR1/color-z-zg-g", "Pan-STARRS DR1"),
    HipsSurvey("CDS/P/DSS2/color", "DSS2"),
)
"""The deepest first; the last covers the whole sky."""


@dataclass(frozen=True)
class FieldPicture:
    """A picture, north up and east left.

    Attributes
    ----------
    jpeg : bytes
    survey : str
        Title of the map.
    width_arcsec : float
    """

    jpeg: bytes
    survey: str
    width_arcsec: float


class WideField:
    """Pictures of the sky around positions, for one workspace; safe in several threads."""

    def __init__(
        self, workspace: Workspace, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._folder = workspace.cache / "wide-field"
        self._settings = workspace.confine(SETTINGS)
        self._clock = clock
        self._failed_at = -np.inf
        self._lock = Lock()

    def fetch(self, ra_deg: float, dec_deg: float, size_arcsec: float) -> FieldPicture:
        """The field around a cutout of side ``size_arcsec``, in the deepest map with data there.

        Raises
        ------
        ServiceError
            If no picture is kept and the service gives none.
        BadInputError
            If ``services.toml`` makes no sense.
        """
        width = min(max(WIDER * size_arcsec, MIN_WIDTH_ARCSEC), MAX_WIDTH_ARCSEC)
        with self._lock:  # one request at a time: the service is shared by all astronomers
            for survey in SURVEYS:
                jpeg = self._picture(survey, ra_deg, dec_deg, width)
                if survey is SURVEYS[-1] or not _is_blank(jpeg):
                    return FieldPicture(jpeg, survey.title, width)
        raise AssertionError("unreachable: the last survey returns")

    def _picture(self, survey: HipsSurvey, ra_deg: float, dec_deg: float, width: float) -> bytes:
        request = {
            "hips": survey.hips,
            "ra": round(ra_deg, 6),
            "dec": round(dec_deg, 6),
            "width_arcsec": round(width, 2),
            "px": PICTURE_PX,
        }
        text = json.dumps(request, sort_keys=True)
        path = self._folder / f"{hashlib.sha256(text.encode()).hexdigest()}.jpg"
        if path.is_file():
            return path.read_bytes()
        if self._clock() - self._failed_at < _REST_S:
            raise ServiceError(
                f"{SERVICE} could not be reached a moment ago; it is asked again in a minute.",
                unreachable=True,
            )
        try:
            jpeg = self._ask(survey, ra_deg, dec_deg, width)
        except ServiceError as error:
            if error.unreachable:
                self._failed_at = self._clock()
            raise
        self._keep(path, jpeg)
        return jpeg

    def _ask(self, survey: HipsSurvey, ra_deg: float, dec_deg: float, width: float) -> bytes:
        from astroquery.hips2fits import hips2fitsClass

        client: Any = hips2fitsClass()
        client.timeout = TIMEOUT_S
        limit_rate(client, _PAUSE_S, _BACKOFF_S)
        if (url := self._address()) is not None:
            client.server = url
        with guarded(SERVICE):
            response = client.query_async(
                hips=survey.hips,
                width=PICTURE_PX,
                height=PICTURE_PX,
                projection="TAN",
                ra=Longitude(ra_deg * u.deg),
                dec=Latitude(dec_deg * u.deg),
                fov=Angle(width * u.arcsec),
                coordsys="icrs",
                rotation_angle=Angle(0 * u.deg),
                format="jpg",
                min_cut=0.5,
                max_cut=99.5,
                stretch="linear",
                cmap="Greys_r",
            )
            response.raise_for_status()
        jpeg: bytes = response.content
        try:
            with Image.open(BytesIO(jpeg)) as image:
                image.verify()
        except (UnidentifiedImageError, OSError, SyntaxError) as error:
            raise ServiceError(f"{SERVICE} answered with something that is no picture.") from error
        return jpeg

    def _address(self) -> str | None:
        """Another address of the service, where the workspace names one."""
        if not self._settings.is_file():
            return None
        try:
            address = tomllib.loads(self._settings.read_text(encoding="utf-8")).get("hips2fits")
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise BadInputError(f"{self._settings.name}: {error}.") from error
        if address is None:
            return None
        if not isinstance(address, str) or not address.startswith(("http://", "https://")):
            raise BadInputError(f"{self._settings.name}: hips2fits {address!r} is no web address.")
        return address

    def _keep(self, path: Path, jpeg: bytes) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        with replacing(path) as beside:
            beside.write_bytes(jpeg)
        kept = sorted(self._folder.glob("*.jpg"), key=lambda p: p.stat().st_mtime)
        for old in kept[: max(0, len(kept) - _MOST_KEPT)]:
            old.unlink(missing_ok=True)


def _is_blank(jpeg: bytes) -> bool:
    """Return whether a picture is of one color all over, as outside a survey's footprint."""
    with Image.open(BytesIO(jpeg)) as image:
        pixels = np.asarray(image.convert("L"))
    return int(pixels.max()) - int(pixels.min()) < 8
