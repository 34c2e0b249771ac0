"""Settings of runs that put the labels of a published list onto a catalog."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import param

from lens_triage.training.settings.base import RunSettings
from lensing_core.errors import BadInputError
from lensing_core.named_sets.choices import ATTACHABLE


class AttachSettings(RunSettings):
    """Label the known lenses of a catalog, by position, from a published list."""

    kind = "attach"
    files: ClassVar = ("table",)
    units: ClassVar = {"radius_arcsec": "arcsec"}
    titles: ClassVar = {"known": "List"}
    groups: ClassVar = {"List": ("catalog", "known", "table", "radius_arcsec")}

    catalog = param.String(default="", doc="Catalog whose candidates get labels.")
    known: param.Selector[str] = param.Selector(
        default="lenscat",
        objects=list(ATTACHABLE),
        doc="List of known objects; lenscat comes with the program.",
    )
    table = param.String(default="", doc="Table of the list; not needed for lenscat.")
    radius_arcsec = param.Number(
        default=2.0,
        bounds=(0.01, 60),
        doc="Largest distance of a candidate from an object of the list.",
    )

    def title(self) -> str:
        return f"Known objects of {self.known} in {self.catalog}"

    def check(self) -> None:
        """Check what can be seen without opening a file; the path is made absolute."""
        if not self.catalog:
            raise BadInputError("Name the catalog whose candidates get labels.")
        if self.table:
            path = Path(self.table).expanduser().absolute()
            if not path.is_file():
                raise BadInputError(f"Table {path} does not exist.")
            self.table = str(path)
        elif self.known != "lenscat":
            raise BadInputError(f"Name the table of {self.known}.")
