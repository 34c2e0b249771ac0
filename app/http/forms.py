"""Forms of messages: which fields each has and of which type, checked before anything reads one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field, TypeAdapter, ValidationError

from lens_triage.app.http.json_bodies import LARGEST, fault_of
from lensing_core.errors import BadInputError

Key = Annotated[int, Field(ge=0, le=LARGEST)]
"""Id of a row of the database."""


def key_in(text: str) -> int | None:
    """The id that a text of an address is; None where it is none that a database has."""
    return int(text) if text.isdecimal() and len(text) <= 18 else None


class BadMessageError(BadInputError):
    """A message that no page of ours sends: answered with status 400 and one sentence."""


def check_form(form: TypeAdapter[Any], message: Mapping[str, Any]) -> None:
    """Raise BadMessageError, naming the field, unless a message has a form; no type is converted.

    Fields that the form does not know are left alone.
    """
    if fault := fault_of(dict(message)):
        raise BadMessageError(fault)
    try:
        form.validate_python(message, strict=True)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False)[0]
        name = ".".join(str(part) for part in first["loc"])
        wanted = first["msg"].removeprefix("Input should be ")
        if first["type"] == "missing":
            raise BadMessageError(f"{name} is missing from the message.") from None
        found = repr(first["input"])
        shown = found if len(found) <= 40 else f"{found[:39]}…"
        raise BadMessageError(f"{name} is {shown}; send {wanted}.") from None
