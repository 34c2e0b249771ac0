"""What the panels of Review ask for, and what people write there."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from uuid import uuid4

import numpy as np
import pytest
from manifests import rule
from review_questions import Asked
from sqlalchemy import select

from lens_triage.app.context import AppContext
from lens_triage.app.http.identity import SignedIn
from lens_triage.app.review import inspection
from lens_triage.app.review.inspection import Inspector, panel_start
from lens_triage.app.review.links import sky_links
from lens_triage.app.review.service import ReviewService
from lensing_core.acquisition import QueueEntry
from lensing_core.labeling import NewSession, close_session, create_session
from lensing_core.models.member import MemberOutput
from lensing_core.models.outputs import OutputWriter
from lensing_core.store import open_database
from lensing_core.store.graders import sign_in
from lensing_core.store.labels import NewEvent, append_events, grader_named
from lensing_core.store.remarks import add_note, add_tag, move_stage
from lensing_core.store.tables import Candidate, Catalog, Ensemble


@pytest.fixture
def context(filled_workspace) -> AppContext:
    return AppContext.of(filled_workspace)


def signed_in(context: AppContext, name: str = "Ada") -> SignedIn:
    with open_database(context.workspace).session() as session:
        grader = grader_named(session, name)
        return SignedIn(grader.id, grader.name, grader.role, False)


def service(context: AppContext, grader: SignedIn | None) -> Asked:
    return Asked(context, ReviewService(None, Inspector(context, grader).answers()))


def first(context: AppContext, catalog: str = "cosmos") -> tuple[int, int]:
    """Ids of a candidate and of the ensemble that scored it."""
    with open_database(context.workspace).session() as session:
        candidate = session.scalar(
            select(Candidate.id)
            .join(Catalog, Catalog.id == Candidate.catalog_id)
            .where(Catalog.name == catalog)
            .order_by(Candidate.cutout_index)
        )
        return candidate, session.scalar(select(Ensemble.id))


def test_notes_tags_and_stages_come_back_as_history(context) -> None:
    candidate, ensemble = first(context)
    person = signed_in(context)
    with open_database(context.workspace).session() as session:
        add_note(session, candidate, person.id, "blue arc in the south")
        add_tag(session, candidate, person.id, "quad?")
        move_stage(session, candidate, person.id, "triage")
        move_stage(session, candidate, person.id, "rejected", reason="edge_on")
    ask = {"type": "history", "id": candidate, "ensemble_id": ensemble}
    answer = service(context, person).answer(ask)
    assert answer["stage"] == "rejected"
    assert answer["tags"] == ["quad?"]
    assert answer["known_tags"] == ["quad?"]
    assert [(e["kind"], e["who"]) for e in answer["entries"]] == [
        ("stage", "Ada"),
        ("stage", "Ada"),
        ("tag", "Ada"),
        ("note", "Ada"),
    ]
    assert answer["entries"][0]["reason"] == "edge-on disc"


def test_the_history_is_read_without_a_name(context) -> None:
    candidate, _ = first(context)
    assert service(context, None).answer({"type": "history", "id": candidate})["entries"] == []
    assert panel_start(None)["grader"] is None
    reader = panel_start(SignedIn(3, "Rea", "reader", True))
    assert (reader["grader"], reader["asker"], reader["reads"]) == (None, 3, True)


def test_grades_of_others_stay_unseen_while_a_blind_session_has_the_candidate(context) -> None:
    candidate, _ = first(context)
    ada, vera = (signed_in(context, name) for name in ("Ada", "Vera"))
    with open_database(context.workspace).session() as session:
        sign_in(session, "The organizer")  # from now on nobody works alone
        for person, grade in ((ada, "A"), (vera, "X")):
            given = (str(uuid4()), "grade", person.id, candidate, "abcx", datetime.now(UTC))
            append_events(session, [NewEvent(*given, grade=grade, comment=f"{person.name} says")])
        add_tag(session, candidate, vera.id, "quad?")
        blind = NewSession("round 1", [QueueEntry(candidate, "rank 1")], {})
        session_id = create_session(session, blind, None).id
    ask = {"type": "history", "id": candidate}

    def seen_by(person: SignedIn | None) -> tuple[set, set, list]:
        told = service(context, person).answer(ask)
        votes = {(vote["who"], vote["grade"]) for vote in told["votes"]}
        return votes, {(e["who"], e["kind"]) for e in told["entries"]}, told["blind"]

    everything = {("Ada", "A"), ("Vera", "X")}
    tag = ("Vera", "tag")
    assert seen_by(ada) == ({("Ada", "A")}, {("Ada", "grade"), tag}, ["round 1"])
    assert seen_by(None) == (set(), {tag}, ["round 1"])  # who signs out sees no more
    assert "Vera says" not in str(service(context, ada).answer(ask))
    organizer = replace(vera, role="organizer")
    assert seen_by(organizer)[0] == everything
    assert seen_by(organizer)[2] == []
    with open_database(context.workspace).session() as session:
        close_session(session, session_id)
    assert seen_by(ada) == (everything, {("Ada", "grade"), ("Vera", "grade"), tag}, [])


def test_score_context_says_how_sure_a_score_is(context) -> None:
    candidate, ensemble = first(context)
    bins = [
        {"probability": p, "share": p, "low": p / 2, "high": p / 2 + 0.5, "count": 40.0}
        for p in (0.02, 0.2, 0.7, 0.97)
    ]
    with open_database(context.workspace).session() as session:
        stored = session.get_one(Ensemble, ensemble)
        stored.manifest = {
            **stored.manifest,
            "reliability": {"bins": bins},
            "rule": rule(0.01, members=2, prior=0.3),
        }
    answer = service(context, None).answer(
        {"type": "score_context", "id": candidate, "ensemble_id": ensemble}
    )
    assert 0 < answer["interval"]["low"] < answer["interval"]["high"] < 1
    assert answer["interval"]["sigma_calibration"] > 0
    assert answer["calibration"]["n"] == 160
    assert answer["calibration"]["prior"] == 0.3
    assert 0 <= answer["ood"]["percent"] < 100
    assert answer["ood"]["n"] == 140
    assert [e["name"] for e in answer["ensembles"]] == ["first"]
    unscored, _ = first(context, "simulated")
    answer = service(context, None).answer(
        {"type": "score_context", "id": unscored, "ensemble_id": ensemble}
    )
    assert answer["ensembles"] == []
    assert "interval" not in answer


def test_context_has_look_alikes_with_their_pictures(context) -> None:
    candidate, ensemble = first(context)
    ask = {"type": "context", "id": candidate, "ensemble_id": ensemble}
    assert "score the catalog" in service(context, None).answer(ask)["neighbors"]["sentence"]
    rng = np.random.default_rng(0)
    with open_database(context.workspace).session() as session:
        sizes = {c.name: c.n_candidates for c in session.scalars(select(Catalog))}
    for name in ("cosmos", "simulated"):
        vectors = rng.normal(size=(sizes[name], 4)).astype("f4")
        writer = OutputWriter(context.workspace, "first-timm", name, sizes[name])
        writer.write(0, MemberOutput(np.zeros(sizes[name]), vectors))
    found = service(context, None).answer(ask)["neighbors"]
    assert found["member"] == "first-timm"
    assert found["n_labeled"] == sizes["simulated"]  # the catalog with labels
    assert sum(one["is_lens"] for one in found["found"]) == 6
    assert len(found["found"]) == 12
    assert {one["catalog"] for one in found["found"]} == {"simulated"}
    assert all(len(one["version"]) == 12 for one in found["found"])


@pytest.mark.parametrize(
    ("broken", "function"),
    [
        ("neighbors", "network_members"),
        ("counterparts", "counterparts_of"),
        ("links", "sky_links"),
    ],
)
def test_each_part_of_the_context_stands_alone(context, monkeypatch, broken, function) -> None:
    candidate, ensemble = first(context)

    def fail(*_: object) -> None:
        raise ValueError("a fault of the program")

    monkeypatch.setattr(inspection, function, fail)
    ask = {"type": "context", "id": candidate, "ensemble_id": ensemble}
    answer = service(context, None).answer(ask)
    assert answer[broken] == {"failure": "The server could not answer; its log says why."}
    parts = {"neighbors", "counterparts", "links"} - {broken}
    assert all("failure" not in answer[part] for part in parts)


def test_links_hold_the_position_in_degrees() -> None:
    links = sky_links(150.123456, -2.5, 12.0)
    assert [link["name"] for link in links] == [
        "Legacy Surveys",
        "Aladin Lite",
        "ESASky",
        "SIMBAD",
        "NED",
    ]
    assert all(link["href"].startswith("https://") for link in links)
    assert all("150.123456" in link["href"] and "-2.500000" in link["href"] for link in links)
    zoom = {
        size: next(
            part for part in sky_links(1, 1, size)[0]["href"].split("&") if part.startswith("zoom")
        )
        for size in (12, 200)
    }
    assert zoom == {12: "zoom=16", 200: "zoom=12"}
