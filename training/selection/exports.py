"""Files of a measured selection function: grids, figures, injected lenses and a summary."""

from __future__ import annotations

import json
import re
from pathlib import Path

from lens_triage.training.selection.figure import draw_selection
from lens_triage.training.selection.measuring import MeasuredSelection
from lensing_core.disk import replacing
from lensing_core.selection import write_ecsv, write_fits

SUMMARY = "summary.json"


def file_name(name: str) -> str:
    """Return a map's name as files bear it: letters, digits and hyphens."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") or "map"


def write_exports(measured: MeasuredSelection, folder: Path) -> list[Path]:
    """Write ECSV, FITS and the figure (PNG, PDF, SVG, CSV) of every map, and the summary.

    Returns
    -------
    list of Path
        The files.
    """
    folder.mkdir(parents=True, exist_ok=True)
    written: list[Path] = []
    taken: set[str] = set()
    for name, one in measured.maps.items():
        stem = file_name(name)
        number = 2
        while stem in taken:  # names of graders that differ in other letters alone
            stem = f"{file_name(name)}-{number}"
            number += 1
        taken.add(stem)
        write_ecsv(one, folder / f"{stem}.ecsv")
        write_fits(one, folder / f"{stem}.fits")
        written += [folder / f"{stem}.ecsv", folder / f"{stem}.fits"]
        written += draw_selection(one, stem, cut=measured.cut).save(folder)
    with replacing(folder / SUMMARY) as beside:
        beside.write_text(json.dumps(measured.summary(), indent=1))
    return [*written, folder / SUMMARY]
