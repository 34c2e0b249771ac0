"""References of a cross-match: positions with names and rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from lensing_core.arrays import Float64Array
from lensing_core.crossmatch.choices import Kind
from lensing_core.crossmatch.matching import Positions


@dataclass(frozen=True)
class Reference:
    """A catalog of counterparts.

    Attributes
    ----------
    key : str
        Names it in the database, such as ``lenscat`` or ``table:known.csv``.
    title : str
        For people.
    kind : str
        One of :data:`~lensing_core.crossmatch.choices.KINDS`: what a match with it means.
    version : str
        Which edition: a release, a date, or a hash of the file.
    names : sequence of str
    ra_deg, dec_deg : ndarray of shape (n,)
        ICRS, degrees; NaN where unknown.
    error_arcsec : ndarray of shape (n,)
        Along one axis; NaN where unknown.
    columns : dict of str to sequence
        Whatever else is known of each object, as plain JSON values.
    """

    key: str
    title: str
    kind: Kind
    version: str
    names: Sequence[str]
    ra_deg: Float64Array
    dec_deg: Float64Array
    error_arcsec: Float64Array
    columns: dict[str, Sequence[Any]]

    def __len__(self) -> int:
        return len(self.names)

    def positions(self, default_error_arcsec: float) -> Positions:
        """Positions, with an error for those whose own is not known."""
        return Positions.of(self.ra_deg, self.dec_deg, self.error_arcsec, default_error_arcsec)

    def row(self, k: int) -> dict[str, Any]:
        """Return what is known of object ``k``, without what is not."""
        values = {name: column[k] for name, column in self.columns.items()}
        return {name: value for name, value in values.items() if value not in (None, "", "-")}
