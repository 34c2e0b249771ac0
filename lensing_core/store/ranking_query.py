"""Query of a ranking: which candidates, in which order."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal, get_args

from sqlalchemy.orm import InstrumentedAttribute

from lensing_core.errors import BadInputError
from lensing_core.store.tables import STAGES, Candidate, Score, Vote

SortKey = Literal[
    "score",
    "epistemic",
    "disagreement",
    "ood",
    "magnitude",
    "theta_e",
    "arc_radius",
    "graded",
    "object_id",
]
SORT_KEYS: tuple[SortKey, ...] = get_args(SortKey)
LabelState = Literal["lens", "not_lens", "labeled", "unlabeled"]
LABEL_STATES: tuple[LabelState, ...] = get_args(LabelState)
VoteState = Literal["mine", "not_mine", "others", "anyone", "nobody"]
VOTE_STATES: tuple[VoteState, ...] = get_args(VoteState)
CONSENSUS_STATES = ("open", "accepted", "retired")
MatchState = Literal["known_lens", "matched", "review", "unmatched"]
MATCH_STATES: tuple[MatchState, ...] = get_args(MatchState)
FlagState = Literal["mine", "anyone", "nobody"]
FLAG_STATES: tuple[FlagState, ...] = get_args(FlagState)
SCALES = ("galaxy", "cluster")
OLDER_LABEL_STATES: dict[str, LabelState] = {"labelled": "labeled", "unlabelled": "unlabeled"}
OLDER_RANGES = {"colour_consistency": "color_consistency", "arc_colour": "arc_color"}
"""Names in saved filters, queues of sessions and links of older versions."""

SORT_COLUMNS: dict[SortKey, InstrumentedAttribute[Any]] = {
    "score": Score.logit,
    "epistemic": Score.epistemic,
    "disagreement": Score.disagreement,
    "ood": Score.ood_distance,
    "magnitude": Candidate.magnitude,
    "theta_e": Candidate.theta_e_proxy_arcsec,
    "arc_radius": Candidate.arc_radius_arcsec,
    "graded": Vote.event_id,  # grows with the time of the grade
    "object_id": Candidate.object_id,
}
NULLABLE_SORTS = ("ood", "magnitude", "theta_e", "arc_radius")
_SCORE_SORTS = ("score", "epistemic", "disagreement", "ood")

RANGE_COLUMNS: dict[str, InstrumentedAttribute[Any]] = {
    "epistemic": Score.epistemic,
    "disagreement": Score.disagreement,
    "ood": Score.ood_distance,
    "magnitude": Candidate.magnitude,
    "theta_e": Candidate.theta_e_proxy_arcsec,
    "arc_radius": Candidate.arc_radius_arcsec,
    "arc_length": Candidate.arc_length_arcsec,
    "arc_angle": Candidate.arc_angle_deg,
    "arc_snr": Candidate.arc_snr,
    "color_consistency": Candidate.color_consistency,
    "arc_color": Candidate.arc_galaxy_color_mag,
}
"""Columns of ranges; candidates without the value never pass one."""
SCORE_RANGES = ("epistemic", "disagreement", "ood")


@dataclass(frozen=True)
class Range:
    """Values of ``name`` (of :data:`RANGE_COLUMNS`) from ``low`` to ``high``; None: no bound."""

    name: str
    low: float | None = None
    high: float | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", OLDER_RANGES.get(self.name, self.name))
        if self.name not in RANGE_COLUMNS:
            raise BadInputError(f"Range {self.name!r}: choose one of {', '.join(RANGE_COLUMNS)}.")
        known = [value for value in (self.low, self.high) if value is not None]
        if not all(map(math.isfinite, known)) or known != sorted(known):
            raise BadInputError(
                f"Range of {self.name} from {self.low} to {self.high}: give two numbers, the "
                "smaller first."
            )


@dataclass(frozen=True)
class Cone:
    """A circle on the sky, ICRS degrees."""

    ra_deg: float
    dec_deg: float
    radius_deg: float

    def __post_init__(self) -> None:
        if not (0 <= self.ra_deg < 360 and -90 <= self.dec_deg <= 90):
            raise BadInputError(
                f"Cone at {self.ra_deg} {self.dec_deg}: give a right ascension from 0 to 360 and "
                "a declination from -90 to 90 degrees."
            )
        if not 0 < self.radius_deg <= 180:
            raise BadInputError(f"Cone of {self.radius_deg} degrees: give more than 0, up to 180.")


@dataclass(frozen=True)
class RankingQuery:
    """Query for candidates and their order.

    Attributes
    ----------
    ensemble_id : int or None
        Only candidates that this ensemble has scored; None: all candidates, without scores.
    catalog_ids : tuple of int
        Empty: all catalogs.
    sort, descending
        The order; ties by id in the same direction. ``graded`` is by the time of the last grade,
        and lists graded candidates alone.
    probability_min, probability_max : float
        Range of the ensemble's probability, both ends included.
    stages, scales : tuple of str
        Empty: all of them.
    label : str or None
        As imported: ``lens``, ``not_lens``, ``labeled`` (either) or ``unlabeled``; None: all.
    object_id : str
        Text that the object id contains; letters a-z in either case.
    ranges : tuple of Range
        All of which hold.
    votes : str or None
        Graded by ``mine``, ``others``, ``anyone``, or not: ``not_mine``, ``nobody``.
    grader_id : int or None
        Who "I" am.
    grades : tuple of str
        Candidates with one of these grades, from those whom ``votes`` names.
    consensus : tuple of str
        Candidates whose consensus is in one of these states.
    tags : tuple of str
        Candidates with one of these tags; with ``all_tags`` those that have all of them.
    note : str
        Text that a note, or the note to a grade, contains; letters a-z in either case.
    flagged : str or None
        Flagged for discussion by ``mine`` (me), ``anyone`` or ``nobody``; None: all.
    cone : Cone or None
    match : str or None
        By the newest cross-matches: on a ``known_lens``, ``matched`` with anything (duplicates
        aside), for ``review``, or ``unmatched`` though the catalog was matched.
    selection : str
        Id of a stored selection (:mod:`lensing_core.store.selections`); '' for none.
    hides_blind : bool
        Whether others' grades, notes and flags, the consensus and imported labels of candidates in
        open blind sessions count as if there were none (:mod:`lensing_core.store.blinding`).
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
    scales: tuple[str, ...] = ()
    ranges: tuple[Range, ...] = ()
    votes: VoteState | None = None
    grader_id: int | None = None
    grades: tuple[str, ...] = ()
    consensus: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    all_tags: bool = False
    note: str = ""
    flagged: FlagState | None = None
    cone: Cone | None = None
    match: MatchState | None = None
    selection: str = ""
    hides_blind: bool = False

    def __post_init__(self) -> None:
        if self.label in OLDER_LABEL_STATES:
            object.__setattr__(self, "label", OLDER_LABEL_STATES[self.label])
        for name, choices in (
            ("sort", SORT_KEYS),
            ("label", LABEL_STATES),
            ("votes", VOTE_STATES),
            ("match", MATCH_STATES),
            ("flagged", FLAG_STATES),
        ):
            value = getattr(self, name)
            if value is not None and value not in choices:
                raise BadInputError(
                    f"{name.capitalize()} {value!r}: choose one of {', '.join(choices)}."
                )
        for name, known in (
            ("stages", STAGES),
            ("scales", SCALES),
            ("consensus", CONSENSUS_STATES),
        ):
            for value in getattr(self, name):
                if value not in known:
                    raise BadInputError(
                        f"{name.capitalize()} {value!r}: choose one of {', '.join(known)}."
                    )
        if not 0 <= self.probability_min <= self.probability_max <= 1:
            raise BadInputError(
                f"Probability range {self.probability_min} to {self.probability_max}: "
                "give two numbers from 0 to 1, the smaller first."
            )
        if len({r.name for r in self.ranges}) < len(self.ranges):
            raise BadInputError("Give each range once.")
        by_scores = self.by_score or self.limits_probability or self.score_ranges
        if self.ensemble_id is None and by_scores:
            raise BadInputError("Without an ensemble there are no scores to sort or filter by.")
        if self.votes in ("mine", "not_mine", "others") and self.grader_id is None:
            raise BadInputError("Sign in to list candidates by your own grades or those of others.")
        if self.flagged == "mine" and self.grader_id is None:
            raise BadInputError("Sign in to list candidates that you have flagged.")

    @property
    def by_score(self) -> bool:
        """Return whether the order is by a column of the score table."""
        return self.sort in _SCORE_SORTS

    @property
    def by_vote(self) -> bool:
        """Return whether the order is by the time of the last grade."""
        return self.sort == "graded"

    @property
    def limits_probability(self) -> bool:
        """Return whether the probability range leaves anything out."""
        return self.probability_min > 0 or self.probability_max < 1

    @property
    def score_ranges(self) -> tuple[Range, ...]:
        """Ranges of what an ensemble says."""
        return tuple(r for r in self.ranges if r.name in SCORE_RANGES)

    @property
    def filtered(self) -> bool:
        """Return whether there is any condition beside ensemble, catalogs and scales."""
        return bool(
            self.limits_probability
            or self.label is not None
            or self.votes is not None
            or self.cone is not None
            or self.match is not None
            or self.flagged is not None
            or self.by_vote
            or self.stages + self.ranges + self.grades + self.consensus + self.tags
            or self.object_id
            or self.note
            or self.selection
        )


@dataclass(frozen=True)
class Cursor:
    """The place of a row in an order: the value that it is sorted by, and its id."""

    value: float | str | None
    candidate_id: int
