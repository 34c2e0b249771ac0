"""Every run is described by one class here: types, bounds, units and help stand there once.

The command-line options, the settings panels of the browser and the JSON stored with a run are all
derived from these classes (see :func:`fields`, :meth:`RunSettings.to_json`).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Self, get_args

import param

from lensing_core.crossmatch.choices import KINDS, MAX_NORMALISED
from lensing_core.crossmatch.service_list import SERVICES
from lensing_core.errors import BadInputError
from lensing_core.ingest.choices import (
    POSITION_UNITS,
    TABLE_FORMATS,
    ImageKind,
    MissingBands,
    VarianceKind,
)
from lensing_core.ingest.labels import LabelRule
from lensing_core.ingest.provenance import POLICIES, check_policy
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
    """Simulate a survey of lenses and non-lenses with known truth."""

    kind = "simulate"
    units: ClassVar = {"size_arcsec": "arcsec", "noise_correlation_px": "px"}
    groups: ClassVar = {
        "Catalog": ("catalog", "survey", "bands", "pixels", "size_arcsec"),
        "Sample": ("scale", "n_objects", "lens_fraction", "labelled", "seed"),
        "Variety": (
            *("quasar_fraction", "group_fraction", "artefact_fraction"),
            *("mass", "noise_correlation_px"),
        ),
        "Selection of lenses": ("min_arc_snr", "min_magnification"),
        "Running": ("device",),
    }

    catalog = param.String(default="simulated", doc="Name of the catalog to make.")
    survey = param.String(default="hsc", doc="Survey whose bands, PSF, depth and noise to imitate.")
    bands = param.List(default=[], item_type=str, doc="Bands to simulate; empty: all.")
    pixels: Any = param.Selector(
        default="flux",
        objects=["flux", "rendered"],
        doc="Linear flux, or 8-bit colour pictures of the survey's three bands for colour.",
    )
    size_arcsec = param.Number(
        default=12.0,
        bounds=(6, 240),
        doc="Side of the cutouts; cluster-scale lenses need 64 or more, and 4 Einstein radii.",
    )
    scale: Any = param.Selector(
        default="galaxy", objects=["galaxy", "cluster"], doc="Scale of the lenses."
    )
    n_objects = param.Integer(default=4000, bounds=(1, 10_000_000), doc="Cutouts to make.")
    lens_fraction = param.Number(
        default=0.5, bounds=(0, 1), doc="Fraction that are lenses (surveys: about 1e-3)."
    )
    labelled = param.Boolean(
        default=True, doc="Store the labels; off hides them (the truth is kept apart)."
    )
    seed = param.Integer(default=1, bounds=(0, 2**31 - 1), doc="Same seed, same pixels.")

    quasar_fraction = param.Number(
        default=0.0,
        bounds=(0, 1),
        doc="Fraction of galaxy-scale lenses whose source is a quasar; as many of the others are "
        "galaxies with stars or single quasars beside them.",
    )
    group_fraction = param.Number(
        default=0.0,
        bounds=(0, 1),
        doc="Fraction of galaxy-scale lenses that are groups, with images up to some 8 arcsec from "
        "the centre; as many of the others are such groups without arcs.",
    )
    artefact_fraction = param.Number(
        default=0.05,
        bounds=(0, 1),
        doc="Fraction of images, of lenses and others alike, with a fault: cosmic ray, satellite "
        "trail, bad column, bright star or chip gap.",
    )

    mass: Any = param.Selector(
        default="epl",
        objects=["epl", "sie"],
        doc="Mass of single galaxies: elliptical power laws, each of its own slope, or isothermal.",
    )
    noise_correlation_px = param.Number(
        default=0.0,
        bounds=(0, 3),
        doc="Largest Gaussian sigma over which resampling has spread the noise of an image.",
    )
    min_arc_snr = param.Number(
        default=20.0, bounds=(0, 1000), doc="Matched-filter S/N that the arcs of a lens must have."
    )
    min_magnification = param.Number(
        default=3.0, bounds=(0, 100), doc="Total magnification that a lens must have."
    )
    device: Any = param.Selector(
        default="auto",
        objects=["auto", "cpu", "cuda"],
        doc="Where images are rendered; auto: on a GPU if there is one.",
    )

    def title(self) -> str:
        return f"Simulate {self.n_objects:,} objects as {self.survey} into {self.catalog}"

    def check(self) -> None:
        if self.scale == "cluster" and self.size_arcsec < 64:
            raise BadInputError(
                f"size_arcsec = {self.size_arcsec:g}: cluster-scale lenses need cutouts of at "
                "least 64 arcsec."
            )
        if self.scale == "cluster" and (self.quasar_fraction or self.group_fraction):
            raise BadInputError(
                "quasar_fraction, group_fraction: quasars and groups are simulated at galaxy scale "
                "only."
            )
        if self.quasar_fraction + self.group_fraction > 1:
            raise BadInputError("quasar_fraction and group_fraction: together at most 1.")


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
    seed = param.Integer(default=1, bounds=(0, 2**31 - 1), doc="Same seed, same arcs.")

    def title(self) -> str:
        return f"Paint arcs into {self.n_galaxies:,} galaxies of {self.source}"

    def check(self) -> None:
        if not self.source:
            raise BadInputError("source: name the catalog whose galaxies are to be used.")
        if self.source == self.catalog:
            raise BadInputError("catalog: choose a new name; the source is never changed.")


class IngestSettings(RunSettings):
    """Bring a table and its images into the workspace."""

    kind = "ingest"
    units: ClassVar = {
        "frame_crop_px": "px",
        "size_px": "px",
        "pixel_scale_arcsec": "arcsec/px",
        "pixel_scales": "arcsec/px",
        "grid_scale_arcsec": "arcsec/px",
        "zero_points": "AB mag",
    }
    groups: ClassVar = {
        "Catalog": ("catalog", "survey", "scale", "origin"),
        "Table": ("table", "table_format", "columns", "position_unit"),
        "Images": (
            *("images", "image_kind", "pattern", "bands", "band_keys", "band_axis", "dataset"),
            *("frame_crop_px", "missing_bands"),
        ),
        "Grid and calibration": (
            *("size_px", "pixel_scale_arcsec", "pixel_scales", "grid_scale_arcsec", "zero_points"),
        ),
        "Noise and PSF": ("variance_pattern", "variance_kind", "psf_pattern"),
        "Labels": (
            *("label_source", "label_confidence", "label_policy", "all_are", "lens_from"),
            *("nonlens_below",),
        ),
        "Running": ("workers",),
    }

    catalog = param.String(default="", doc="Name of the catalog to make or to go on with.")
    survey = param.String(
        default="", doc="Survey that the images are from; empty: as their headers say."
    )
    scale: param.Selector[str] = param.Selector(
        default="galaxy", objects=["galaxy", "cluster"], doc="Scale of the lenses looked for."
    )
    origin: param.Selector[str] = param.Selector(
        default="observed", objects=["observed", "simulated"], doc="Where the pixels are from."
    )

    table = param.String(
        default="",
        doc="CSV, FITS, VOTable, ECSV, Parquet or whitespace-separated file with one row an "
        "object; empty: one object for each image file.",
    )
    table_format: param.Selector[str] = param.Selector(
        default="auto", objects=list(TABLE_FORMATS), doc="Format of the table; auto: by its name."
    )
    columns = param.Dict(
        default={},
        doc="Columns whose names are not recognised, as ROLE=COLUMN: id, ra, dec, label, file, "
        "magnitude, z_phot, z_spec, richness, ..., mag:BAND, flux:BAND, file:BAND.",
    )
    position_unit: param.Selector[str] = param.Selector(
        default="auto",
        objects=list(POSITION_UNITS),
        doc="Unit of the position columns; auto: as the table says, else degrees, or sexagesimal "
        "where cells hold such text.",
    )

    images = param.String(
        default="",
        doc="Folder of the image files, or one file with all of them; empty: the table's folder.",
    )
    image_kind: param.Selector[str] = param.Selector(
        default="auto",
        objects=list(get_args(ImageKind)),
        doc="How images are stored; auto: by looking at the first.",
    )
    pattern = param.String(
        default="",
        doc="File names below the images folder, with columns in braces, such as "
        "{id}/{id}_{band}.fits; empty: as the table names them, or {id}.fits.",
    )
    bands = param.List(
        default=[], item_type=str, doc="Bands in their order; empty: those of the survey found."
    )
    band_keys = param.Dict(
        default={},
        doc="What files call a band, as BAND=KEY: an HDU's name or number, a plane's number, or "
        "what {band} stands for in file names.",
    )
    band_axis: param.Selector[str] = param.Selector(
        default="auto",
        objects=["auto", "first", "last"],
        doc="Band axis of cubes and stacks, in numpy's order; auto: by its length.",
    )
    dataset = param.String(
        default="", doc="Array within an .npz or HDF5 file; empty: the only one with images."
    )
    frame_crop_px = param.Integer(
        default=0, bounds=(0, 1000), doc="Frame to cut off each side of a picture."
    )
    missing_bands: param.Selector[str] = param.Selector(
        default="nan",
        objects=list(get_args(MissingBands)),
        doc="An object without some band: fill the band with NaN, or quarantine the object.",
    )

    size_px = param.Integer(
        default=0,
        bounds=(0, 4096),
        doc="Side of the cutouts; images are cropped or padded to it; 0: as the first image.",
    )
    pixel_scale_arcsec = param.Number(
        default=0.0, bounds=(0, 10), doc="Pixel scale of the images; 0: as headers say."
    )
    pixel_scales = param.Dict(
        default={}, doc="Pixel scales that differ between bands, as BAND=SCALE."
    )
    grid_scale_arcsec = param.Number(
        default=0.0,
        bounds=(0, 10),
        doc="Pixel scale of the cutouts; bands of another are regridded with flux conserved; 0: "
        "the finest of the bands.",
    )
    zero_points = param.Dict(
        default={}, doc="Zero points where headers are silent or wrong, as BAND=MAGNITUDE."
    )

    variance_pattern = param.String(
        default="", doc="File names of noise maps, as in the file-name pattern; empty: none."
    )
    variance_kind: param.Selector[str] = param.Selector(
        default="rms", objects=list(get_args(VarianceKind)), doc="What those noise maps hold."
    )
    psf_pattern = param.String(
        default="", doc="File names of PSFs, as in the file-name pattern; empty: none."
    )

    label_source = param.String(
        default="",
        doc="Where labels come from: obs:NAME, sim:NAME, weak:NAME, pretrain:NAME or human:NAME.",
    )
    label_confidence = param.Number(
        default=None,
        bounds=(0, 1),
        allow_None=True,
        doc="How sure labels are; not given: below one half for weak labels, else 1.",
    )
    label_policy: param.Selector[str] = param.Selector(
        default="auto",
        objects=["auto", *POLICIES],
        doc="What labels may be used for; auto: pretraining only for weak and pretrain sources, "
        "else all.",
    )
    all_are: param.Selector[str] = param.Selector(
        default="as the table says",
        objects=["as the table says", "lens", "not a lens"],
        doc="One label for every object.",
    )
    lens_from = param.Number(
        default=None,
        allow_None=True,
        doc="The label column holds grades: this grade or more is a lens.",
    )
    nonlens_below = param.Number(
        default=None,
        allow_None=True,
        doc="The label column holds grades: less than this is not a lens.",
    )

    workers = param.Integer(
        default=0, bounds=(0, 1024), doc="Processes that decode images; 0: one a core."
    )

    def title(self) -> str:
        return f"Import {self.catalog}"

    def check(self) -> None:
        """Check what can be seen without opening a file; paths are made absolute.

        A run that is resumed from another folder then finds its files.
        """
        check_slug(self.catalog, what="Catalog")
        if not self.table and not self.images:
            raise BadInputError("Name a table, or a folder of images, or both.")
        for name in ("table", "images"):
            value = getattr(self, name)
            if value:
                path = Path(value).expanduser().absolute()
                if not path.exists():
                    raise BadInputError(f"{name.capitalize()} {path} does not exist.")
                setattr(self, name, str(path))
        if self.label_policy != "auto":
            check_policy(self.label_source, self.label_policy)
        self.labels()

    def labels(self) -> LabelRule:
        """How labels are read."""
        constant = {"lens": 1, "not a lens": 0}.get(self.all_are)
        return LabelRule(constant, self.lens_from, self.nonlens_below)


class TrainSettings(RunSettings):
    """Train an ensemble on labelled catalogs."""

    kind = "train"
    groups: ClassVar = {
        "Ensemble": ("ensemble", "catalogs", "members", "fusion", "survey_prior", "seed"),
        "Network": (
            "backbones",
            "copies",
            "pretrained",
            "pretrain_catalogs",
            "pretrain_epochs",
            "small_stem",
            "width",
            "arc_prior",
            "pooling",
            "metadata",
            "dropout",
            "turned",
            "weight_bits",
        ),
        "Optimisation": (
            "epochs",
            "patience",
            "network_batch",
            "accumulate",
            "learning_rate",
            "find_learning_rate",
            "weight_decay",
            "loss",
            "lens_prior",
            "physics_weight",
            "average_decay",
            "blur_px",
            "gain",
            "precision",
            "device",
            "devices",
        ),
        "Trees": (
            *("feature_blocks", "rounds", "trees_learning_rate", "leaves"),
            *("monotone", "balanced_trees"),
        ),
    }

    ensemble = param.String(default="first", doc="Name of the ensemble to make.")
    catalogs = param.List(
        default=["simulated"], item_type=str, doc="Labelled catalogs to train on, of one geometry."
    )
    members = param.ListSelector(
        default=["trees", "network"], objects=["trees", "network"], doc="Members to train."
    )
    fusion: Any = param.Selector(
        default="mean",
        objects=["mean", "inverse_variance", "stacking", "isotonic_bayes", "best"],
        doc="How calibrated member logits are joined; best: by cross-fitted TPR0, then TPR10.",
    )
    survey_prior = param.Number(
        default=1e-3,
        bounds=(1e-6, 0.5),
        inclusive_bounds=(True, True),
        doc="Share of lenses expected in the survey that will be scored.",
    )
    seed = param.Integer(default=1, bounds=(0, 2**31 - 1), doc="Same seed, same ensemble.")
    backbones = param.List(
        default=["resnet10t"], item_type=str, doc="Networks: any timm names, and arc_aware."
    )
    copies = param.Integer(
        default=1,
        bounds=(1, 50),
        doc="Networks of each kind, with seeds and validation folds of their own.",
    )
    pretrained = param.Boolean(
        default=False, doc="Start from the weights that timm names for a backbone (a download)."
    )
    pretrain_catalogs = param.List(
        default=[],
        item_type=str,
        doc="Catalogs without labels on which networks learn first what is the same object.",
    )
    pretrain_epochs = param.Integer(
        default=20, bounds=(1, 1000), doc="Passes over them, where there are any."
    )
    pooling: Any = param.Selector(
        default="mean",
        objects=["mean", "mil"],
        doc="mean: networks see the whole cutout; mil: patches, joined by attention (clusters).",
    )
    metadata = param.ListSelector(
        default=[],
        objects=[
            *("psf_fwhm_arcsec", "depth_mag", "pixel_scale_arcsec"),
            *("redshift", "richness", "survey"),
        ],
        doc="What networks are told beside the pixels; missing values are allowed.",
    )
    weight_bits: Any = param.Selector(
        default="32",
        objects=["32", "16"],
        doc="Precision in which weights are stored: 16 makes files half as large.",
    )
    turned = param.Boolean(
        default=False, doc="Score the mean over the eight orientations, at eight times the cost."
    )
    small_stem = param.Boolean(
        default=False, doc="ResNets: no pooling after the first convolution, for small cutouts."
    )
    width = param.Number(
        default=1.0,
        bounds=(0.125, 4),
        doc="ResNets: channels of every stage relative to the published network; 0.5 makes it four "
        "times smaller.",
    )
    arc_prior = param.Boolean(
        default=True,
        doc="arc_aware: attention is biased by distances and directions around the centre; off for "
        "patches.",
    )
    dropout = param.Number(default=0.2, bounds=(0, 0.9), doc="Dropout in the network's head.")
    epochs = param.Integer(default=12, bounds=(1, 1000), doc="Most passes over the training set.")
    patience = param.Integer(
        default=5, bounds=(1, 1000), doc="Epochs without a better validation loss before stopping."
    )
    network_batch = param.Integer(
        default=64,
        bounds=(2, 8192),
        doc="Cutouts a pass; halved where they do not fit in the memory of a GPU.",
    )
    accumulate = param.Integer(default=1, bounds=(1, 1024), doc="Passes a training step.")
    learning_rate = param.Number(default=2e-3, bounds=(1e-6, 1), doc="Peak rate of AdamW.")
    find_learning_rate = param.Boolean(
        default=False, doc="Look for the peak rate by a range test first (Smith 2017)."
    )
    weight_decay = param.Number(default=1e-2, bounds=(0, 1), doc="Weight decay of AdamW.")
    loss: Any = param.Selector(
        default="cross_entropy",
        objects=["cross_entropy", "balanced", "focal", "nnpu"],
        doc="balanced: classes weigh the same; focal: hard objects weigh more; nnpu: label 0 means "
        "unlabelled.",
    )
    lens_prior = param.Number(
        default=0.01,
        bounds=(0, 0.5),
        inclusive_bounds=(False, True),
        doc="Share of lenses among the unlabelled objects, for nnpu.",
    )
    physics_weight = param.Number(
        default=0.0,
        bounds=(0, 10),
        doc="Weight of a second task for simulated lenses: Einstein radius, and a potential that "
        "obeys the Poisson equation; 0: none.",
    )
    average_decay = param.Number(
        default=0.0,
        bounds=(0, 0.9999),
        doc="Decay a step of an exponential average of the weights, which is then kept; 0: none.",
    )
    blur_px = param.Number(
        default=0.0, bounds=(0, 8), doc="Largest FWHM of extra blur of training images."
    )
    gain = param.Number(
        default=0.0, bounds=(0, 0.5), doc="Largest relative change of brightness in training."
    )
    precision: Any = param.Selector(
        default="32-true", objects=["32-true", "bf16-mixed"], doc="Arithmetic of training."
    )
    device: Any = param.Selector(
        default="auto", objects=["auto", "cpu", "cuda"], doc="Where networks train."
    )
    devices = param.Integer(
        default=1,
        bounds=(1, 64),
        doc="GPUs that train a network together, each with batches of its own; processes on a CPU.",
    )
    feature_blocks = param.ListSelector(
        default=["grid", "segments", "colours", "ridges"],
        objects=["grid", "segments", "colours", "ridges", "catalog"],
        doc="What trees see: patches and annuli, arcs and segments, their colours, oriented "
        "filters, what the catalog knows (redshift, richness, PSF, depth, ...).",
    )
    rounds = param.Integer(default=600, bounds=(1, 100_000), doc="Most boosting rounds.")
    trees_learning_rate = param.Number(default=0.05, bounds=(1e-4, 1), doc="Shrinkage of trees.")
    leaves = param.Integer(default=31, bounds=(2, 1024), doc="Most leaves of a tree.")
    monotone = param.Boolean(
        default=True,
        doc="Scores of trees never fall with better tangential alignment or colour consistency, "
        "nor rise with worse seeing.",
    )
    balanced_trees = param.Boolean(
        default=False, doc="Lenses and non-lenses weigh the same in training trees."
    )

    def title(self) -> str:
        return f"Train {self.ensemble} on {', '.join(self.catalogs)}"

    def check(self) -> None:
        check_slug(self.ensemble, what="Ensemble")
        if not self.members:
            raise BadInputError("Training: choose at least one member.")
        if not self.catalogs:
            raise BadInputError("Training: choose at least one labelled catalog.")
        if "trees" in self.members and not self.feature_blocks:
            raise BadInputError("feature_blocks: name at least one, or leave trees out.")
        if "network" in self.members and not self.backbones:
            raise BadInputError("backbones: name at least one network, or leave networks out.")
        if self.fusion == "inverse_variance" and "network" in self.members and not self.dropout:
            raise BadInputError(
                "dropout = 0: fusion by inverse variance needs dropout in the network's head."
            )


class ScoreSettings(RunSettings):
    """Score a catalog with an ensemble."""

    kind = "score"

    ensemble = param.String(default="first", doc="Ensemble to use.")
    catalog = param.String(default="survey", doc="Catalog to score.")
    further = param.List(default=[], item_type=str, doc="Catalogs to score after it.")
    batch_size = param.Integer(default=256, bounds=(1, 65536), doc="Cutouts in memory at a time.")
    device: Any = param.Selector(
        default="auto", objects=["auto", "cpu", "cuda"], doc="Where networks run."
    )
    precision: Any = param.Selector(
        default="auto",
        objects=["auto", "32", "bf16"],
        doc="Arithmetic of networks; auto: bf16 where the device has units for it.",
    )

    def title(self) -> str:
        more = f" and {len(self.further)} more" if self.further else ""
        return f"Score {self.catalog}{more} with {self.ensemble}"


class RetrainSettings(RunSettings):
    """Train heads on the labels of a scored catalog, and rank it again, without its pixels."""

    kind = "retrain"
    groups: ClassVar = {
        "Ensemble": ("ensemble", "base", "catalog", "further", "survey_prior"),
        "Heads": ("heads", "fusion"),
        "Labels": (
            *("labels", "consensus", "lens_from", "other_below", "min_votes", "min_confidence"),
            *("other_weight", "hard_weight", "most_unlabeled"),
        ),
        "Splits": ("folds", "block_nside", "seed"),
    }

    ensemble = param.String(default="retrained", doc="Name of the ensemble to make.")
    base = param.String(
        default="",
        doc="Ensemble that scored the catalog and whose members are kept; empty: the one promoted "
        "last, else the newest.",
    )
    catalog = param.String(default="survey", doc="Catalog whose labels train; it is ranked again.")
    further = param.List(default=[], item_type=str, doc="Catalogs to learn from and rank with it.")
    survey_prior = param.Number(
        default=1e-3,
        bounds=(1e-6, 0.5),
        inclusive_bounds=(True, True),
        doc="Share of lenses expected among the candidates.",
    )
    heads = param.ListSelector(
        default=["nnpu", "logistic", "trees"],
        objects=["nnpu", "logistic", "trees", "bagging"],
        doc="Heads to train; nnpu and logistic: on embeddings; trees and bagging: LightGBM on "
        "features and embeddings.",
    )
    fusion: Any = param.Selector(
        default="stacking",
        objects=["mean", "stacking", "isotonic_bayes", "best"],
        doc="How calibrated member logits are joined; best: by cross-fitted TPR0, then TPR10.",
    )
    labels: Any = param.Selector(
        default="both",
        objects=["both", "grades", "imported"],
        doc="Grades given here, labels imported with the catalog, or both; grades go first.",
    )
    consensus: Any = param.Selector(
        default="dawid_skene",
        objects=["dawid_skene", "swap"],
        doc="How the grades of several graders are joined; labels weigh by |2p - 1|.",
    )
    lens_from = param.Number(
        default=0.5,
        bounds=(0.01, 0.99),
        doc="Graded objects of this posterior or more are lenses.",
    )
    other_below = param.Number(
        default=0.1,
        bounds=(0.001, 0.99),
        doc="Graded objects of a lower posterior are no lenses; in between they stay unlabeled.",
    )
    min_votes = param.Integer(
        default=1, bounds=(1, 100), doc="Objects with fewer grades stay unlabeled."
    )
    other_weight = param.Integer(
        default=10,
        bounds=(1, 1000),
        doc="A vetted non-lens counts as this many unlabeled objects.",
    )
    hard_weight = param.Number(
        default=2.0,
        bounds=(1, 100),
        doc="One that was rejected for a stated reason (ring, spiral, ...) counts this many times "
        "as much, and reasons are balanced.",
    )
    most_unlabeled = param.Integer(
        default=10_000,
        bounds=(100, 1_000_000),
        doc="Most unlabeled objects that heads are trained on, drawn at random.",
    )
    min_confidence = param.Number(
        default=0.5, bounds=(0, 1), doc="Labels of less confidence count as none."
    )
    folds = param.Integer(
        default=5, bounds=(2, 20), doc="Parts of whole groups for cross-validation."
    )
    block_nside = param.Integer(
        default=64,
        bounds=(0, 4096),
        doc="NSIDE of the HEALPix blocks that stay on one side of a split, a power of 2 (64: 0.9 "
        "degrees); 0: only duplicates within 2 arcsec stay together.",
    )
    seed = param.Integer(default=1, bounds=(0, 2**31 - 1), doc="Same seed, same ensemble.")

    def title(self) -> str:
        more = f" and {len(self.further)} more" if self.further else ""
        return f"Retrain {self.ensemble} on {self.catalog}{more}"

    def check(self) -> None:
        check_slug(self.ensemble, what="Ensemble")
        if not self.catalog:
            raise BadInputError("Retraining: name the catalog whose labels train.")
        if self.param.heads.objects and not self.heads:
            raise BadInputError("Retraining: choose at least one head.")
        if self.other_below > self.lens_from:
            raise BadInputError(
                f"other_below = {self.other_below:g} is above lens_from = {self.lens_from:g}."
            )
        if self.block_nside & (self.block_nside - 1):
            raise BadInputError(
                f"block_nside = {self.block_nside}: use a power of 2, or 0 for no blocks."
            )


class FinetuneSettings(RetrainSettings):
    """Train the networks of an ensemble further on the labels of a catalog, with its pixels.

    Labels, held-out groups and folds are those of ``retrain``; the loss is nnPU at the survey's
    prior. Each network is trained once a fold and once on all; then the catalog is scored again.
    """

    kind = "finetune"
    groups: ClassVar = {
        **{name: g for name, g in RetrainSettings.groups.items() if name != "Heads"},
        "Network": (
            *("epochs", "learning_rate", "weight_decay", "network_batch", "blur_px", "gain"),
            *("fusion", "precision", "device"),
        ),
    }

    heads = param.ListSelector(default=[], objects=[], precedence=-1)  # of the fast retrain alone
    ensemble = param.String(default="fine-tuned", doc="Name of the ensemble to make.")
    base = param.String(
        default="",
        doc="Ensemble whose networks are trained further and whose trees are kept; empty: the one "
        "promoted last, else the newest.",
    )
    catalog = param.String(default="survey", doc="Catalog whose labels train; it is scored again.")
    further = param.List(default=[], item_type=str, doc="Catalogs to learn from and score with it.")
    most_unlabeled = param.Integer(
        default=5000,
        bounds=(100, 1_000_000),
        doc="Most unlabeled objects that networks are trained on, drawn at random.",
    )
    folds = param.Integer(
        default=3, bounds=(2, 20), doc="Parts of whole groups for cross-fitting; each costs a fit."
    )
    epochs = param.Integer(default=4, bounds=(1, 1000), doc="Passes over the unlabeled objects.")
    learning_rate = param.Number(default=3e-4, bounds=(1e-6, 1), doc="Peak rate of AdamW.")
    weight_decay = param.Number(default=1e-2, bounds=(0, 1), doc="Weight decay of AdamW.")
    network_batch = param.Integer(
        default=64, bounds=(8, 8192), doc="Cutouts a step; a quarter of them lenses at most."
    )
    blur_px = param.Number(
        default=0.0, bounds=(0, 8), doc="Largest FWHM of extra blur of training images."
    )
    gain = param.Number(
        default=0.0, bounds=(0, 0.5), doc="Largest relative change of brightness in training."
    )
    precision: Any = param.Selector(
        default="32-true", objects=["32-true", "bf16-mixed"], doc="Arithmetic of training."
    )
    device: Any = param.Selector(
        default="auto", objects=["auto", "cpu", "cuda"], doc="Where networks train."
    )

    def title(self) -> str:
        more = f" and {len(self.further)} more" if self.further else ""
        return f"Fine-tune {self.ensemble} on {self.catalog}{more}"


class CrossmatchSettings(RunSettings):
    """Match a catalog with known lenses, other catalogs and online services."""

    kind = "crossmatch"
    units: ClassVar = {
        "radius_arcsec": "arcsec",
        "candidate_error_arcsec": "arcsec",
        "reference_error_arcsec": "arcsec",
        "pause_s": "s",
    }
    groups: ClassVar = {
        "What is matched": ("catalog", "references", "catalogs"),
        "Own tables": ("tables", "table_kind", "columns", "position_unit", "error_column"),
        "Matching": (
            *("radius_arcsec", "candidate_error_arcsec", "reference_error_arcsec"),
            *("max_normalised", "lenscat_table"),
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
        default={}, doc="Columns whose names are not recognised, as ROLE=COLUMN: id, ra, dec."
    )
    position_unit: param.Selector[str] = param.Selector(
        default="auto", objects=list(POSITION_UNITS), doc="Unit of their positions."
    )
    error_column = param.String(
        default="", doc="Column of position errors in arcsec, along one axis; empty: none."
    )
    radius_arcsec = param.Number(
        default=0.0,
        bounds=(0, 3600),
        doc="Where counterparts are looked for; 0: 5 for catalogs of galaxy scale, 60 of cluster "
        "scale.",
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
        doc="Position error of references that state none; 0: 1 at galaxy scale, 15 at cluster "
        "scale.",
    )
    max_normalised = param.Number(
        default=MAX_NORMALISED,
        bounds=(0.1, 10),
        doc="The farthest match in units of the joint error; what lies beyond is for review.",
    )
    lenscat_table = param.String(
        default="", doc="A newer catalog.csv of lenscat; empty: the edition that is shipped."
    )
    ensemble = param.String(
        default="",
        doc="Its ranking says who is asked for online; empty: the promoted or newest one.",
    )
    first = param.Integer(
        default=1000,
        bounds=(0, 10_000_000),
        doc="Candidates that are asked for online, the best of the ranking; 0: all.",
    )
    vizier = param.Dict(
        default={},
        doc="Further VizieR catalogs or tables, as ID=KIND: lens, probable, cluster, redshift, "
        "xray, star or object.",
    )
    batch_size = param.Integer(default=5000, bounds=(1, 100_000), doc="Positions a request.")
    pause_s = param.Number(
        default=1.0, bounds=(0, 60), doc="Least time between two requests to one service."
    )
    ask_anew = param.Boolean(
        default=False, doc="Ask again for what the workspace has kept an answer of."
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


SETTINGS: dict[str, type[RunSettings]] = {
    cls.kind: cls
    for cls in (
        SimulateSettings,
        InjectSettings,
        IngestSettings,
        TrainSettings,
        ScoreSettings,
        RetrainSettings,
        FinetuneSettings,
        CrossmatchSettings,
    )
}
