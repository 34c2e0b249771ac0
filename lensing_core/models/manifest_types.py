"""Types of manifests of ensembles and models.

Parts that may be missing are ``NotRequired``; what this program does not know of a manifest is kept
as it is. :mod:`lensing_core.models.manifest_form` checks manifests against these types.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, NotRequired, Required

from pydantic import ConfigDict, Field, FiniteFloat
from typing_extensions import TypedDict

_OPEN = ConfigDict(extra="allow", strict=True)
Number = float | None
"""NaN is stored as null."""
KINDS = ("lightgbm", "network", "pu_head", "encoder")
FUSIONS = ("mean", "inverse_variance", "stacking", "isotonic_bayes")
Share = Annotated[FiniteFloat, Field(gt=0, lt=1)]


class MetricForm(TypedDict):
    """A :class:`lensing_core.metrics.Figure`."""

    value: Number
    low_68: Number
    high_68: Number
    low_95: Number
    high_95: Number


class DifferenceForm(TypedDict):
    """A :class:`lensing_core.metrics.Difference`."""

    __pydantic_config__ = _OPEN  # type: ignore[misc]  # pydantic reads it, TypedDict knows it not
    value: Number
    low_95: Number
    high_95: Number


class CalibrationForm(TypedDict):
    """A :class:`lensing_core.calibration.Calibration`."""

    method: Literal["temperature", "platt", "isotonic"]
    slope: FiniteFloat
    intercept: FiniteFloat
    knots: list[FiniteFloat]
    values: list[FiniteFloat]
    prior: Share


class StackForm(TypedDict):
    """Fitted fusion by stacking."""

    weights: list[FiniteFloat]
    intercept: FiniteFloat


class IsotonicForm(TypedDict):
    """Fitted fusion by isotonic regression and Bayes' theorem."""

    thresholds: list[list[FiniteFloat]]
    values: list[list[FiniteFloat]]
    prior: Share


class _Rule(TypedDict):
    members: Annotated[list[CalibrationForm], Field(min_length=1)]
    joint: CalibrationForm
    survey_prior: Share


class PlainRule(_Rule):
    """A rule whose fusion learns nothing."""

    fusion: Literal["mean", "inverse_variance"]
    combiner: NotRequired[None]


class StackingRule(_Rule):
    """A rule with learned weights."""

    fusion: Literal["stacking"]
    combiner: StackForm


class IsotonicRule(_Rule):
    """A rule with learned staircases."""

    fusion: Literal["isotonic_bayes"]
    combiner: IsotonicForm


class BinForm(TypedDict):
    """A bin of a reliability diagram."""

    probability: FiniteFloat
    share: FiniteFloat
    low: FiniteFloat
    high: FiniteFloat
    count: FiniteFloat


class ReliabilityForm(TypedDict, total=False):
    """A :class:`lensing_core.calibration.Reliability`."""

    ece_equal_mass: FiniteFloat
    ece_equal_width: FiniteFloat
    mce: FiniteFloat
    brier: FiniteFloat
    nll: FiniteFloat
    skill: FiniteFloat
    slope: FiniteFloat
    intercept: FiniteFloat
    bins: Required[list[BinForm]]


class StratumForm(TypedDict):
    """Recall in one bin of a property, of :func:`lensing_core.metrics.recall_by`."""

    __pydantic_config__ = _OPEN  # type: ignore[misc]
    found: int
    lenses: int
    recall: FiniteFloat
    low_95: FiniteFloat
    high_95: FiniteFloat
    low: NotRequired[Number]
    high: NotRequired[Number]
    name: NotRequired[str]


class FusionMetrics(TypedDict):
    """Metrics that one fusion was judged by."""

    tpr0: Number
    tpr10: Number
    average_precision: Number


class CoverageForm(TypedDict, total=False):
    """Shares of objects whose prediction set holds the truth."""

    lens: FiniteFloat
    other: FiniteFloat
    mean_size: FiniteFloat


class ConformalForm(TypedDict):
    """Prediction sets as measured."""

    __pydantic_config__ = _OPEN  # type: ignore[misc]
    error_rate: FiniteFloat
    coverage: CoverageForm


class SplitForm(TypedDict, total=False):
    """Numbers of objects of a split."""

    lenses: int
    others: int
    unlabeled: int
    objects: int


class EstimateForm(TypedDict, total=False):
    """An estimate of the class prior."""

    __pydantic_config__ = _OPEN  # type: ignore[misc]
    value: Number
    low: Number
    high: Number


class PriorsForm(TypedDict):
    """Estimates of the class prior, by the name of the estimator."""

    __pydantic_config__ = _OPEN  # type: ignore[misc]
    estimates: dict[str, EstimateForm]
    n_unlabeled: int
    warnings: list[str]


class PriorScanForm(TypedDict):
    """Sensitivity of a head's ranking to another class prior."""

    __pydantic_config__ = _OPEN  # type: ignore[misc]
    head: str
    factor: FiniteFloat
    rank_correlation: FiniteFloat
    top_kept: FiniteFloat
    top: int


class CovariateForm(TypedDict):
    """A covariate of labeled lenses against that of probable unlabeled ones."""

    __pydantic_config__ = _OPEN  # type: ignore[misc]
    name: str
    labeled_median: Number
    unlabeled_median: Number
    auroc: Number
    low: Number
    high: Number


class ScarForm(TypedDict):
    """Check that the labeled lenses are a random sample."""

    __pydantic_config__ = _OPEN  # type: ignore[misc]
    covariates: NotRequired[list[CovariateForm]]
    verdict: str
    sentence: str


class PuForm(TypedDict, total=False):
    """Results of positive-unlabeled learning on the labels."""

    __pydantic_config__ = _OPEN  # type: ignore[misc]
    sentences: list[str]
    survey_prior: Number
    priors: PriorsForm | None
    prior_scan: list[PriorScanForm] | None
    scar: ScarForm | None


class MadeWithForm(TypedDict):
    """System and device that made a model, of :func:`lensing_core.models.provenance.made_with`."""

    __pydantic_config__ = _OPEN  # type: ignore[misc]
    python: str
    system: str
    git_commit: str | None
    git_changed: bool | None
    cuda: str | None
    driver: str | None
    device: str


class SnapshotForm(TypedDict):
    """A catalog as it was, of :func:`lensing_core.store.snapshots.snapshot_of`."""

    __pydantic_config__ = _OPEN  # type: ignore[misc]
    candidates: int
    cutouts_sha256: str
    labels_sha256: str


class EnsembleManifest(TypedDict, total=False):
    """Form of an ensemble's manifest; other entries are for people."""

    __pydantic_config__ = _OPEN  # type: ignore[misc]
    rule: Annotated[PlainRule | StackingRule | IsotonicRule, Field(discriminator="fusion")]
    catalogs: list[str]
    origins: dict[str, str]
    scale: str | None
    bundled_for: str
    base: str
    settings: dict[str, Any]
    data_sha256: str
    data_snapshot: dict[str, SnapshotForm]
    made_with: MadeWithForm
    versions: dict[str, Any]
    splits: dict[str, SplitForm]
    figures: dict[str, dict[str, MetricForm]]
    figures_on: str
    differences: dict[str, DifferenceForm]
    reliability: ReliabilityForm | None
    strata: dict[str, list[StratumForm]]
    fusion_choice: dict[str, FusionMetrics] | None
    conformal: ConformalForm | None
    calibrated: bool
    calibration_note: str
    pu: PuForm
    probe_choices: list[dict[str, Any]]
    baselines: dict[str, Any]
    search: dict[str, Any]


class ContractForm(TypedDict):
    """A :class:`lensing_core.models.contract.InputContract`."""

    bands: Annotated[list[str], Field(min_length=1)]
    size_px: Annotated[int, Field(ge=1, le=4096)]
    pixel_scale_arcsec: Annotated[FiniteFloat, Field(gt=0, lt=1e4)]
    pixel_kind: Literal["flux", "rendered"]


class FeaturesForm(TypedDict):
    """Features of trees."""

    __pydantic_config__ = _OPEN  # type: ignore[misc]
    names: list[str]
    units: list[str]


class HeadInputForm(TypedDict):
    """Input of a head from one base member."""

    model: str
    what: Literal["embedding", "features"]
    columns: int


class _Model(TypedDict):
    __pydantic_config__ = _OPEN  # type: ignore[misc]
    id: str
    files: dict[str, str]
    catalogs: NotRequired[list[str]]
    settings: NotRequired[dict[str, Any]]
    versions: NotRequired[dict[str, Any]]
    made_with: NotRequired[MadeWithForm]
    splits: NotRequired[dict[str, SplitForm]]
    embedding_dim: NotRequired[Annotated[int, Field(ge=0)]]


class TreesManifest(_Model):
    """The manifest of boosted trees."""

    kind: Literal["lightgbm"]
    contract: ContractForm
    features: FeaturesForm


class NetworkManifest(_Model):
    """The manifest of a network."""

    kind: Literal["network"]
    contract: ContractForm
    network: dict[str, Any]
    sigma: Annotated[list[FiniteFloat], Field(min_length=1)]
    turned: NotRequired[bool]
    half: NotRequired[bool]


class HeadManifest(_Model):
    """The manifest of a head."""

    kind: Literal["pu_head"]
    inputs: list[HeadInputForm]
    shift: FiniteFloat


class EncoderManifest(_Model):
    """The manifest of a pretrained encoder."""

    kind: Literal["encoder"]
    contract: ContractForm
    encoder: dict[str, Any]
    has_head: bool


ModelManifest = TreesManifest | NetworkManifest | HeadManifest | EncoderManifest
