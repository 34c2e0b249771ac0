"""Which survey images are from: as stated, or as their headers say."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from astropy.io import fits

from lensing_core.errors import BadInputError, NotFoundError
from lensing_core.ingest.contents import kind_of_file
from lensing_core.ingest.guard import guarded, opening
from lensing_core.ingest.rejection import RowRejected
from lensing_core.ingest.request import ImportRequest
from lensing_core.surveys import Survey

_SIGNS = (
    ("hsc", ("subaru", "hyper suprime")),
    ("sdss", ("sdss", "sloan")),
    ("ps1", ("ps1", "gpc1", "panstarrs", "pan-starrs")),
    ("euclid", ("euclid",)),
    ("kids", ("kids",)),
    ("lsst", ("lsst", "rubin")),
    ("decals", ("legacysurvey", "decals")),
)
_SIGN_CARDS = ("SURVEY", "TELESCOP", "INSTRUME", "FPA.TELESCOPE", "FPA.INSTRUMENT", "ORIGIN")


def survey_of_header(path: Path) -> str | None:
    """Name of the survey that a FITS header speaks of, or None where that is not certain.

    Raises
    ------
    RowRejected
        If the file cannot be read.
    """
    opening(path)
    with guarded(str(path)), fits.open(path) as hdus:
        headers = [hdu.header for hdu in list(hdus)[:3]]
    words = " ".join(str(h.get(key, "")) for h in headers for key in _SIGN_CARDS).lower()
    if "hst" in words and "acs" in words:
        return "hst_acs"
    if "jwst" in words and "nircam" in words:
        return "jwst_nircam"
    found = [name for name, signs in _SIGNS if any(sign in words for sign in signs)]
    return found[0] if len(found) == 1 else None


def choose_survey(
    request: ImportRequest, surveys: dict[str, Survey], paths: Sequence[Path]
) -> Survey:
    """The survey stated, or the one that the first images' headers name; never a default.

    Raises
    ------
    NotFoundError, BadInputError
    """
    listing = ", ".join(sorted(surveys))
    name = request.survey
    for path in paths:
        if not name:
            with suppress(RowRejected):  # which is told when its row is imported
                if kind_of_file(path) == "fits":
                    name = survey_of_header(path) or ""
    if not name:
        raise BadInputError(
            f"The images do not say which survey they are from; state it: {listing}."
        )
    if name not in surveys:
        raise NotFoundError(
            f"Survey {name!r} is not defined; known: {listing}. Add one as a TOML file in the "
            "workspace's surveys folder."
        )
    return surveys[name]
