"""The rows of a retraining: drawn once, kept with the run, read from what members stored."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lens_triage.training.jobs.train.held_out import HeldOut
from lensing_core.arrays import BoolArray, Float32Array, Float64Array, IntArray
from lensing_core.datasets.table import (
    UNLABELED,
    CandidateLabels,
)
from lensing_core.disk import replacing
from lensing_core.errors import BadInputError, NotFoundError
from lensing_core.models.files import StoredMember
from lensing_core.models.head import HeadInput, gather_inputs
from lensing_core.models.outputs import StoredOutputs
from lensing_core.store import Session
from lensing_core.store.catalogs import get_catalog
from lensing_core.store.models import ensembles_of_run, models_by_id
from lensing_core.workspace import Workspace

_AT_ONCE = 8192

_OLDER_NAMES = {"frozen": "reserved"}


@dataclass(frozen=True)
class RetrainingSample:
    """The objects that a retraining looks at: all labeled ones, and draws of the unlabeled.

    Attributes
    ----------
    candidate_id, catalog_id, row, group : ndarray of shape (n,), int64
    state : ndarray of shape (n,), int8
        See :class:`~lens_triage.training.jobs.retrain.labels.CandidateLabels`.
    frozen, seen : ndarray of shape (n,), bool
        Held out from heads; seen by the training of a base member.
    weight : ndarray of shape (n,), float32
    reason : ndarray of shape (n,), int8
    share_unlabeled : float
        Of the unlabeled objects that may train, how many were drawn.
    """

    candidate_id: IntArray
    catalog_id: IntArray
    row: IntArray
    group: IntArray
    state: NDArray[np.int8]
    frozen: BoolArray
    seen: BoolArray
    weight: Float32Array
    reason: NDArray[np.int8]
    share_unlabeled: float

    def __len__(self) -> int:
        return len(self.row)

    def part(self, rows: IntArray) -> RetrainingSample:
        """Some of its objects."""
        chosen: dict[str, Any] = {
            k: v[rows] for k, v in vars(self).items() if isinstance(v, np.ndarray)
        }
        return replace(self, **chosen)

    def counts(self) -> dict[str, dict[str, int]]:
        """Lenses, vetted others and unlabeled objects, in training and held out."""
        return {
            name: {
                what: int((chosen & (self.state == state)).sum())
                for what, state in (("lenses", 1), ("others", 0), ("unlabeled", -1))
            }
            for name, chosen in (("train", ~self.frozen), ("held_out", self.frozen))
        }

    def write(self, path: Path) -> None:
        """Keep with the run."""
        arrays: dict[str, Any] = {k: np.asarray(v) for k, v in vars(self).items()}
        with replacing(path) as beside, beside.open("wb") as stream:
            np.savez(stream, **arrays)

    @classmethod
    def read(cls, path: Path) -> RetrainingSample:
        """Read what :meth:`write` wrote, also before the names of today."""
        with np.load(path, allow_pickle=False) as stored:
            names = {
                f.name: f.name if f.name in stored else _OLDER_NAMES[f.name] for f in fields(cls)
            }
            arrays: dict[str, Any] = {name: stored[older] for name, older in names.items()}
        return cls(**{**arrays, "share_unlabeled": float(arrays["share_unlabeled"])})


def draw(
    labels: CandidateLabels,
    groups: IntArray,
    frozen: BoolArray,
    seen: BoolArray,
    *,
    most_unlabeled: int,
    seed: int,
) -> RetrainingSample:
    """All labeled objects; at most ``most_unlabeled`` unlabeled to train, half of that held out."""
    rng = np.random.default_rng(seed)
    unlabeled = labels.state == UNLABELED
    chosen = [np.flatnonzero(~unlabeled)]
    share = 1.0
    for where, most in ((~frozen, most_unlabeled), (frozen, most_unlabeled // 2)):
        drawn = np.flatnonzero(unlabeled & where)
        if not len(drawn) and where is not frozen:
            raise BadInputError(
                "All unlabeled candidates are in the frozen evaluation set; import more, or give "
                "smaller sky blocks (a larger block_nside; 0 for none)."
            )
        if len(drawn) > most:
            if where is not frozen:
                share = most / len(drawn)
            drawn = rng.choice(drawn, most, replace=False, shuffle=False)
        chosen.append(drawn)
    rows = np.sort(np.concatenate(chosen))
    return RetrainingSample(
        labels.candidate_id[rows],
        labels.catalog_id[rows],
        labels.row[rows],
        groups[rows],
        labels.state[rows],
        frozen[rows],
        seen[rows],
        labels.weight[rows],
        labels.reason[rows],
        share,
    )


def seen_by_bases(
    session: Session, workspace: Workspace, model_ids: Sequence[str], labels: CandidateLabels
) -> BoolArray:
    """Mask of objects that a base member may have been trained or calibrated on, shape (n,).

    Those with an imported label in a catalog that the model was trained on here, less the ones
    that its training held out. Logits of the others are honest.
    """
    seen = np.zeros(len(labels), dtype=bool)
    for model in models_by_id(session, model_ids).values():
        if model.run_id is None:
            continue  # trained elsewhere: the catalogs that it names are not these
        names = model.manifest.get("catalogs", [])
        ids = [k for k, name in labels.catalogs.items() if name in names]
        mine = labels.imported & np.isin(labels.catalog_id, ids)
        for name in ensembles_of_run(session, model.run_id):
            try:
                mine &= ~np.isin(labels.candidate_id, HeldOut.read(workspace, name).candidate_id)
            except NotFoundError:
                continue  # nothing is known to have been held out
        seen |= mine
    return seen


@dataclass(frozen=True)
class StoredBases:
    """Stored outputs of the base members for each catalog.

    Attributes
    ----------
    members : tuple of StoredMember
        Whose logits join the ensemble.
    inputs : tuple of HeadInput
        Every column that heads may take: embeddings of networks and encoders, features of classic
        members.
    encoders : tuple of StoredMember
        Whose embeddings heads may take, and who have no logit.
    """

    members: tuple[StoredMember, ...]
    outputs: dict[int, dict[str, StoredOutputs]]
    inputs: tuple[HeadInput, ...]
    encoders: tuple[StoredMember, ...] = ()

    @classmethod
    def open(
        cls,
        session: Session,
        workspace: Workspace,
        members: Sequence[StoredMember],
        catalogs: dict[int, str],
        encoders: Sequence[StoredMember] = (),
    ) -> StoredBases:
        """Raises NotFoundError where a member has no outputs of a catalog."""
        outputs: dict[int, dict[str, StoredOutputs]] = {}
        for catalog_id, name in catalogs.items():
            rows = get_catalog(session, catalog_id).n_candidates
            outputs[catalog_id] = {
                m.id: StoredOutputs.read(workspace, m.id, name, rows) for m in (*members, *encoders)
            }
        first = next(iter(outputs.values()))
        inputs: list[HeadInput] = []
        for key, stored in first.items():
            if stored.embedding is not None:
                inputs.append(HeadInput(key, "embedding", stored.embedding.shape[1]))
            if stored.features is not None:
                inputs.append(HeadInput(key, "features", stored.features.shape[1]))
        return cls(tuple(members), outputs, tuple(inputs), tuple(encoders))

    def read(self, catalog_id: IntArray, row: IntArray) -> tuple[Float32Array, Float64Array]:
        """Columns of :attr:`inputs` (n, Σ columns) and raw logits (n, members) of some rows."""
        table = np.empty((len(row), sum(i.columns for i in self.inputs)), dtype=np.float32)
        raw = np.empty((len(row), len(self.members)))
        for key, stored in self.outputs.items():
            mine = np.flatnonzero(catalog_id == key)
            for first in range(0, len(mine), _AT_ONCE):
                part = mine[first : first + _AT_ONCE]
                outputs = {k: v.output(row[part]) for k, v in stored.items()}
                if self.inputs:
                    table[part] = gather_inputs(self.inputs, outputs)
                for k, member in enumerate(self.members):
                    raw[part, k] = outputs[member.id].logit
        return table, raw

    @property
    def usual_inputs(self) -> tuple[HeadInput, ...]:
        """Columns for heads that do not choose: of the members, embeddings of encoders if none."""
        encoders = {stored.id for stored in self.encoders}
        own = tuple(i for i in self.inputs if i.model not in encoders)
        return own if any(i.what == "embedding" for i in own) else self.inputs

    def columns_of(self, inputs: Sequence[HeadInput]) -> IntArray:
        """Columns of :meth:`read` that belong to some of its inputs."""
        ends = np.cumsum([i.columns for i in self.inputs])
        parts = [
            np.arange(end - i.columns, end)
            for i, end in zip(self.inputs, ends, strict=True)
            if i in inputs
        ]
        return np.concatenate(parts) if parts else np.empty(0, dtype=np.int64)
