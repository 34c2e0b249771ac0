"""Settings of arcs painted into real cutouts."""

from __future__ import annotations

from typing import Any, ClassVar

import param

from lens_triage.training.settings import shared
from lens_triage.training.settings.base import RunSettings
from lensing_core.errors import BadInputError


class InjectSettings(RunSettings):
    """Paint simulated arcs into the real cutouts of a catalog, to train on."""

    kind = "inject"
    groups: ClassVar = {
        "Catalog": ("source", "catalog"),
        "Sample": ("n_galaxies", "min_magnitude", "max_magnitude", "seed"),
    }

    source = param.String(default="", doc="Catalog whose galaxies are used; its images are flux.")
    catalog = param.String(default="injected", doc="Name of the catalog to make.")
    n_galaxies = param.Integer(
        default=1000,
        bounds=(1, 10_000_000),
        doc="Galaxies; each stands in the new catalog twice, as it is and with arcs.",
    )
    min_magnitude: Any = param.Number(default=None, allow_None=True, doc="Leave out brighter ones.")
    max_magnitude: Any = param.Number(default=None, allow_None=True, doc="Leave out fainter ones.")
    seed = shared.seed("Same seed, same arcs.")

    def title(self) -> str:
        return f"Paint arcs into {self.n_galaxies:,} galaxies of {self.source}"

    def check(self) -> None:
        if not self.source:
            raise BadInputError("source: name the catalog whose galaxies are to be used.")
        if self.source == self.catalog:
            raise BadInputError("catalog: choose a new name; the source is never changed.")
