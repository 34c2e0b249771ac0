"""Settings of networks trained further on grades."""

from __future__ import annotations

from typing import ClassVar

import param

from lens_triage.training.settings import shared
from lens_triage.training.settings.retrain import RetrainSettings

_OF_HEADS = ("encoders", "grade_column", "prior_scan")


class FinetuneSettings(RetrainSettings):
    """Train the networks of an ensemble further on the labels of a catalog, with its pixels.

    Labels, held-out groups and folds are those of ``retrain``; the loss is nnPU at the survey's
    prior. Each network is trained once a fold and once on all; then the catalog is scored again.
    """

    kind = "finetune"
    titles: ClassVar = {
        **{n: t for n, t in RetrainSettings.titles.items() if n not in _OF_HEADS},
        "folds": "Folds of cross-fitting",
        "epochs": "Epochs",
        "learning_rate": "Peak learning rate",
        "network_batch": "Batch of networks",
        "consistency": "Weight of consistency",
        "confidence": "Sure from a probability of",
        **shared.TITLES,
    }
    units: ClassVar = {
        **RetrainSettings.units,
        "epochs": "passes",
        "network_batch": "cutouts",
        "confidence": "probability",
        "learning_rate": "",
        "consistency": "",
        **shared.UNITS,
    }
    groups: ClassVar = {
        **{name: g for name, g in RetrainSettings.groups.items() if name != "Heads"},
        "Network": (
            *("epochs", "learning_rate", "weight_decay", "network_batch", "blur_px", "gain"),
            *("consistency", "confidence", "fusion", "precision", "device"),
        ),
    }

    heads = param.ListSelector(default=[], objects=[], precedence=-1)  # of the fast retrain alone
    prior_scan = param.Boolean(default=False, precedence=-1)
    encoders = param.List(default=[], item_type=str, precedence=-1)
    grade_column = param.String(default="", precedence=-1)
    ensemble = param.String(default="fine-tuned", doc="Name of the ensemble to make.")
    base = param.String(
        default="",
        doc="Ensemble whose networks are trained further and whose trees are kept; empty: the one "
        "promoted last, else the one bundled for the survey, else the newest, of those that scored "
        "the catalog.",
    )
    catalog = param.String(default="survey", doc="Catalog whose labels train; it is scored again.")
    additional_catalogs = param.List(
        default=[], item_type=str, doc="Catalogs to learn from and score with it."
    )
    most_unlabeled = param.Integer(
        default=5000,
        bounds=(100, 1_000_000),
        doc="Largest number of unlabeled objects for training, drawn at random.",
    )
    folds = param.Integer(
        default=3, bounds=(2, 20), doc="Parts of whole groups for cross-fitting; each costs a fit."
    )
    epochs = param.Integer(default=4, bounds=(1, 1000), doc="Passes over the unlabeled objects.")
    learning_rate = param.Number(default=3e-4, bounds=(1e-6, 1), doc="Peak rate of AdamW.")
    weight_decay = shared.weight_decay()
    network_batch = param.Integer(
        default=64, bounds=(8, 8192), doc="Cutouts a step; a quarter of them lenses at most."
    )
    blur_px = shared.blur_px()
    gain = shared.gain()
    consistency = param.Number(
        default=0.0,
        bounds=(0, 100),
        doc="Weight of consistency on unlabeled cutouts: confident predictions must not change "
        "when the cutout is shifted, blurred and noisier (FixMatch); 0: off. Each step then "
        "processes them twice more. On a simulated survey it brought no measurable gain.",
    )
    confidence = param.Number(
        default=0.95,
        bounds=(0.5, 1),
        inclusive_bounds=(False, False),
        doc="Probability, at a class prior of 1/2, from which a prediction counts as confident.",
    )
    precision = shared.precision()
    device = shared.device("Where networks train.")

    def title(self) -> str:
        return (
            f"Fine-tune {self.ensemble} on {shared.several(self.catalog, self.additional_catalogs)}"
        )
