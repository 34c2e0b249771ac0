"""Choice of the survey: as stated, else by headers, names, bands or folder."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from astropy.io import fits

from lensing_core.errors import BadInputError, NotFoundError, Offer, of_setting
from lensing_core.ingest.contents import kind_of_file
from lensing_core.ingest.file_names import words_of
from lensing_core.ingest.guard import guarded, opening
from lensing_core.ingest.guesses import Guess
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
_SIGN_CARDS = (
    *("SURVEY", "TELESCOP", "INSTRUME", "FPA.TELESCOPE", "FPA.INSTRUMENT", "ORIGIN", "SOFTINST"),
)
# Whole words of names, beside the survey's own.
_WORDS: Mapping[str, frozenset[str]] = {
    "ps1": frozenset(("panstarrs", "panstarrs1")),
    "lsst": frozenset(("rubin",)),
    "decals": frozenset(("legacysurvey", "legacysurveys")),
    "hst_acs": frozenset(("acs",)),
    "jwst_nircam": frozenset(("nircam",)),
}


@dataclass(frozen=True)
class NameEvidence:
    """Evidence for the survey from names.

    Attributes
    ----------
    texts : tuple of str
        What they call the bands; none where they do not.
    names : tuple of str
        Of image files.
    """

    texts: tuple[str, ...] = ()
    names: tuple[str, ...] = ()


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
    request: ImportRequest,
    surveys: Mapping[str, Survey],
    paths: Sequence[Path],
    evidence: NameEvidence | None = None,
) -> tuple[Survey, list[Guess]]:
    """The survey stated, or the one that headers, names of files, bands or the folder name.

    Returns
    -------
    Survey
    list of Guess
        How it was found, where it was not stated.

    Raises
    ------
    NotFoundError, BadInputError
        If it is not known, or nothing names a single one.
    """
    if request.survey:
        return _known(request.survey, surveys), []
    for path in paths:
        with suppress(RowRejected):  # which is told when its row is imported
            name = survey_of_header(path) if kind_of_file(path) == "fits" else None
            if name:
                sentence = f"The header of {path.name} says that the survey is {name}."
                return _known(name, surveys), [Guess("survey", name, sentence)]
    evidence = evidence or NameEvidence()
    fitting = [name for name in surveys if has_bands(surveys[name], evidence.texts)]
    guess = _by_names(request, fitting, evidence)
    if guess is None:
        raise _unknown(surveys, fitting, evidence.texts)
    return surveys[guess.value], [guess]


def _known(name: str, surveys: Mapping[str, Survey]) -> Survey:
    if name not in surveys:
        raise of_setting(
            NotFoundError(
                f"Survey {name!r} is not defined; known: {', '.join(sorted(surveys))}. Add one as "
                "a TOML file in the workspace's surveys folder."
            ),
            "survey",
        )
    return surveys[name]


def has_bands(survey: Survey, texts: Iterable[str]) -> bool:
    """Return whether a survey has bands of these names, in any case."""
    known = {band.casefold() for band in survey.band_names}
    return all(text.casefold() in known for text in texts)


def _by_names(
    request: ImportRequest, fitting: Sequence[str], evidence: NameEvidence
) -> Guess | None:
    everywhere = frozenset[str]()
    if evidence.names:
        everywhere = frozenset.intersection(*map(words_of, evidence.names))
    found = _named(everywhere, fitting)
    if len(found) == 1:
        sentence = f"Names of the files say that the survey is {found[0]}."
        return Guess("survey", found[0], sentence, is_doubtful=True)
    if evidence.texts and len(fitting) == 1:
        bands = ", ".join(evidence.texts)
        sentence = f"Of the known surveys {fitting[0]} alone has the bands {bands}."
        return Guess("survey", fitting[0], sentence, is_doubtful=True)
    root = request.root.absolute()
    for folder in (root, root.parent):
        found = _named(words_of(folder.name), fitting)
        if len(found) == 1:
            sentence = f"The name of the folder {folder.name} says that the survey is {found[0]}."
            return Guess("survey", found[0], sentence, is_doubtful=True)
    return None


def _named(words: frozenset[str], surveys: Iterable[str]) -> list[str]:
    return [
        name for name in surveys if words_of(name) <= words or words & _WORDS.get(name, frozenset())
    ]


def _unknown(
    surveys: Mapping[str, Survey], fitting: Sequence[str], texts: Sequence[str]
) -> BadInputError:
    listing = ", ".join(sorted(fitting or surveys))
    bands = f"; with the bands {', '.join(texts)}" if texts and fitting else ""
    message = f"The images do not say which survey they are from{bands}; state it: {listing}."
    offers = [
        Offer(f"{name}: {surveys[name].title}", {"survey": name})
        for name in sorted(fitting or surveys)
    ]
    return of_setting(BadInputError(message), "survey", offers)


def band_keys_of(survey: Survey, texts: Iterable[str]) -> dict[str, str]:
    """Names of the survey's bands in file names that spell them in another case: ``g``: ``G``."""
    present = set(texts)
    by_fold = {text.casefold(): text for text in present}
    return {
        band: by_fold[band.casefold()]
        for band in survey.band_names
        if band not in present and band.casefold() in by_fold
    }
