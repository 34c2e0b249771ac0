"""Shift of a catalog from the training set of an ensemble, measured before scores are believed.

`columns.py` measures cutouts; `sample.py` keeps a bounded sample of a training set with its
ensemble; `scale.py` is the scale contract, which may refuse a catalog; `distances.py` compares
columns; `report.py` joins all of it with the domain AUROC. `collapse.py` tells scores that say
nothing.
"""

from lensing_core.shift.collapse import LogitWatch, check_ranking
from lensing_core.shift.columns import measure_columns, title_of
from lensing_core.shift.report import ShiftReport, measure_noise_shift, measure_shift
from lensing_core.shift.sample import Block, ObjectSample, noise_in_manifests
from lensing_core.shift.scale import ScaleCheck, ScaleContract, check_noise, check_scale

__all__ = [
    "Block",
    "LogitWatch",
    "ObjectSample",
    "ScaleCheck",
    "ScaleContract",
    "ShiftReport",
    "check_noise",
    "check_ranking",
    "check_scale",
    "measure_columns",
    "measure_noise_shift",
    "measure_shift",
    "noise_in_manifests",
    "title_of",
]
