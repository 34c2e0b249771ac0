"""How figures are written."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from lens_triage.app.widgets import format as fmt


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (0.5, "0.500"),
        (1234.5, "1,234"),
        (12.345, "12.3"),
        (0.00012345, "0.000123"),
        (1.5e-7, "1.50e−7"),
        (-2.5, "−2.50"),
        (3.1e9, "3.10e9"),
        (float("nan"), "–"),
        (float("-inf"), "−∞"),
        (None, "–"),
    ],
)
def test_number(value, text):
    assert fmt.number(value) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, "–"),
        (0.4, "0 s"),
        (59.4, "59 s"),
        (59.6, "1 min 00 s"),
        (83, "1 min 23 s"),
        (3599.7, "1 h 00 min"),
        (7260, "2 h 01 min"),
        (3 * 86400 + 7200, "3 d 2 h"),
    ],
)
def test_duration_never_shows_sixty_of_a_unit(seconds, text):
    assert fmt.duration(seconds) == text


def test_percent_keeps_a_hundred_for_what_is_complete():
    assert [fmt.percent(s) for s in (None, 0.0, 0.128, 0.9999, 1.0)] == [
        *("–", "0 %", "12 %", "99 %", "100 %")
    ]


def test_ago_grows_coarser():
    now = datetime(2026, 3, 1, 12, tzinfo=UTC)
    texts = [
        fmt.ago(now - timedelta(seconds=s), now) for s in (5, 50, 3000, 7200, 200_000, 10_000_000)
    ]
    assert texts == ["just now", "1 min ago", "50 min ago", "2 h ago", "2 d ago", "2025-11-05"]


def test_quantity_of_nested_values():
    assert fmt.quantity({"missing_file": 6, "all_nan": 1}) == "missing file 6, all nan 1"
    assert fmt.quantity(["g", "r", 1234]) == "g, r, 1,234"
    assert fmt.quantity(True) == "yes"
    assert fmt.quantity([]) == "–"


def test_rate_turns_to_minutes_when_slow():
    assert fmt.rate(1712.3) == "1,712 /s"
    assert fmt.rate(0.25) == "15.0 /min"
    assert fmt.rate(0) == "–"


def test_plural_and_interval():
    assert (fmt.plural(1, "row"), fmt.plural(1200, "row")) == ("1 row", "1,200 rows")
    assert fmt.plural(2, "lens", "lenses") == "2 lenses"
    assert fmt.with_interval(0.417, (0.3, 0.55)) == "0.417 [0.300, 0.550]"
    assert fmt.with_interval(0.417, None) == "0.417"
    # All three end at the same digit, that of the figure.
    assert fmt.with_interval(1.0, (0.9101, 1.0)) == "1.000 [0.910, 1.000]"
    assert fmt.with_interval(0.191, (0.0928, 0.287)) == "0.191 [0.093, 0.287]"
    assert fmt.with_interval(0.0, (0.0, 0.0366)) == "0.0000 [0.0000, 0.0366]"
    assert fmt.with_interval(12.31, (9.81, 14.2)) == "12.3 [9.8, 14.2]"
    assert fmt.with_interval(0.00123, (-0.0005, 0.004)) == "0.00123 [−0.00050, 0.00400]"
    assert fmt.with_interval(3e-6, (0.0, 1e-4)) == "3.00e−6 [0, 0.000100]"
    assert fmt.with_interval(0.5, (None, None)) == "0.500 [–, –]"
    assert fmt.with_interval(float("nan"), (0.0, 1.0)) == "– [0, 1.00]"


def test_file_sizes():
    assert [fmt.file_size(n) for n in (0, 999, 1000, 1_234_567, 5 * 10**12)] == [
        *("0 B", "999 B", "1.00 kB", "1.23 MB", "5.00 TB")
    ]
