"""Settings of runs that fit lens models."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any, ClassVar

import param

from lens_triage.training.settings import shared
from lens_triage.training.settings.base import RunSettings
from lensing_core.disk import check_new_folder
from lensing_core.errors import BadInputError
from lensing_core.lens_test import LensTestSettings

_MAX_REDSHIFT = 19.99


class ModelSettings(RunSettings):
    """Fit lens models: the lens test of Review to many, posteriors of a few, or a cluster's mass.

    The lens test takes seconds a candidate, the posterior minutes. A cluster needs no catalog.
    """

    kind = "model"
    files: ClassVar = ("ids", "begin_with", "cluster", "output")
    units: ClassVar = {"max_theta_e_arcsec": "arcsec"}
    groups: ClassVar = {
        "Candidates": ("catalog", "top", "ensemble", "ids", "objects"),
        "Lens test": ("quick", "starts", "max_theta_e_arcsec"),
        "Posterior": (
            "posterior", "mass", "z_lens", "z_source", "effective_samples", "begin_with", "seed",
        ),
        "Cluster": ("cluster", "output"),
    }  # fmt: skip

    catalog = param.String(default="", doc="Catalog whose candidates are fitted.")
    top = param.Integer(
        default=100,
        bounds=(1, None),
        doc="How many, from the top of the ranking; not with ids or objects.",
    )
    ensemble = param.String(
        default="", doc="Ensemble of the ranking; empty: the promoted one, or the newest."
    )
    ids = param.String(
        default="", doc="File with one object id a line; those are fitted, not the ranking's top."
    )
    objects = param.List(
        default=[], item_type=str, doc="Object id; those are fitted, not the ranking's top."
    )
    quick = param.Boolean(default=True, doc="The lens test, seconds a candidate.")
    starts = param.Integer(default=8, bounds=(1, 32), doc="Starts of the fit of each candidate.")
    max_theta_e_arcsec: Any = param.Number(
        default=0.0,
        bounds=(0, 10),
        doc="Largest Einstein radius that is tried; 0: by the size of the cutouts, at most 3.5.",
    )
    posterior = param.Boolean(
        default=False, doc="Sample the posterior of each lens, minutes a candidate."
    )
    mass: Any = param.Selector(
        default="sie",
        objects=["sie", "epl"],
        doc="Mass: isothermal ellipsoid, or power law with a free slope; both with shear.",
    )
    z_lens: Any = param.Number(
        default=0.0,
        bounds=(0, _MAX_REDSHIFT),
        doc="Redshift of the lens; 0: as in its confirmation, if there is one.",
    )
    z_source: Any = param.Number(
        default=0.0,
        bounds=(0, _MAX_REDSHIFT),
        doc="Redshift of the source; 0: as in its confirmation, if there is one.",
    )
    effective_samples = param.Integer(
        default=2000, bounds=(100, 100_000), doc="Effective size of the sample of a posterior."
    )
    begin_with = param.String(
        default="",
        doc="COOLEST file whose lens the sampler starts from, instead of that of the lens test.",
    )
    seed = shared.seed("Seed of the sampling.")

    cluster = param.String(
        default="",
        doc="TOML or ECSV file of a cluster with multiple images, whose mass is modeled; without "
        "candidates.",
    )
    output = param.String(
        default="",
        doc="Folder for a copy of the files of a cluster, which must be new or empty; they are in "
        "runs/<run>/cluster.",
    )

    def title(self) -> str:
        if self.cluster:
            return f"Mass model of {Path(self.cluster).stem}"
        if not self.posterior:
            return f"Lens tests of {self.catalog}"
        of = self.objects[0] if len(self.objects) == 1 else self.catalog
        return f"{'Lens model' if len(self.objects) == 1 else 'Lens models'} of {of}"

    def lens_test(self) -> LensTestSettings:
        """The settings of each lens test."""
        return LensTestSettings(
            max_theta_e_arcsec=float(self.max_theta_e_arcsec) or math.nan, starts=int(self.starts)
        )

    def check(self) -> None:
        """Check what can be seen without the database; paths are made absolute."""
        if self.cluster:
            self._check_cluster()
            return
        if self.output:
            raise BadInputError("The output is of a cluster's mass model: name its file, too.")
        if not self.catalog:
            raise BadInputError("Name the catalog whose candidates are to be fitted.")
        if not (self.quick or self.posterior):
            raise BadInputError(
                "Nothing is to be fitted: leave --no-quick out, or add --posterior."
            )
        if self.ids and self.objects:
            raise BadInputError("Give a file of ids or objects, not both.")
        if self.begin_with and len(self.objects) != 1:
            raise BadInputError("A COOLEST file is of one lens: name one object with it.")
        if self.z_lens and self.z_source and self.z_source <= self.z_lens:
            raise BadInputError(
                f"The source at z = {self.z_source:g} is not behind the lens at "
                f"z = {self.z_lens:g}."
            )
        for name, what in (("ids", "File of ids"), ("begin_with", "COOLEST file")):
            if getattr(self, name):
                path = Path(getattr(self, name)).expanduser().absolute()
                if not path.is_file():
                    raise BadInputError(f"{what} {path} does not exist.")
                setattr(self, name, str(path))

    def _check_cluster(self) -> None:
        if self.catalog or self.posterior or self.ids or self.objects:
            raise BadInputError("A cluster's mass model takes no candidates: leave them out.")
        path = Path(self.cluster).expanduser().absolute()
        if not path.is_file():
            raise BadInputError(f"Cluster file {path} does not exist.")
        self.cluster = str(path)
        if self.output:
            self.output = str(Path(self.output).expanduser().absolute())
            check_new_folder(Path(self.output))
