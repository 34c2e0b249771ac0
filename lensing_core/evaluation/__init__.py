"""Benchmarks on real objects that brightness, color or a look at the center cannot flatter.

`appearance.py` measures brightness, color, size and the center of cutouts; `matched.py` compares
each lens with non-lenses alike in those; `measures.py` joins figures of scores and of baselines;
`realism.py` asks whether painted objects can be told from real ones.
"""

from lensing_core.evaluation.appearance import (
    Appearance,
    appearance_of_rows,
    measure_appearance,
)
from lensing_core.evaluation.matched import MatchedSeparation, matched_separation
from lensing_core.evaluation.measures import (
    BASELINES,
    Measured,
    baseline_scores,
    compare_measured,
    measure_scores,
    recall_by_class,
)
from lensing_core.evaluation.realism import RealismGate, realism_gate

__all__ = [
    "BASELINES",
    "Appearance",
    "MatchedSeparation",
    "Measured",
    "RealismGate",
    "appearance_of_rows",
    "baseline_scores",
    "compare_measured",
    "matched_separation",
    "measure_appearance",
    "measure_scores",
    "realism_gate",
    "recall_by_class",
]
