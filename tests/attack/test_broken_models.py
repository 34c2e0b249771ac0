"""One broken ensemble: a sentence on it everywhere, and all else works."""

from __future__ import annotations

import json
import re
import shutil
import sys
from collections.abc import Callable
from html import unescape
from pathlib import Path
from typing import Any

import pytest
import retraining_data
from sqlalchemy import text

from lens_triage.app.context import AppContext
from lens_triage.app.evaluate.view import EvaluationBoard
from lens_triage.app.main import PAGES
from lens_triage.app.review.service import ReviewService
from lens_triage.app.train.ensembles import EnsembleBoard
from lens_triage.training import evaluation
from lens_triage.training.bundled import export_ensemble, import_ensemble
from lens_triage.training.checks.ensembles import check_score
from lens_triage.training.checks.retraining import check_finetune, check_retrain
from lens_triage.training.jobs import score as scoring
from lens_triage.training.runner.context import JobContext
from lens_triage.training.settings import FinetuneSettings, RetrainSettings, ScoreSettings
from lensing_core.acquisition.promotion import promote
from lensing_core.errors import BrokenModelError, LensTriageError
from lensing_core.labeling.loop_history import loop_history
from lensing_core.scoring import open_ensemble
from lensing_core.store import Database, open_database
from lensing_core.store.ensembles import default_ensemble, find_ensemble
from lensing_core.store.summaries import list_ensembles
from lensing_core.store.tables import Ensemble, EnsembleMember, Run, Score
from lensing_core.workspace import Workspace

N = 60


@pytest.fixture(scope="module")
def original(tmp_path_factory) -> Workspace:
    """A scored survey, and a second ensemble of the same trees that has scored it too."""
    workspace = Workspace.create(tmp_path_factory.mktemp("broken") / "workspace")
    model = retraining_data.make_base(workspace)
    retraining_data.make_survey(workspace, model, n=N, lenses=15, others=15)
    with open_database(workspace).session() as session:
        first = find_ensemble(session, "first")
        second = Ensemble(
            name="second", fusion="mean", manifest=first.manifest,
            members=[EnsembleMember(model_id=model, position=0)],
        )  # fmt: skip
        session.add(second)
        session.flush()
        columns = ", ".join(c.name for c in Score.__table__.c if c.name != "ensemble_id")
        session.execute(
            text(f"INSERT INTO score (ensemble_id, {columns}) SELECT {second.id}, {columns} "  # noqa: S608
                 f"FROM score WHERE ensemble_id = {first.id}")
        )  # fmt: skip
        session.add(Run(id="score-1", kind="score", title="score", settings={}))
    return workspace


@pytest.fixture
def workspace(original: Workspace, tmp_path: Path) -> Workspace:
    return Workspace.open(shutil.copytree(original.root, tmp_path / "workspace"))


def stored(change: Callable[[dict[str, Any]], Any]) -> Callable[[Workspace], None]:
    """What changes the manifest that the database has of ``second``; a str is its JSON text."""

    def damage(workspace: Workspace) -> None:
        with open_database(workspace).session() as session:
            second = find_ensemble(session, "second")
            changed = change(json.loads(json.dumps(second.stored_manifest)))
            value = changed if isinstance(changed, str) else json.dumps(changed)
            session.execute(
                text("UPDATE ensemble SET manifest = :value WHERE id = :id"),
                {"value": value, "id": second.id},
            )

    return damage


def rule(**parts: Any) -> Callable[[Workspace], None]:
    return stored(lambda m: {**m, "rule": {**m["rule"], **parts}})


MANIFESTS = {
    "null": stored(lambda m: None),
    "a list": stored(lambda m: [m]),
    "truncated JSON": stored(lambda m: json.dumps(m)[:-9]),
    "deep JSON": stored(lambda m: "[" * 100_000),
    "rule null": stored(lambda m: {**m, "rule": None}),
    "rule without members": rule(members=[]),
    "rule of another fusion": rule(fusion="oracle"),
    "rule with a prior of 2": rule(survey_prior=2),
    "stacking without weights": rule(fusion="stacking"),
    "weights of two members": rule(
        fusion="stacking", combiner={"weights": [1.0, 2.0], "intercept": 0.0}
    ),
    "figures null": stored(lambda m: {**m, "figures": None}),
    "a figure of text": stored(lambda m: {**m, "figures": {"ensemble": {"tpr0": "0.4"}}}),
    "catalogs of numbers": stored(lambda m: {**m, "catalogs": [1, None]}),
    "strata of another form": stored(lambda m: {**m, "strata": {"theta": [{}]}}),
    "conformal without coverage": stored(lambda m: {**m, "conformal": {"error_rate": 0.1}}),
    "reliability without bins": stored(lambda m: {**m, "reliability": {"nll": 1.0}}),
    "priors without estimates": stored(lambda m: {**m, "pu": {"priors": {"warnings": []}}}),
    "bundled for a list": stored(lambda m: {**m, "bundled_for": []}),
}


def sentence_on(ensemble: str, error: BaseException | str) -> str:
    """The message, after a look that it is one sentence that names the ensemble and a remedy."""
    words = str(error)
    assert ensemble in words
    assert words.endswith(".")
    assert "\n" not in words
    assert "restore" in words or "again" in words
    return words


def promoted(database: Database, ensemble: str) -> dict[str, int]:
    with database.session() as session:
        return promote(session, ensemble)


def refusal_of(ask: Callable[[str], Any], ensemble: str) -> LensTriageError | None:
    """The error of ours that an action on an ensemble ends with, if any."""
    try:
        ask(ensemble)
    except LensTriageError as error:
        return error
    return None


@pytest.mark.parametrize("kind", MANIFESTS)
def test_whoever_reads_a_broken_manifest_says_so(workspace: Workspace, tmp_path, kind: str) -> None:
    database = open_database(workspace)
    whole = {e.name: e for e in database.ask(list_ensembles)}
    MANIFESTS[kind](workspace)
    shown = {e.name: e for e in database.ask(list_ensembles)}
    assert shown["first"] == whole["first"]
    sentence_on("second", shown["second"].problem)
    with database.session() as session:
        assert default_ensemble(session, catalog="survey").name == "first"
        assert loop_history(session, "survey") == []
    survey = {"catalog": "survey", "survey_prior": 0.01}
    asks = [
        lambda name: check_score(workspace, ScoreSettings(ensemble=name, catalog="survey")),
        lambda name: check_retrain(workspace, RetrainSettings(base=name, ensemble="new", **survey)),
        lambda name: check_finetune(
            workspace, FinetuneSettings(base=name, ensemble="new", **survey)
        ),
        lambda name: evaluation.evaluate(workspace, name),
        lambda name: export_ensemble(workspace, name, tmp_path / "out"),
        lambda name: promoted(database, name),
    ]
    for ask in asks:
        with pytest.raises(BrokenModelError) as caught:
            ask("second")
        sentence_on("second", caught.value)
        said = refusal_of(ask, "first")  # too few labels, no network: no word of the broken one
        assert not isinstance(said, BrokenModelError)
        assert "second" not in str(said)


def test_all_pages_stand_beside_broken_ensembles(workspace: Workspace, monkeypatch) -> None:
    for damage in MANIFESTS.values():
        damage(workspace)
        with open_database(workspace).session() as session:
            second = find_ensemble(session, "second")
            second.name = f"broken-{second.id}"
            session.flush()
            whole = find_ensemble(session, "first").manifest
            session.add(Ensemble(name="second", fusion="mean", manifest=whole))
    waiting: list[tuple[Callable[[], Any], Callable[..., Any]]] = []
    for name, module in list(sys.modules.items()):
        if name.startswith("lens_triage.app.") and hasattr(module, "in_background"):
            monkeypatch.setattr(module, "in_background", lambda *work, **_: waiting.append(work))
    context = AppContext.of(workspace)

    def settle() -> None:
        while waiting:
            work, show = waiting.pop(0)
            show(work())

    for _, page in PAGES.values():
        page(context)
        settle()
    rows = {row["key"]: row for row in EnsembleBoard(context).table.rows if "state" in row}
    assert rows["first"]["state"] == ""
    assert len(rows) == len(MANIFESTS) + 2
    with context.database.session() as session:
        broken = [e.name for e in session.query(Ensemble) if e.problem]
        start = ReviewService().start(session, {})
    assert start["ensembles"][0]["name"] == "first"
    assert len(broken) == len(MANIFESTS)
    for name in broken:
        assert rows[name]["state"]["text"] == "broken"
        sentence_on(name, rows[name]["state"]["title"])
    board = EvaluationBoard(context, ensemble=broken[0])
    settle()
    sentence_on(broken[0], unescape(re.sub("<[^>]*>", "", board._about.object)))


def _change(folder: Path, **parts: Any) -> None:
    manifest = json.loads((folder / "manifest.json").read_text())
    (folder / "manifest.json").write_text(json.dumps({**manifest, **parts}))


FILES: dict[str, Callable[[Path], Any]] = {
    "no folder": shutil.rmtree,
    "no manifest": lambda folder: (folder / "manifest.json").unlink(),
    "an empty manifest": lambda folder: (folder / "manifest.json").write_text(""),
    "a truncated manifest": lambda folder: (folder / "manifest.json").write_text('{"id": "tre'),
    "a manifest that is no text": lambda folder: (folder / "manifest.json").write_bytes(b"\xff\0"),
    "null": lambda folder: (folder / "manifest.json").write_text("null"),
    "files null": lambda folder: _change(folder, files=None),
    "features null": lambda folder: _change(folder, features=None),
    "a contract of no bands": lambda folder: _change(folder, contract={"bands": []}),
    "a contract of text": lambda folder: _change(folder, contract="hsc"),
    "another kind": lambda folder: _change(folder, kind="oracle"),
    "trees missing": lambda folder: (folder / "trees.txt").unlink(),
    "trees cut off": lambda folder: (folder / "trees.txt").write_text("tree\n"),
}


@pytest.mark.parametrize("kind", FILES)
def test_a_broken_model_stops_scoring_with_a_sentence(workspace: Workspace, kind: str) -> None:
    FILES[kind](workspace.models / "trees-1")
    settings = ScoreSettings(ensemble="second", catalog="survey")
    with pytest.raises(BrokenModelError) as caught:
        scoring.run(JobContext(workspace, "score-1"), settings)
    assert "trees-1" in sentence_on("second", caught.value)
    with open_database(workspace).session() as session:
        counts = session.execute(text("SELECT count(*) FROM score GROUP BY ensemble_id")).scalars()
        assert list(counts) == [N, N]  # nothing was taken back


def test_scores_of_held_out_objects_are_damaged(workspace: Workspace) -> None:
    workspace.held_out.mkdir(exist_ok=True)
    for content in (b"", b"PK\x03\x04 cut off", b"\x93NUMPY"):
        (workspace.held_out / "second.npz").write_bytes(content)
        with pytest.raises(BrokenModelError, match="test split of ensemble second") as caught:
            evaluation.evaluate(workspace, "second")
        sentence_on("second", caught.value)


@pytest.mark.parametrize("kind", [k for k in FILES if k not in ("no folder", "null")])
def test_a_broken_model_is_not_brought_in(workspace: Workspace, tmp_path, kind: str) -> None:
    folder = export_ensemble(workspace, "first", tmp_path / "out")
    FILES[kind](folder / "trees-1")
    other = Workspace.create(tmp_path / "other")
    with pytest.raises(LensTriageError, match="trees-1") as caught:
        import_ensemble(other, folder)
    assert str(caught.value).endswith(".")
    assert not list(other.models.glob("*"))
    assert open_database(other).ask(list_ensembles) == []


def test_an_ensemble_opens_where_nothing_is_broken(workspace: Workspace) -> None:
    with open_database(workspace).session() as session:
        found, members = open_ensemble(workspace, find_ensemble(session, "second"))
    assert found.fusion == "mean"
    assert [member.id for member in members] == ["trees-1"]
