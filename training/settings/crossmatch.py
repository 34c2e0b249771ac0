"""Settings of cross-matches."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import param

from lens_triage.training.settings.base import RunSettings
from lensing_core.crossmatch.choices import KINDS, MAX_NORMALIZED
from lensing_core.crossmatch.service_list import SERVICES
from lensing_core.errors import BadInputError
from lensing_core.ingest.choices import POSITION_FRAMES, POSITION_UNITS


class CrossmatchSettings(RunSettings):
    """Match a catalog with known lenses, other catalogs and online services."""

    kind = "crossmatch"
    files: ClassVar = ("tables", "lenscat_table")
    older_names: ClassVar = {"max_normalised": "max_normalized"}
    units: ClassVar = {
        "radius_arcsec": "arcsec",
        "candidate_error_arcsec": "arcsec",
        "reference_error_arcsec": "arcsec",
        "pause_s": "s",
    }
    groups: ClassVar = {
        "What is matched": ("catalog", "references", "catalogs"),
        "Own tables": (
            *("tables", "table_kind", "columns", "position_unit", "position_frame"),
            "error_column",
        ),
        "Matching": (
            *("radius_arcsec", "candidate_error_arcsec", "reference_error_arcsec"),
            *("max_normalized", "lenscat_table"),
        ),
        "Online services": (
            *("ensemble", "first", "vizier", "batch_size", "pause_s", "ask_anew", "mirrors"),
        ),
    }

    catalog = param.String(default="survey", doc="Catalog whose candidates are matched.")
    references = param.ListSelector(
        default=["lenscat", "duplicates"],
        objects=["lenscat", "lenscat_probable", "duplicates", *SERVICES],
        doc="Known lenses (lenscat, its confident rows), probable ones (lenscat_probable, which "
        "includes whole parent samples), duplicates within the catalog; all others are online.",
    )
    catalogs = param.List(default=[], item_type=str, doc="Other catalogs of the workspace.")
    tables = param.List(
        default=[],
        item_type=str,
        doc="Files of your own with positions: CSV, FITS, VOTable and others.",
    )
    table_kind: Any = param.Selector(
        default="object",
        objects=[kind for kind in KINDS if kind != "duplicate"],
        doc="What those tables list; lens: known lenses, which count for completeness.",
    )
    columns = param.Dict(
        default={}, doc="Columns whose names are not recognized, as ROLE=COLUMN: id, ra, dec."
    )
    position_unit: param.Selector[str] = param.Selector(
        default="auto", objects=list(POSITION_UNITS), doc="Unit of their positions."
    )
    position_frame: param.Selector[str] = param.Selector(
        default="auto",
        objects=list(POSITION_FRAMES),
        doc="Frame of their positions; auto: as the tables say, else ICRS.",
    )
    error_column = param.String(
        default="", doc="Column of position errors in arcsec, along one axis; empty: none."
    )
    radius_arcsec = param.Number(
        default=0.0,
        bounds=(0, 3600),
        doc="Search radius for counterparts; 0: 5 for galaxy-scale catalogs, 60 for cluster-scale "
        "ones.",
    )
    candidate_error_arcsec = param.Number(
        default=0.3,
        bounds=(0, 60),
        inclusive_bounds=(False, True),
        doc="Position error of candidates, along one axis.",
    )
    reference_error_arcsec = param.Number(
        default=0.0,
        bounds=(0, 300),
        doc="Position error of references without stated errors; 0: 1 at galaxy scale, 15 at "
        "cluster "
        "scale.",
    )
    max_normalized = param.Number(
        default=MAX_NORMALIZED,
        bounds=(0.1, 10),
        doc="Largest separation of a match, in units of the joint error; pairs beyond it are for "
        "review.",
    )
    lenscat_table = param.String(
        default="", doc="A newer catalog.csv of lenscat; empty: the bundled edition."
    )
    ensemble = param.String(
        default="",
        doc="Ensemble whose ranking selects the candidates for online services; empty: of those "
        "that scored the catalog the promoted one, else the one bundled for the survey, else the "
        "newest.",
    )
    first = param.Integer(
        default=1000,
        bounds=(0, 10_000_000),
        doc="Number of candidates, from the top of the ranking, for which online services are "
        "queried; 0: all.",
    )
    vizier = param.Dict(
        default={},
        doc="Additional VizieR catalogs or tables, as ID=KIND: lens, probable, cluster, redshift, "
        "xray, star or object.",
    )
    batch_size = param.Integer(default=5000, bounds=(1, 100_000), doc="Positions a request.")
    pause_s = param.Number(
        default=1.0, bounds=(0, 60), doc="Least time between two requests to one service."
    )
    ask_anew = param.Boolean(
        default=False, doc="Send requests again even if the workspace has stored their answers."
    )
    mirrors = param.Dict(
        default={}, doc="Other addresses of services, as xmatch=URL (CDS X-Match) or ned=URL."
    )

    def title(self) -> str:
        n = len(self.references) + len(self.catalogs) + len(self.tables) + len(self.vizier)
        return f"Cross-match {self.catalog} with {n} reference{'' if n == 1 else 's'}"

    def check(self) -> None:
        """Check what can be seen without reading a file; paths are made absolute."""
        if not self.catalog:
            raise BadInputError("catalog: name the catalog to match.")
        if not (self.references or self.catalogs or self.tables or self.vizier):
            raise BadInputError("Cross-match: choose at least one reference.")
        if self.catalog in self.catalogs:
            raise BadInputError(
                f"catalogs: {self.catalog} is the catalog itself; choose duplicates for that."
            )
        for table, kind in self.vizier.items():
            if kind not in KINDS:
                raise BadInputError(f"vizier: {table}={kind}: the kinds are {', '.join(KINDS)}.")
        for name, url in self.mirrors.items():
            if name not in ("xmatch", "ned") or not str(url).startswith(("http://", "https://")):
                raise BadInputError(f"mirrors: {name}={url}: give xmatch=URL or ned=URL.")
        self.tables = [str(self._file(name, "Table")) for name in self.tables]
        if self.lenscat_table:
            self.lenscat_table = str(self._file(self.lenscat_table, "lenscat table"))

    @staticmethod
    def _file(name: str, what: str) -> Path:
        path = Path(name).expanduser().absolute()
        if not path.is_file():
            raise BadInputError(f"{what} {path} does not exist.")
        return path
