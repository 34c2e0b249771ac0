"""The form of manifests of ensembles and models: what is in them, of which type, and the one check.

Whoever reads a manifest reads it by :func:`check_ensemble_manifest` or
:func:`check_model_manifest`. Parts that may be missing are ``NotRequired``; what this program does
not know of a manifest is kept as it is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, Literal, NotRequired, Required, cast

from pydantic import ConfigDict, Field, FiniteFloat, TypeAdapter, ValidationError
from typing_extensions import TypedDict

from lensing_core.errors import BrokenModelError, DamagedError, NotFoundError

_OPEN = ConfigDict(extra="allow", strict=True)
Number = float | None
"""NaN is stored as null."""
KINDS = ("lightgbm", "network", "pu_head", "encoder")
FUSIONS = ("mean", "inverse_variance", "stacking", "isotonic_bayes")
Share = Annotated[FiniteFloat, Field(gt=0, lt=1)]


class FigureForm(TypedDict):
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
    """What a fusion by stacking has learned."""

    weights: list[FiniteFloat]
    intercept: FiniteFloat


class IsotonicForm(TypedDict):
    """What a fusion by isotonic regression and Bayes' theorem has learned."""

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


class FusionFigures(TypedDict):
    """What one fusion was judged by."""

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


class PuForm(TypedDict):
    """What positive-unlabeled learning says of the labels."""

    __pydantic_config__ = _OPEN  # type: ignore[misc]
    sentences: list[str]


class EnsembleManifest(TypedDict, total=False):
    """What an ensemble's manifest says; other entries are for people."""

    __pydantic_config__ = _OPEN  # type: ignore[misc]
    rule: Annotated[PlainRule | StackingRule | IsotonicRule, Field(discriminator="fusion")]
    catalogs: list[str]
    origins: dict[str, str]
    scale: str | None
    bundled_for: str
    base: str
    settings: dict[str, Any]
    data_sha256: str
    splits: dict[str, SplitForm]
    figures: dict[str, dict[str, FigureForm]]
    figures_on: str
    differences: dict[str, DifferenceForm]
    reliability: ReliabilityForm | None
    strata: dict[str, list[StratumForm]]
    fusion_choice: dict[str, FusionFigures] | None
    conformal: ConformalForm | None
    calibrated: bool
    calibration_note: str
    pu: PuForm


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
    """What a head takes of one base member."""

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


ModelManifest = TreesManifest | NetworkManifest | HeadManifest | EncoderManifest
_ENSEMBLE: TypeAdapter[EnsembleManifest] = TypeAdapter(EnsembleManifest)
_MODEL: TypeAdapter[ModelManifest] = TypeAdapter(
    Annotated[ModelManifest, Field(discriminator="kind")]
)


def ensemble_problem(manifest: Any) -> str:
    """What is wrong with the manifest of an ensemble; '' for nothing. Parts may be missing."""
    return _problem(_ENSEMBLE, manifest) or _uneven(manifest.get("rule"))


def check_ensemble_manifest(manifest: Any, name: str) -> EnsembleManifest:
    """``manifest`` in types, if it has the form that the program writes.

    Parameters
    ----------
    manifest : object
        As it stands in the database or a file: anything.
    name : str
        Of the ensemble, for the message.

    Raises
    ------
    BrokenModelError
        Saying which ensemble is broken, what is wrong with it, and what to do.
    """
    if problem := ensemble_problem(manifest):
        raise BrokenModelError(broken_ensemble(name, f"its manifest is damaged: {problem}"))
    return cast(EnsembleManifest, manifest)


def broken_ensemble(name: str, problem: str) -> str:
    """The sentence on an ensemble that cannot be used."""
    return (
        f"Ensemble {name} is broken: {problem}; restore the workspace from a backup, or train or "
        "import the ensemble again under another name."
    )


def rule_of(manifest: EnsembleManifest, name: str, members: int) -> dict[str, Any]:
    """The rule of an ensemble of so many members, as its manifest has it.

    Raises
    ------
    BrokenModelError
        If there is none, or it joins another number of members.
    """
    rule = manifest.get("rule")
    if rule is None:
        raise BrokenModelError(broken_ensemble(name, "its manifest has no rule"))
    if len(rule["members"]) != members:
        found = f"its rule joins {len(rule['members'])} members, and it has {members}"
        raise BrokenModelError(broken_ensemble(name, found))
    return cast(dict[str, Any], rule)


def model_problem(manifest: Any) -> str:
    """What is wrong with the manifest of a model; '' for nothing."""
    return _problem(_MODEL, manifest)


def check_model_manifest(manifest: Any, where: Path) -> dict[str, Any]:
    """``manifest`` if it has the form that the program writes.

    Parameters
    ----------
    where : Path
        Its file, for the message.

    Raises
    ------
    BrokenModelError
        Saying which file is damaged, what is wrong, and what to do.
    """
    if problem := model_problem(manifest):
        raise BrokenModelError(broken_model(where, f"is damaged: {problem}"))
    return cast(dict[str, Any], manifest)


def check_model_copy(manifest: Any, model_id: str) -> dict[str, Any]:
    """``manifest`` of a model as the database has it, if it has the form that the program writes.

    Raises
    ------
    BrokenModelError
        Saying which model is broken, what is wrong with it, and what to do.
    """
    if problem := model_problem(manifest):
        raise BrokenModelError(
            f"The copy of the manifest of model {model_id} in the database is damaged: {problem}; "
            "restore the workspace from a backup."
        )
    return cast(dict[str, Any], manifest)


@contextmanager
def members_of(ensemble: str) -> Iterator[None]:
    """Name the ensemble in what is raised on models of it in the block.

    Raises
    ------
    BrokenModelError
        Where one of its models is missing or broken.
    """
    try:
        yield
    except (BrokenModelError, NotFoundError, DamagedError) as error:
        raise BrokenModelError(f"Ensemble {ensemble} is broken: {error}") from error


def broken_model(path: Path, problem: str) -> str:
    """The sentence on a file of a model that is not as it was written."""
    return f"{path} {problem}; train the model again, or restore its folder from a backup."


def _problem(form: TypeAdapter[Any], manifest: Any) -> str:
    if not isinstance(manifest, Mapping):
        return f"it is {_shown(manifest)}, no object"
    try:
        form.validate_python(manifest, strict=True)
    except ValidationError as error:
        return _in_words(error)
    except RecursionError:
        return "it is nested too deeply"
    return ""


def _in_words(error: ValidationError) -> str:
    """The first thing that is wrong: where, what was found, what should be there."""
    first = error.errors(include_url=False)[0]
    found = first["input"]
    parts = [str(p) for k, p in enumerate(first["loc"]) if not _is_tag(first["loc"][:k], p)]
    if first["type"] == "missing":
        return f"{'.'.join(parts)} is missing"
    if first["type"].startswith("union_tag"):  # fusion of a rule, kind of a model
        tag = first["ctx"]["discriminator"].strip("'")
        return f"{'.'.join([*parts, tag])} is {_shown(found.get(tag))}, which is unknown"
    wanted = first["msg"].removeprefix("Input should be ")
    return f"{'.'.join(parts)} is {_shown(found)}, not {wanted}"


def _is_tag(before: tuple[int | str, ...], part: int | str) -> bool:
    """Whether part of a place is what pydantic tells the kinds of models and of rules apart by."""
    return (before == () and part in KINDS) or (before == ("rule",) and part in FUSIONS)


def _uneven(rule: Mapping[str, Any] | None) -> str:
    """What is wrong with the lengths of a rule's lists; '' for nothing."""
    if rule is None:
        return ""
    for name, calibration in {"joint": rule["joint"], **dict(enumerate(rule["members"]))}.items():
        knots, values = len(calibration["knots"]), len(calibration["values"])
        if knots != values or (calibration["method"] == "isotonic" and not knots):
            return f"rule.{name} has {knots} knots and {values} values"
    learned, n = rule.get("combiner") or {}, len(rule["members"])
    for name in {"weights", "thresholds"} & set(learned):
        if len(learned[name]) != n:
            return f"rule.combiner.{name} has {len(learned[name])} entries for {n} members"
    if "thresholds" in learned and [len(x) for x in learned["thresholds"]] != [
        len(y) for y in learned["values"]
    ]:
        return "rule.combiner has other numbers of thresholds than of values"
    return ""


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 40 else f"{text[:39]}…"
