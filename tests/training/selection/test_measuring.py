"""A selection function measured from scores and from what graders said of injected gold."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import uuid4

import numpy as np
import pytest
import sqlalchemy as sa
from drawn_catalogs import draw_catalog
from known_responses import response
from selection_data import KNOWN, SETTINGS, inject_on_grid, search_sky

from lens_triage.training.selection.exports import file_name
from lens_triage.training.selection.measuring import (
    COMBINED,
    MACHINE,
    measure_selection,
    passed_the_cut,
)
from lens_triage.training.settings import SelectionSettings
from lensing_core.acquisition import QueueEntry
from lensing_core.errors import BadInputError, NotFoundError
from lensing_core.labeling import (
    NewSession,
    SessionOptions,
    create_session,
    open_grader_view,
    record,
)
from lensing_core.selection import marginal
from lensing_core.store import open_database
from lensing_core.store.labels import grader_named
from lensing_core.store.observations import truths_of
from lensing_core.store.tables import Candidate, Catalog

LIMIT = 0.8


@pytest.fixture
def searched(workspace):
    search_sky(workspace)
    inject_on_grid(workspace)
    return workspace


def session_of(workspace, gold_catalog="sky-injected"):
    with open_database(workspace).session() as session:
        queue = session.scalars(
            sa.select(Candidate.id).join(Catalog).where(Catalog.name == "sky")
        ).all()
        options = SessionOptions(gold_fraction=0.5, gold_catalog=gold_catalog)
        entries = [QueueEntry(key, "") for key in queue]
        return create_session(session, NewSession("night", entries, {}, options=options), None).id


def grade_by_radius(workspace, session_id, who):
    """A grader who sees every lens above :data:`LIMIT`, none below, and no false ones."""
    with open_database(workspace).session() as session:
        grader = grader_named(session, who)
        view = open_grader_view(session, "secret", session_id, grader.id)
        truths = truths_of(session, [cutout.candidate_id for cutout in view.cutouts])
        events = [
            {
                "uuid": str(uuid4()), "kind": "grade", "token": cutout.token,
                "given_at": datetime(2026, 5, 1, tzinfo=UTC).isoformat(),
                "grade": "A" if truths.get(cutout.candidate_id, {}).get("theta_e_arcsec", 0)
                > LIMIT else "X",
            }
            for cutout in view.cutouts
        ]  # fmt: skip
        assert not any(outcome.refused for outcome in record(session, view, events))
    return truths


def test_the_machine_alone_agrees_with_what_it_finds(searched):
    measured = measure_selection(searched, SETTINGS)
    assert list(measured.maps) == [MACHINE, COMBINED]
    assert measured.steps == (MACHINE,)
    machine = measured.maps[MACHINE]
    with open_database(searched).session() as session:
        assert len(passed_the_cut(session, SETTINGS)) == machine.found
    theta, snr = np.array([0.6, 0.9, 1.1]), np.array([10.0, 20.0, 60.0])
    found = machine.function(theta, snr, level=0.997)
    true = response(KNOWN, theta, snr)
    assert ((found.low <= true) & (true <= found.high)).all()
    assert measured.cut.startswith("first 6 of 90")
    purity = measured.purity[MACHINE]
    assert 0 < purity.low < purity.value < purity.high < 1
    assert measured.notes[-1].startswith("Without arcs 6 of these 90 galaxies pass the cut (0.07")
    assert measured.expected.total == pytest.approx(45)
    likely = SelectionSettings(**{**SETTINGS.to_json(), "min_probability": 0.5})
    assert measure_selection(searched, likely).maps[MACHINE].found == machine.found
    none = SelectionSettings(**{**SETTINGS.to_json(), "min_probability": 0.99})
    assert measure_selection(searched, none).maps[MACHINE].found == 0


def test_a_grader_of_known_limit_is_recovered_from_gold(searched):
    draw_catalog(searched, "labeled", 90, 5)
    night = session_of(searched)
    grade_by_radius(searched, night, "Ana")
    grade_by_radius(searched, night, "Bo")
    measured = measure_selection(searched, SETTINGS)
    assert list(measured.maps) == [MACHINE, "grader Ana", "grader Bo", "team", COMBINED]
    for name in ("grader Ana", "team"):
        assert measured.maps[name].total == 45
        curve = marginal(measured.maps[name].function, "theta_e_arcsec", points=81)
        crossing = np.interp(0.5, curve.completeness.value, curve.at)
        assert crossing == pytest.approx(LIMIT, rel=0.08)
    assert measured.steps == (MACHINE, "team")
    assert COMBINED in measured.purity
    both = measured.maps[COMBINED].function
    machine = measured.maps[MACHINE].function
    assert float(both(0.6, 40.0).value) < 0.1 < 0.5 < float(machine(0.6, 40.0).value)
    assert float(both(1.1, 10.0).value) < float(machine(1.1, 10.0).high)


def test_gold_of_a_named_catalog_has_faint_arcs(searched):
    draw_catalog(searched, "labeled", 90, 5)
    night = session_of(searched)
    truths = grade_by_radius(searched, night, "Ana")
    snr = [t["arc_snr"] for t in truths.values() if "arc_snr" in t]
    assert len(snr) == 45
    assert min(snr) < 15
    with pytest.raises(NotFoundError, match="nowhere"):
        session_of(searched, "nowhere")


def test_what_is_not_there_says_so(searched):
    with pytest.raises(NotFoundError):
        measure_selection(searched, SelectionSettings(**{**SETTINGS.to_json(), "catalog": "no"}))
    missing = SelectionSettings(**{**SETTINGS.to_json(), "injected_catalog": "no"})
    with pytest.raises(NotFoundError):
        measure_selection(searched, missing)
    empty = SelectionSettings(**{**SETTINGS.to_json(), "injected_catalog": "sky"})
    with pytest.raises(BadInputError, match="above 0"):
        measure_selection(searched, empty)  # its objects have no truth


def test_files_bear_plain_names():
    assert file_name("grader Åsa/../x") == "grader-sa-x"
    assert file_name("…") == "map"
