"""The known lenses of `lenscat`, a copy of which comes with the program.

lenscat (Vujeva et al. 2024, arXiv:2406.04398; MIT license, beside the copy) merges the lists of
the literature. Its *confident* rows are lenses; its *probable* rows hold whole parent samples of
candidates, so the two are different references. The copy is read rather than the package
imported, which would bring thirteen further packages for one CSV file.
"""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
from pathlib import Path

import numpy as np

from lensing_core.crossmatch.choices import Kind
from lensing_core.crossmatch.reference import Reference
from lensing_core.errors import BadInputError

BUNDLED_VERSION = "1.1.3"
BUNDLED = Path(__file__).parent / "data" / f"lenscat-{BUNDLED_VERSION}.csv.gz"
GRADINGS = ("confident", "probable")
CITATION = "lenscat, Vujeva et al. 2024, arXiv:2406.04398"
CORRECTED_DEC_DEG = {("Abell 2744", "30.400175"): -30.400175}
"""Declinations that lenscat has wrong, by name and as they stand there, and what is right.

Abell 2744 lost its sign (Lotz et al. 2017, ApJ 837, 97: 00:14:21.2 -30:23:50)."""
_COLUMNS = ("name", "RA [deg]", "DEC [deg]", "zlens", "type", "grading", "ref")
_KIND: dict[str, Kind] = {"confident": "lens", "probable": "probable"}


def read_lenscat(grading: str, path: Path = BUNDLED) -> Reference:
    """The rows of one grading.

    Parameters
    ----------
    grading : str
        ``confident`` or ``probable``.
    path : Path, optional
        Another edition of lenscat's ``catalog.csv``, packed with gzip or not.

    Raises
    ------
    BadInputError
        If the file is missing, is no lenscat table, or a position is no number.
    """
    if grading not in GRADINGS:
        raise BadInputError(f"Grading {grading!r}: choose one of {', '.join(GRADINGS)}.")
    raw, version = _read(path)
    reader = csv.DictReader(io.StringIO(raw))
    missing = [name for name in _COLUMNS if name not in (reader.fieldnames or ())]
    if missing:
        raise BadInputError(
            f"{path} is no lenscat table: it has no column {', '.join(missing)}; give the file "
            "catalog.csv of lenscat."
        )
    rows = [_corrected(row) for row in reader if row["grading"] == grading]
    if not rows:
        raise BadInputError(f"{path} has no row graded {grading}.")
    try:
        ra, dec = (np.array([float(row[name]) for row in rows]) for name in _COLUMNS[1:3])
    except ValueError as error:
        raise BadInputError(f"{path}: a position is not in degrees ({error}).") from error
    return Reference(
        key="lenscat" if grading == "confident" else "lenscat_probable",
        title=f"lenscat, {grading}",
        kind=_KIND[grading],
        version=version,
        names=[row["name"] for row in rows],
        ra_deg=ra,
        dec_deg=dec,
        error_arcsec=np.full(len(rows), np.nan),
        columns={
            name: [row[column] for row in rows]
            for name, column in (
                ("z_lens", "zlens"),
                ("type", "type"),
                ("grading", "grading"),
                ("ref", "ref"),
            )
        },
    )


def _corrected(row: dict[str, str]) -> dict[str, str]:
    right = CORRECTED_DEC_DEG.get((row["name"], row["DEC [deg]"]))
    return row if right is None else {**row, "DEC [deg]": str(right)}


def _read(path: Path) -> tuple[str, str]:
    """The text, and which edition it is."""
    try:
        data = path.read_bytes()
        packed = data[:2] == b"\x1f\x8b"
        text = (gzip.decompress(data) if packed else data).decode("utf-8-sig")
    except (OSError, UnicodeDecodeError, EOFError) as error:
        raise BadInputError(f"lenscat table {path} cannot be read: {error}.") from error
    if path == BUNDLED:
        return text, BUNDLED_VERSION
    return text, f"sha256 {hashlib.sha256(data).hexdigest()[:12]}"
