"""Rankings as JSON: of a page's script, and of saved filters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lensing_core.errors import BadInputError
from lensing_core.store.cones import cone_text, read_cone
from lensing_core.store.ranking_query import Cone, Range, RankingQuery

MOST_TAGS, MOST_GRADES = 20, 40  # that a query may name
LONGEST_NOTE = 200  # letters to look for


def query_to_json(query: RankingQuery) -> dict[str, Any]:
    """The query as the page's script keeps it."""
    return {
        "ensemble_id": query.ensemble_id,
        "catalog_ids": list(query.catalog_ids),
        "sort": query.sort,
        "descending": query.descending,
        "probability_min": query.probability_min,
        "probability_max": query.probability_max,
        "stages": list(query.stages),
        "label": query.label,
        "object_id": query.object_id,
        "scales": list(query.scales),
        "ranges": [[r.name, r.low, r.high] for r in query.ranges],
        "votes": query.votes,
        "grades": list(query.grades),
        "consensus": list(query.consensus),
        "tags": list(query.tags),
        "all_tags": query.all_tags,
        "note": query.note,
        "flagged": query.flagged,
        "cone": None if query.cone is None else cone_text(query.cone),
        "match": query.match,
        "selection": query.selection,
    }


def query_from_json(
    fields: Mapping[str, Any], grader_id: int | None = None, *, hides_blind: bool = False
) -> RankingQuery:
    """The query that :func:`query_to_json` wrote, or that the script changed.

    Raises
    ------
    BadInputError
        If a field is missing, unknown, of the wrong type or out of range.
    """
    try:
        return RankingQuery(
            **{
                **fields,
                "catalog_ids": tuple(int(key) for key in fields["catalog_ids"]),
                "stages": tuple(str(stage) for stage in fields["stages"]),
                "object_id": str(fields["object_id"])[:255],
                "probability_min": float(fields["probability_min"]),
                "probability_max": float(fields["probability_max"]),
                "scales": tuple(str(scale) for scale in fields["scales"]),
                "ranges": tuple(_range_from_json(*part) for part in fields["ranges"]),
                "grades": tuple(str(grade) for grade in fields["grades"])[:MOST_GRADES],
                "consensus": tuple(str(state) for state in fields["consensus"]),
                "tags": tuple(str(tag) for tag in fields["tags"])[:MOST_TAGS],
                "all_tags": bool(fields.get("all_tags", False)),
                "note": str(fields.get("note", ""))[:LONGEST_NOTE],
                "cone": _cone_from_json(fields["cone"]),
                "selection": str(fields["selection"])[:16],
                "grader_id": grader_id,
                "hides_blind": hides_blind,  # whatever the fields say
            }
        )
    except (KeyError, TypeError, ValueError) as error:
        raise BadInputError(f"The page asked for a ranking that makes no sense: {error}") from error


def _range_from_json(name: str, low: float | None, high: float | None) -> Range:
    low, high = (None if end is None else float(end) for end in (low, high))
    return Range(str(name), low, high)


def _cone_from_json(text: Any) -> Cone | None:
    return None if text is None else read_cone(str(text))


def saved_query(stored: Mapping[str, Any], grader_id: int | None = None) -> RankingQuery:
    """Return the query of a saved filter, of an older program, too.

    Raises
    ------
    BadInputError
        If it makes no sense.
    """
    without = RankingQuery(sort="object_id", descending=False)  # of what older filters do not name
    return query_from_json({**query_to_json(without), **stored}, grader_id)
