"""What a ranking is: which candidates, in which order, and how their filters read in SQL."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, get_args

from sqlalchemy import ColumnElement, exists
from sqlalchemy.orm import InstrumentedAttribute

from lensing_core.errors import BadInputError
from lensing_core.store.tables import STAGES, Candidate, Score

SortKey = Literal["score", "epistemic", "disagreement", "ood", "magnitude", "object_id"]
SORT_KEYS: tuple[SortKey, ...] = get_args(SortKey)
LabelState = Literal["lens", "not_lens", "labelled", "unlabelled"]
LABEL_STATES: tuple[LabelState, ...] = get_args(LabelState)

SORT_COLUMNS: dict[SortKey, InstrumentedAttribute[Any]] = {
    "score": Score.logit,
    "epistemic": Score.epistemic,
    "disagreement": Score.disagreement,
    "ood": Score.ood_distance,
    "magnitude": Candidate.magnitude,
    "object_id": Candidate.object_id,
}
NULLABLE_SORTS = ("ood", "magnitude")
_SCORE_SORTS = ("score", "epistemic", "disagreement", "ood")


@dataclass(frozen=True)
class RankingQuery:
    """Which candidates, in which order.

    Attributes
    ----------
    ensemble_id : int or None
        Only candidates that this ensemble has scored; None: all candidates, without scores.
    catalog_ids : tuple of int
        Empty: all catalogs.
    sort, descending
        The order; ties by id in the same direction.
    probability_min, probability_max : float
        Range of the ensemble's probability, both ends included.
    stages : tuple of str
        Empty: all stages.
    label : str or None
        ``lens``, ``not_lens``, ``labelled`` (either) or ``unlabelled``; None: all.
    object_id : str
        Text that the object id contains; SQLite takes letters in either case.
    """

    ensemble_id: int | None = None
    catalog_ids: tuple[int, ...] = ()
    sort: SortKey = "score"
    descending: bool = True
    probability_min: float = 0.0
    probability_max: float = 1.0
    stages: tuple[str, ...] = ()
    label: LabelState | None = None
    object_id: str = ""

    def __post_init__(self) -> None:
        if self.sort not in SORT_KEYS:
            raise BadInputError(f"Sort {self.sort!r}: choose one of {', '.join(SORT_KEYS)}.")
        if self.label is not None and self.label not in LABEL_STATES:
            raise BadInputError(f"Label {self.label!r}: choose one of {', '.join(LABEL_STATES)}.")
        for stage in self.stages:
            if stage not in STAGES:
                raise BadInputError(f"Stage {stage!r}: choose one of {', '.join(STAGES)}.")
        if not 0 <= self.probability_min <= self.probability_max <= 1:
            raise BadInputError(
                f"Probability range {self.probability_min} to {self.probability_max}: "
                "give two numbers from 0 to 1, the smaller first."
            )
        if self.ensemble_id is None and (self.by_score or self.limits_probability):
            raise BadInputError("Without an ensemble there are no scores to sort or filter by.")

    @property
    def by_score(self) -> bool:
        """Whether the order is by a column of the score table."""
        return self.sort in _SCORE_SORTS

    @property
    def limits_probability(self) -> bool:
        """Whether the probability range leaves anything out."""
        return self.probability_min > 0 or self.probability_max < 1

    @property
    def filtered(self) -> bool:
        """Whether there is any condition beside ensemble and catalogs."""
        return bool(
            self.limits_probability or self.stages or self.label is not None or self.object_id
        )


@dataclass(frozen=True)
class Cursor:
    """The place of a row in an order: the value that it is sorted by, and its id."""

    value: float | str | None
    candidate_id: int


def candidate_conditions(query: RankingQuery) -> list[ColumnElement[bool]]:
    """The filters on columns of the candidate table, catalogs left out."""
    conditions: list[ColumnElement[bool]] = []
    if query.stages:
        conditions.append(Candidate.stage.in_(query.stages))
    if query.label in ("lens", "not_lens"):
        conditions.append(Candidate.label == int(query.label == "lens"))
    elif query.label == "labelled":
        conditions.append(Candidate.label.in_((0, 1)))
    elif query.label == "unlabelled":
        conditions.append(Candidate.label.is_(None))
    if query.object_id:
        conditions.append(Candidate.object_id.contains(query.object_id, autoescape=True))
    return conditions


def probability_conditions(query: RankingQuery) -> list[ColumnElement[bool]]:
    """The probability range, where it leaves anything out."""
    if not query.limits_probability:
        return []
    return [Score.probability.between(query.probability_min, query.probability_max)]


def scored(query: RankingQuery) -> ColumnElement[bool]:
    """That the candidate of the enclosing statement has a score in range."""
    return exists().where(
        Score.ensemble_id == query.ensemble_id,
        Score.candidate_id == Candidate.id,
        *probability_conditions(query),
    )
