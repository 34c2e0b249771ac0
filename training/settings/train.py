"""Settings of ensembles trained from labeled catalogs."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, ClassVar

import param

from lens_triage.training.settings import shared
from lens_triage.training.settings.base import RunSettings
from lens_triage.training.settings.encode import (
    crops_of,
    encoder_settings,
    encoder_titles,
    encoder_units,
)
from lensing_core.errors import BadInputError
from lensing_core.workspace import check_slug

STANDARD = "standard"
PRESETS: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {
        "quick": {
            "epochs": 4,
            "patience": 2,
            "width": 0.5,
            "small_stem": True,
            "rounds": 150,
            "trees_learning_rate": 0.1,
        },
        STANDARD: {},
        "thorough": {
            "backbones": ["resnet18", "arc_aware"],
            "small_stem": True,
            "width": 0.5,
            "epochs": 22,
            "patience": 8,
            "network_batch": 128,
            "learning_rate": 1e-3,
            "average_decay": 0.995,
            "fusion": "best",
        },
    }
)
"""Size of a training; thorough is the recipe of the bundled ensemble of HSC."""


class TrainSettings(RunSettings):
    """Train an ensemble on labeled catalogs."""

    kind = "train"
    files: ClassVar = ("weights",)
    older_names: ClassVar = {"turned": "dihedral_averaging"}
    presets: ClassVar = PRESETS
    titles: ClassVar = {
        "catalogs": "Labeled catalogs",
        "fusion": "Fusion of members' scores",
        "survey_prior": "Class prior of the survey",
        "seed": "Seed of random numbers",
        "backbones": "Architectures of networks",
        "copies": "Networks of each architecture",
        "pretrained": "Begin with weights of timm",
        "pretrain_catalogs": "Unlabeled catalogs to learn from first",
        "pretrain_epochs": "Epochs on unlabeled catalogs",
        "small_stem": "Small first layers, for small cutouts",
        "width": "Width of networks",
        "arc_prior": "Attention biased around the center",
        "pooling": "Pooling over the cutout",
        "metadata": "Metadata beside the pixels",
        "dropout": "Dropout before the last layer",
        "dihedral_averaging": "Mean over eight orientations",
        "weight_bits": "Precision of stored weights",
        **encoder_titles(),
        "epochs": "Epochs, at most",
        "patience": "Patience without a better loss",
        "network_batch": "Batch of networks",
        "accumulate": "Batches of a training step",
        "learning_rate": "Peak learning rate",
        "find_learning_rate": "Look for the peak learning rate",
        "loss": "Loss of networks",
        "lens_prior": "Share of lenses among the unlabeled",
        "physics_weight": "Weight of the physics task",
        "average_decay": "Decay of averaged weights",
        **shared.TITLES,
        "devices": "GPUs of one network",
        "feature_blocks": "Features of trees",
        "rounds": "Boosting rounds, at most",
        "trees_learning_rate": "Learning rate of trees",
        "leaves": "Leaves of a tree, at most",
        "monotone": "Monotone features of trees",
        "balanced_trees": "Balanced classes in trees",
    }
    units: ClassVar = {
        "survey_prior": "share of lenses",
        "lens_prior": "share of lenses",
        "epochs": "passes",
        "pretrain_epochs": "passes",
        "patience": "epochs",
        "width": "1 = as published",
        "dropout": "share of units",
        "weight_bits": "bit",
        "network_batch": "cutouts",
        "average_decay": "per step",
        **dict.fromkeys(("seed", "copies", "accumulate", "devices", "rounds", "leaves"), ""),
        **dict.fromkeys(("learning_rate", "trees_learning_rate", "physics_weight"), ""),
        **encoder_units(),
        **shared.UNITS,
    }
    groups: ClassVar = {
        "Ensemble": (
            *("preset", "ensemble", "catalogs", "members", "fusion", "survey_prior", "seed"),
        ),
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
            "dihedral_averaging",
            "weight_bits",
        ),
        "Encoder": ("encoder", "weights", "crops", "views", "input_px", "layers", "unit_levels"),
        "Optimization": (
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

    preset: Any = param.Selector(
        default=STANDARD,
        objects=list(PRESETS),
        doc="What is not set otherwise. quick: one small network for 4 epochs, to see whether "
        "labels and images do; thorough: two networks for up to 22 epochs, as the bundled ensemble "
        "of HSC was made.",
    )
    ensemble = param.String(default="first", doc="Name of the ensemble to make.")
    catalogs = param.List(
        default=["simulated"], item_type=str, doc="Labeled catalogs to train on, of one geometry."
    )
    members = param.ListSelector(
        default=["trees", "network"],
        objects=["trees", "network", "encoder"],
        doc="Members to train; encoder: a pretrained network with fixed weights, and a head.",
    )
    fusion: Any = param.Selector(
        default="mean",
        objects=["mean", "inverse_variance", "stacking", "isotonic_bayes", "best"],
        doc="How calibrated member logits are fused; best: by cross-fitted TPR0, then TPR10.",
    )
    survey_prior = shared.survey_prior(
        "Share of lenses expected in the survey that will be scored."
    )
    seed = shared.seed("Same seed, same ensemble.")
    backbones = param.List(
        default=["resnet10t"], item_type=str, doc="Networks: any timm names, and arc_aware."
    )
    copies = param.Integer(
        default=1,
        bounds=(1, 50),
        doc="Number of networks of each kind, each with its own seed and validation fold.",
    )
    pretrained = param.Boolean(
        default=False, doc="Start from the weights that timm names for a backbone (a download)."
    )
    pretrain_catalogs = param.List(
        default=[],
        item_type=str,
        doc="Unlabeled catalogs for contrastive pretraining of the networks.",
    )
    pretrain_epochs = param.Integer(
        default=20, bounds=(1, 1000), doc="Passes over them, where there are any."
    )
    pooling: Any = param.Selector(
        default="mean",
        objects=["mean", "mil"],
        doc="mean: networks see the whole cutout; mil: patches, pooled by attention (clusters).",
    )
    metadata = param.ListSelector(
        default=[],
        objects=[
            *("psf_fwhm_arcsec", "depth_mag", "pixel_scale_arcsec"),
            *("redshift", "richness", "survey"),
        ],
        doc="Metadata that networks use in addition to the pixels; missing values are allowed.",
    )
    weight_bits: Any = param.Selector(
        default="32",
        objects=["32", "16"],
        doc="Precision in which weights are stored: 16 makes files half as large.",
    )
    dihedral_averaging = param.Boolean(
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
        doc="arc_aware: attention is biased by distances and directions around the center; off for "
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
        doc="Cutouts per pass; halved if they do not fit in the memory of a GPU.",
    )
    accumulate = param.Integer(default=1, bounds=(1, 1024), doc="Passes a training step.")
    learning_rate = param.Number(default=2e-3, bounds=(1e-6, 1), doc="Peak rate of AdamW.")
    find_learning_rate = param.Boolean(
        default=False, doc="Look for the peak rate by a range test first (Smith 2017)."
    )
    weight_decay = shared.weight_decay()
    loss: Any = param.Selector(
        default="cross_entropy",
        objects=["cross_entropy", "balanced", "focal", "nnpu"],
        doc="balanced: equal weight of both classes; focal: more weight on hard objects; nnpu: "
        "label 0 means unlabeled.",
    )
    lens_prior = param.Number(
        default=0.01,
        bounds=(0, 0.5),
        inclusive_bounds=(False, True),
        doc="Share of lenses among the unlabeled objects, for nnpu.",
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
        doc="Decay per step of an exponential average of the weights, which becomes the network; "
        "0: no average.",
    )
    blur_px = shared.blur_px()
    gain = shared.gain()
    precision = shared.precision()
    device = shared.device("Where networks train.")
    devices = param.Integer(
        default=1,
        bounds=(1, 64),
        doc="GPUs (on a CPU, processes) that train a network together, each with its own batches.",
    )
    encoder = param.List(
        default=[],
        item_type=str,
        doc="Pretrained encoders: efficientnet_lite0 to 2, or backbones of timm.",
    )
    weights = encoder_settings()["weights"]
    crops = encoder_settings()["crops"]
    views: Any = encoder_settings()["views"]
    input_px = encoder_settings()["input_px"]
    layers: Any = encoder_settings()["layers"]
    unit_levels = encoder_settings()["unit_levels"]
    feature_blocks = param.ListSelector(
        default=["grid", "segments", "colours", "ridges"],
        objects=["grid", "segments", "colours", "ridges", "catalog"],
        doc="Features of trees: patches and annuli, arcs and segments, their colors, oriented "
        "filters, values of the catalog (redshift, richness, PSF, depth, ...).",
    )
    rounds = param.Integer(default=600, bounds=(1, 100_000), doc="Most boosting rounds.")
    trees_learning_rate = param.Number(default=0.05, bounds=(1e-4, 1), doc="Shrinkage of trees.")
    leaves = param.Integer(default=31, bounds=(2, 1024), doc="Most leaves of a tree.")
    monotone = param.Boolean(
        default=True,
        doc="Scores of trees never fall with better tangential alignment or color consistency, "
        "nor rise with worse seeing.",
    )
    balanced_trees = param.Boolean(
        default=False, doc="Lenses and non-lenses weigh the same in training trees."
    )

    @classmethod
    def with_present_names(cls, values: Mapping[str, Any]) -> dict[str, Any]:
        return {"preset": STANDARD, **super().with_present_names(values)}  # older: none, all set

    def title(self) -> str:
        return f"Train {self.ensemble} on {', '.join(self.catalogs)}"

    def check(self) -> None:
        check_slug(self.ensemble, what="Ensemble")
        if not self.members:
            raise BadInputError("Training: choose at least one member.")
        if not self.catalogs:
            raise BadInputError("Training: choose at least one labeled catalog.")
        if "trees" in self.members and not self.feature_blocks:
            raise BadInputError("feature_blocks: name at least one, or leave trees out.")
        if "network" in self.members and not self.backbones:
            raise BadInputError("backbones: name at least one network, or leave networks out.")
        if bool(self.encoder) != ("encoder" in self.members):
            raise BadInputError(
                "encoder: name at least one if members contain encoder, and none otherwise."
            )
        if len(self.encoder) > 1 and self.weights:
            raise BadInputError("weights: a file is of one encoder; train others without it.")
        if "encoder" in self.members and self.fusion == "inverse_variance":
            raise BadInputError("fusion = inverse_variance: encoders give no variance; use mean.")
        crops_of(self.crops)
        if self.fusion == "inverse_variance" and "network" in self.members and not self.dropout:
            raise BadInputError(
                "dropout = 0: fusion by inverse variance needs dropout in the network's head."
            )
