"""Choice of the candidates to grade next: acquisition functions and queues.

:mod:`.utilities` and :mod:`.diversity` are pure functions on arrays; :mod:`.strategies` names them
for people and orders a pool in memory; :func:`choose_queue` orders the candidates of a workspace.
"""

from lensing_core.acquisition.diversity import cluster_leaders, k_center, reduced
from lensing_core.acquisition.queue import QueueEntry, QueueRequest, choose_queue
from lensing_core.acquisition.strategies import (
    DEFAULT_SHARES,
    STRATEGIES,
    CandidatePool,
    Strategy,
    interleave,
    order_pool,
)
from lensing_core.acquisition.utilities import (
    best_first,
    boundary_logit,
    entropy,
    grade_spread,
    random_keys,
)

__all__ = [
    "DEFAULT_SHARES",
    "STRATEGIES",
    "CandidatePool",
    "QueueEntry",
    "QueueRequest",
    "Strategy",
    "best_first",
    "boundary_logit",
    "choose_queue",
    "cluster_leaders",
    "entropy",
    "grade_spread",
    "interleave",
    "k_center",
    "order_pool",
    "random_keys",
    "reduced",
]
