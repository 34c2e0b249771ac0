"""Moves by rule and their undo, checklists, and confirmations with their evidence."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from small_catalogs import add_objects

from lensing_core.datasets.labels import read_labels
from lensing_core.datasets.uses import USES
from lensing_core.errors import BadInputError
from lensing_core.export.columns import COLUMNS
from lensing_core.store import open_database
from lensing_core.store.bulk_moves import (
    MoveRule,
    chosen_by,
    list_bulk_moves,
    move_by_rule,
    undo_bulk_move,
)
from lensing_core.store.confirmations import (
    Evidence,
    add_confirmation,
    confirmations_of,
    outcomes_in_force,
)
from lensing_core.store.export_rows import export_rows
from lensing_core.store.graders import sign_in
from lensing_core.store.ranking_query import Range, RankingQuery
from lensing_core.store.remarks import move_stage
from lensing_core.store.stages import (
    answer_check,
    checklist_of,
    count_stages,
    prior_models,
    say_prior_model,
    stage_page,
)
from lensing_core.store.tables import Candidate, Catalog, Confirmation, LensTest, Score

ON_BOTH_DATABASES = True
LENS = Evidence("lens", "X-shooter, 2026-03-02, 116.A-0001", 0.35, 1.62, "2026A&A...700A...1X")


@pytest.fixture
def session(filled_workspace):
    with open_database(filled_workspace).session() as session:
        yield session


@pytest.fixture
def ana(session):
    return sign_in(session, "Ana").id


def ranking(session, n):
    order = sa.select(Score.candidate_id).where(Score.ensemble_id == 1)
    return list(
        session.scalars(order.order_by(Score.logit.desc(), Score.candidate_id.desc()).limit(n))
    )


def test_the_first_of_a_ranking_move_and_go_back_but_those_moved_since(session, ana):
    first = ranking(session, 6)
    for key in first:
        move_stage(session, key, ana, "detection")
    before = count_stages(session)
    assert move_by_rule(session, MoveRule("detection", "triage", 1, most=5), ana) == 5
    assert count_stages(session)["triage"] == before["triage"] + 5
    (move,) = list_bulk_moves(session)
    assert (move.grader, move.n, move.n_back, move.rule["most"]) == ("Ana", 5, None, 5)
    move_stage(session, first[0], ana, "validation")
    move_stage(session, first[0], ana, "triage")  # where the rule put it, but by hand
    assert undo_bulk_move(session, move.id, ana) == (4, 1)
    assert session.get_one(Candidate, first[0]).stage == "triage"
    session.expire_all()
    assert {session.get_one(Candidate, k).stage for k in first[1:]} == {"detection"}
    assert list_bulk_moves(session)[0].n_back == 4
    with pytest.raises(BadInputError, match="taken back before"):
        undo_bulk_move(session, move.id, ana)


def test_every_condition_of_a_rule_counts(session, ana):
    first = ranking(session, 8)
    session.execute(sa.update(Candidate).values(stage="detection", arc_snr=None))
    session.execute(sa.update(Candidate).where(Candidate.id.in_(first[:6])).values(arc_snr=7.0))
    for key in first[1:]:
        candidate = session.get_one(Candidate, key)
        verdict = "no_lens" if key == first[3] else "supports"
        session.add(
            LensTest(candidate_id=key, settings_key="s", version=1, verdict=verdict, sentence="",
                     cutout_sha256=candidate.cutout_sha256, result={})
        )  # fmt: skip
    session.flush()
    rule = MoveRule(
        "detection", "triage", 1, lens_test="supports", ranges=(Range("arc_snr", 5.0, None),)
    )
    assert chosen_by(session, rule) == [first[k] for k in (1, 2, 4, 5)]
    low = session.scalar(
        sa.select(Score.probability).where(Score.candidate_id == first[4], Score.ensemble_id == 1)
    )
    passed = chosen_by(session, MoveRule("detection", "triage", 1, probability_min=low))
    assert passed[:5] == first[:5]
    n = sa.select(sa.func.count()).where(Score.ensemble_id == 1, Score.probability >= low)
    assert len(passed) == min(50, session.scalar(n))
    assert chosen_by(session, MoveRule("detection", "triage", 1, consensus_min=0.0)) == []
    with pytest.raises(BadInputError, match="reason of its own"):
        MoveRule("triage", "rejected")


def test_a_stage_lists_who_moved_whom_and_when(session, ana):
    first = ranking(session, 2)
    for key in first:
        move_stage(session, key, ana, "confirmation")
    found, total = stage_page(session, "confirmation", 1, limit=1)
    assert [one.id for one in found] == first[:1]
    assert found[0].moved_by == "Ana"
    assert found[0].moved_at is not None
    assert total == count_stages(session)["confirmation"]
    further, _ = stage_page(session, "confirmation", 1, after=found[0].ranked.cursor, limit=1)
    assert further[0].id == first[1]
    assert stage_page(session, "confirmation", 1, order="consensus") == ([], 0)


def test_a_checklist_keeps_answers_and_shows_the_latest(session, ana):
    answer_check(session, 1, ana, "colors", "open", "g-r differs")
    answer_check(session, 1, ana, "colors", "done", " within 0.1 mag ")
    points = {point.item: point for point in checklist_of(session, 1)}
    assert (points["colors"].state, points["colors"].text) == ("done", "within 0.1 mag")
    assert points["colors"].grader == "Ana"
    assert points["model"].state == "open"
    assert points["model"].at is None


@pytest.mark.parametrize(
    ("evidence", "wrong"),
    [
        (Evidence("lens", "", 0.3, 1.0, "ref"), "lacks the spectrum"),
        (Evidence("lens", "MUSE", 0.3, 1.0, " "), "lacks the reference"),
        (Evidence("lens", "MUSE", 0.3, None, "ref"), "redshifts of lens and source"),
        (Evidence("lens", "MUSE", 1.0, 0.3, "ref"), "not behind the lens"),
        (Evidence("lens", "MUSE", float("nan"), 0.3, "ref"), "Redshift of the lens"),
        (Evidence("not_lens", "", reference="ref"), "lacks the spectrum"),
        (Evidence("withdrawn"), "with a reason"),
        (Evidence("withdrawn", note="typo"), "no record"),
        (Evidence("sure"), "use one of"),
    ],
)
@pytest.mark.sqlite
def test_a_record_without_its_evidence_is_refused(session, ana, evidence, wrong):
    observed = session.scalar(
        sa.select(Candidate.id).join(Catalog).where(Catalog.origin == "observed").limit(1)
    )
    with pytest.raises(BadInputError, match=wrong):
        add_confirmation(session, observed, ana, evidence)
    assert session.scalar(sa.select(sa.func.count()).select_from(Confirmation)) == 0


def test_a_record_is_the_strongest_label_until_it_is_withdrawn(workspace):
    add_objects(workspace, "field", {"a": (1, 1), "b": (2, 1), "c": (3, 1)}, origin="observed")
    with open_database(workspace).session() as session:
        ana = sign_in(session, "Ana").id
        catalog = session.scalar(sa.select(Catalog))
        first, second, _ = session.scalars(sa.select(Candidate).order_by(Candidate.id))
        first.label, first.label_confidence = 0, 0.6  # an imported label says no lens
        add_confirmation(session, first.id, ana, LENS)
        add_confirmation(
            session, second.id, ana, Evidence("not_lens", "MUSE", 0.4, None, "2026MNRAS.1")
        )
        for use in USES.values():
            labels = read_labels(session, [catalog], use)
            known = dict(zip(labels.candidate_id.tolist(), labels.state.tolist(), strict=True))
            assert (known[first.id], known[second.id]) == (1, 0)
        labels = read_labels(session, [catalog], USES["train"])
        assert labels.weight.tolist() == [1.0, 1.0]
        add_confirmation(session, second.id, ana, Evidence("withdrawn", note="wrong slit"))
        assert outcomes_in_force(session) == {first.id: "lens"}
        records = confirmations_of(session, second.id)
        assert [record.evidence.outcome for record in records] == ["withdrawn", "not_lens"]
        assert records[1].evidence.spectrum == "MUSE"
        assert len(read_labels(session, [catalog], USES["train"])) == 1


@pytest.mark.sqlite
def test_a_simulated_object_has_no_spectrum(workspace):
    add_objects(workspace, "made", {"a": (1, 1)}, origin="simulated")
    with open_database(workspace).session() as session:
        ana = sign_in(session, "Ana").id
        with pytest.raises(BadInputError, match="is simulated"):
            add_confirmation(session, 1, ana, LENS)


@pytest.mark.sqlite
def test_an_export_names_the_version_of_the_lens_test(filled_workspace):
    database = open_database(filled_workspace)
    with database.session() as session:
        candidate = session.get_one(Candidate, 1)
        session.add(
            LensTest(candidate_id=1, settings_key="s", version=3, verdict="unclear", sentence="",
                     cutout_sha256=candidate.cutout_sha256, result={})
        )  # fmt: skip
    rows = export_rows(database, RankingQuery(sort="object_id"))
    found = next(row.values for row in rows if row.values["candidate"] == 1)
    assert found["lens_test_version"] == "3"
    assert found.keys() <= {column.name for column in COLUMNS}


def test_whether_a_model_is_known_is_the_latest_answer_on_archives(session, ana):
    first, second, third = ranking(session, 3)
    say_prior_model(session, first, ana, exists=True, text="CLASH: Abell 383")
    say_prior_model(session, second, ana, exists=True)
    say_prior_model(session, second, ana, exists=False)
    answer_check(session, third, ana, "archive", "done", "Newly observed, nothing said of models")
    assert prior_models(session, [first, second, third]) == {first: True, second: False}
    points = {point.item: point for point in checklist_of(session, first)}
    assert (points["archive"].state, points["archive"].text) == (
        "done", "Prior model exists: CLASH: Abell 383",
    )  # fmt: skip
