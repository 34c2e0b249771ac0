"""Grading schemes, and the consensus of several graders.

:mod:`.votes` holds votes as arrays; :func:`swap` and :func:`dawid_skene` make posteriors and
graders' confusion of them; :mod:`.decision` says what is accepted, retired or open and how pure
the list is; :mod:`.agreement` measures how far graders agree.
"""

from lensing_core.consensus.agreement import Agreement, cohen_kappa, fleiss_kappa
from lensing_core.consensus.confusion import (
    ConsensusEstimate,
    Smoothing,
    confusion_interval,
    estimate,
    posterior_draws,
)
from lensing_core.consensus.dawid_skene import dawid_skene
from lensing_core.consensus.decision import (
    STATES,
    ListMetrics,
    Thresholds,
    list_metrics,
    skill,
    votes_needed,
)
from lensing_core.consensus.schemes import REJECT_REASONS, SCHEMES, Grade, Scheme, scheme_from_json
from lensing_core.consensus.swap import PRIOR, swap
from lensing_core.consensus.votes import Votes, VoteTable, vote_table

__all__ = [
    "PRIOR",
    "REJECT_REASONS",
    "SCHEMES",
    "STATES",
    "Agreement",
    "ConsensusEstimate",
    "Grade",
    "ListMetrics",
    "Scheme",
    "Smoothing",
    "Thresholds",
    "VoteTable",
    "Votes",
    "cohen_kappa",
    "confusion_interval",
    "dawid_skene",
    "estimate",
    "fleiss_kappa",
    "list_metrics",
    "posterior_draws",
    "scheme_from_json",
    "skill",
    "swap",
    "vote_table",
    "votes_needed",
]
