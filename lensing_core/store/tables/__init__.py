"""The tables, one file a subject; every column says in ``doc`` what it holds."""

from lensing_core.store.tables.base import Base, utc_now
from lensing_core.store.tables.candidate import STAGES, Candidate, Observation
from lensing_core.store.tables.catalog import Catalog, Quarantine
from lensing_core.store.tables.crossmatch import Crossmatch, CrossmatchEntry
from lensing_core.store.tables.model import Ensemble, EnsembleMember, Model
from lensing_core.store.tables.run import RUN_STATES, Run, RunLog, RunMetric
from lensing_core.store.tables.score import MemberScore, Score
from lensing_core.store.tables.survey import SurveyRow

__all__ = [
    "RUN_STATES",
    "STAGES",
    "Base",
    "Candidate",
    "Catalog",
    "Crossmatch",
    "CrossmatchEntry",
    "Ensemble",
    "EnsembleMember",
    "MemberScore",
    "Model",
    "Observation",
    "Quarantine",
    "Run",
    "RunLog",
    "RunMetric",
    "Score",
    "SurveyRow",
    "utc_now",
]
