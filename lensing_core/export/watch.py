"""Watch lists for alert brokers: where on the sky a transient belongs to a candidate.

A list has a position, a radius, the probability of a lens and the version of the ensemble; its
coverage is the union of the circles as a MOC (IVOA Multi-Order Coverage map, 2.0).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from lensing_core.errors import BadInputError
from lensing_core.export.columns import COLUMNS, Column, ExportRow
from lensing_core.export.tables import Rows, write_votable

RADIUS_IN_THETA_E = 2.0
"""Images of a lensed source lie within some Einstein radius of the lens, its galaxies further."""
LEAST_ARCSEC, UNKNOWN_ARCSEC, MOST_ARCSEC = 3.0, 5.0, 120.0
_SIZES = ("lens_test_theta_e", "theta_e_proxy", "arc_radius")
_MOC_ORDER = 18  # cells of 0.8 arcsec
_KEPT = ("object_id", "catalog", "candidate", "ra", "dec", "probability")
_OWN = (
    Column(
        "radius",
        "float",
        "radius within which an alert belongs to the candidate",
        "arcsec",
        "phys.angSize",
    ),
    Column("ensemble", "text", "that gave the probability", ucd="meta.id"),
    Column("version", "text", "of the ensemble's weights and calibration", ucd="meta.version"),
)
COLUMNS_OF_WATCH_LIST: tuple[Column, ...] = (
    *(column for name in _KEPT for column in COLUMNS if column.name == name),
    *_OWN,
)


def watch_radius_arcsec(row: ExportRow) -> float:
    """Radius in which an alert belongs to a candidate.

    Twice the largest of the Einstein radius of its newest lens test, the one estimated from its
    light, and the radius of its arc; 5″ where none is known, never under 3″ or above 2′.
    """
    known = [size for name in _SIZES if (size := row.number(name)) > 0 and math.isfinite(size)]
    wanted = RADIUS_IN_THETA_E * max(known) if known else UNKNOWN_ARCSEC
    return min(max(wanted, LEAST_ARCSEC), MOST_ARCSEC)


def write_watch_list(path: Path, rows: Rows, notes: Sequence[str]) -> int:
    """VOTable of candidates that have a position."""
    return write_votable(path, lambda: _watched(rows), notes, COLUMNS_OF_WATCH_LIST)


def write_moc(path: Path, rows: Rows, notes: Sequence[str]) -> int:
    """MOC in FITS of the circles of a watch list, in cells of 0.8″; returns how many circles."""
    import astropy.units as u  # here: the formats are listed at every start
    from mocpy import MOC

    circles = [
        (row.number("ra"), row.number("dec"), row.number("radius")) for row in _watched(rows)
    ]
    if not circles:
        raise BadInputError("No candidate of the list has a position.")
    ra, dec, radius = zip(*circles, strict=True)
    moc = MOC.from_cones(
        lon=ra * u.deg,
        lat=dec * u.deg,
        radius=radius * u.arcsec,
        max_depth=_MOC_ORDER,
        union_strategy="small_cones",
        n_threads=1,
    )
    moc.save(path, format="fits", overwrite=True, fits_keywords={"MOCNOTE": " ".join(notes)[:68]})
    return len(circles)


def _watched(rows: Rows) -> Iterator[ExportRow]:
    for row in rows():
        if not (math.isnan(row.number("ra")) or math.isnan(row.number("dec"))):
            yield replace(row, values={**row.values, "radius": watch_radius_arcsec(row)})
