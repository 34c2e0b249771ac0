"""Settings of heads trained on grades, without pixels."""

from __future__ import annotations

from typing import Any, ClassVar

import param

from lens_triage.training.settings import shared
from lens_triage.training.settings.base import RunSettings
from lensing_core.errors import BadInputError
from lensing_core.workspace import check_slug


class RetrainSettings(RunSettings):
    """Train heads on the labels of a scored catalog, and rank it again, without its pixels."""

    kind = "retrain"
    older_names: ClassVar = {
        "further": "additional_catalogs",
        "other_below": "non_lens_below",
        "other_weight": "non_lens_weight",
    }
    titles: ClassVar = {
        "base": "Ensemble to begin with",
        "survey_prior": "Class prior of the survey",
        "encoders": "Encoders of a probe",
        "grade_column": "Column of numeric grades",
        "prior_scan": "Fit at half and twice the class prior",
        "fusion": "Fusion of members' scores",
        "labels": "Labels to learn from",
        "consensus": "Consensus of graders by",
        "lens_from": "Lenses from a posterior of",
        "non_lens_below": "Non-lenses below a posterior of",
        "min_votes": "Grades of an object, at least",
        "min_confidence": "Confidence of labels, at least",
        "non_lens_weight": "Weight of a vetted non-lens",
        "hard_weight": "Weight of one with a stated reason",
        "most_unlabeled": "Unlabeled objects, at most",
        "folds": "Folds of cross-validation",
        "block_nside": "HEALPix NSIDE of sky blocks",
        "seed": "Seed of random numbers",
    }
    units: ClassVar = {
        "survey_prior": "share of lenses",
        "lens_from": "probability",
        "non_lens_below": "probability",
        "non_lens_weight": "unlabeled objects",
        "hard_weight": "times",
        "most_unlabeled": "objects",
        **dict.fromkeys(("min_votes", "min_confidence", "folds", "block_nside", "seed"), ""),
    }
    groups: ClassVar = {
        "Ensemble": ("ensemble", "base", "catalog", "additional_catalogs", "survey_prior"),
        "Heads": ("heads", "encoders", "grade_column", "fusion", "prior_scan"),
        "Labels": (
            *("labels", "consensus", "lens_from", "non_lens_below", "min_votes", "min_confidence"),
            *("non_lens_weight", "hard_weight", "most_unlabeled"),
        ),
        "Splits": ("folds", "block_nside", "seed"),
    }

    ensemble = param.String(default="retrained", doc="Name of the ensemble to make.")
    base = param.String(
        default="",
        doc="Ensemble that scored the catalog and whose members are kept; empty: the one promoted "
        "last, else the one bundled for the survey, else the newest, of those that scored it.",
    )
    catalog = param.String(default="survey", doc="Catalog whose labels train; it is ranked again.")
    additional_catalogs = param.List(
        default=[], item_type=str, doc="Catalogs to learn from and rank with it."
    )
    survey_prior = shared.survey_prior("Share of lenses expected among the candidates.")
    heads = param.ListSelector(
        default=["nnpu", "logistic", "trees"],
        objects=[
            *("nnpu", "upu", "logistic", "trees", "bagging", "spy"),
            *("elkan_noto", "elkan_noto_reweighted", "probe"),
        ],
        doc="Heads to train, each a way to learn from positive and unlabeled objects. On "
        "embeddings: nnpu, upu (linear) and logistic; LightGBM on features and embeddings: trees, "
        "bagging, spy and both forms of Elkan and Noto; for few labels probe: a linear head on the "
        "best of encoders, members and features, chosen by cross-validation.",
    )
    encoders = param.List(
        default=[],
        item_type=str,
        doc="Pretrained encoders that a probe may choose; empty: all that have encoded the "
        "catalogs, and if there are any, a probe is always trained.",
    )
    grade_column = param.String(
        default="",
        doc="Column of the imported table with numeric grades, which a probe may use as its target "
        "instead of lens or not.",
    )
    prior_scan = param.Boolean(
        default=True,
        doc="Also fit each head that needs the class prior at half and at twice its value, and "
        "report how the ranking changes.",
    )
    fusion: Any = param.Selector(
        default="stacking",
        objects=["mean", "stacking", "isotonic_bayes", "best"],
        doc="How calibrated member logits are fused; best: by cross-fitted TPR0, then TPR10.",
    )
    labels: Any = param.Selector(
        default="both",
        objects=["both", "grades", "imported"],
        doc="Grades given here, labels imported with the catalog, or both; grades take precedence.",
    )
    consensus: Any = param.Selector(
        default="dawid_skene",
        objects=["dawid_skene", "swap"],
        doc="How the grades of several graders are aggregated; labels have the weight |2p - 1|.",
    )
    lens_from = param.Number(
        default=0.5,
        bounds=(0.01, 0.99),
        doc="Graded objects with at least this posterior are lenses.",
    )
    non_lens_below = param.Number(
        default=0.1,
        bounds=(0.001, 0.99),
        doc="Graded objects with a lower posterior are non-lenses; those in between stay "
        "unlabeled.",
    )
    min_votes = param.Integer(
        default=1, bounds=(1, 100), doc="Objects with fewer grades stay unlabeled."
    )
    non_lens_weight = param.Integer(
        default=10,
        bounds=(1, 1000),
        doc="A vetted non-lens counts as this many unlabeled objects.",
    )
    hard_weight = param.Number(
        default=2.0,
        bounds=(1, 100),
        doc="A non-lens with a reject reason (ring, spiral, ...) counts this many times as much, "
        "and reasons are balanced.",
    )
    most_unlabeled = param.Integer(
        default=10_000,
        bounds=(100, 1_000_000),
        doc="Largest number of unlabeled objects for training, drawn at random.",
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
    seed = shared.seed("Same seed, same ensemble.")

    def title(self) -> str:
        return (
            f"Retrain {self.ensemble} on {shared.several(self.catalog, self.additional_catalogs)}"
        )

    def check(self) -> None:
        check_slug(self.ensemble, what="Ensemble")
        if not self.catalog:
            raise BadInputError("Retraining: name the catalog whose labels train.")
        if self.param.heads.objects and not self.heads:
            raise BadInputError("Retraining: choose at least one head.")
        if self.non_lens_below > self.lens_from:
            raise BadInputError(
                f"non_lens_below = {self.non_lens_below:g} is above lens_from = {self.lens_from:g}."
            )
        if self.block_nside & (self.block_nside - 1):
            raise BadInputError(
                f"block_nside = {self.block_nside}: use a power of 2, or 0 for no blocks."
            )
