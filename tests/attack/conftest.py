"""The attack suite: small and seeded in ``make test``, large by ``make attack`` (see SECURITY.md).

A test takes ``attack``, tries its cases, and fails if any fault was counted:

    @pytest.mark.attack("tables by their text")
    def test_no_table_stops_an_import(attack, workspace):
        for seed in seeds(40):
            with attack.case(seed):
                read(mutated(seed))
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from attacking import HEADER, PROPERTY, ROUNDS, SEED, Attack


@pytest.fixture
def attack(
    request: pytest.FixtureRequest, record_property: Callable[[str, object], None]
) -> Iterator[Attack]:
    """The tally of the test's attack, named by its mark; faults fail the test when it ends."""
    mark = request.node.get_closest_marker("attack")
    assert mark is not None, "name the attack: @pytest.mark.attack('what is attacked')"
    tally = Attack(*mark.args)
    yield tally
    record_property(PROPERTY, tally.row())
    assert tally.cases, "the attack tried nothing"
    if tally.faults:
        shown = "\n".join(tally.faults[:20])
        pytest.fail(f"{len(tally.faults)} faults in {tally.cases} cases:\n{shown}", pytrace=False)


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Print the figures of all attacks as a table for SECURITY.md."""
    reports = [report for found in terminalreporter.stats.values() for report in found]
    rows = {
        value
        for report in reports
        if getattr(report, "when", "") == "teardown"
        for name, value in report.user_properties
        if name == PROPERTY
    }
    if not rows:
        return
    terminalreporter.section(f"attacks, rounds {ROUNDS}, seed {SEED}")
    for row in (HEADER, ("---",) * len(HEADER), *sorted(rows)):
        terminalreporter.write_line(f"| {' | '.join(row)} |")
