"""Selection functions in files: ECSV and FITS grids with covariance, read back as functions."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
from astropy.io import fits
from astropy.table import Table

from lensing_core.arrays import Float64Array
from lensing_core.disk import replacing
from lensing_core.errors import BadInputError
from lensing_core.selection.chain import SelectionMap
from lensing_core.selection.function import SelectionFunction

_KEY = "selection_function"
_UNITS = {
    "theta_e_arcsec": "arcsec",
    "theta_e_low_arcsec": "arcsec",
    "theta_e_high_arcsec": "arcsec",
}


def grid_table(measured: SelectionMap) -> Table:
    """One row a cell: its edges, counts with their intervals, and the surface at its center."""
    theta, snr = measured.grid.centers()
    t_edges, s_edges = measured.grid.theta_e_edges_arcsec, measured.grid.arc_snr_edges
    shape = measured.grid.shape
    smooth, counts = measured.function(theta, snr), measured.counts
    low, high = counts.interval
    columns = {
        "theta_e_arcsec": theta,
        "theta_e_low_arcsec": np.broadcast_to(t_edges[:-1, None], shape),
        "theta_e_high_arcsec": np.broadcast_to(t_edges[1:, None], shape),
        "arc_snr": snr,
        "arc_snr_low": np.broadcast_to(s_edges[None, :-1], shape),
        "arc_snr_high": np.broadcast_to(s_edges[None, 1:], shape),
        "found": counts.found,
        "injected": counts.total,
        "share": counts.share,
        "share_low_95": low,
        "share_high_95": high,
        "completeness": smooth.value,
        "completeness_low_95": smooth.low,
        "completeness_high_95": smooth.high,
        "standard_error": smooth.error,
    }
    table = Table({name: np.ravel(values) for name, values in columns.items()})
    for name, unit in _UNITS.items():
        table[name].unit = unit
    return table


def covariance_of(measured: SelectionMap) -> Float64Array:
    """Covariance of the completeness between cells, in the order of :func:`grid_table`."""
    theta, snr = measured.grid.centers()
    return measured.function.covariance(theta, snr)


def write_ecsv(measured: SelectionMap, path: Path) -> None:
    """Write the grid as ECSV; column ``covariance`` holds a row of the matrix."""
    table = grid_table(measured)
    table["covariance"] = covariance_of(measured)
    table.meta[_KEY] = measured.function.to_json()
    text = io.StringIO()
    table.write(text, format="ascii.ecsv")
    with replacing(path) as beside:
        beside.write_text(text.getvalue(), encoding="utf-8")


def write_fits(measured: SelectionMap, path: Path) -> None:
    """Write the grid as FITS: table GRID, image COVARIANCE, and the surfaces (FUNCTION).

    Images COMPLETENESS, LOW_95 and HIGH_95 hold the surface with θ_E along rows, S/N along columns.
    """
    smooth = measured.function(*measured.grid.centers())
    described = json.dumps(measured.function.to_json())
    hdus = [
        fits.PrimaryHDU(),
        fits.BinTableHDU(grid_table(measured), name="GRID"),
        fits.ImageHDU(covariance_of(measured), name="COVARIANCE"),
        *(
            fits.ImageHDU(np.asarray(values), name=name)
            for name, values in (
                ("COMPLETENESS", smooth.value),
                ("LOW_95", smooth.low),
                ("HIGH_95", smooth.high),
            )
        ),
        fits.BinTableHDU(Table({"json": [described]}), name="FUNCTION"),
    ]
    with replacing(path) as beside:
        fits.HDUList(hdus).writeto(beside, overwrite=True)


def load_selection_function(path: Path | str) -> SelectionFunction:
    """The function that :func:`write_ecsv` or :func:`write_fits` wrote; call it with θ_E and S/N.

    >>> completeness = load_selection_function("combined.ecsv")
    >>> completeness(1.2, 40.0).value

    Raises
    ------
    BadInputError
        If the file holds none.
    """
    path = Path(path)
    try:
        with path.open("rb") as stream:
            is_fits = stream.read(6) == b"SIMPLE"
        stored: Any
        if is_fits:
            with fits.open(path) as hdus:
                stored = json.loads(str(hdus["FUNCTION"].data["json"][0]))
        else:
            stored = Table.read(path, format="ascii.ecsv").meta[_KEY]
    except (OSError, KeyError, ValueError, TypeError) as error:
        raise BadInputError(f"{path} holds no selection function: {error}") from error
    return SelectionFunction.from_json(stored)
