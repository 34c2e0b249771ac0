"""Tables of FITS files: which HDU, and the frame that its header states."""

from __future__ import annotations

from pathlib import Path

from astropy.io import fits
from astropy.table import Table

from lensing_core.errors import BadInputError
from lensing_core.ingest.limits import compression_of, limits
from lensing_core.ingest.loaded import Loaded, choose_part
from lensing_core.ingest.sky_names import position_pairs

_NO_OBJECTS = ("LDAC_IMHEAD",)  # SExtractor's copy of the image's header
_TABLES = (fits.BinTableHDU, fits.TableHDU)


_WHOLE = 0.25
"""Of the memory that an import may take, for a FITS table that is read whole."""


def _is_mapped(path: Path) -> bool:
    """Return whether a FITS table is too large to be read whole.

    A mapped file that somebody cuts off meanwhile ends the process that looks at it.
    """
    return path.stat().st_size > limits().memory_bytes * _WHOLE and compression_of(path) is None


def read_fits_table(path: Path, part: str = "") -> Loaded:
    """The table of a FITS file; its rows stay in the file where that is not compressed.

    Of several tables that is taken which ``part`` names (number of the HDU, or EXTNAME), else
    LDAC_OBJECTS, else the only one with rows, else the only one with positions.

    Raises
    ------
    BadInputError
        If there is no table, or nothing tells which is meant.
    """
    with fits.open(path, memmap=_is_mapped(path)) as hdus:
        tables = {
            f"{k}: {hdu.name}": hdu
            for k, hdu in enumerate(hdus)
            if isinstance(hdu, _TABLES) and not isinstance(hdu, fits.CompImageHDU)
        }
        if not tables:
            raise BadInputError(
                f"Table {path} is a FITS file without a table: it has {len(hdus)} HDUs of images."
            )
        columns = {label: list(hdu.columns.names) for label, hdu in tables.items()}
        sizes = {label: int(hdu.header["NAXIS2"]) for label, hdu in tables.items()}
        label = choose_part(columns if part else _likely(columns, sizes), part, f"Table {path}")
        index = int(label.partition(":")[0])
        has_times = "TIMESYS" in tables[label].header
        frame = _frame(tables[label].header) or _frame(hdus[0].header)
        ucds = {
            name: str(tables[label].header.get(f"TUCD{k + 1}", ""))
            for k, name in enumerate(columns[label])
        }
    table = Table.read(
        path, format="fits", hdu=index, memmap=_is_mapped(path), astropy_native=has_times
    )
    for name, ucd in ucds.items():
        if ucd and name in table.colnames:
            table[name].info.meta = {**(table[name].info.meta or {}), "ucd": ucd}
    notes = []
    if len(tables) > 1:
        notes.append(f"Of {len(tables)} tables in {path.name}, HDU {label} was read.")
    return Loaded(table, notes, frame=frame, is_mapped=_is_mapped(path))


def _likely(columns: dict[str, list[str]], sizes: dict[str, int]) -> dict[str, list[str]]:
    """The tables that may hold the objects; one where it is clear."""
    named = {k: v for k, v in columns.items() if k.endswith(": LDAC_OBJECTS")}
    if named:
        return named
    filled = {
        label: names
        for label, names in columns.items()
        if sizes[label] and label.partition(": ")[2] not in _NO_OBJECTS
    }
    with_positions = {k: v for k, v in filled.items() if position_pairs(v)}
    return with_positions if len(with_positions) == 1 else filled or columns


def _frame(header: fits.Header) -> str:
    """RADESYS and EQUINOX, as words of :func:`~lensing_core.ingest.frames.frame_of`."""
    system = str(header.get("RADESYS", header.get("RADECSYS", ""))).strip()
    equinox = header.get("EQUINOX")
    if not system and equinox is None:
        return ""
    if equinox is None:
        return system
    try:
        year = float(str(equinox).lstrip("JBjb"))
    except ValueError:
        return f"{system} equinox={equinox}"
    if not system:  # as the FITS standard has it (Calabretta & Greisen 2002, section 3.1)
        system = "FK4" if year < 1984.0 else "FK5"
    return f"{system} equinox={year:g}"
