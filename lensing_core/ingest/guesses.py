"""Recognition of file names by an import, and its report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

from lensing_core.errors import BadInputError, Offer, of_setting
from lensing_core.ingest.file_names import (
    Listing,
    image_ending,
    listing_of,
    noise_kind_of,
)
from lensing_core.ingest.listings import image_files
from lensing_core.ingest.name_patterns import (
    Reading,
    companion_pattern,
    readings_without_table,
)
from lensing_core.ingest.request import ImportRequest

MOST_FILES = 20_000  # looked at for a pattern
ROWS = 50
READ_WHOLE = ("fits_hdus", "fits_cube", "stack", "picture")


class Guess(NamedTuple):
    """A setting that was not stated, what it was taken to be, and why.

    A doubtful one would make wrong data if it were wrong; it is warned of.
    """

    setting: str
    value: Any
    sentence: str
    is_doubtful: bool = False

    def to_json(self) -> dict[str, Any]:
        """Plain JSON."""
        return self._asdict()


@dataclass(frozen=True)
class NamesRead:
    """Names of files as they were read.

    Attributes
    ----------
    request : ImportRequest
        With the pattern that was found.
    guesses : tuple of Guess
    texts : tuple of str
        What names call the bands.
    names : tuple of str
        Of the images.
    """

    request: ImportRequest
    guesses: tuple[Guess, ...] = ()
    texts: tuple[str, ...] = ()
    names: tuple[str, ...] = ()


def read_names(request: ImportRequest, bands: Sequence[str]) -> NamesRead:
    """Recognize how the files of a folder are named if no table and no pattern is stated.

    Parameters
    ----------
    bands : sequence of str
        What bands may be called.

    Raises
    ------
    BadInputError
        If names can be read in several ways, which are offered.
    """
    if request.table or request.pattern or request.root.is_file():
        return NamesRead(request)
    listing = listing_of(image_files(request.root, most=MOST_FILES))
    images = listing.roles.images
    if not images:
        return NamesRead(request)
    _check_one_kind(listing, request.root)
    may_be_bands = listing.kind == "fits" and request.image_kind not in READ_WHOLE
    readings = readings_without_table(images, bands if may_be_bands else ())
    _refuse_pictures_by_band(listing, bands, request)
    reading = the_only_reading(readings, request.root)
    if reading is None:
        return NamesRead(request)
    if reading.pattern and 2 * len(reading.files) < len(images):
        raise _unclear(
            f"Only {len(reading.files):,} of {len(images):,} images of {request.root} are named "
            f"like {reading.pattern}",
            readings,
        )
    return with_reading(request, reading, listing)


def the_only_reading(readings: Sequence[Reading], root: Path) -> Reading | None:
    if len(readings) > 1:
        raise _unclear(
            f"Names of the files in {root} can be read in {len(readings)} ways", readings
        )
    return readings[0] if readings else None


def _unclear(what: str, readings: Sequence[Reading]) -> BadInputError:
    offers = [
        Offer(reading.text, {"pattern": reading.pattern}) for reading in readings if reading.pattern
    ]
    listing = "; ".join(offer.text for offer in offers)
    message = f"{what}{': ' if listing else ''}{listing}. State which (setting pattern)."
    return of_setting(BadInputError(message), "pattern", offers)


def _check_one_kind(listing: Listing, root: Path) -> None:
    images, rest = listing.roles.images, listing.rest
    if rest and 2 * len(rest) >= len(images):
        offers = []
        for names in (images, rest):
            endings = dict.fromkeys(image_ending(name).lower() for name in names)
            depths = {name.count("/") for name in names}
            if len(endings) == 1 and depths == {0}:
                pattern = f"{{id}}{next(iter(endings))}"
                offers.append(Reading(pattern, (), tuple(names), len(names)))
        raise _unclear(
            f"{root} has {len(images):,} files like {images[0]} and {len(rest):,} like {rest[0]}",
            offers,
        )


def _refuse_pictures_by_band(
    listing: Listing, bands: Sequence[str], request: ImportRequest
) -> None:
    """Pictures one a band cannot be read: a picture holds three colors."""
    if listing.kind != "picture":
        return
    readings = [r for r in readings_without_table(listing.roles.images, bands) if len(r.texts) > 1]
    if not readings:
        return
    reading = readings[0]
    offers = [
        Offer(f"Only {text}: {made}", {"pattern": made})
        for text in reading.texts
        for made in [reading.pattern.replace("{band}", text)]
    ]
    raise of_setting(
        BadInputError(
            f"The pictures of {request.root} seem to be one a band "
            f"({', '.join(reading.files[:2])}); a picture is read with its three colors. Give FITS "
            "files, or state which pictures are meant (setting pattern)."
        ),
        "pattern",
        offers,
    )


def with_reading(request: ImportRequest, reading: Reading, listing: Listing) -> NamesRead:
    """The request with a reading, with noise maps and PSFs that lie beside the images."""
    guesses = []
    if reading.pattern:
        request = replace(request, pattern=reading.pattern)
        example = reading.files[0]
        bands = f", bands {', '.join(reading.texts)}" if reading.texts else ""
        sentence = f"Names of files are read as {reading.pattern} (such as {example}{bands})."
        guesses.append(Guess("pattern", reading.pattern, sentence))
    request, of_companions = _with_companions(request, reading, listing)
    guesses += of_companions
    guesses += _left_out(reading, listing, request)
    return NamesRead(request, tuple(guesses), reading.texts, reading.files)


def _with_companions(
    request: ImportRequest, reading: Reading, listing: Listing
) -> tuple[ImportRequest, list[Guess]]:
    pattern = reading.pattern
    if not pattern:  # each file is an object: J1.fits beside J1_psf.fits
        pattern = "{id}" + image_ending(reading.files[0])
    guesses = []
    some = reading.files[:ROWS]
    noise = companion_pattern(pattern, some, listing.roles.noise)
    if noise and not request.variance_pattern:
        kind = noise_kind_of(noise)
        request = replace(request, variance_pattern=noise, variance_kind=kind)
        words = "RMS" if kind == "rms" else kind.replace("_", " ")
        guesses.append(Guess("variance_pattern", noise, f"Noise maps are read from {noise}."))
        guesses.append(
            Guess("variance_kind", kind, f"Their names say that they contain the {words}.")
        )
    psf = companion_pattern(pattern, some, listing.roles.psf)
    if psf and not request.psf_pattern:
        request = replace(request, psf_pattern=psf)
        guesses.append(Guess("psf_pattern", psf, f"PSFs are read from {psf}."))
    return request, guesses


def _left_out(reading: Reading, listing: Listing, request: ImportRequest) -> list[Guess]:
    """Report on files that belong to no object."""
    read = set(reading.files)
    roles = listing.roles
    others = [] if request.table else [name for name in roles.images if name not in read]
    parts = []
    for names, one, several in (
        (others, "image of another name", "images of other names"),
        (() if request.variance_pattern else roles.noise, "noise map", "noise maps"),
        (() if request.psf_pattern else roles.psf, "PSF", "PSFs"),
        (roles.other, "mask or the like", "masks and the like"),
        (listing.previews, "picture beside FITS files", "pictures beside FITS files"),
        (listing.rest, "file of another kind", "files of another kind"),
    ):
        if names:
            parts.append(f"{len(names):,} {several if names[1:] else one} (such as {names[0]})")
    return [Guess("images", "", f"Left out: {'; '.join(parts)}.")] if parts else []
