"""Forms in which versions before canonical values hashed the values of a label event."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta, timezone
from typing import Any

from lensing_core.store.tables import LabelEvent

_QUARTERS = range(-12 * 4, 14 * 4 + 1)  # offsets of civil time, in quarters of an hour


def offset_of(form: dict[str, Any]) -> str:
    """Offset from UTC in the time of a form; '' where it has none."""
    return str(form.get("given_at", ""))[26:]


def other_forms(event: LabelEvent) -> Iterator[dict[str, Any]]:
    """All forms of a time and of numbers that older versions hashed, the likely ones first."""
    times: list[dict[str, Any]] = [{}]
    for quarters in sorted(_QUARTERS, key=abs):
        zone = timezone(timedelta(minutes=15 * quarters))
        moment = event.given_at.astimezone(zone).isoformat(timespec="microseconds")
        times.append({"given_at": moment})
    for given_at in times:
        for shown_ms in _forms_of_number("shown_ms", event.shown_ms):
            for is_lens in _forms_of_number("is_lens", event.is_lens):
                yield {**given_at, **shown_ms, **is_lens}


def _forms_of_number(name: str, value: int | None) -> list[dict[str, Any]]:
    if value is None:
        return [{}]
    as_text = [{name: str(value)}, {name: f"{value}.0"}] if name == "shown_ms" else []
    as_flag = [{name: bool(value)}] if value in (0, 1) else []
    return [{}, *as_text, {name: float(value)}, *as_flag]
