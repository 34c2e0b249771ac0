"""Settings of probes for shortcuts."""

from __future__ import annotations

from typing import ClassVar

import param

from lens_triage.training.settings import shared
from lens_triage.training.settings.base import RunSettings


class ProbeSettings(RunSettings):
    """Probe an ensemble for shortcuts: what is its ranking worth where no arc can be seen?"""

    kind = "probe"
    units: ClassVar = {"batch_size": "cutouts"}

    ensemble = param.String(default="", doc="Ensemble to probe.")
    catalog = param.String(default="", doc="Catalog with known lenses.")
    additional_catalogs = param.List(
        default=[], item_type=str, doc="Catalogs of the survey with more lenses or non-lenses."
    )
    most_objects = param.Integer(
        default=900,
        bounds=(100, 20_000),
        doc="Objects that are probed, at most a third of them lenses; each is scored ten times.",
    )
    block_nside = param.Integer(
        default=64, bounds=(0, 2**20), doc="NSIDE of the sky blocks that intervals draw; 0: none."
    )
    seed = param.Integer(default=0, doc="Of the objects that are drawn, and of intervals.")
    batch_size = param.Integer(default=128, bounds=(1, 4096), doc="Cutouts in memory at a time.")
    device = shared.device("Where networks run.")

    def title(self) -> str:
        return f"Probe {self.ensemble} on {shared.several(self.catalog, self.additional_catalogs)}"
