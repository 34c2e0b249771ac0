"""The rule of a new ensemble, fitted and measured on splits that its members have not seen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lens_triage.training.jobs.train.data import TrainingData
from lens_triage.training.runner.context import JobContext
from lens_triage.training.settings import TrainSettings
from lens_triage.training.shift import Outputs, output_block
from lensing_core.arrays import Float32Array, Float64Array, IntArray
from lensing_core.calibration import reliability
from lensing_core.errors import BadInputError
from lensing_core.metrics import ranking_metrics_with_intervals
from lensing_core.models.classic import ClassicMember
from lensing_core.models.encoders import EncoderMember
from lensing_core.models.ensemble import EnsembleRule, FusionChoice, choose_fusion
from lensing_core.models.files import AnyMember
from lensing_core.models.member import MemberOutput
from lensing_core.shift.collapse import check_ranking
from lensing_core.shift.sample import MOST_OUTPUTS, Block
from lensing_core.uncertainty.conformal import ConformalSets

BATCH = 256
CONFORMAL_ERROR = 0.1


@dataclass(frozen=True)
class SplitOutputs:
    """Outputs of all members on the objects of one split.

    Attributes
    ----------
    indices : ndarray of shape (n,)
    logit : ndarray of shape (n, members)
        Raw.
    variance : ndarray of shape (n, members), or None
        None where a member has none.
    label, group : ndarray of shape (n,)
    sample : mapping of str to Block
        Embeddings and features of some non-lenses, by model.
    """

    indices: IntArray
    logit: Float64Array
    variance: Float64Array | None
    label: NDArray[np.integer]
    group: IntArray
    sample: Outputs


def score_split(
    context: JobContext,
    settings: TrainSettings,
    members: Mapping[str, AnyMember],
    data: TrainingData,
    indices: IntArray,
    what: str,
) -> SplitOutputs:
    """Score the objects of the split ``what`` by all members."""
    outputs = [_outputs(context, settings, m, data, indices, what) for m in members.values()]
    for name, output in zip(members, outputs, strict=True):
        check_ranking(name, output.logit, data.labels.label[indices])
    variances = [output.variance for output in outputs if output.variance is not None]
    return SplitOutputs(
        indices,
        np.stack([output.logit for output in outputs], axis=1),
        np.stack(variances, axis=1) if len(variances) == len(outputs) else None,
        data.labels.label[indices],
        data.labels.group[indices],
        _sample(members, outputs, data, indices),
    )


def _sample(
    members: Mapping[str, AnyMember],
    outputs: Sequence[MemberOutput],
    data: TrainingData,
    indices: IntArray,
) -> Outputs:
    """Embeddings and features of the non-lenses among the first objects."""
    rows = np.flatnonzero(data.labels.label[indices[:MOST_OUTPUTS]] != 1)
    ids = data.labels.candidate_id[indices[rows]]
    blocks: dict[str, Block] = {}
    for (name, member), output in zip(members.items(), outputs, strict=True):
        if output.embedding is not None:
            blocks |= output_block(name, "embedding", output.embedding[rows], ids)
        if output.features is not None and isinstance(member, ClassicMember):
            names = member.features["names"]
            blocks |= output_block(name, "features", output.features[rows], ids, names)
    return blocks


def _outputs(
    context: JobContext,
    settings: TrainSettings,
    member: AnyMember,
    data: TrainingData,
    indices: IntArray,
    what: str,
) -> MemberOutput:
    """Raw logits of one member, and their variances where the fusion may need them.

    Embeddings and features of the first objects alone are kept.
    """
    with_variance = settings.fusion in ("inverse_variance", "best") and settings.dropout > 0
    with_variance = with_variance and not isinstance(member, EncoderMember)  # it has none
    predict = member.predictor(data.geometry, what, with_variance=with_variance)
    logits, variances = [], []
    kept: dict[str, list[Float32Array]] = {"embedding": [], "features": []}
    for batch in data.batches(indices, BATCH):
        output = predict(data.native_flux(batch), data.metadata_of(batch, member.metadata_names))
        logits.append(output.logit)
        variances.append(output.variance)
        for kind, parts in kept.items():
            values = getattr(output, kind)
            if values is not None and sum(map(len, parts)) < MOST_OUTPUTS:
                parts.append(values)
        context.progress(sum(map(len, logits)), len(indices), f"Scoring the {what} split")
    known = [v for v in variances if v is not None]
    first = {kind: np.concatenate(parts) if parts else None for kind, parts in kept.items()}
    variance = np.concatenate(known) if known else None
    return MemberOutput(np.concatenate(logits), variance=variance, **first)


def fit_rule(
    settings: TrainSettings, calibration: SplitOutputs
) -> tuple[EnsembleRule, FusionChoice | None]:
    """The rule fitted on calibration objects, and what its fusion was chosen by, if it was."""
    choice = None
    if settings.fusion == "best":
        choice = choose_fusion(
            calibration.logit,
            calibration.label,
            variances=calibration.variance,
            groups=calibration.group,
        )
    rule = EnsembleRule.fit(
        calibration.logit,
        calibration.label,
        fusion=choice.fusion if choice else settings.fusion,
        survey_prior=settings.survey_prior,
        variances=calibration.variance,
        groups=calibration.group,
    )
    return rule, choice


def measure_rule(
    rule: EnsembleRule, model_ids: list[str], calibration: SplitOutputs, test: SplitOutputs
) -> tuple[dict[str, Any], Float64Array]:
    """Metrics on test objects for a manifest, and the ensemble's logits of them."""
    scores = rule(test.logit, test.variance)
    # Calibration is measured at the prior of the test objects, not at the survey's.
    shifted = rule.at_prior(rule.joint.prior)
    measured = {
        "figures": {
            "ensemble": _metrics(scores.logit, test.label),
            **{
                model_id: _metrics(scores.member_logits[:, k], test.label)
                for k, model_id in enumerate(model_ids)
            },
        },
        "reliability": reliability(shifted(test.logit, test.variance).logit, test.label).to_json(),
        "conformal": _conformal(
            rule(calibration.logit, calibration.variance).logit,
            calibration.label,
            scores.logit,
            test.label,
        ),
    }
    return measured, scores.logit


def _metrics(logits: Float64Array, labels: NDArray[np.integer]) -> dict[str, Any]:
    metrics = ranking_metrics_with_intervals(logits, labels)
    return {name: metric.to_json() for name, metric in metrics.items()}


def _conformal(
    calibration: Float64Array,
    calibration_labels: NDArray[np.integer],
    test: Float64Array,
    test_labels: NDArray[np.integer],
) -> dict[str, Any] | None:
    """Conformal sets at 10 % error and their coverage of test objects; None with few labels."""
    try:
        sets = ConformalSets.fit(calibration, calibration_labels, error_rate=CONFORMAL_ERROR)
    except BadInputError:
        return None
    return {
        "error_rate": sets.error_rate,
        "lens_from": sets.lens_from,
        "other_to": sets.other_to,
        "coverage": sets.coverage(test, test_labels),
    }
