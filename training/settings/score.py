"""Settings of scoring."""

from __future__ import annotations

from typing import Any, ClassVar

import param

from lens_triage.training.settings import shared
from lens_triage.training.settings.base import RunSettings


class ScoreSettings(RunSettings):
    """Score a catalog with an ensemble."""

    kind = "score"
    older_names: ClassVar = {"further": "additional_catalogs"}
    units: ClassVar = {"batch_size": "cutouts"}

    ensemble = param.String(default="first", doc="Ensemble to use.")
    catalog = param.String(default="survey", doc="Catalog to score.")
    additional_catalogs = param.List(default=[], item_type=str, doc="Catalogs to score after it.")
    batch_size = param.Integer(default=256, bounds=(1, 65536), doc="Cutouts in memory at a time.")
    device = shared.device("Where networks run.")
    any_scale = param.Boolean(
        default=False,
        doc="Score catalogs, too, whose noise and brightness only a wrong zero point explains.",
    )
    precision: Any = param.Selector(
        default="auto",
        objects=["auto", "32", "bf16"],
        doc="Arithmetic of networks; auto: bf16 where the device has units for it.",
    )

    def title(self) -> str:
        return (
            f"Score {shared.several(self.catalog, self.additional_catalogs)} with {self.ensemble}"
        )
