"""Known lenses and others to compare with: the best known of the survey, never what is graded."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import uuid4

import pytest
from rows import add_catalog

from lensing_core.acquisition import QueueEntry
from lensing_core.labeling import NewSession, close_session, create_session
from lensing_core.store import Session, open_database
from lensing_core.store.confirmations import Evidence, add_confirmation
from lensing_core.store.consensus import update_consensus
from lensing_core.store.consensus_choice import ConsensusSettings
from lensing_core.store.labels import NewEvent, append_events, grader_named
from lensing_core.store.references import MOST, references_for, references_for_session
from lensing_core.store.tables import Candidate, Catalog, SurveyRow


@pytest.fixture
def session(workspace):
    with open_database(workspace).session() as session:
        yield session


def label(session: Session, ids: list[int], value: int, confidence: float = 1.0) -> None:
    for key in ids:
        candidate = session.get_one(Candidate, key)
        candidate.label, candidate.label_confidence = value, confidence
        candidate.label_source = "obs:list"
    session.flush()


def grade(session: Session, key: int, *grades: str) -> None:
    for k, given in enumerate(grades):
        person = grader_named(session, f"grader {k}")
        event = (str(uuid4()), "grade", person.id, key, "abcx", datetime.now(UTC))
        append_events(session, [NewEvent(*event, grade=given, is_lens=int(given == "A"))])
    update_consensus(session, ConsensusSettings())


def test_imported_labels_of_observed_objects_with_confidence_count(session) -> None:
    one, two, unsure, _, here = add_catalog(session, "mine", 5)
    label(session, [one], 1)
    label(session, [two], 0)
    label(session, [unsure], 1, 0.6)
    simulated = add_catalog(session, "simulated", 1, origin="simulated")
    label(session, simulated, 1)
    found = references_for(session, here)
    assert [(r.candidate_id, r.is_lens, r.source) for r in found] == [
        (one, True, "imported label, obs:list"),
        (two, False, "imported label, obs:list"),
    ]
    assert (found[0].catalog, found[0].cutout_index, found[0].object_id) == ("mine", 0, "o0")


def test_the_candidate_itself_is_no_reference_in_any_catalog(session) -> None:
    here, other = add_catalog(session, "mine", 2)
    again, far = add_catalog(session, "again", 2)
    label(session, [here, other, again, far], 1)
    places = {here: (10.0, 5.0), again: (10.0, 5.0 + 1 / 3600), far: (10.0, 5.0 + 4 / 3600)}
    for key, (ra, dec) in places.items():
        candidate = session.get_one(Candidate, key)
        candidate.ra_deg, candidate.dec_deg = ra, dec
    session.flush()
    assert {r.candidate_id for r in references_for(session, here)} == {other, far}


def test_other_surveys_are_none(session) -> None:
    here, known = add_catalog(session, "mine", 2)
    elsewhere = add_catalog(session, "theirs", 1)
    label(session, [known, *elsewhere], 1)
    other = SurveyRow(name="euclid", definition={})
    session.add(other)
    session.flush()
    catalog_id = session.get_one(Candidate, elsewhere[0]).catalog_id
    session.get_one(Catalog, catalog_id).survey_id = other.id
    session.flush()
    assert [r.candidate_id for r in references_for(session, here)] == [known]


def test_a_spectrum_counts_before_graders_and_these_before_labels(session) -> None:
    labeled, agreed, confirmed, here = add_catalog(session, "mine", 4)
    label(session, [labeled, agreed, confirmed], 1)
    grade(session, agreed, "A", "A", "A")
    person = grader_named(session, "grader 0")
    evidence = Evidence("lens", "FORS2 2026-01-01", 0.5, 1.5, "2026A&A...1A")
    add_confirmation(session, confirmed, person.id, evidence)
    found = references_for(session, here)
    assert [r.candidate_id for r in found] == [confirmed, agreed, labeled]
    assert found[0].source == "spectrum, 2026A&A...1A"
    assert found[1].source.startswith("3 graders, P(lens) ")


def test_what_graders_call_no_lens_is_one_of_the_others(session) -> None:
    lens, other, torn, here = add_catalog(session, "mine", 4)
    for key, grades in ((lens, "AAA"), (other, "XXX"), (torn, "AXX")):
        grade(session, key, *grades)
    found = {r.candidate_id: r.is_lens for r in references_for(session, here)}
    assert found[lens]
    assert not found[other]


def test_what_is_graded_in_an_open_session_is_none(session) -> None:
    graded, known, here = add_catalog(session, "mine", 3)
    label(session, [graded, known], 1)
    key = create_session(session, NewSession("r1", [QueueEntry(graded, "")], {}), None).id
    assert [r.candidate_id for r in references_for(session, here)] == [known]
    assert [r.candidate_id for r in references_for_session(session, key)] == [known]
    close_session(session, key)
    assert {r.candidate_id for r in references_for(session, here)} == {graded, known}
    assert [r.candidate_id for r in references_for_session(session, key)] == [known]


def test_there_are_a_few_of_either_kind(session) -> None:
    *many, here = add_catalog(session, "mine", 2 * MOST + 5)
    label(session, many[: MOST + 2], 1)
    label(session, many[MOST + 2 :], 0)
    found = references_for(session, here)
    assert sum(r.is_lens for r in found) == MOST
    assert sum(not r.is_lens for r in found) == MOST
