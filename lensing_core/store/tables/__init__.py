"""The tables, one file a subject; every column says in ``doc`` what it holds."""

from lensing_core.store.tables.api_token import ApiToken
from lensing_core.store.tables.audit import AuditEntry
from lensing_core.store.tables.base import Base, utc_now
from lensing_core.store.tables.candidate import STAGES, Candidate, Observation
from lensing_core.store.tables.catalog import Catalog, Quarantine
from lensing_core.store.tables.crossmatch import Crossmatch, CrossmatchEntry
from lensing_core.store.tables.deletion import LastId, PendingRemoval
from lensing_core.store.tables.identity import GraderIdentity
from lensing_core.store.tables.invitation import Invitation
from lensing_core.store.tables.label import (
    GRADER_ROLES,
    ITEM_KINDS,
    LABEL_EVENT_KINDS,
    SESSION_STATES,
    Consensus,
    ConsensusChoice,
    Grader,
    GraderSignIn,
    LabelEvent,
    LabelSession,
    SessionGrader,
    SessionItem,
    Vote,
)
from lensing_core.store.tables.lens_model import LensModel
from lensing_core.store.tables.lens_test import LensTest
from lensing_core.store.tables.model import Ensemble, EnsembleMember, Model
from lensing_core.store.tables.remark import (
    REMARK_KINDS,
    CandidateTag,
    Mention,
    Remark,
    RemarkReceipt,
    SavedFilter,
)
from lensing_core.store.tables.run import RUN_STATES, Run, RunLog, RunMetric
from lensing_core.store.tables.score import MemberScore, Score
from lensing_core.store.tables.seal import LogNote, LogSeal, SealedIdentity
from lensing_core.store.tables.selection import Selection, SelectionItem
from lensing_core.store.tables.survey import SurveyRow
from lensing_core.store.tables.validation import (
    CHECK_STATES,
    OUTCOMES,
    BulkMove,
    BulkMoveItem,
    Confirmation,
    FollowUp,
    StageCheck,
)

__all__ = [
    "CHECK_STATES",
    "GRADER_ROLES",
    "ITEM_KINDS",
    "LABEL_EVENT_KINDS",
    "OUTCOMES",
    "REMARK_KINDS",
    "RUN_STATES",
    "SESSION_STATES",
    "STAGES",
    "ApiToken",
    "AuditEntry",
    "Base",
    "BulkMove",
    "BulkMoveItem",
    "Candidate",
    "CandidateTag",
    "Catalog",
    "Confirmation",
    "Consensus",
    "ConsensusChoice",
    "Crossmatch",
    "CrossmatchEntry",
    "Ensemble",
    "EnsembleMember",
    "FollowUp",
    "Grader",
    "GraderIdentity",
    "GraderSignIn",
    "Invitation",
    "LabelEvent",
    "LabelSession",
    "LastId",
    "LensModel",
    "LensTest",
    "LogNote",
    "LogSeal",
    "MemberScore",
    "Mention",
    "Model",
    "Observation",
    "PendingRemoval",
    "Quarantine",
    "Remark",
    "RemarkReceipt",
    "Run",
    "RunLog",
    "RunMetric",
    "SavedFilter",
    "Score",
    "SealedIdentity",
    "Selection",
    "SelectionItem",
    "SessionGrader",
    "SessionItem",
    "StageCheck",
    "SurveyRow",
    "Vote",
    "utc_now",
]
