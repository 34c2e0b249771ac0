"""The formats there are, and writing one of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lensing_core.disk import replacing
from lensing_core.errors import BadInputError
from lensing_core.export import pictures, tables, watch
from lensing_core.export.pictures import CutoutSource
from lensing_core.export.tables import Rows


@dataclass(frozen=True)
class Format:
    """A format.

    Attributes
    ----------
    title : str
        For people.
    suffix : str
        Of its files.
    media_type : str
    most : int or None
        Candidates that one file holds; None: all.
    write : callable
        ``write(path, rows, notes)`` or, with pixels, ``write(path, rows, notes, source)``; returns
        how many candidates were written.
    pixels : bool
        Whether the cutouts are needed.
    """

    title: str
    suffix: str
    media_type: str
    most: int | None
    write: Callable[..., int]
    pixels: bool = False


_ZIP = "application/zip"
FORMATS: dict[str, Format] = {
    "csv": Format("CSV", ".csv", "text/csv", None, tables.write_csv),
    "ecsv": Format("ECSV", ".ecsv", "text/plain", None, tables.write_ecsv),
    "fits": Format("FITS table", ".fits", "application/fits", None, tables.write_fits),
    "votable": Format("VOTable", ".vot", "application/x-votable+xml", None, tables.write_votable),
    "watchlist": Format(
        "Watch list, VOTable", ".vot", "application/x-votable+xml", None, watch.write_watch_list
    ),
    "moc": Format("Watch list, MOC", ".fits", "application/fits", 100_000, watch.write_moc),
    "ds9": Format("DS9 regions", ".reg", "text/plain", 100_000, tables.write_regions),
    "latex": Format("LaTeX table", ".tex", "text/x-tex", 2000, tables.write_latex),
    "pdf": Format(
        "Contact sheets, PDF", ".pdf", "application/pdf", 960, pictures.write_sheet_pdf, True
    ),
    "png": Format("Contact sheets, PNG", ".zip", _ZIP, 2400, pictures.write_sheet_png, True),
    "cutouts": Format("FITS cutouts", ".zip", _ZIP, 5000, pictures.write_cutouts, True),
    "zooniverse": Format(
        "Zooniverse subjects", ".zip", _ZIP, 10_000, pictures.write_subjects, True
    ),
}


def export_to(
    path: Path, name: str, rows: Rows, notes: Sequence[str], source: CutoutSource | None = None
) -> int:
    """Write candidates in a format; the file appears whole or not at all.

    Returns
    -------
    int
        Candidates written; regions leave out those without a position.

    Raises
    ------
    BadInputError
        If the format is unknown or there is nothing to write.
    """
    if name not in FORMATS:
        raise BadInputError(f"Format {name!r}: choose one of {', '.join(FORMATS)}.")
    if next(iter(rows()), None) is None:
        raise BadInputError("There is no candidate to export.")
    chosen = FORMATS[name]
    additional: list[Any] = []
    if chosen.pixels:
        if source is None:
            raise BadInputError(f"Format {name!r} needs the cutouts.")
        additional.append(source)
    try:
        with replacing(path) as beside:
            return chosen.write(beside, rows, notes, *additional)
    except OSError as error:
        raise BadInputError(f"{path} cannot be written: {error.strerror}.") from error
