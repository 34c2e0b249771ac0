"""Cross-matching: pairs on the sky, references offline and online, completeness of a ranking.

``matching`` is the pure function; ``lenscat``, ``table_reference`` and ``services`` bring what is
matched against; ``completeness`` turns recovered known lenses into recall at k.
"""

from lensing_core.crossmatch.completeness import RecallAtK, recall_at
from lensing_core.crossmatch.lenscat import read_lenscat
from lensing_core.crossmatch.matching import Matches, Positions, Status, crossmatch, self_match
from lensing_core.crossmatch.reference import Reference
from lensing_core.crossmatch.table_reference import read_reference_table

__all__ = [
    "Matches",
    "Positions",
    "RecallAtK",
    "Reference",
    "Status",
    "crossmatch",
    "read_lenscat",
    "read_reference_table",
    "recall_at",
    "self_match",
]
