"""The frame of position columns: what the table states, or their names say."""

from __future__ import annotations

import re

from lensing_core.errors import BadInputError
from lensing_core.ingest.frames import SkyFrame, frame_of
from lensing_core.ingest.sky_names import frame_in_name, normal
from lensing_core.ingest.tables import SourceTable

_BLOCK = 65_536  # rows looked at together
_MODERN = "J2000"  # in a name: ICRS unless the table says more
_FRAME_COLUMNS = ("equinox", "radesys", "radecsys", "coordsys", "coordframe")


def frame_of_positions(table: SourceTable, names: tuple[str, str], stated: str) -> SkyFrame:
    """The frame of the position columns; ICRS where nothing states one.

    What a column states (a COOSYS that it refers to, its description) goes before its name, and
    its name before what is said of the whole table. Columns called J2000 are ICRS unless they refer
    to a COOSYS: VizieR heads tables of catalogs tied to ICRS with FK5 too, 23 mas away.

    Raises
    ------
    BadInputError
        If it is not known, or contradictory.
    """
    if stated != "auto":
        return frame_of(stated, "The setting position_frame")
    where = f"Table {table.path.name}"
    in_name = frame_in_name(names[0])
    of_column = {
        w: frame_of(w, f"{where}, columns {', '.join(names)},") for w in _words(table, names)
    }
    if len(set(of_column.values())) > 1:
        raise BadInputError(
            f"{where}: columns {', '.join(names)} are said to be in the frames "
            f"{' and '.join(of_column)}; say which they are in (setting position_frame)."
        )
    named = frame_of(in_name, where) if in_name else None
    is_modern = in_name == _MODERN
    if of_column:
        found = next(iter(of_column.values()))
        if is_modern and not _refers(table, names) and _agree(SkyFrame(), found):
            return SkyFrame()
        if named is not None and not _agree(named, found):
            raise BadInputError(
                f"{where}: column {names[0]} is named as of {named} and said to be of {found}; say "
                "which it is (setting position_frame)."
            )
        return found
    of_table = table.frame or _frame_in_column(table)
    if not of_table:
        return SkyFrame() if named is None or is_modern else named
    found = frame_of(of_table, where)
    if is_modern and _agree(SkyFrame(), found):
        return SkyFrame()
    if named is None and found.name in ("galactic", "ecliptic", "supergalactic"):
        raise BadInputError(
            f"{where} states {found} positions, and its columns {', '.join(names)} are named as of "
            "right ascensions and declinations; say which they are (setting position_frame)."
        )
    if named is not None and not _agree(named, found):
        if named.name in ("icrs", "fk5"):
            raise BadInputError(
                f"{where} states {found}, and column {names[0]} is named as of {named}; say which "
                "it is (setting position_frame)."
            )
        return named
    return found


def _agree(named: SkyFrame, found: SkyFrame) -> bool:
    """Return whether a frame can be meant by a name: J2000 is that of ICRS and FK5 alike."""
    modern = {("icrs", ""), ("fk5", "J2000")}
    one, other = (named.name, named.equinox), (found.name, found.equinox)
    return one == other or {one, other} <= modern


def _refers(table: SourceTable, names: tuple[str, str]) -> bool:
    return any(name in table.frames for name in names)


def _words(table: SourceTable, names: tuple[str, str]) -> list[str]:
    """Return what is said of the columns' frame, by COOSYS, UCD or description."""
    found = [table.frames[name] for name in names if name in table.frames]
    if not found:
        found = [w for name in names if (w := _frame_in_words(table.description(name)))]
    if not found:
        ucds = [table.ucd(name).lower() for name in names]
        kinds = ("galactic", "ecliptic", "supergalactic")
        found = [kind for kind in kinds if any(u.startswith(f"pos.{kind}.") for u in ucds)]
    return list(dict.fromkeys(found))


def _frame_in_words(description: str) -> str:
    """A frame in a description, as ``Right ascension (FK4, Equinox=B1950.0)``."""
    text = description.lower()
    for word, frame in (
        *(
            ("supergalactic", "supergalactic"),
            ("galactic l", "galactic"),
            ("ecliptic l", "ecliptic"),
        ),
        *(("fk4", "FK4"), ("b1950", "FK4"), ("fk5", "FK5"), ("icrs", "ICRS")),
    ):
        if word in text:
            equinox = re.search(r"equinox\s*=?\s*([jb]?\d{4}(\.\d+)?)", text)
            return f"{frame} equinox={equinox[1]}" if equinox and frame[:2] == "FK" else frame
    return ""


def _frame_in_column(table: SourceTable) -> str:
    """The one frame or equinox that a column states in all rows.

    Raises
    ------
    BadInputError
        If rows differ.
    """
    for name in table.names:
        if normal(name) not in _FRAME_COLUMNS:
            continue
        words: set[str] = set()
        for start in range(0, len(table), _BLOCK):
            cells = table.cells(name, start, start + _BLOCK)
            words |= {str(cell) for cell in cells if cell is not None}
            if len(words) > 1:
                first, second = sorted(words)[:2]
                raise BadInputError(
                    f"Column {name} of {table.path.name} states several frames ({first}, "
                    f"{second}); split the table, or say which it is (setting position_frame)."
                )
        if words:
            word = words.pop()
            return f"equinox={word}" if normal(name) == "equinox" else word
    return ""
