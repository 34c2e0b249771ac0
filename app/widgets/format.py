"""Format of numbers, times and durations on every page."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import UTC, datetime

MISSING = "–"


def count(value: int | None) -> str:
    """A whole number with thousands separated by commas."""
    return MISSING if value is None else f"{value:,}"


def quantity(value: object, *, digits: int = 3) -> str:
    """Any plain value: integers in full, other numbers to ``digits`` significant digits."""
    if value is None or value == "":
        return MISSING
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return count(value)
    if isinstance(value, float):
        return number(value, digits=digits)
    if isinstance(value, (list, tuple)):
        return ", ".join(quantity(item) for item in value) or MISSING
    if isinstance(value, dict):
        return (
            ", ".join(f"{k.replace('_', ' ')} {quantity(v)}" for k, v in value.items()) or MISSING
        )
    return str(value)


def number(value: float | None, *, digits: int = 3) -> str:
    """A number to ``digits`` significant digits, without an exponent where it reads well."""
    if value is None or math.isnan(value):
        return MISSING
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    if value == 0:
        return "0"
    size = math.floor(math.log10(abs(value)))
    if size < -4 or size >= 7:
        mantissa, exponent = f"{value:.{digits - 1}e}".split("e")
        return f"{mantissa}e{int(exponent)}".replace("-", "−")
    return f"{value:,.{max(0, digits - 1 - size)}f}".replace("-", "−")


def with_interval(value: float | None, interval: Sequence[float | None] | None) -> str:
    """A figure with its interval, all three to the same digit, e.g. ``0.420 [0.310, 0.550]``."""
    if value is None or interval is None or len(interval) != 2:
        return number(value)
    three = (value, *interval)
    known = [v for v in three if v is not None and math.isfinite(v)]
    leading = abs(value) if value else max((abs(v) for v in known), default=0.0)
    if len(known) < 3 or not 1e-4 <= leading < 1e4:
        first, low, high = map(number, three)
    else:
        decimals = max(0, 2 - math.floor(math.log10(leading)))
        decimals = max(decimals, 3) if leading <= 1 else decimals
        first, low, high = (f"{v:,.{decimals}f}".replace("-", "−") for v in known)
    return f"{first} [{low}, {high}]"


def duration(seconds: float | None) -> str:
    """A length of time in at most two units, e.g. ``1 min 23 s``."""
    if seconds is None:
        return MISSING
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    whole = round(seconds / 60)
    if whole < 48 * 60:
        return f"{whole // 60} h {whole % 60:02d} min"
    return f"{whole // 1440} d {whole % 1440 // 60} h"


def ago(moment: datetime, now: datetime | None = None) -> str:
    """Return how long ago, coarsely; the date where that is more than a week."""
    seconds = ((now or datetime.now(UTC)) - moment).total_seconds()
    if seconds < 45:
        return "just now"
    if seconds < 3600:
        return f"{max(1, round(seconds / 60))} min ago"
    if seconds < 86400:
        return f"{round(seconds / 3600)} h ago"
    if seconds < 7 * 86400:
        return f"{round(seconds / 86400)} d ago"
    return f"{moment:%Y-%m-%d}"


def moment(at: datetime) -> str:
    """A moment in full, in UTC."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def rate(per_second: float | None, unit: str = "") -> str:
    """A speed, e.g. ``1,710 /s``; slow ones by the minute."""
    if per_second is None or per_second <= 0:
        return MISSING
    if per_second < 0.5:
        return f"{number(60 * per_second)} {unit}/min"
    return f"{number(per_second)} {unit}/s"


def file_size(n_bytes: int) -> str:
    """A file's size, in powers of ten."""
    if n_bytes < 1000:
        return f"{n_bytes} B"
    power = min(4, (len(str(n_bytes)) - 1) // 3)
    return f"{number(n_bytes / 1000**power)} {('kB', 'MB', 'GB', 'TB')[power - 1]}"


def percent(share: float | None) -> str:
    """A share from 0 to 1 as whole per cent; 100 % is kept for what is complete."""
    if share is None:
        return MISSING
    return f"{min(99, math.floor(100 * share)) if share < 1 else 100} %"


def plural(n: int, one: str, many: str | None = None) -> str:
    """``1 row``, ``2 rows``."""
    return f"{n:,} {one if n == 1 else many or one + 's'}"


def words(code: str) -> str:
    """A code as words: ``missing_file`` gives ``Missing file``."""
    text = code.replace("_", " ").strip()
    return text[:1].upper() + text[1:]
