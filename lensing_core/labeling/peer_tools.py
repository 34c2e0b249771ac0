"""Files of grades as other tools write them: how each is recognized, and what its values mean.

The forms, with the program that writes them:

- Qt-stamp-visualizer (ClarkGuilty), one at a time: ``file_name, classification,
  subclassification, ra, dec, ...``; ``Empty`` or ``None`` until graded. Its own summary counts
  SL, ML, FL, NL as 3, 2, 1, 0.
- Qt-stamp-visualizer, mosaic: ``file_name, classification, grid_pos, page, time``; 1.0 for a marked
  cutout, 0.0 for all others, those of pages that were never opened too.
- Visualization-tool (esavary): ``file_name, classification, subclassification, comment``, or lines
  without a header: name and grade, or name, class, subclass and comment.
- Astronomaly (Lochner, Bassett 2021): ``ml_scores.csv``, an index without a name and
  ``human_label``: how interesting an object is, from 0 to 5; -1 until graded.
- GALAssify (Alcázar-Laynez et al. 2025): ``galaxy, ..., processed`` and one column for each tag
  group of its configuration.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

_QT_GRADES = {
    "abcx": {"SL": "A", "ML": "B", "FL": "C", "NL": "X"},
    "0-3": {"SL": "3", "ML": "2", "FL": "1", "NL": "0"},
    "binary": {"SL": "lens", "NL": "not"},
}
_REASONS = {
    **dict.fromkeys(("ring",), "ring"),
    **dict.fromkeys(("spiral",), "spiral"),
    **dict.fromkeys(("merger",), "merger"),
    **dict.fromkeys(("edge on", "edge-on"), "edge_on"),
    **dict.fromkeys(("artifact", "artefact"), "artefact"),
}
_NONE_YET = frozenset({"None", "Empty"})


@dataclass(frozen=True)
class PeerTool:
    """A tool whose files are recognized by the names of their columns.

    Attributes
    ----------
    title : str
        For people.
    marks : frozenset of str
        Columns that tell the file.
    object_id, grade : str
        '' for a grade that only the user can name.
    comment, reason, graded : str
        Other columns, '' where there are none; ``reason`` may hold words of :attr:`reasons`,
        ``graded`` is true where a row was graded.
    ungraded : frozenset of str
        Values of rows that nobody has graded.
    grades : mapping
        By scheme, from values to grades.
    reasons : mapping of str to str
        From words to reject reasons.
    says_lens : bool
        Whether values of a scheme's own spelling may be taken; else each needs a mapping.
    pages : str
        Column of pages, where pages without a mark and a time were never opened.
    """

    title: str
    marks: frozenset[str]
    object_id: str
    grade: str
    comment: str = ""
    reason: str = ""
    graded: str = ""
    ungraded: frozenset[str] = frozenset()
    grades: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    reasons: Mapping[str, str] = field(default_factory=dict)
    says_lens: bool = True
    pages: str = ""


TOOLS = (
    PeerTool(
        "Qt-stamp-visualizer, mosaic",
        frozenset({"file_name", "classification", "grid_pos"}),
        "file_name",
        "classification",
        grades={"binary": {"1": "lens", "0": "not"}},
        pages="page",
    ),
    PeerTool(
        "Qt-stamp-visualizer",
        frozenset({"file_name", "classification", "subclassification", "ra"}),
        "file_name",
        "classification",
        reason="subclassification",
        ungraded=_NONE_YET,
        grades=_QT_GRADES,
        reasons=_REASONS,
    ),
    PeerTool(
        "Qt-stamp-visualizer",
        frozenset({"file_name", "classification", "image_dim"}),
        "file_name",
        "classification",
        ungraded=_NONE_YET,
        grades=_QT_GRADES,
    ),
    PeerTool(
        "Visualization-tool",
        frozenset({"file_name", "classification", "subclassification"}),
        "file_name",
        "classification",
        comment="comment",
        reason="subclassification",
        ungraded=_NONE_YET,
        grades={"binary": {"L": "lens", "NL": "not"}},
        reasons=_REASONS,
    ),
    PeerTool(
        "Astronomaly",
        frozenset({"", "human_label"}),
        "",
        "human_label",
        ungraded=frozenset({"-1"}),
        says_lens=False,
    ),
    PeerTool(
        "GALAssify",
        frozenset({"galaxy", "processed"}),
        "galaxy",
        "",
        comment="comment",
        graded="processed",
    ),
)


def recognize(header: Sequence[str]) -> PeerTool | None:
    """Return the tool whose file has these columns, or None."""
    names = {name.strip() for name in header}
    if "" in names and header[0].strip():
        names.discard("")  # Astronomaly's index is the first column
    return next((tool for tool in TOOLS if tool.marks <= names), None)
