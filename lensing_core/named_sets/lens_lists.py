"""Lists of known lenses by position: positives only, with their grades.

A list of lenses has no matching non-lenses, and was selected otherwise than the survey that is
searched: its policy is ``positives_only``. Grades become a label and its confidence by one
convention: A 1.0, B 0.8, C 0.6; what is graded lower, or not confirmed, has no label. Lenses of
another scale than the search's are marked ``domain_shifted``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np

from lensing_core.crossmatch.lenscat import BUNDLED, read_lenscat
from lensing_core.crossmatch.reference import Reference
from lensing_core.crossmatch.table_reference import read_reference_table
from lensing_core.errors import BadInputError
from lensing_core.ingest.sky_names import normal
from lensing_core.ingest.tables import read_table
from lensing_core.named_sets.rows import NamedSet, SetFiles, SetRow, find_column

LETTERS: Mapping[str, float] = MappingProxyType({"a": 1.0, "b": 0.8, "c": 0.6})
_GRADES = ("grade", "g", "lensgrade", "quality", "flag", "grading", "class", "lens")
_SCALES = ("lens_type", "type", "lens type")
_NAMES = ("name", "lens name", "lens", "system", "object", "sdss", "sl2s", "id")
_CLUSTER = ("cluster", "group")


@dataclass(frozen=True)
class LensList:
    """Columns of a list that say what a lens is.

    Attributes
    ----------
    title : str
    grades : tuple of str
        Columns that may hold the grade, the likeliest first.
    labels : mapping of str to float
        Confidence of a lens by grade, in small letters; a grade that is not here has no label.
    ungraded : float or None
        Confidence where no column holds a grade; None: such a list is refused.
    scale : str
        Of all its lenses; '' where a column says it.
    """

    title: str
    grades: tuple[str, ...] = _GRADES
    labels: Mapping[str, float] = field(default_factory=lambda: LETTERS)
    ungraded: float | None = 1.0
    scale: str = "galaxy"

    def read(self, files: SetFiles) -> list[SetRow]:
        """Read the rows of the list; raises BadInputError."""
        path = files.need_table(self.title)
        table = read_table(path)
        named = find_column(table, *_NAMES)
        stated = {"id": named} if named else {}
        reference, _ = read_reference_table(path, "lens", columns=stated)
        wanted = [find_column(table, name) for name in self.grades]
        grade = next((name for name in wanted if name and name != named), None)
        if grade is None and self.ungraded is None:
            raise BadInputError(
                f"{self.title}: table {path.name} has no column of grades "
                f"({', '.join(self.grades)}); it has {', '.join(table.names)}."
            )
        scale = None if self.scale else find_column(table, *_SCALES)
        return [self._row(reference, k, grade, scale, files.scale) for k in range(len(reference))]

    def _row(
        self, reference: Reference, k: int, grade: str | None, scale: str | None, searched: str
    ) -> SetRow:
        properties = {name: cells[k] for name, cells in reference.columns.items()}
        properties = {name: cell for name, cell in properties.items() if cell is not None}
        said = str(properties.get(grade, "")).strip() if grade else ""
        confidence = self.ungraded if grade is None else self.labels.get(said.casefold())
        of_lens = self.scale or scale_of(str(properties.get(scale or "", "")))
        return SetRow(
            str(reference.names[k]),
            _known(reference.ra_deg[k]),
            _known(reference.dec_deg[k]),
            None if confidence is None else 1,
            1.0 if confidence is None else confidence,
            {**properties, **({"grade": said} if said else {}), **scale_marks(of_lens, searched)},
        )


def scale_of(said: str) -> str:
    """'cluster' for clusters and groups, else 'galaxy'."""
    return "cluster" if any(word in normal(said) for word in _CLUSTER) else "galaxy"


def scale_marks(of_lens: str, searched: str) -> dict[str, object]:
    """Return what is kept of a lens's scale; whether it is another than that of the search."""
    marks: dict[str, object] = {"lens_scale": of_lens}
    return marks | {"domain_shifted": 1} if of_lens != searched else marks


def _read_lenscat(files: SetFiles) -> list[SetRow]:
    reference = read_lenscat("confident", files.table or BUNDLED)
    rows = []
    for k, name in enumerate(reference.names):
        properties = {column: cells[k] for column, cells in reference.columns.items()}
        marks = scale_marks(scale_of(str(properties["type"])), files.scale)
        ra, dec = float(reference.ra_deg[k]), float(reference.dec_deg[k])
        rows.append(SetRow(str(name), ra, dec, 1, 1.0, {**properties, **marks}))
    return rows


def _known(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def _list(key: str, title: str, citation: str, domain: str, lens_list: LensList) -> NamedSet:
    return NamedSet(
        key=key,
        title=title,
        citation=citation,
        source=f"obs:{key}",
        policy="positives_only",
        read=lens_list.read,
        scale=lens_list.scale,
        domain=domain,
    )


_SPECTRA = "found by spectra of SDSS fibers: bright compact lenses of small Einstein radius"
_LITERATURE = "lists of the literature: many instruments, many ways of finding"
LENS_LISTS: tuple[NamedSet, ...] = (
    NamedSet(
        key="lenscat",
        title="lenscat, confident lenses",
        citation="Vujeva et al. 2024, arXiv:2406.04398",
        source="obs:lenscat",
        policy="positives_only",
        read=_read_lenscat,
        domain=_LITERATURE,
    ),
    _list(
        "castles",
        "CASTLES",
        "Kochanek, Falco, Impey et al., CASTLES survey",
        "lensed quasars seen by HST",
        LensList("CASTLES", ("g", "grade"), ungraded=None),
    ),
    _list(
        "sled",
        "SLED",
        "Vernardos et al. 2024, Strong Lensing Database",
        _LITERATURE,
        LensList("SLED", ("flag", "confidence"), {"confirmed": 1.0}, ungraded=None, scale=""),
    ),
    _list(
        "slacs",
        "SLACS",
        "Bolton et al. 2008, ApJ 682, 964; Auger et al. 2009, ApJ 705, 1099",
        _SPECTRA,
        LensList("SLACS", ("grade", "lens", "quality")),
    ),
    _list(
        "bells",
        "BELLS",
        "Brownstein et al. 2012, ApJ 744, 41; Shu et al. 2016, ApJ 833, 264",
        _SPECTRA,
        LensList("BELLS", ("grade", "quality", "lens")),
    ),
    _list(
        "sl2s",
        "SL2S",
        "More et al. 2012, ApJ 749, 38; Sonnenfeld et al. 2013, ApJ 777, 97",
        "found by blue arcs in CFHTLS",
        LensList("SL2S", ("grade", "quality", "rank")),
    ),
)
