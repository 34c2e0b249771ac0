"""Learning from positive and unlabeled objects (PU learning).

Notation, everywhere in this package: y is the true class, s = 1 marks a labeled positive;
c = P(s=1 | y=1) is the label frequency and π = P(y=1) the class prior. They are different
quantities.

Methods behind one contract (:mod:`~lensing_core.pu.contract`): ``method.fit(x, s, groups)`` gives
a :class:`PUModel` with ``decision``, ``probability``, ``prior`` and ``label_frequency``.
"""

from lensing_core.pu.bagging import BaggingPU
from lensing_core.pu.contract import IntervalEstimate, PUMethod, PUModel, out_of_fold
from lensing_core.pu.elkan_noto import ElkanNoto
from lensing_core.pu.learners import Learner, LogisticLearner, TreesLearner
from lensing_core.pu.losses import NonNegativePULoss
from lensing_core.pu.methods import LEARNERS, METHODS, pu_method
from lensing_core.pu.naive import Naive, Oracle
from lensing_core.pu.priors import (
    PriorEstimates,
    Sensitivity,
    estimate_priors,
    prior_sensitivity,
    priors_from_scores,
)
from lensing_core.pu.risk import NNPU, UPU
from lensing_core.pu.scar import CovariateCheck, ScarCheck, blind_to, scar_check
from lensing_core.pu.spy import Spy

__all__ = [
    "LEARNERS",
    "METHODS",
    "NNPU",
    "UPU",
    "BaggingPU",
    "CovariateCheck",
    "ElkanNoto",
    "IntervalEstimate",
    "Learner",
    "LogisticLearner",
    "Naive",
    "NonNegativePULoss",
    "Oracle",
    "PUMethod",
    "PUModel",
    "PriorEstimates",
    "ScarCheck",
    "Sensitivity",
    "Spy",
    "TreesLearner",
    "blind_to",
    "estimate_priors",
    "out_of_fold",
    "prior_sensitivity",
    "priors_from_scores",
    "pu_method",
    "scar_check",
]
