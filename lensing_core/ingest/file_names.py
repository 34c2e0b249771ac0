"""Parts of names of image files: bands, noise maps and PSFs, masks, generic words."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import PurePosixPath
from typing import Literal

from lensing_core.ingest.choices import VarianceKind
from lensing_core.ingest.fits_files import FITS_SUFFIXES, is_fits
from lensing_core.ingest.pictures import PICTURE_SUFFIXES, is_picture
from lensing_core.ingest.stacks import STACK_SUFFIXES

IMAGE_SUFFIXES = (*FITS_SUFFIXES, *PICTURE_SUFFIXES, *STACK_SUFFIXES)
BAND = "{band}"

_BY_LENGTH = sorted(IMAGE_SUFFIXES, key=len, reverse=True)
_WORD = re.compile(r"[A-Za-z0-9]+")
# A word at an end with the one separator beside it.
_FIRST = re.compile(r"([A-Za-z0-9]+)(?:[_\-. ]|$)")
_LAST = re.compile(r"(?:[_\-. ]|^)([A-Za-z0-9]+)$")
_WITH_BAND = re.compile(r"(?:[_\-. ](?:band)?\{band\}(?:band)?|(?:band)?\{band\}(?:band)?[_\-. ]?)")
_NOISE: Mapping[str, VarianceKind] = {
    **dict.fromkeys(("rms", "noise", "err", "error", "errors", "sigma", "std", "stddev"), "rms"),
    **dict.fromkeys(("var", "variance"), "variance"),
    **dict.fromkeys(("ivar", "invvar", "wht", "weight", "weights"), "inverse_variance"),
}
_PSF = frozenset(("psf", "psfs"))
_OTHER = frozenset(
    (
        *("mask", "masks", "dq", "flag", "flags", "bitmask", "seg", "segm", "segmap", "exptime"),
        *("segmentation", "expmap", "coverage", "chi2", "nexp", "maskbits", "thumbnail", "preview"),
    )
)
# Words that say nothing of an object.
GENERIC = frozenset(
    (
        *("data", "dataset", "image", "images", "img", "imaging", "cutout", "cutouts", "stamp"),
        *(
            "stamps",
            "fits",
            "sci",
            "science",
            "flux",
            "coadd",
            "coadds",
            "stack",
            "stacks",
            "bands",
        ),
        *("wavebands", "filters", "calexp", "drz", "drc", "i2d", "final", "files", "map", "band"),
        *("exposure", "png", "jpg", "jpeg", "npy", "pictures", "postage"),
    )
)

Kind = Literal["fits", "picture", "stack"]
Role = Literal["image", "noise", "psf", "other"]


def kind_of_name(name: str) -> Kind:
    """The kind of an image file by its name."""
    if is_fits(name):
        return "fits"
    return "picture" if is_picture(name) else "stack"


def image_stem(name: str) -> str:
    """A file name without folders and without the ending of an image."""
    base = PurePosixPath(name).name
    return base[: len(base) - len(image_ending(base))]


def image_ending(name: str) -> str:
    """The ending of an image file as it is spelled; empty if it has none."""
    lower = name.lower()
    return next((name[-len(end) :] for end in _BY_LENGTH if lower.endswith(end)), "")


@lru_cache(maxsize=65_536)
def words_of(text: str) -> frozenset[str]:
    """The words of a name in lower case: runs of letters and digits."""
    return frozenset(word.lower() for word in _WORD.findall(text))


def is_generic(text: str) -> bool:
    """Return whether a part of a name says nothing of an object."""
    return words_of(text) <= GENERIC


@dataclass(frozen=True)
class Roles:
    """The files of a listing by what they hold, each in the order of the listing."""

    images: tuple[str, ...]
    noise: tuple[str, ...] = ()
    psf: tuple[str, ...] = ()
    other: tuple[str, ...] = ()


def sort_by_role(names: Sequence[str]) -> Roles:
    """Tell images from noise maps, PSFs and masks by the words of their names.

    A word that all names have tells nothing apart: in a folder of ``weight_001.fits``,
    ``weight_002.fits`` all are images.
    """
    stems = [words_of(image_stem(name)) for name in names]
    everywhere = frozenset.intersection(*stems) if len(stems) > 1 else frozenset()
    found: dict[Role, list[str]] = {"image": [], "noise": [], "psf": [], "other": []}
    for name, words in zip(names, stems, strict=True):
        found[_role(words - everywhere)].append(name)
    if not found["image"]:
        return Roles(tuple(names))
    return Roles(*(tuple(found[role]) for role in ("image", "noise", "psf", "other")))


def _role(words: frozenset[str]) -> Role:
    if words & _OTHER:
        return "other"
    if words & _PSF:
        return "psf"
    return "noise" if words & _NOISE.keys() else "image"


def noise_kind_of(name: str) -> VarianceKind:
    """Kind of a noise map by the words of its name."""
    return next((_NOISE[w] for w in sorted(words_of(image_stem(name))) if w in _NOISE), "rms")


@dataclass(frozen=True)
class BandNames:
    """Names of files with the text of their band taken out.

    Attributes
    ----------
    of_key : dict of str to dict of str to str
        Name of the file by the text of its band, by the name with ``{band}`` in its place.
    """

    of_key: Mapping[str, Mapping[str, str]]

    @property
    def texts(self) -> tuple[str, ...]:
        """Texts that stand for bands, in the order in which they come."""
        return tuple(dict.fromkeys(text for files in self.of_key.values() for text in files))

    @property
    def n_files(self) -> int:
        """Number of names that have a band."""
        return sum(map(len, self.of_key.values()))


def find_band_texts(names: Sequence[str], bands: Iterable[str]) -> list[BandNames]:
    """All places of the band in file names at which bands distinguish most of the names.

    Parameters
    ----------
    bands : iterable of str
        What bands may be called; case is not looked at, and ``gband``, ``band_g`` are ``g``.

    Returns
    -------
    list of BandNames
        One where that is clear, several where it is not, none where names have no bands.
    """
    known = sorted(set(bands), key=len, reverse=True)
    if not known or not names:
        return []
    listing = "|".join(re.escape(band) for band in known)
    apart = re.compile(
        rf"(?<![A-Za-z0-9])(?:band)?({listing})(?:band)?(?![A-Za-z0-9])", re.IGNORECASE
    )
    letters = "".join(re.escape(band) for band in known if len(band) == 1)
    patterns = [apart]
    if letters:  # the last letter behind a number: J0959g.fits
        patterns.append(re.compile(rf"(?<=[0-9])([{letters}])$"))
    for pattern in patterns:
        if found := _best_places(names, pattern):
            return found
    return _one_band(names, apart)


def _best_places(names: Sequence[str], pattern: re.Pattern[str]) -> list[BandNames]:
    matches = [(name, list(pattern.finditer(_without_ending(name)))) for name in names]
    places = [(place, everywhere) for place in range(1, 5) for everywhere in (True, False)]
    readings: dict[frozenset[str], tuple[BandNames, tuple[int, bool]]] = {}
    for place, everywhere in places:
        reading = _taken_out(matches, place, everywhere, least=2)
        readings.setdefault(frozenset(reading.of_key), (reading, (place, everywhere)))
    most = max(reading.n_files for reading, _ in readings.values())
    if most < 2 or 2 * most < len(names):
        return []
    best = [entry for entry in readings.values() if entry[0].n_files == most]
    fewest = min(len(reading.of_key) for reading, _ in best)  # the most bands an object
    return [
        _taken_out(matches, *where, least=1, texts=frozenset(reading.texts))
        for reading, where in best
        if len(reading.of_key) == fewest
    ]


def _taken_out(
    matches: Sequence[tuple[str, list[re.Match[str]]]],
    place: int,
    everywhere: bool,
    *,
    least: int,
    texts: frozenset[str] = frozenset(),
) -> BandNames:
    """Names with the band at one place, from the right, by what is left of them.

    Parameters
    ----------
    everywhere : bool
        Whether the same text is the band at other places, too.
    least : int
        How many bands an object must have.
    texts : frozenset of str
        Bands to look for; empty: all.
    """
    groups: dict[str, dict[str, str]] = {}
    for name, found in matches:
        if len(found) < place:
            continue
        text = found[-place].group(1)
        if texts and text not in texts:
            continue
        chosen = [m for m in found if m.group(1) == text] if everywhere else [found[-place]]
        groups.setdefault(_replaced(name, chosen), {})[text] = name
    return BandNames({key: files for key, files in groups.items() if len(files) >= least})


def _one_band(names: Sequence[str], pattern: re.Pattern[str]) -> list[BandNames]:
    """Names that all have the same band as their last word, or as a folder."""
    groups: dict[str, dict[str, str]] = {}
    for name in names:
        plain = _without_ending(name)
        ends = [m for m in pattern.finditer(plain) if m.end() in (len(plain), plain.rfind("/"))]
        if not ends:
            return []
        groups.setdefault(_replaced(name, ends[-1:]), {})[ends[-1].group(1)] = name
    reading = BandNames(groups)
    return [reading] if len(reading.texts) == 1 else []


def _replaced(name: str, matches: Sequence[re.Match[str]]) -> str:
    for match in sorted(matches, key=lambda m: -m.start()):
        name = f"{name[: match.start(1)]}{BAND}{name[match.end(1) :]}"
    return name


def _without_ending(name: str) -> str:
    return name[: len(name) - len(image_ending(name))]


def core_of(part: str) -> str:
    """A part of a name without ``{band}`` and without generic words at its ends."""
    core = _WITH_BAND.sub("", part)
    while core:
        first, last = _FIRST.match(core), _LAST.search(core)
        if first and first.group(1).lower() in GENERIC:
            core = core[first.end() :]
        elif last and last.group(1).lower() in GENERIC:
            core = core[: last.start()]
        else:
            break
    return core


def common_ending(cores: Sequence[str]) -> str:
    """Words without digits that all of several cores end with: ``_HSC`` of ``J1_HSC``, ``J2_HSC``.

    A core is not taken whole.
    """
    ending = ""
    while len(cores) > 1:
        words = {match.group(0) if match else "" for match in map(_LAST.search, cores)}
        (word, *others) = words
        if others or not word or not word[1:].isalpha() or len(word) >= min(map(len, cores)):
            break
        ending = word + ending
        cores = [core[: -len(word)] for core in cores]
    return ending


def replace_word(text: str, word: str, by: str) -> str:
    """``text`` with a word in it, where it stands between separators, replaced."""
    if word not in text:
        return text
    return re.sub(rf"(?<![A-Za-z0-9]){re.escape(word)}(?![A-Za-z0-9])", lambda _: by, text)


@dataclass(frozen=True)
class Listing:
    """The image files of a folder by what they are for.

    Attributes
    ----------
    kind : str
        Of the images.
    roles : Roles
        The files of that kind.
    previews : tuple of str
        Pictures beside FITS files of the same objects.
    rest : tuple of str
        Files of other kinds, which are none: images of their own.
    """

    kind: Kind
    roles: Roles
    previews: tuple[str, ...] = ()
    rest: tuple[str, ...] = ()

    @property
    def left_out(self) -> tuple[str, ...]:
        """Files that are the image of no object."""
        return (*self.roles.noise, *self.roles.psf, *self.roles.other, *self.previews)


_PREVIEWS_A_FILE = 5


def listing_of(names: Sequence[str]) -> Listing:
    """Sort image files: FITS before pictures, which are previews where FITS files lie beside them.

    ``rest`` is what is left where pictures and FITS files have little to do with each other; the
    kind is then that of most files.
    """
    by_kind: dict[Kind, list[str]] = {"fits": [], "picture": [], "stack": []}
    for name in names:
        by_kind[kind_of_name(name)].append(name)
    fits, pictures = sort_by_role(by_kind["fits"]), by_kind["picture"]
    previews: list[str] = []
    if fits.images and len(pictures) <= _PREVIEWS_A_FILE * len(fits.images):
        folders = {name.rpartition("/")[0] for name in fits.images}
        stems = {image_stem(name) for name in fits.images}
        previews = [
            name
            for name in pictures
            if name.rpartition("/")[0] in folders or image_stem(name) in stems
        ]
    gone = set(previews)
    by_kind["picture"] = [name for name in pictures if name not in gone]
    kind = max(by_kind, key=lambda kind: len(by_kind[kind]))  # of equals FITS
    rest = [name for other in by_kind if other != kind for name in by_kind[other]]
    roles = fits if kind == "fits" else sort_by_role(by_kind[kind])
    return Listing(kind, roles, tuple(previews), tuple(rest))
