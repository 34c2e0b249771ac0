"""Return type of the readers of table formats."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from astropy.table import Table

from lensing_core.errors import BadInputError, Offer, of_setting


@dataclass
class Loaded:
    """A table as its file has it.

    Attributes
    ----------
    table : astropy.table.Table
    notes : list of str
        What a user should know of how it was read.
    units : dict of str to str
        Units by column, where the table does not hold them as such.
    frame : str
        The frame of positions that the file states for all of its columns; empty if none.
    frames : dict of str to str
        Those that it states for single columns.
    decimal_commas : frozenset of str
        Columns of text with numbers such as 150,01.
    is_mapped : bool
        Whether rows stay in the file until they are looked at.
    """

    table: Table
    notes: list[str] = field(default_factory=list)
    units: dict[str, str] = field(default_factory=dict)
    frame: str = ""
    frames: dict[str, str] = field(default_factory=dict)
    decimal_commas: frozenset[str] = frozenset()
    is_mapped: bool = False


def choose_part(parts: Mapping[str, Sequence[str]], stated: str, what: str) -> str:
    """The table that is meant of a file with several; ``parts`` has the columns by label.

    A label is a number and, behind a colon and a blank, a name.

    Raises
    ------
    BadInputError
        If there is no such part, or nothing tells which is meant.
    """
    listing = "; ".join(f"{label} ({', '.join(names[:6])})" for label, names in parts.items())
    if stated:
        for label in parts:
            number, _, name = label.partition(": ")
            if stated in (number, name) or stated.casefold() == name.casefold():
                return label
        unknown = BadInputError(f"{what} has no table {stated!r}; it has {listing}.")
        raise of_setting(unknown, "table_part")
    if len(parts) == 1:
        return next(iter(parts))
    several = BadInputError(
        f"{what} holds several tables: {listing}. Say which is meant by its number or name "
        "(setting table_part)."
    )
    offers = [Offer(label, {"table_part": label.partition(":")[0]}) for label in parts]
    raise of_setting(several, "table_part", offers)
