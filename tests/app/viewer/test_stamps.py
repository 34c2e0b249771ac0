"""Stamps of candidates for rows of tables."""

from __future__ import annotations

from rows import add_catalog

from lens_triage.app.viewer.stamps import stamps
from lensing_core.store import open_database


def test_each_candidate_that_exists_has_a_picture_that_never_changes(workspace) -> None:
    with open_database(workspace).session() as session:
        first, second = add_catalog(session, "mine", 2)
        found = stamps(session, [second, first, 99])
    assert set(found) == {first, second}
    assert found[second].startswith("tiles/mine/1?v=000000000000&")
    assert "size=96" in found[second]
