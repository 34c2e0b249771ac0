"""The ranking that a page shows, as the query string of its address and as JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar, cast

from lens_triage.app.http.forms import key_in
from lensing_core.errors import BadInputError
from lensing_core.store.cones import read_cone
from lensing_core.store.query_json import LONGEST_NOTE, MOST_GRADES, MOST_TAGS
from lensing_core.store.ranking import (
    LABEL_STATES,
    SORT_KEYS,
    Cursor,
    LabelState,
    Range,
    RankingQuery,
)
from lensing_core.store.ranking_query import (
    CONSENSUS_STATES,
    FLAG_STATES,
    MATCH_STATES,
    OLDER_LABEL_STATES,
    OLDER_RANGES,
    RANGE_COLUMNS,
    SCALES,
    SCORE_RANGES,
    VOTE_STATES,
)
from lensing_core.store.tables import STAGES, Catalog, Ensemble

_Choice = TypeVar("_Choice", bound=str)
_SORTS_WITHOUT_SCORES = ("magnitude", "theta_e", "arc_radius", "graded", "object_id")
_ASCENDING_FIRST = ("magnitude", "object_id")


@dataclass(frozen=True)
class Address:
    """Ranking and candidate that a review address names.

    Attributes
    ----------
    query : RankingQuery
    candidate_id : int or None
        The candidate to show; None: the first.
    notices : tuple of str
        One sentence for each part of the address that could not be followed.
    """

    query: RankingQuery
    candidate_id: int | None
    notices: tuple[str, ...]


def read_address(
    arguments: Mapping[str, Sequence[str]],
    ensembles: Sequence[Ensemble],
    catalogs: Sequence[Catalog],
    grader_id: int | None = None,
) -> Address:
    """Read the query string of a review address.

    ``ensemble`` and ``catalog`` (repeatable) are names; ``sort``, ``order`` (``asc``, ``desc``),
    ``min``, ``max``, ``label``, ``object``, ``note``, ``flag``, ``votes``, ``match``,
    ``selection``, ``candidate`` (an id) and, repeatable, ``stage``, ``scale``, ``grade``,
    ``consensus`` and ``tag`` (with ``tags=all``: all of them) are as in
    :class:`~lensing_core.store.ranking.RankingQuery`; ``range`` (repeatable) is ``name:low:high``
    with empty ends left open; ``cone`` is right ascension, declination and radius
    (:func:`~lensing_core.store.cones.read_cone`). A part that cannot be followed is left out and
    named in a notice, so that an old link still opens.

    Parameters
    ----------
    ensembles : sequence of Ensemble
        Those to choose from, the default first; empty: candidates are listed without scores.
    """
    notices: list[str] = []

    def one(name: str) -> str:
        return next(iter(arguments.get(name, ())), "")

    def known(name: str, choices: Sequence[_Choice]) -> list[_Choice]:
        wanted = [value for value in arguments.get(name, ()) if value]
        notices.extend(
            f"There is no {name} {value!r} here; that part of the address was left out."
            for value in wanted
            if value not in choices
        )
        return [choice for choice in choices if choice in wanted]

    def number(name: str, default: float) -> float:
        try:
            value = float(one(name) or default)
        except ValueError:
            value = float("nan")
        if not 0 <= value <= 1:
            notices.append(f"{name} {one(name)!r} is not a number from 0 to 1; it was left out.")
            return default
        return value

    ensemble = {e.name: e.id for e in ensembles}
    named = known("ensemble", list(ensemble))
    listed = (e.id for e in ensembles if e.archived_at is None)
    ensemble_id = ensemble[named[0]] if named else next(listed, None)
    catalog = {c.name: c.id for c in catalogs}
    sorts = known("sort", SORT_KEYS)
    sort = sorts[0] if sorts else "score"
    low, high = number("min", 0.0), number("max", 1.0)
    if ensemble_id is None:
        low, high = 0.0, 1.0
        sort = sort if sort in _SORTS_WITHOUT_SCORES else "object_id"
    elif low > high:
        notices.append(f"min {low} is above max {high}; the range was left out.")
        low, high = 0.0, 1.0
    labels = known("label", (*LABEL_STATES, *OLDER_LABEL_STATES))
    label = labels[0] if labels else None
    matches, votes = known("match", MATCH_STATES), known("votes", VOTE_STATES)
    if votes and votes[0] in ("mine", "not_mine", "others") and grader_id is None:
        notices.append(f"votes {votes[0]!r} needs someone who is signed in; it was left out.")
        votes = []
    flags = known("flag", FLAG_STATES)
    if flags and flags[0] == "mine" and grader_id is None:
        notices.append("flag 'mine' needs someone who is signed in; it was left out.")
        flags = []
    ranges = _read_ranges(arguments.get("range", ()), notices, scored=ensemble_id is not None)
    cone = None
    if one("cone"):
        try:
            cone = read_cone(one("cone"))
        except BadInputError as error:
            notices.append(f"{error} That part of the address was left out.")
    candidate = one("candidate")
    if candidate and key_in(candidate) is None:
        notices.append(f"candidate {candidate!r} is not a number; it was left out.")
    orders = known("order", ("asc", "desc"))
    query = RankingQuery(
        ensemble_id=ensemble_id,
        catalog_ids=tuple(catalog[name] for name in known("catalog", list(catalog))),
        sort=sort,
        descending=(orders[0] == "desc") if orders else starts_descending(sort),
        probability_min=low,
        probability_max=high,
        stages=tuple(known("stage", STAGES)),
        label=cast(LabelState | None, label),  # the query knows the older names, too
        object_id=one("object")[:255],
        scales=tuple(known("scale", SCALES)),
        ranges=ranges,
        votes=votes[0] if votes else None,
        grader_id=grader_id,
        grades=tuple(arguments.get("grade", ()))[:MOST_GRADES],
        consensus=tuple(known("consensus", CONSENSUS_STATES)),
        tags=tuple(arguments.get("tag", ()))[:MOST_TAGS],
        all_tags=bool(known("tags", ("all",))),
        note=one("note")[:LONGEST_NOTE],
        flagged=flags[0] if flags else None,
        cone=cone,
        match=matches[0] if matches else None,
        selection=one("selection")[:16],
    )
    return Address(query, key_in(candidate), tuple(notices))


def starts_descending(sort: str) -> bool:
    """Return whether an order shows its largest values first when it is chosen."""
    return sort not in _ASCENDING_FIRST


def _read_ranges(texts: Sequence[str], notices: list[str], *, scored: bool) -> tuple[Range, ...]:
    found: dict[str, Range] = {}
    for text in texts:
        name, _, ends = text.partition(":")
        low, _, high = ends.partition(":")
        try:
            name = OLDER_RANGES.get(name, name)
            if name not in RANGE_COLUMNS or (name in SCORE_RANGES and not scored):
                raise ValueError
            made = Range(name, float(low) if low else None, float(high) if high else None)
        except (ValueError, BadInputError):
            notices.append(f"range {text!r} cannot be followed; it was left out.")
            continue
        found[name] = made
    return tuple(found.values())


def cursor_from_json(pair: Any) -> Cursor | None:
    """The cursor that the script hands back; None for None."""
    if pair is None:
        return None
    value, candidate_id = cast("tuple[float | str | None, int]", pair)
    return Cursor(value, int(candidate_id))
