"""Settings of runs that fit lens models."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import param

from lens_triage.training.settings.base import RunSettings
from lensing_core.errors import BadInputError


class ModelSettings(RunSettings):
    """Fit a quick lens model to many candidates (the lens test of Review), and keep the results."""

    kind = "model"
    files: ClassVar = ("ids",)
    units: ClassVar = {"max_theta_e_arcsec": "arcsec"}
    groups: ClassVar = {
        "Candidates": ("catalog", "top", "ensemble", "ids"),
        "Model": ("quick", "starts", "max_theta_e_arcsec"),
    }

    catalog = param.String(default="", doc="Catalog whose candidates are fitted.")
    top = param.Integer(
        default=100, bounds=(1, None), doc="How many, from the top of the ranking; not with ids."
    )
    ensemble = param.String(
        default="", doc="Ensemble of the ranking; empty: the promoted one, or the newest."
    )
    ids = param.String(
        default="", doc="File with one object id a line; those are fitted, not the ranking's top."
    )
    quick = param.Boolean(
        default=True, doc="The lens test, seconds a candidate; there is no other model yet."
    )
    starts = param.Integer(default=8, bounds=(1, 32), doc="Starts of the fit of each candidate.")
    max_theta_e_arcsec: Any = param.Number(
        default=0.0,
        bounds=(0, 10),
        doc="Largest Einstein radius that is tried; 0: by the size of the cutouts, at most 3.5.",
    )

    def title(self) -> str:
        return f"Lens tests of {self.catalog}"

    def check(self) -> None:
        """Check what can be seen without the database; the path is made absolute."""
        if not self.catalog:
            raise BadInputError("Name the catalog whose candidates are to be fitted.")
        if not self.quick:
            raise BadInputError("Only quick lens models can be fitted; leave --no-quick out.")
        if self.ids:
            path = Path(self.ids).expanduser().absolute()
            if not path.is_file():
                raise BadInputError(f"File of ids {path} does not exist.")
            self.ids = str(path)
