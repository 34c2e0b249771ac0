"""Observations fed back: confirmation records with evidence, grades, and no label."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
import sqlalchemy as sa

from lensing_core.errors import BadInputError, NotFoundError
from lensing_core.store import open_database
from lensing_core.store.confirmations import confirmations_of, outcomes
from lensing_core.store.follow_up import (
    ObservationReport,
    follow_up_rows,
    follow_ups_of,
    known_lens_states,
    record_follow_up,
)
from lensing_core.store.graders import sign_in
from lensing_core.store.sealed_log import check
from lensing_core.store.tables import (
    Candidate,
    Catalog,
    Confirmation,
    Consensus,
    ConsensusChoice,
    Crossmatch,
    CrossmatchEntry,
    FollowUp,
    LabelEvent,
    Score,
    Vote,
)

ON_BOTH_DATABASES = True
NIGHT = date(2026, 3, 14)
LENS = {"z_lens": 0.35, "z_source": 1.62, "reference": "2026A&A...700A...1X"}


@pytest.fixture
def session(filled_workspace):
    with open_database(filled_workspace).session() as session:
        yield session


@pytest.fixture
def ana(session):
    return sign_in(session, "Ana").id


@pytest.fixture
def key(session):
    return session.scalar(
        sa.select(Candidate.id).join(Catalog).where(Catalog.origin == "observed").limit(1)
    )


def count(session, table):
    return session.scalar(sa.select(sa.func.count()).select_from(table))


def test_a_confirmed_lens_becomes_a_record_with_its_evidence(session, ana, key):
    record_follow_up(session, key, ana, ObservationReport(NIGHT, "MUSE", "lens", **LENS))
    (record,) = confirmations_of(session, key)
    assert record.evidence.spectrum == "MUSE, 2026-03-14"
    assert (record.evidence.z_lens, record.evidence.z_source) == (0.35, 1.62)
    assert outcomes(session, [key]) == {key: "lens"}
    (kept,) = follow_ups_of(session, key)
    assert (kept.night, kept.outcome, kept.gave, kept.grader) == (
        NIGHT, "lens", "confirmation", "Ana",
    )  # fmt: skip


@pytest.mark.parametrize("missing", list(LENS))
def test_there_is_no_confirmation_without_evidence(session, ana, key, missing):
    given = {**LENS, missing: "" if missing == "reference" else None}
    with pytest.raises(BadInputError, match=r"reference|redshifts"):
        record_follow_up(session, key, ana, ObservationReport(NIGHT, "MUSE", "lens", **given))
    assert count(session, Confirmation) == count(session, FollowUp) == 0


def test_no_lens_becomes_a_grade_or_with_a_reference_a_record(session, ana, key, filled_workspace):
    report = ObservationReport(
        NIGHT, "GMOS-S", "not_lens", reject_reason="ring", note="One redshift."
    )
    record_follow_up(session, key, ana, report)
    event = session.scalar(sa.select(LabelEvent))
    assert (event.kind, event.grade, event.is_lens, event.reject_reason, event.source) == (
        "grade", "X", 0, "ring", "follow-up",
    )  # fmt: skip
    assert event.comment == "Observed with GMOS-S on 2026-03-14. One redshift."
    assert session.scalar(sa.select(Vote.is_lens).where(Vote.candidate_id == key)) == 0
    assert count(session, Confirmation) == 0
    assert follow_ups_of(session, key)[0].gave == "grade"
    known = ObservationReport(NIGHT, "GMOS-S", "not_lens", reference="arXiv:2601.00001")
    record_follow_up(session, key, ana, known)
    assert outcomes(session, [key]) == {key: "not_lens"}
    assert [one.gave for one in follow_ups_of(session, key)] == ["confirmation", "grade"]
    session.commit()
    assert check(filled_workspace, open_database(filled_workspace)).n_events == 1


def test_an_inconclusive_observation_gives_no_label(session, ana, key):
    report = ObservationReport(NIGHT, "X-shooter", "inconclusive", note="Clouds.")
    record_follow_up(session, key, ana, report)
    assert count(session, LabelEvent) == count(session, Confirmation) == 0
    assert follow_ups_of(session, key)[0].gave == ""


def test_what_makes_no_sense_is_refused(session, ana, key):
    tomorrow = datetime.now(UTC).date() + timedelta(days=5)
    for report, sentence in (
        (ObservationReport(NIGHT, " ", "inconclusive"), "Instrument"),
        (ObservationReport(tomorrow, "MUSE", "inconclusive"), "has been"),
        (ObservationReport(NIGHT, "MUSE", "promising"), "Outcome 'promising'"),
        (ObservationReport(NIGHT, "MUSE", "lens", **LENS, reject_reason="ring"), "reject reason"),
        (ObservationReport(NIGHT, "MUSE", "not_lens", reject_reason="boring"), "boring"),
        (ObservationReport(NIGHT, "MUSE", "inconclusive", note="x" * 2001), "Note of 2,001"),
    ):
        with pytest.raises(BadInputError, match=sentence):
            record_follow_up(session, key, ana, report)
    with pytest.raises(NotFoundError):
        record_follow_up(session, 10**6, ana, ObservationReport(NIGHT, "MUSE", "inconclusive"))
    simulated = session.scalar(
        sa.select(Candidate.id).join(Catalog).where(Catalog.origin == "simulated").limit(1)
    )
    with pytest.raises(BadInputError, match="simulated"):
        record_follow_up(session, simulated, ana, ObservationReport(NIGHT, "MUSE", "inconclusive"))
    assert count(session, FollowUp) == 0


def test_posteriors_choose_those_of_graders_first(session, key):
    scores = dict(
        session.execute(
            sa.select(Score.candidate_id, Score.probability)
            .join(Candidate, Candidate.id == Score.candidate_id)
            .join(Catalog, Catalog.id == Candidate.catalog_id)
            .where(Score.ensemble_id == 1, Catalog.origin == "observed")
        ).all()
    )
    chosen = sorted(scores, key=lambda k: -scores[k])[:5]
    session.execute(sa.update(Candidate).values(stage="detection"))
    session.execute(
        sa.update(Candidate).where(Candidate.id.in_(chosen)).values(stage="confirmation")
    )
    session.add(ConsensusChoice(method="swap", prior=0.1, accept=0.9, retire=0.01, last_event_id=0))
    session.add(
        Consensus(
            candidate_id=chosen[4], method="swap", posterior=0.999999, low_95=0.9, high_95=1.0,
            prior=0.1, n_votes=3, state="open", last_event_id=0,
        )
    )  # fmt: skip
    session.flush()
    rows = follow_up_rows(session, ["confirmation"], 1, 10)
    assert [row["candidate"] for row in rows] == [chosen[4], *chosen[:4]]
    assert rows[0]["consensus"] == 0.999999
    assert len(follow_up_rows(session, ["confirmation"], 1, 2)) == 2
    named = follow_up_rows(session, [], 1, 10, candidate_ids=[key])
    assert [row["candidate"] for row in named] == [key]
    everything = follow_up_rows(session, ["detection", "confirmation"], 1, 500)
    assert not {row["catalog"] for row in everything} & {
        name
        for (name,) in session.execute(sa.select(Catalog.name).where(Catalog.origin == "simulated"))
    }
    with pytest.raises(BadInputError, match="Stage 'moon'"):
        follow_up_rows(session, ["moon"], 1, 10)


def test_known_lenses_are_told_from_what_was_never_matched(session, key):
    catalog_id = session.get_one(Candidate, key).catalog_id
    other = session.scalar(
        sa.select(Candidate.id).where(Candidate.catalog_id == catalog_id, Candidate.id != key)
    )
    foreign = session.scalar(sa.select(Candidate.id).where(Candidate.catalog_id != catalog_id))
    assert known_lens_states(session, [key, other, foreign]) == {}
    match = Crossmatch(
        catalog_id=catalog_id, reference="lenscat", title="lenscat", kind="lens", version="1",
        radius_arcsec=5, max_normalized=5, candidate_error_arcsec=1, reference_error_arcsec=1,
        state="complete", asked_all=True, n_candidates=2, n_unplaced=0, n_matched=1, n_review=0,
        n_references=1,
    )  # fmt: skip
    match.entries.append(CrossmatchEntry(candidate_id=key, status="matched"))
    session.add(match)
    session.flush()
    assert known_lens_states(session, [key, other, foreign]) == {key: True, other: False}
