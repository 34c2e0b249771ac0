"""Settings of runs that write the report of a search."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import param

from lens_triage.training.settings.base import RunSettings
from lensing_core.disk import check_new_folder
from lensing_core.errors import BadInputError


class ReportSettings(RunSettings):
    """Write the report of a search: numbers, figures, methods text with citations, and tables."""

    kind = "report"
    files: ClassVar = ("output",)
    groups: ClassVar = {
        "Search": ("catalog", "ensemble", "candidates"),
        "Report": ("heading", "authors", "names", "output"),
    }
    titles: ClassVar = {
        "candidates": "Candidates in the table",
        "heading": "Title",
        "names": "Graders by name",
        "output": "Also copy to folder",
    }

    catalog = param.String(default="", doc="Catalog whose search is reported.")
    ensemble = param.String(
        default="", doc="Ensemble of the ranking; empty: the promoted one, or the newest."
    )
    candidates: Any = param.Integer(
        default=200,
        bounds=(1, 5000),
        doc="Largest number of rows of the table: the first of those in triage and later stages, "
        "or of the ranking if there are none.",
    )
    heading = param.String(
        default="", doc="Title of the report; empty: one with the catalog's name."
    )
    authors = param.String(default="", doc="Authors, for the heads of tables.")
    names = param.Boolean(
        default=False, doc="Name graders; otherwise they are grader 1, 2 and so on."
    )
    output = param.String(
        default="",
        doc="Folder for a copy, which must be new or empty; the report itself is in "
        "runs/<run>/report.",
    )

    def title(self) -> str:
        return f"Report of {self.catalog}"

    def check(self) -> None:
        """Check what can be seen without the database; the path is made absolute."""
        if not self.catalog:
            raise BadInputError("Name the catalog whose search is to be reported.")
        if self.output:
            path = Path(self.output).expanduser().absolute()
            check_new_folder(path)
            self.output = str(path)
