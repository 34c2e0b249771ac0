"""Contributions of features to a candidate's score, from stored features, without pixels.

Contributions are in log-odds and add up, with the base, to the member's raw logit:

- trees: SHAP values (Lundberg et al. 2020, Nature Machine Intelligence 2, 56; LightGBM's own);
- linear heads: weight times standardized column, the SHAP values of independent columns;
- heads whose log-odds are bent into those of a lens (see :class:`lensing_core.pu.contract.Link`):
  by the secant between base and candidate (DeepLIFT's rescale rule, Shrikumar et al. 2017,
  arXiv:1704.02685).

Networks, and heads with hidden layers, have no such sum.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from lensing_core.arrays import Float32Array, Float64Array
from lensing_core.errors import BadInputError, NotFoundError
from lensing_core.models.classic import ClassicMember
from lensing_core.models.head import HeadInput, HeadMember, gather_inputs
from lensing_core.models.manifest import CLASSIC, HEAD, model_folder, read_manifest
from lensing_core.models.member import MemberOutput
from lensing_core.models.outputs import StoredOutputs
from lensing_core.pu.learners import DenseScorer, Scorer, TreesScorer
from lensing_core.workspace import Workspace, check_slug

Columns = Sequence[tuple[str, str]]
TOLERANCE = 1e-3
"""In log-odds: how far contributions and score may differ by rounding of float32 features."""
_NO_SUM = "A network's score is no sum over features; look at members of trees, or at linear heads."


@dataclass(frozen=True)
class Contribution:
    """Contribution of one feature to one score.

    Attributes
    ----------
    name, unit : str
        As in the feature schema; an embedding stands as a whole.
    value : float
        Of the feature; NaN where it is unknown, and for an embedding.
    log_odds : float
        Added to the logit.
    """

    name: str
    unit: str
    value: float
    log_odds: float


@dataclass(frozen=True)
class CandidateExplanation:
    """The raw logit of one candidate by one member, as a sum.

    Attributes
    ----------
    model_id : str
    logit : float
        ``base`` and all contributions together; before calibration.
    base : float
        Trees: the mean over training objects; linear heads: of the average object.
    contributions : tuple of Contribution
        Of every feature, the strongest first.
    """

    model_id: str
    logit: float
    base: float
    contributions: tuple[Contribution, ...]

    def strongest(self, most: int) -> tuple[tuple[Contribution, ...], float]:
        """The ``most`` strongest, and the sum of all others."""
        rest = sum(c.log_odds for c in self.contributions[most:])
        return self.contributions[:most], rest


def explain_candidate(
    workspace: Workspace, model_id: str, catalog: str, row: int
) -> CandidateExplanation:
    """Contributions of features to a member's score of the candidate at cutout ``row``.

    Raises
    ------
    NotFoundError
        If there is no such model, or its outputs of the candidate are not stored.
    BadInputError
        If the member has no contributions that add up, or its stored features are not those that
        its stored logit came from.
    """
    opened = _open(model_folder(workspace, model_id))
    member = opened.member
    if isinstance(member, HeadMember):
        outputs = {k: _output(workspace, k, catalog, row) for k in member.base_ids}
        return explain_head(model_id, member, opened.columns, gather_inputs(member.inputs, outputs))
    stored = _output(workspace, model_id, catalog, row)
    if stored.features is None:
        raise NotFoundError(
            f"Model {model_id} has kept no features of catalog {catalog}; score it again."
        )
    parts, base = _split(TreesScorer(member.booster), stored.features)
    explanation = _explanation(model_id, base, opened.columns, stored.features[0], parts)
    if abs(explanation.logit - float(stored.logit[0])) > TOLERANCE:
        raise BadInputError(
            f"The stored features of {catalog} give a logit of {explanation.logit:.3f} by "
            f"{model_id} and the stored one is {stored.logit[0]:.3f}; score the catalog again."
        )
    return explanation


def explain_head(
    model_id: str, member: HeadMember, columns: Columns, table: Float32Array
) -> CandidateExplanation:
    """Contributions of columns to a head's score of one candidate.

    Parameters
    ----------
    columns : sequence of (str, str)
        Name and unit of each column; columns of one name stand together.
    table : ndarray of shape (1, columns)

    Raises
    ------
    BadInputError
        If the head has hidden layers.
    """
    split = [_split(scorer, table) for scorer in member.model.scorers]
    parts = np.mean([contributions for contributions, _ in split], axis=0)
    start, moved = float(np.mean([base for _, base in split])), float(parts.sum())
    low, high = member.model.link(np.array([start, start + moved]))
    if abs(moved) > 1e-12:
        parts = parts * ((high - low) / moved)
    return _explanation(model_id, float(low) + member.shift, columns, table[0], parts)


def _split(scorer: Scorer, table: Float32Array) -> tuple[Float64Array, float]:
    """Contributions (columns,) to the log-odds of one row, and the base."""
    if isinstance(scorer, TreesScorer):
        shap = np.asarray(scorer.booster.predict(table, pred_contrib=True, num_threads=1))[0]
        return shap[:-1], float(shap[-1])
    if isinstance(scorer, DenseScorer) and len(scorer.weights) == 1:
        standardized = scorer.standardizer(table)[0].astype(np.float64)
        return standardized * scorer.weights[0][:, 0], float(scorer.biases[0][0])
    raise BadInputError(_NO_SUM)


def _explanation(
    model_id: str,
    base: float,
    columns: Columns,
    values: Float32Array,
    parts: Float64Array,
) -> CandidateExplanation:
    """Columns of one name joined, the strongest first."""
    rows: dict[tuple[str, str], list[int]] = {}
    for k, column in enumerate(columns):
        rows.setdefault(column, []).append(k)
    contributions = [
        Contribution(
            *column, float(values[of[0]]) if len(of) == 1 else math.nan, float(parts[of].sum())
        )
        for column, of in rows.items()
    ]
    contributions.sort(key=lambda c: -abs(c.log_odds))
    return CandidateExplanation(model_id, base + float(parts.sum()), base, tuple(contributions))


def _output(workspace: Workspace, model_id: str, catalog: str, row: int) -> MemberOutput:
    stored = StoredOutputs.read(workspace, model_id, catalog, row + 1)
    return stored.output(slice(row, row + 1))


@dataclass(frozen=True)
class _Opened:
    member: ClassicMember | HeadMember
    columns: Columns


@lru_cache(maxsize=16)
def _open(folder: Path) -> _Opened:
    """A member with name and unit of its columns, read once a process: models never change.

    A head's base members stay on the disk; only their features' names are read.
    """
    manifest = read_manifest(folder)
    if manifest["kind"] == CLASSIC:
        return _Opened(ClassicMember.load(folder, manifest), _named(manifest["features"]))
    if manifest["kind"] == HEAD:
        member = HeadMember.load(folder, manifest, {})
        columns = [c for taken in member.inputs for c in _columns_of(folder.parent, taken)]
        return _Opened(member, columns)
    raise BadInputError(_NO_SUM)


def _columns_of(models: Path, taken: HeadInput) -> Columns:
    """Columns that a head takes from one base member."""
    if taken.what == "embedding":
        return [(f"embedding of {taken.model}", "")] * taken.columns
    return _named(read_manifest(models / check_slug(taken.model, what="Model"))["features"])


def _named(features: dict[str, Any]) -> Columns:
    return list(zip(features["names"], features["units"], strict=True))


def feature_importance(workspace: Workspace, model_id: str) -> tuple[tuple[str, str, float], ...]:
    """Name, unit and share of what all splits of a member's trees gained, the largest first.

    Empty for a head without trees.

    Raises
    ------
    NotFoundError
        If there is no such model.
    BadInputError
        If it is a network.
    """
    opened = _open(model_folder(workspace, model_id))
    member = opened.member
    scorers = member.model.scorers if isinstance(member, HeadMember) else ()
    boosters = [s.booster for s in scorers if isinstance(s, TreesScorer)]
    if isinstance(member, ClassicMember):
        boosters = [member.booster]
    if not boosters:
        return ()
    gains = [np.asarray(b.feature_importance("gain"), dtype=np.float64) for b in boosters]
    shares = np.mean([g / max(float(g.sum()), 1e-12) for g in gains], axis=0)
    joined: dict[tuple[str, str], float] = {}
    for column, share in zip(opened.columns, shares.tolist(), strict=True):
        joined[column] = joined.get(column, 0.0) + share
    return tuple((*c, share) for c, share in sorted(joined.items(), key=lambda item: -item[1]))
