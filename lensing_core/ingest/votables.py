"""Tables of VOTable files, with the coordinate systems (COOSYS) that their fields refer to."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from astropy.io import votable
from astropy.io.votable.tree import CooSys, Group, VOTableFile

from lensing_core.errors import BadInputError
from lensing_core.ingest.loaded import Loaded, choose_part


def read_votable(path: Path, part: str = "") -> Loaded:
    """The table of a VOTable file.

    Of several that have rows ``part`` (number from 1, ID or name) must say which is meant. A field
    has the COOSYS that it refers to; one that refers to none has that of the file, if all COOSYS
    of it agree.

    Raises
    ------
    BadInputError
        If nothing tells which table is meant, or the service that wrote it reports an error.
    """
    document = votable.parse(path, verify="ignore")
    notes = _status(document, path)
    tables = {
        f"{k}: {table.name or table.ID or ''}": table
        for k, table in enumerate(document.iter_tables(), start=1)
    }
    filled = {label: table for label, table in tables.items() if len(table.array)}
    if not filled:
        raise BadInputError(f"Table {path} has no rows.")
    columns = {label: [f.name or f.ID for f in t.fields] for label, t in filled.items()}
    label = choose_part(columns, part, f"Table {path}")
    if len(tables) > 1:
        notes.append(f"Of {len(tables)} tables in {path.name}, {label} was read.")
    chosen = filled[label]
    systems = {system.ID: _words(system) for system in document.iter_coosys()}
    table = chosen.to_table(use_names_over_ids=True)
    frames: dict[str, str] = {}
    for column, one in zip(table.colnames, chosen.fields, strict=True):
        reference = one.ref or _group_reference(chosen, one.ID)
        if reference in systems:
            frames[column] = systems[reference]
    stated = set(systems.values())
    return Loaded(table, notes, frame=stated.pop() if len(stated) == 1 else "", frames=frames)


def _words(system: CooSys) -> str:
    """A coordinate system as words of :func:`~lensing_core.ingest.frames.frame_of`."""
    said = [system.system or ("" if system.equinox else "eq_FK5")]  # as VOTable 1.3 has it
    if system.equinox:
        said.append(f"equinox={system.equinox}")
    if system.epoch:
        said.append(f"epoch={system.epoch}")
    return " ".join(said)


def _group_reference(table: Any, field_id: str) -> str | None:
    """Return what a group of fields refers to that a field is in."""
    for group in table.groups:
        entries = group.entries if isinstance(group, Group) and group.ref else []
        if any(getattr(entry, "ref", None) == field_id for entry in entries):
            return str(group.ref)
    return None


def _status(document: VOTableFile, path: Path) -> list[str]:
    """Return what a service says of its answer."""
    told = [info for part in (document, *document.resources) for info in part.infos]
    for info in told:
        if info.name != "QUERY_STATUS":
            continue
        if str(info.value).upper() == "ERROR":
            raise BadInputError(
                f"Table {path} is the report of an error of the service that it comes from: "
                f"{' '.join(str(info.content or '').split())[:200] or 'no details'}."
            )
        if str(info.value).upper() == "OVERFLOW":
            return [f"{path.name} says that it is cut short (OVERFLOW): objects are missing."]
    return []
