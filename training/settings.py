"""Every run is described by one class here: types, bounds, units and help stand there once.

The command-line options, the settings panels of the browser and the JSON stored with a run are all
derived from these classes (see :func:`fields`, :meth:`RunSettings.to_json`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Self

import param

from lensing_core.errors import BadInputError
from lensing_core.workspace import check_slug


@dataclass(frozen=True)
class Field:
    """What a command line or a panel needs to know of one setting."""

    name: str
    parameter: Any
    default: Any
    help: str
    unit: str
    group: str


class RunSettings(param.Parameterized):
    """Base of all run settings; ``kind`` names the job that they describe."""

    kind: ClassVar[str] = ""
    units: ClassVar[dict[str, str]] = {}
    groups: ClassVar[dict[str, tuple[str, ...]]] = {}

    def __init__(self, **values: Any) -> None:
        unknown = sorted(set(values) - {f.name for f in fields(type(self))})
        if unknown:
            raise BadInputError(f"{self.kind} settings: unknown {', '.join(unknown)}.")
        try:
            super().__init__(**values)
        except (ValueError, TypeError) as error:
            raise BadInputError(f"{self.kind} settings: {error}") from error

    def to_json(self) -> dict[str, Any]:
        """Plain JSON of all settings."""
        return {f.name: f.parameter.serialize(getattr(self, f.name)) for f in fields(type(self))}

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Self:
        """The settings that :meth:`to_json` wrote."""
        known = {f.name: f.parameter for f in fields(cls)}
        return cls(**{k: known[k].deserialize(v) if k in known else v for k, v in values.items()})

    def title(self) -> str:
        """One line for lists of runs."""
        return self.kind.capitalize()

    def check(self) -> None:
        """Raise BadInputError where settings contradict one another."""


def fields(settings: type[RunSettings]) -> list[Field]:
    """The settings of a class in order of declaration, base class first."""
    group_of = {name: group for group, names in settings.groups.items() for name in names}
    return [
        Field(
            name,
            p,
            p.default,
            (p.doc or "").strip(),
            settings.units.get(name, ""),
            group_of.get(name, "General"),
        )
        for name, p in settings.param.objects("existing").items()
        if name != "name" and (p.precedence is None or p.precedence >= 0)
    ]


class SimulateSettings(RunSettings):
    """Simulate a survey of galaxy-scale lenses and non-lenses with known truth."""

    kind = "simulate"
    units: ClassVar = {"size_arcsec": "arcsec"}
    groups: ClassVar = {
        "Catalog": ("catalog", "survey", "bands", "size_arcsec"),
        "Sample": ("n_objects", "lens_fraction", "labelled", "seed"),
    }

    catalog = param.String(default="simulated", doc="Name of the catalog to make.")
    survey = param.String(default="hsc", doc="Survey whose bands, PSF, depth and noise to imitate.")
    bands = param.List(default=[], item_type=str, doc="Bands to simulate; empty: all.")
    size_arcsec = param.Number(default=12.0, bounds=(6, 60), doc="Side of the cutouts.")
    n_objects = param.Integer(default=4000, bounds=(1, 10_000_000), doc="Cutouts to make.")
    lens_fraction = param.Number(
        default=0.5, bounds=(0, 1), doc="Fraction that are lenses (surveys: about 1e-3)."
    )
    labelled = param.Boolean(
        default=True, doc="Store the labels; off hides them (the truth is kept apart)."
    )
    seed = param.Integer(default=1, bounds=(0, 2**31 - 1), doc="Same seed, same pixels.")

    def title(self) -> str:
        return f"Simulate {self.n_objects:,} objects as {self.survey} into {self.catalog}"


class IngestSettings(RunSettings):
    """Bring a table and its images into the workspace."""

    kind = "ingest"
    units: ClassVar = {"size_arcsec": "arcsec", "pixel_scale_arcsec": "arcsec/px"}

    catalog = param.String(default="", doc="Name of the catalog to make or to go on with.")
    table = param.String(default="", doc="CSV, FITS, VOTable, ECSV or Parquet file.")
    survey = param.String(default="", doc="Survey definition that the images belong to.")

    def title(self) -> str:
        return f"Import {self.catalog}"


class TrainSettings(RunSettings):
    """Train an ensemble on labelled catalogs."""

    kind = "train"
    groups: ClassVar = {
        "Ensemble": ("ensemble", "catalogs", "members", "fusion", "survey_prior", "seed"),
        "Network": (
            "backbone",
            "small_stem",
            "dropout",
            "epochs",
            "patience",
            "network_batch",
            "learning_rate",
            "weight_decay",
            "precision",
            "device",
        ),
        "Trees": ("rounds", "trees_learning_rate", "leaves"),
    }

    ensemble = param.String(default="first", doc="Name of the ensemble to make.")
    catalogs = param.List(
        default=["simulated"], item_type=str, doc="Labelled catalogs to train on, of one geometry."
    )
    members = param.ListSelector(
        default=["trees", "network"], objects=["trees", "network"], doc="Members to train."
    )
    fusion: Any = param.Selector(
        default="mean", objects=["mean"], doc="How calibrated member logits are joined."
    )
    survey_prior = param.Number(
        default=1e-3,
        bounds=(1e-6, 0.5),
        inclusive_bounds=(True, True),
        doc="Share of lenses expected in the survey that will be scored.",
    )
    seed = param.Integer(default=1, bounds=(0, 2**31 - 1), doc="Same seed, same ensemble.")
    backbone = param.String(default="resnet10t", doc="Network: any timm name, or arc_aware.")
    small_stem = param.Boolean(
        default=False, doc="ResNets: no pooling after the first convolution, for small cutouts."
    )
    dropout = param.Number(default=0.2, bounds=(0, 0.9), doc="Dropout in the network's head.")
    epochs = param.Integer(default=12, bounds=(1, 1000), doc="Most passes over the training set.")
    patience = param.Integer(
        default=5, bounds=(1, 1000), doc="Epochs without a better validation loss before stopping."
    )
    network_batch = param.Integer(default=64, bounds=(2, 8192), doc="Cutouts a training step.")
    learning_rate = param.Number(default=2e-3, bounds=(1e-6, 1), doc="Peak rate of AdamW.")
    weight_decay = param.Number(default=1e-2, bounds=(0, 1), doc="Weight decay of AdamW.")
    precision: Any = param.Selector(
        default="32-true", objects=["32-true", "bf16-mixed"], doc="Arithmetic of training."
    )
    device: Any = param.Selector(
        default="auto", objects=["auto", "cpu", "cuda"], doc="Where the network trains."
    )
    rounds = param.Integer(default=600, bounds=(1, 100_000), doc="Most boosting rounds.")
    trees_learning_rate = param.Number(default=0.05, bounds=(1e-4, 1), doc="Shrinkage of trees.")
    leaves = param.Integer(default=31, bounds=(2, 1024), doc="Most leaves of a tree.")

    def title(self) -> str:
        return f"Train {self.ensemble} on {', '.join(self.catalogs)}"

    def check(self) -> None:
        check_slug(self.ensemble, what="Ensemble")
        if not self.members:
            raise BadInputError("Training: choose at least one member.")
        if not self.catalogs:
            raise BadInputError("Training: choose at least one labelled catalog.")


class ScoreSettings(RunSettings):
    """Score a catalog with an ensemble."""

    kind = "score"

    ensemble = param.String(default="first", doc="Ensemble to use.")
    catalog = param.String(default="survey", doc="Catalog to score.")
    batch_size = param.Integer(default=256, bounds=(1, 65536), doc="Cutouts in memory at a time.")
    device: Any = param.Selector(
        default="auto", objects=["auto", "cpu", "cuda"], doc="Where networks run."
    )

    def title(self) -> str:
        return f"Score {self.catalog} with {self.ensemble}"


SETTINGS: dict[str, type[RunSettings]] = {
    cls.kind: cls for cls in (SimulateSettings, IngestSettings, TrainSettings, ScoreSettings)
}
