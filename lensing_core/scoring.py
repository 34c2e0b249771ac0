"""An ensemble at work: its rule and its members read in one place, and arrays scored by it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lensing_core.arrays import BoolArray, Float32Array, Float64Array
from lensing_core.cutouts import CutoutGeometry
from lensing_core.errors import BadInputError
from lensing_core.models.deep import DeepMember, Precision
from lensing_core.models.encoders import EncoderMember
from lensing_core.models.ensemble import EnsembleRule, EnsembleScores
from lensing_core.models.files import StoredMember, load_member, with_bases
from lensing_core.models.head import HeadMember
from lensing_core.models.manifest_form import models_of_ensemble, rule_of
from lensing_core.models.member import MemberOutput, Metadata
from lensing_core.models.predictors import Predictors
from lensing_core.store.tables import Ensemble
from lensing_core.workspace import Workspace

_AT_ONCE = 256


def open_ensemble(
    workspace: Workspace,
    ensemble: Ensemble,
    *,
    device: str = "cpu",
    precision: Precision = "auto",
) -> tuple[EnsembleRule, list[StoredMember]]:
    """The rule of an ensemble and its members in their order.

    Raises
    ------
    BrokenModelError
        Naming the ensemble, where its manifest, a manifest of a member or a file of one is not as
        it was written.
    """
    stored = rule_of(ensemble.manifest, ensemble.name, len(ensemble.members))
    with models_of_ensemble(ensemble.name):
        members = [
            load_member(workspace, member.model_id, device=device, precision=precision)
            for member in ensemble.members
        ]
    return EnsembleRule.from_json(stored), members


def fuse(
    rule: EnsembleRule,
    members: Sequence[StoredMember],
    outputs: dict[str, MemberOutput],
    *,
    without: BoolArray | None = None,
) -> tuple[EnsembleScores, Float64Array | None]:
    """Scores from the outputs of members by id, and the distance from known non-lenses.

    Outputs of heads are added: they follow from those of their base members. ``without`` is that of
    :class:`~lensing_core.models.ensemble.EnsembleRule`.
    """
    for stored in members:
        if isinstance(stored.member, HeadMember):
            outputs[stored.id] = stored.member.from_outputs(outputs)
    logits = [outputs[stored.id] for stored in members]
    scores = rule(
        np.stack([output.logit for output in logits], axis=1),
        np.stack([v for o in logits if (v := o.variance) is not None], axis=1)
        if rule.needs_variances
        else None,
        without=without,
    )
    distances: Float64Array | None = None
    for stored, output in zip(members, logits, strict=True):
        member = stored.member
        sensed = isinstance(member, DeepMember | EncoderMember) and member.ood_distance
        if sensed and output.embedding is not None:
            distances = sensed(output.embedding)
    return scores, distances


@dataclass(frozen=True)
class ArrayScores:
    """Scores of cutouts that stand in no catalog.

    Attributes
    ----------
    scores : EnsembleScores
        At the class prior of the ensemble's survey.
    members : tuple of str
        Ids of the models, in the order of ``scores.member_logits``.
    ood_distance : ndarray of shape (n,) or None
        Distance from known non-lenses; None where no member gives one.
    """

    scores: EnsembleScores
    members: tuple[str, ...]
    ood_distance: Float64Array | None


@dataclass(frozen=True)
class ArrayScorer:
    """An ensemble that scores arrays.

    Attributes
    ----------
    name : str
        Of the ensemble, for messages.
    """

    name: str
    rule: EnsembleRule
    members: tuple[StoredMember, ...]

    def __call__(
        self, flux: Float32Array, geometry: CutoutGeometry, metadata: Metadata | None = None
    ) -> ArrayScores:
        """Score cutouts (n, band, y, x) of one geometry, in its unit of flux.

        Parameters
        ----------
        metadata : mapping of str to sequence, optional
            Columns of n values by name, None where unknown.

        Raises
        ------
        BadInputError
            If the array is not of that geometry, or empty.
        ContractError
            If the geometry does not fit a member.
        """
        if flux.ndim != 4 or flux.shape[1:] != geometry.shape:
            raise BadInputError(
                f"The array has shape {flux.shape}; give (n, band, y, x) with "
                f"{len(geometry.bands)} bands and {geometry.size_px} × {geometry.size_px} px."
            )
        if not len(flux):
            raise BadInputError("The array holds no cutout.")
        bases, outputs = with_bases(self.members), dict[str, list[MemberOutput]]()
        with Predictors.open(
            bases,
            geometry,
            "of the array",
            min(len(flux), _AT_ONCE),
            with_variance=self.rule.needs_variances,
        ) as predictors:
            for first in range(0, len(flux), _AT_ONCE):
                part = slice(first, first + _AT_ONCE)
                known = None if metadata is None else {k: v[part] for k, v in metadata.items()}
                for key, predict in predictors.begin(flux[part], known).items():
                    outputs.setdefault(key, []).append(predict())
        joined = {key: _joined(parts) for key, parts in outputs.items()}
        scores, distances = fuse(self.rule, self.members, joined)
        return ArrayScores(scores, tuple(stored.id for stored in self.members), distances)


def open_scorer(
    workspace: Workspace,
    ensemble: Ensemble,
    *,
    device: str = "cpu",
    precision: Precision = "auto",
) -> ArrayScorer:
    """Make an ensemble ready to score arrays; raises BrokenModelError as :func:`open_ensemble`."""
    rule, members = open_ensemble(workspace, ensemble, device=device, precision=precision)
    return ArrayScorer(ensemble.name, rule, tuple(members))


def _joined(parts: Sequence[MemberOutput]) -> MemberOutput:
    """Outputs of batches as one."""
    whole = {
        name: None
        if (found := [getattr(p, name) for p in parts])[0] is None
        else np.concatenate(found)
        for name in ("embedding", "variance", "features")
    }
    return MemberOutput(np.concatenate([part.logit for part in parts]), **whole)
