"""Forms of the API's replies and bodies: what handlers send, and what the description says."""

from __future__ import annotations

from typing import Any, Literal, NotRequired

from typing_extensions import TypedDict

JSON = dict[str, Any]


class ErrorReply(TypedDict):
    """Refusal of a request, in one sentence."""

    error: str


class CatalogReply(TypedDict):
    """A catalog, with the geometry of its cutouts."""

    name: str
    title: str
    survey: str
    scale: str
    origin: str
    bands: list[str]
    size_px: int
    pixel_scale_arcsec: float
    pixel_kind: str
    n_candidates: int
    archived: bool


class CatalogsReply(TypedDict):
    """All catalogs that have candidates."""

    catalogs: list[CatalogReply]


class EnsembleReply(TypedDict):
    """An ensemble. ``version`` changes with its weights and its calibration."""

    name: str
    title: str
    version: str
    fusion: str
    members: list[str]
    promoted: bool
    archived: bool
    created_at: str


class EnsemblesReply(TypedDict):
    """All ensembles, in the order in which they are taken where none is named."""

    ensembles: list[EnsembleReply]


class ScoreReply(TypedDict):
    """Score of a candidate; uncertainties in nat, the OOD distance without a unit."""

    logit: float | None
    probability: float | None
    epistemic: float | None
    aleatoric: float | None
    disagreement: float | None
    ood_distance: float | None


class ConsensusReply(TypedDict):
    """Consensus of the graders."""

    posterior: float
    state: str
    n_votes: int


class CandidateReply(TypedDict):
    """A candidate of a list; what is not known, or kept back while it is graded blind, is null."""

    id: int
    object_id: str
    catalog: str
    cutout_index: int
    cutout_sha256: str
    ra_deg: float | None
    dec_deg: float | None
    magnitude: float | None
    stage: str
    label: Literal["lens", "not_lens"] | None
    tags: list[str]
    own_grade: str | None
    consensus: ConsensusReply | None
    graded_blind: bool
    score: ScoreReply | None


class CandidatesReply(TypedDict):
    """A page of a list; ``next`` is what ``after`` takes for the page after it."""

    ensemble: str | None
    candidates: list[CandidateReply]
    next: str | None


class OneCandidateReply(CandidateReply):
    """A candidate with what was measured, and the further columns of its table."""

    observation: JSON
    columns: JSON


class MemberScoreReply(TypedDict):
    """Score of a candidate by one member, calibrated."""

    model: str
    kind: str
    logit: float
    probability: float


class EnsembleScoreReply(ScoreReply):
    """Score of a candidate by one ensemble and by each of its members."""

    ensemble: str
    version: str
    members: list[MemberScoreReply]


class ScoresReply(TypedDict):
    """Scores of a candidate by all ensembles, the newest ensemble first."""

    id: int
    scores: list[EnsembleScoreReply]


class VoteReply(TypedDict):
    """A grade in force."""

    who: str
    mine: bool
    grade: str
    scheme: str


class HistoryReply(TypedDict):
    """Grades in force, and all that people did with a candidate, the newest first.

    ``blind`` names open sessions for which others' grades are kept back.
    """

    id: int
    votes: list[VoteReply]
    entries: list[JSON]
    blind: list[str]


class EventsReply(TypedDict):
    """Label events in the order of the log; ``next`` is what ``after`` takes for more."""

    events: list[JSON]
    next: int | None


class LabelBody(TypedDict):
    """One label event: a grade, or an undo of the grade that stands (or of ``undoes``).

    ``uuid`` makes a repeated request harmless; without one the server makes it. ``given_at`` is in
    ISO 8601 with its offset; without one it is now. ``ensemble`` names the one whose
    score was shown.
    """

    kind: Literal["grade", "undo"]
    candidate: int
    uuid: NotRequired[str]
    given_at: NotRequired[str]
    grade: NotRequired[str]
    reject_reason: NotRequired[str]
    comment: NotRequired[str]
    undoes: NotRequired[str]
    ensemble: NotRequired[str]
    view: NotRequired[JSON]


class LabelReply(TypedDict):
    """The event is in the log."""

    uuid: str


class RunReply(TypedDict):
    """A run; ``share`` is its progress from 0 to 1, null while that is unknown."""

    id: str
    kind: str
    title: str
    status: str
    done: int
    total: int | None
    share: float | None
    activity: str
    error: str | None
    created_at: str
    started_at: str | None
    finished_at: str | None
    settings: JSON
    result: JSON | None


class RunsReply(TypedDict):
    """A page of runs, the newest first; ``next`` is what ``after`` takes for the page after it."""

    runs: list[RunReply]
    total: int
    next: str | None


class LogLineReply(TypedDict):
    """A line of a run's log."""

    at: str
    level: str
    message: str


class LogReply(TypedDict):
    """The last lines of a run's log, the oldest first."""

    id: str
    lines: list[LogLineReply]


class PostedScoreReply(ScoreReply):
    """Score of a posted cutout; ``members`` are calibrated logits by model."""

    members: dict[str, float | None]


class PostedScoresReply(TypedDict):
    """Scores of posted cutouts, in their order."""

    ensemble: str
    version: str
    scores: list[PostedScoreReply]
