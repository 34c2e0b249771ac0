"""The rule of a new ensemble, fitted and measured on splits that its members have not seen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lens_triage.training.jobs.train.data import TrainingData
from lens_triage.training.runner.context import JobContext
from lens_triage.training.settings import TrainSettings
from lensing_core.arrays import Float64Array, IntArray
from lensing_core.calibration import reliability
from lensing_core.errors import BadInputError
from lensing_core.metrics import ranking_metrics_with_intervals
from lensing_core.models.encoders import EncoderMember
from lensing_core.models.ensemble import EnsembleRule, FusionChoice, choose_fusion
from lensing_core.models.files import AnyMember
from lensing_core.models.member import MemberOutput
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
    """

    indices: IntArray
    logit: Float64Array
    variance: Float64Array | None
    label: NDArray[np.integer]
    group: IntArray


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
    variances = [output.variance for output in outputs if output.variance is not None]
    return SplitOutputs(
        indices,
        np.stack([output.logit for output in outputs], axis=1),
        np.stack(variances, axis=1) if len(variances) == len(outputs) else None,
        data.labels.label[indices],
        data.labels.group[indices],
    )


def _outputs(
    context: JobContext,
    settings: TrainSettings,
    member: AnyMember,
    data: TrainingData,
    indices: IntArray,
    what: str,
) -> MemberOutput:
    """Raw logits of one member, and their variances where the fusion may need them."""
    with_variance = settings.fusion in ("inverse_variance", "best") and settings.dropout > 0
    with_variance = with_variance and not isinstance(member, EncoderMember)  # it has none
    predict = member.predictor(data.geometry, what, with_variance=with_variance)
    logits, variances = [], []
    for batch in data.batches(indices, BATCH):
        output = predict(data.native_flux(batch), data.metadata_of(batch, member.metadata_names))
        logits.append(output.logit)
        variances.append(output.variance)
        context.progress(sum(map(len, logits)), len(indices), f"Scoring the {what} split")
    known = [v for v in variances if v is not None]
    return MemberOutput(np.concatenate(logits), variance=np.concatenate(known) if known else None)


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
