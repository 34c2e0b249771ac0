"""Instruments that candidates are planned for: a table that comes with the program, and the user's.

A workspace's ``instruments.toml`` has the form of ``data/instruments.toml``, adds to it, and
replaces entries of the same key.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from lensing_core.errors import BadInputError
from lensing_core.workspace import Workspace

INSTRUMENTS = Path(__file__).parent / "data" / "instruments.toml"
OWN = "instruments.toml"
"""Name of the file of a workspace."""
OII_NM = 372.8
"""[O II] λλ3726, 3729 at rest, between the two lines."""
KINDS = ("longslit", "ifu", "mos", "imager")


@dataclass(frozen=True)
class Instrument:
    """An instrument; lengths in arcsec, wavelengths in nm.

    Attributes
    ----------
    key, name : str
    site : str
        Key of its site.
    kind : str
        One of :data:`KINDS`.
    field_arcsec : (float, float)
    wavelength_nm : (float, float)
    source : str
        Of the values.
    slit_arcsec : float or None
        Length of the slit.
    limit_mag : float or None
        AB magnitude that ``limit_note`` describes; None where none is given.
    limit_note : str
    """

    key: str
    name: str
    site: str
    kind: str
    field_arcsec: tuple[float, float]
    wavelength_nm: tuple[float, float]
    source: str
    slit_arcsec: float | None = None
    limit_mag: float | None = None
    limit_note: str = ""

    def highest_z(self, rest_nm: float = OII_NM) -> float:
        """Return the redshift at which a line leaves the range, λ_max / λ_rest − 1."""
        return self.wavelength_nm[1] / rest_nm - 1

    def holds(self, extent_arcsec: float) -> bool:
        """Return whether an extent fits into the slit, or the field of an IFU."""
        side_arcsec = min(self.field_arcsec) if self.slit_arcsec is None else self.slit_arcsec
        return extent_arcsec <= side_arcsec


def read_instruments(workspace: Workspace | None = None) -> Mapping[str, Instrument]:
    """All instruments by key, those of the workspace last.

    Raises
    ------
    BadInputError
        If the workspace's file makes no sense; it names the entry.
    """
    known = _read(INSTRUMENTS)
    own = None if workspace is None else workspace.root / OWN
    if own is not None and own.is_file():
        known |= _read(own)
    return known


def find_instrument(key: str, workspace: Workspace | None = None) -> Instrument:
    """Return the instrument of a key; raises BadInputError where there is none."""
    known = read_instruments(workspace)
    if key not in known:
        raise BadInputError(
            f"Instrument {key!r}: use one of {', '.join(known)}, or describe it in {OWN} of the "
            "workspace."
        )
    return known[key]


def _read(path: Path) -> dict[str, Instrument]:
    try:
        table = tomllib.loads(path.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadInputError(f"{path} is no TOML: {error}.") from error
    return {key: _instrument(path, key, entry) for key, entry in table.items()}


def _instrument(path: Path, key: str, entry: Any) -> Instrument:
    where = f"{path}: [{key}]"
    if not isinstance(entry, dict):
        raise BadInputError(f"{where}: write a table of values below that heading.")
    names = {field.name for field in fields(Instrument)} - {"key"}
    if unknown := sorted(set(entry) - names):
        raise BadInputError(f"{where}: {unknown[0]} is unknown; use {', '.join(sorted(names))}.")
    missing = [n for n in ("name", "site", "kind", "field_arcsec", "wavelength_nm", "source")
               if n not in entry]  # fmt: skip
    if missing:
        raise BadInputError(f"{where}: {missing[0]} is missing.")
    if entry["kind"] not in KINDS:
        raise BadInputError(f"{where}: kind {entry['kind']!r}: use one of {', '.join(KINDS)}.")
    for name in ("slit_arcsec", "limit_mag"):
        if name in entry and not _is_number(entry[name]):
            raise BadInputError(f"{where}: {name} = {entry[name]!r}: give a number.")
    field = _pair(where, "field_arcsec", entry["field_arcsec"])
    wavelengths = _pair(where, "wavelength_nm", entry["wavelength_nm"])
    if wavelengths[0] >= wavelengths[1]:
        raise BadInputError(f"{where}: wavelength_nm: give the least, then the largest.")
    return Instrument(
        key,
        str(entry["name"]),
        str(entry["site"]),
        entry["kind"],
        field,
        wavelengths,
        str(entry["source"]),
        entry.get("slit_arcsec"),
        entry.get("limit_mag"),
        str(entry.get("limit_note", "")),
    )


def _pair(where: str, name: str, value: Any) -> tuple[float, float]:
    if not isinstance(value, list) or len(value) != 2 or not all(map(_is_number, value)):
        raise BadInputError(f"{where}: {name} = {value!r}: give two numbers in brackets.")
    return float(value[0]), float(value[1])


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value > 0
