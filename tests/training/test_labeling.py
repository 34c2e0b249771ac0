"""Sessions from settings, and the commands that make, list and close them."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from typer.testing import CliRunner

from lens_triage.app.cli import cli
from lens_triage.training.labeling import SessionSettings, make_session
from lensing_core.errors import BadInputError, NotFoundError
from lensing_core.labeling import open_grader_view, record
from lensing_core.store import open_database
from lensing_core.store.graders import sign_in
from lensing_core.store.query_json import query_to_json
from lensing_core.store.ranking import Range, RankingQuery
from lensing_core.store.tables import (
    Candidate,
    Catalog,
    LabelSession,
    SavedFilter,
    Score,
    SessionGrader,
    SessionItem,
)


def items(workspace, session_id: str) -> list[SessionItem]:
    with open_database(workspace).session() as session:
        return list(
            session.scalars(
                sa.select(SessionItem)
                .where(SessionItem.session_id == session_id)
                .order_by(SessionItem.position)
            )
        )


def test_the_top_of_the_ranking_with_gold(filled_workspace):
    settings = SessionSettings(
        session="night one", ensemble="first", catalogs=["cosmos"], n=18, gold_fraction=0.1,
        graders=["Ana", "Bo"], scheme="0-3",
    )  # fmt: skip
    found = items(filled_workspace, make_session(filled_workspace, settings, None))
    with open_database(filled_workspace).session() as session:
        best = session.scalars(
            sa.select(Score.candidate_id).order_by(Score.logit.desc()).limit(18)
        ).all()
        made = session.scalars(sa.select(LabelSession)).one()
        assert session.scalar(sa.select(sa.func.count()).select_from(SessionGrader)) == 2
    assert [item.candidate_id for item in found[:18]] == list(best)
    assert [item.kind for item in found[18:]] == ["gold"] * 2
    assert found[0].why.startswith("p = 0.")
    assert made.queue["strategy"] == "top"
    assert made.scheme["name"] == "0-3"
    assert made.ensemble_id is not None


def test_visibility_is_asked_of_known_lenses_other_grades_are_not(filled_workspace):
    with open_database(filled_workspace).session() as session:
        catalog = session.scalars(
            sa.select(Catalog).join(Candidate).where(Candidate.label.is_not(None))
        ).first()
        known = set(
            session.scalars(
                sa.select(Candidate.id).where(
                    Candidate.catalog_id == catalog.id, Candidate.label.is_not(None)
                )
            )
        )
        name, everything = catalog.name, catalog.n_candidates

    def chosen(scheme: str) -> set[int]:
        settings = SessionSettings(
            session=scheme, strategy="random", catalogs=[name], n=everything, scheme=scheme,
            gold_fraction=0, repeat_fraction=0,
        )  # fmt: skip
        try:
            made = make_session(filled_workspace, settings, None)
        except BadInputError:  # nothing is left where all are labeled
            return set()
        return {item.candidate_id for item in items(filled_workspace, made)}

    assert known <= chosen("visibility")
    assert not known & chosen("abcx")


def test_a_list_of_names_and_a_saved_filter(filled_workspace):
    names = [f"cosmos-{k:05d}" for k in (7, 3, 11)]
    settings = SessionSettings(session="a", strategy="list", objects=names, gold_fraction=0)
    found = items(filled_workspace, make_session(filled_workspace, settings, None))
    with open_database(filled_workspace).session() as session:
        told = {c.id: c.object_id for c in session.scalars(sa.select(Candidate))}
        session.add(
            SavedFilter(
                name="faint",
                query={
                    "ensemble_id": None, "catalog_ids": [1], "sort": "magnitude",
                    "descending": True, "probability_min": 0, "probability_max": 1, "stages": [],
                    "label": None, "object_id": "",
                },
            )
        )  # fmt: skip
    assert [told[item.candidate_id] for item in found] == names
    settings = SessionSettings(
        session="b", strategy="filter", saved_filter="faint", n=5, gold_fraction=0
    )
    found = items(filled_workspace, make_session(filled_workspace, settings, None))
    with open_database(filled_workspace).session() as session:
        magnitudes = [session.get_one(Candidate, item.candidate_id).magnitude for item in found]
    assert magnitudes == sorted(magnitudes, reverse=True)


def test_a_saved_filter_with_ranges_tags_and_a_cone_chooses_by_them(filled_workspace):
    kept = query_to_json(
        RankingQuery(catalog_ids=(1,), sort="magnitude", ranges=(Range("magnitude", 18, 20),))
    )
    with open_database(filled_workspace).session() as session:
        session.add(SavedFilter(name="between", query=kept))
    settings = SessionSettings(
        session="c", strategy="filter", saved_filter="between", n=50, gold_fraction=0
    )
    found = items(filled_workspace, make_session(filled_workspace, settings, None))
    with open_database(filled_workspace).session() as session:
        magnitudes = [session.get_one(Candidate, item.candidate_id).magnitude for item in found]
    assert magnitudes
    assert all(18 <= magnitude <= 20 for magnitude in magnitudes)


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"strategy": "list", "objects": ["nobody"]}, BadInputError, "'nobody' does not exist"),
        ({"catalogs": ["andromeda"]}, NotFoundError, "no catalog andromeda"),
        ({"ensemble": "second"}, NotFoundError, "no ensemble second"),
        ({"strategy": "top", "ensemble": ""}, BadInputError, "score the catalog"),
        ({"strategy": "graders"}, BadInputError, "No candidate is left"),
        ({"strategy": "filter", "saved_filter": "x"}, NotFoundError, "no saved filter 'x'"),
        ({"blind": False}, BadInputError, "make the session blind"),
        ({"scheme": "custom", "grades": ["A;lens"]}, BadInputError, "KEY:TITLE:VERDICT"),
        ({"scheme": "custom", "grades": ["A:lens:lens"]}, BadInputError, "1 grades"),
    ],
)
def test_settings_that_do_not_fit(filled_workspace, changes, error, message):
    settings = SessionSettings(**{"session": "x", "ensemble": "first", "n": 10, **changes})
    with pytest.raises(error, match=message):
        make_session(filled_workspace, settings, None)


def test_a_custom_scheme():
    settings = SessionSettings(
        scheme="custom", grades=["L: a lens :lens", "M:maybe:open", "N:no:not"]
    )
    scheme = settings.grading()
    assert [(g.key, g.title, g.is_lens) for g in scheme.grades] == [
        ("L", "a lens", 1),
        ("M", "maybe", None),
        ("N", "no", 0),
    ]


def test_commands_make_list_and_close(filled_workspace):
    root = str(filled_workspace.root)
    made = CliRunner().invoke(
        cli, ["session", "create", root, "--session", "one", "--ensemble", "first", "--n", "18"]
    )
    assert made.exit_code == 0, made.output
    session_id = made.output.split("session=")[1].strip()
    database = open_database(filled_workspace)
    with database.session() as session:
        view = open_grader_view(session, "secret", session_id, sign_in(session, "Ana").id)
        event = {
            "uuid": "00000000-0000-4000-8000-000000000001",
            "kind": "grade",
            "grade": "A",
            "token": view.cutouts[0].token,
            "given_at": "2026-05-01T12:00:00+00:00",
            "shown_ms": 1400,
        }
        record(session, view, [event])
    listed = CliRunner().invoke(cli, ["session", "list", root])
    assert "Ana 1" in listed.output
    closed = CliRunner().invoke(cli, ["session", "close", root, "one"])
    assert "1.4" in closed.output
    with database.session() as session:
        assert session.get_one(LabelSession, session_id).status == "closed"
    verified = CliRunner().invoke(cli, ["db", "verify", root])
    assert "1 label events, unbroken" in verified.output
