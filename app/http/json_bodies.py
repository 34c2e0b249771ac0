"""JSON that a request brings, read within bounds: one reader for all endpoints."""

from __future__ import annotations

import json
import math
from typing import Any, NoReturn

from lensing_core.errors import BadInputError

MOST_BYTES = 4 * 2**20
DEEPEST = 32
LARGEST = 2**63 - 1  # of a whole number that a database keeps


def read_object(body: bytes, *, lenient: bool = False) -> dict[str, Any]:
    """Return the JSON object of a request's body; an empty body is an empty object.

    Parameters
    ----------
    lenient : bool, optional
        Leave what is in the object to the caller, who refuses one part of it and takes the others.

    Raises
    ------
    BadInputError
        If it is too long or too deep, is no JSON object, or holds what no field takes: NaN or
        infinity, a whole number beyond 64 bits, half of a character.
    """
    if len(body) > MOST_BYTES:
        raise BadInputError(f"The request has {len(body):,} bytes; send up to {MOST_BYTES:,}.")
    try:
        found = json.loads(
            body.decode("utf-8") or "{}", parse_constant=None if lenient else _refuse_constant
        )
    except RecursionError:
        raise BadInputError(_deep()) from None
    except ValueError:
        raise BadInputError("The request is not JSON in UTF-8.") from None
    if not isinstance(found, dict):
        raise BadInputError("The request is not a JSON object.")
    fault = depth_fault(found) if lenient else fault_of(found)
    if fault:
        raise BadInputError(fault)
    return found


def depth_fault(value: Any) -> str:
    """Return a sentence where a value is nested too deeply; '' where it is not."""
    level = [value]
    for _ in range(DEEPEST):
        level = [child for parent in level for child in _children(parent)]
        if not level:
            return ""
    return _deep()


def fault_of(value: Any) -> str:
    """Return a sentence that says what in a value no field takes; '' where there is nothing."""
    if fault := depth_fault(value):
        return fault
    left = [("", value)]
    while left:
        name, found = left.pop()
        if fault := _fault_of_one(name, found):
            return fault
        if isinstance(found, dict):
            for key, child in found.items():
                if _is_broken(key):
                    return "A field's name contains half of a character."
                left.append((f"{name}.{key}".lstrip("."), child))
        elif isinstance(found, list):
            left.extend((name, child) for child in found)
    return ""


def _fault_of_one(name: str, value: Any) -> str:
    field = name[:80] or "The request"
    if isinstance(value, str) and _is_broken(value):
        return f"{field}: the text contains half of a character; send whole ones."
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) > LARGEST:
        return f"{field}: the whole number is too large; give one of up to 64 bits."
    if isinstance(value, float) and not math.isfinite(value):
        return f"{field}: give a finite number."
    return ""


def _children(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []


def _is_broken(text: str) -> bool:
    """Return whether a text holds a lone surrogate, which JSON can write and UTF-8 cannot."""
    if text.isascii():
        return False
    return any("\ud800" <= letter <= "\udfff" for letter in text)


def _refuse_constant(name: str) -> NoReturn:
    raise BadInputError(f"{name} is not a JSON number; give a finite one.")


def _deep() -> str:
    return f"The request is nested too deeply; {DEEPEST} levels are the most."
