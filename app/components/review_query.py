"""The ranking that a page shows, as the query string of its address and as JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar, cast

from lensing_core.errors import BadInputError
from lensing_core.store.ranking import LABEL_STATES, SORT_KEYS, Cursor, RankingQuery
from lensing_core.store.tables import STAGES, Catalog, Ensemble

_Choice = TypeVar("_Choice", bound=str)


@dataclass(frozen=True)
class Address:
    """What a review address asks for.

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
) -> Address:
    """Read the query string of a review address.

    ``ensemble`` and ``catalog`` (repeatable) are names; ``sort``, ``order`` (``asc``, ``desc``),
    ``min``, ``max``, ``stage`` (repeatable), ``label``, ``object`` and ``candidate`` (an id) are
    as in :class:`~lensing_core.store.ranking.RankingQuery`. A part that cannot be followed is
    left out and named in a notice, so that an old link still opens.

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
    ensemble_id = ensemble[named[0]] if named else next(iter(ensemble.values()), None)
    catalog = {c.name: c.id for c in catalogs}
    sorts = known("sort", SORT_KEYS)
    sort = sorts[0] if sorts else "score"
    low, high = number("min", 0.0), number("max", 1.0)
    if ensemble_id is None:
        low, high = 0.0, 1.0
        sort = sort if sort in ("magnitude", "object_id") else "object_id"
    elif low > high:
        notices.append(f"min {low} is above max {high}; the range was left out.")
        low, high = 0.0, 1.0
    labels = known("label", LABEL_STATES)
    candidate = one("candidate")
    if candidate and not candidate.isdecimal():
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
        label=labels[0] if labels else None,
        object_id=one("object")[:255],
    )
    return Address(query, int(candidate) if candidate.isdecimal() else None, tuple(notices))


def starts_descending(sort: str) -> bool:
    """Whether an order shows its largest values first when it is chosen."""
    return sort not in ("magnitude", "object_id")


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
    }


def query_from_json(fields: Mapping[str, Any]) -> RankingQuery:
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
            }
        )
    except (KeyError, TypeError, ValueError) as error:
        raise BadInputError(f"The page asked for a ranking that makes no sense: {error}") from error


def cursor_from_json(pair: Any) -> Cursor | None:
    """The cursor that the script hands back; None for None."""
    if pair is None:
        return None
    value, candidate_id = cast("tuple[float | str | None, int]", pair)
    return Cursor(value, int(candidate_id))
