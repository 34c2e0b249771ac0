"""Catalogs, ensembles and sessions are renamed, archived and deleted, and the log stays whole."""

from __future__ import annotations

import uuid

import numpy as np
import pytest
import sqlalchemy as sa
from grading import AT
from manifests import model_manifest
from rows import score_row
from small_catalogs import add_objects

from lensing_core.acquisition import QueueEntry, promotion
from lensing_core.errors import BadInputError
from lensing_core.labeling import NewSession, close_session, create_session, list_sessions
from lensing_core.models.outputs import KINDS, outputs_path
from lensing_core.store import managing, open_database, removals, sealed_log
from lensing_core.store.audit import latest_entries
from lensing_core.store.catalogs import catalogs_with_candidates, find_catalog
from lensing_core.store.ensembles import default_ensemble, scored_ensembles
from lensing_core.store.labels import NewEvent, append_events, grader_named
from lensing_core.store.models import add_ensemble
from lensing_core.store.ranking import RankingQuery, contains, count_rows, fetch_page
from lensing_core.store.remarks import add_note, add_tag
from lensing_core.store.removals import finish_removals
from lensing_core.store.summaries import list_catalogs, list_ensembles
from lensing_core.store.tables import (
    Candidate,
    Ensemble,
    LabelSession,
    Model,
    PendingRemoval,
    Run,
    SavedFilter,
    Score,
)

ON_BOTH_DATABASES = True
WHO = "Ana"


def make_ensemble(session, name, members, **manifest):
    models = {key: model_manifest(key, "lightgbm") for key in members}
    return add_ensemble(session, name, "mean", {"catalogs": ["a"], **manifest}, members, models)


@pytest.fixture
def database(workspace):
    """Catalogs ``a`` and ``b`` of two objects, and an ensemble that has scored both."""
    for name in ("a", "b"):
        add_objects(workspace, name, {f"{name}1": (1, 2), f"{name}2": (3, 4)})
        for kind in KINDS:
            path = outputs_path(workspace, "trees", name, kind)
            path.parent.mkdir(parents=True, exist_ok=True)
            np.save(path, np.zeros(2))
    database = open_database(workspace)
    with database.session() as session:
        ensemble = make_ensemble(session, "first", ["trees"])
        session.flush()
        session.add_all(
            score_row(ensemble.id, one.catalog_id, one.id)
            for one in session.scalars(sa.select(Candidate))
        )
        grader_named(session, WHO)
    return database


def ids_of(session, name):
    catalog = find_catalog(session, name)
    return session.scalars(
        sa.select(Candidate.id).where(Candidate.catalog_id == catalog.id).order_by(Candidate.id)
    ).all()


def grade(session, candidate_id, **columns):
    grader = grader_named(session, WHO)
    event = NewEvent(
        str(uuid.uuid4()), "grade", grader.id, candidate_id, "abcx", AT, grade="A", **columns
    )
    return append_events(session, [event])


def names(found):
    return [one.name for one in found]


def delete(workspace, database, what, key):
    with database.session() as session:
        managing.delete(session, workspace, what, key, WHO)
    return finish_removals(workspace, database)


def test_a_catalog_without_grades_goes_with_all_that_is_known_of_it(workspace, database):
    with database.session() as session:
        first, second = ids_of(session, "b")
        add_note(session, first, 1, "an arc")
        add_tag(session, first, 1, "ring")
        session.add(Run(id="r", kind="score", title="Score b", settings={"catalog": "b"},
                        status="succeeded"))  # fmt: skip
        found = managing.dependents(session, "catalog", "b")
    assert found.reasons == ()
    assert found.goes == {"candidates": 2, "scores": 2, "notes": 1, "tags": 1}
    assert found.stays == {"runs": ("Score b",)}
    assert delete(workspace, database, "catalog", "b") == []
    assert not workspace.catalog_cutouts("b").exists()
    for kind in KINDS:
        assert not outputs_path(workspace, "trees", "b", kind).exists()
        assert outputs_path(workspace, "trees", "a", kind).exists()
    assert not list(workspace.root.rglob(".removed-*"))
    with database.session() as session:
        assert names(list_catalogs(session)) == ["a"]
        assert session.scalar(sa.select(sa.func.count(Score.candidate_id))) == 2
        assert session.scalars(sa.select(PendingRemoval)).all() == []
        (entry,) = latest_entries(session, 9)
        assert (entry.kind, entry.who, entry.details) == ("catalog", WHO, "b: deleted")
    add_objects(workspace, "b", {"new": None})
    with database.session() as session:
        assert min(ids_of(session, "b")) > second  # what names an id never means another object


@pytest.mark.sqlite
def test_a_name_is_free_at_once_though_the_disk_is_slow(workspace, database, monkeypatch):
    """The program ends after the commit; the next start goes on."""
    with database.session() as session:
        managing.delete(session, workspace, "catalog", "b", WHO)

    def full(path):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(removals.shutil, "rmtree", full)
    (problem,) = finish_removals(workspace, database)
    assert ".removed-" in problem
    assert "Permission denied" in problem
    add_objects(workspace, "b", {"new": None})
    monkeypatch.undo()
    assert finish_removals(workspace, database) == []
    assert (workspace.catalog_cutouts("b") / "catalog.json").exists()
    assert not list(workspace.root.rglob(".removed-*"))


@pytest.mark.sqlite
def test_what_was_renamed_before_the_commit_is_removed_all_the_same(workspace, database):
    with database.session() as session:
        managing.delete(session, workspace, "catalog", "b", WHO)
    with database.session() as session:
        place = workspace.catalog_cutouts("b")
        row = session.scalar(sa.select(PendingRemoval).where(PendingRemoval.path == "cutouts/b"))
        place.rename(place.with_name(f".removed-{row.id}-b"))
    assert finish_removals(workspace, database) == []
    assert [path.name for path in workspace.cutouts.iterdir()] == ["a"]


def test_a_catalog_with_grades_is_archived_and_not_deleted(workspace, database):
    with database.session() as session:
        (first, _) = ids_of(session, "b")
        grade(session, first)
        assert managing.dependents(session, "catalog", "b").reasons == (
            "It has 1 event of grading, and the log of grades only grows.",
        )
    with pytest.raises(BadInputError, match="Archive it instead"):
        delete(workspace, database, "catalog", "b")
    with database.session() as session:
        managing.archive(session, "catalog", "b", WHO)
        assert names(list_catalogs(session)) == names(catalogs_with_candidates(session)) == ["a"]
        assert set(names(list_catalogs(session, archived=True))) == {"a", "b"}
        every = RankingQuery(sort="object_id", descending=False)
        listed = [row.candidate.object_id for row in fetch_page(session, every).rows]
        assert listed == ["a1", "a2"]
        assert count_rows(session, every).n == 2
        assert not contains(session, every, first)
        named = RankingQuery(catalog_ids=(find_catalog(session, "b").id,), sort="object_id")
        assert count_rows(session, named).n == 2
        assert contains(session, named, first)
        managing.archive(session, "catalog", "b", WHO, archived=False)
        assert count_rows(session, every).n == 4
    sealed_log.check(workspace, database)


def test_a_queue_and_a_run_at_work_keep_a_catalog(workspace, database):
    with database.session() as session:
        queue = [QueueEntry(ids_of(session, "a")[0], "")]
        made = create_session(session, NewSession("round 1", queue, {}), None)
        session.add(Run(id="r", kind="train", title="Train it", status="running",
                        settings={"catalogs": ["b", "a"]}))  # fmt: skip
        found = managing.dependents(session, "catalog", "a")
        assert found.reasons == (
            "Its candidates are in the queue of round 1: delete that first.",
            "It is in use by Train it: wait for its end, or cancel it.",
        )
        assert found.stays["ensembles trained on it"] == ("first",)
        assert managing.dependents(session, "session", made.id).goes == {"objects in its queue": 1}
        managing.delete(session, workspace, "session", made.id, WHO)
        assert len(managing.dependents(session, "catalog", "a").reasons) == 1


def test_an_ensemble_goes_with_the_models_that_nothing_else_needs(workspace, database):
    with database.session() as session:
        make_ensemble(session, "second", ["trees", "own"])
    for folder in (workspace.models / "own", workspace.models / "trees"):
        folder.mkdir(parents=True)
    with database.session() as session:
        found = managing.dependents(session, "ensemble", "second")
        assert (found.goes, found.reasons) == ({"models of its own": 1}, ())
        gone = default_ensemble(session, "second").id
    delete(workspace, database, "ensemble", "second")
    assert [path.name for path in workspace.models.iterdir()] == ["trees"]
    with database.session() as session:
        assert session.scalars(sa.select(Model.id)).all() == ["trees"]
        third = make_ensemble(session, "third", ["trees"])
        session.flush()
        assert third.id > gone


def test_what_depends_on_an_ensemble_keeps_it(workspace, database):
    with database.session() as session:
        first = default_ensemble(session, "first")
        make_ensemble(session, "second", ["more"], base="first")
        session.add(SavedFilter(name="mine", grader_id=None, query={"ensemble_id": first.id}))
        grade(session, 1, visible={"blind": False, "ensemble": "first"})
        promotion.promote(session, "first")
        queue = [QueueEntry(ids_of(session, "a")[0], "")]
        create_session(session, NewSession("round 1", queue, {}, ensemble_id=first.id), None)
        session.flush()
        assert managing.dependents(session, "ensemble", "first").reasons == (
            "It is promoted: take that back first.",
            "second goes on from it.",
            "The queue of round 1 was made by its scores.",
            "It is in the saved filter mine.",
            "Its scores were in view of 1 event of grading, and the log of grades only grows.",
        )
        with pytest.raises(BadInputError, match="take that back first"):
            managing.archive(session, "ensemble", "first", WHO)
        promotion.take_back(session, "first")
        managing.archive(session, "ensemble", "first", WHO)
        assert names(list_ensembles(session)) == ["second"]
        assert default_ensemble(session).name == "second"
        assert default_ensemble(session, "first").name == "first"
        assert names(scored_ensembles(session)) == ["first"]  # a link may name it
        assert session.scalar(sa.select(sa.func.count(Ensemble.id))) == 2


def test_a_session_with_grades_stays_and_its_new_name_is_sealed(workspace, database):
    with database.session() as session:
        queue = [QueueEntry(ids_of(session, "a")[0], "")]
        made, other = (
            create_session(session, NewSession(name, queue, {}), None).id
            for name in ("round 1", "other")
        )
        grade(session, queue[0].candidate_id, session_id=made)
    sealed_log.check(workspace, database)
    with database.session() as session:
        with pytest.raises(BadInputError, match="a session 'other' already"):
            managing.give_name(session, "session", made, "other", WHO)
        managing.give_name(session, "session", made, "  first \n round ", WHO)
        managing.delete(session, workspace, "session", other, WHO)
        with pytest.raises(BadInputError, match="is open: close it first"):
            managing.archive(session, "session", made, WHO)
        close_session(session, made)
        managing.archive(session, "session", made, WHO)
        assert list_sessions(session, archived=False) == []
        assert session.get_one(LabelSession, made).name == "first round"
    with pytest.raises(BadInputError, match="cannot be deleted"):
        delete(workspace, database, "session", made)
    sealed_log.check(workspace, database)


def test_a_title_is_shown_and_everything_goes_on_by_the_name(database):
    with database.session() as session:
        assert managing.give_name(session, "catalog", "a", " Deep  field ", WHO) == "Deep field"
        assert find_catalog(session, "a").shown_name == "Deep field"
        for taken in ("Deep field", "a"):
            with pytest.raises(BadInputError, match="Another catalog is called"):
                managing.give_name(session, "catalog", "b", taken, WHO)
        with pytest.raises(BadInputError, match="give up to 80 letters"):
            managing.give_name(session, "catalog", "b", "x" * 81, WHO)
        assert managing.give_name(session, "catalog", "a", "", WHO) == "a"
        assert managing.give_name(session, "ensemble", "first", "Best", WHO) == "Best"
        assert [e.shown_name for e in list_ensembles(session)] == ["Best"]
        assert [e.details for e in latest_entries(session, 1)] == ["first: renamed to Best"]
