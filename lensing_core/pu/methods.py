"""The PU methods by name, for settings and command lines."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from lensing_core.errors import BadInputError
from lensing_core.pu.bagging import BaggingPU
from lensing_core.pu.contract import PUMethod
from lensing_core.pu.elkan_noto import ElkanNoto
from lensing_core.pu.learners import Learner, LogisticLearner, TreesLearner
from lensing_core.pu.naive import Naive, Oracle
from lensing_core.pu.risk import NNPU, UPU
from lensing_core.pu.spy import Spy

LEARNERS: dict[str, Callable[..., Learner]] = {
    "lightgbm": TreesLearner,
    "logistic": LogisticLearner,
}
METHODS: tuple[str, ...] = (
    "naive",
    "elkan_noto",
    "elkan_noto_reweighted",
    "nnpu",
    "upu",
    "bagging",
    "spy",
    "oracle",
)


def pu_method(
    name: str, *, prior: float, learner: str | Learner = "lightgbm", seed: int = 0, **options: Any
) -> PUMethod:
    """A method of :data:`METHODS`.

    Parameters
    ----------
    prior : float
        Class prior π of the unlabeled; naive, oracle and Elkan-Noto do not use it.
    learner : str or Learner
        A name of :data:`LEARNERS`, or one with its own settings; nnPU and uPU have none.
    **options
        Further settings of the method's class.

    Raises
    ------
    BadInputError
        For an unknown method, learner or option.
    """
    if isinstance(learner, str):
        if learner not in LEARNERS:
            raise BadInputError(f"Learner {learner!r} is unknown; there are {', '.join(LEARNERS)}.")
        rounds = {"rounds": 50} if (name, learner) == ("bagging", "lightgbm") else {}
        base = LEARNERS[learner](**rounds)
    else:
        base = learner
    made: dict[str, Callable[..., PUMethod]] = {
        "naive": lambda **o: Naive(base, **o),
        "oracle": lambda **o: Oracle(base, **o),
        "elkan_noto": lambda **o: ElkanNoto(base, **o),
        "elkan_noto_reweighted": lambda **o: ElkanNoto(base, mode="reweight", **o),
        "nnpu": lambda **o: NNPU(prior, **o),
        "upu": lambda **o: UPU(prior, **o),
        "bagging": lambda **o: BaggingPU(prior, base, **o),
        "spy": lambda **o: Spy(prior, base, **o),
    }
    if name not in made:
        raise BadInputError(f"PU method {name!r} is unknown; there are {', '.join(METHODS)}.")
    try:
        return made[name](seed=seed, **options)
    except TypeError as error:
        raise BadInputError(f"An option does not fit the PU method {name}: {error}.") from error
