"""The job that tests candidates for a lens."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from lens_triage.training.checks import refusal
from lens_triage.training.jobs.candidates_to_fit import candidates_to_fit
from lens_triage.training.jobs.model import run
from lens_triage.training.settings import ModelSettings
from lensing_core.store import open_database
from lensing_core.store.candidates import candidates_named, cutout_places
from lensing_core.store.export_rows import export_candidates
from lensing_core.store.lens_tests import LensTestKey, find_lens_test, latest_lens_tests
from lensing_core.store.ranking import RankingQuery
from lensing_core.store.tables import Candidate, Score
from lensing_core.workspace import Workspace


@pytest.fixture
def ids_file(tmp_path: Path) -> Path:
    path = tmp_path / "ids.txt"
    path.write_text("rings-0\n\nrings-1\nrings-0\n", encoding="utf-8")
    return path


def test_named_candidates_are_tested_once_and_exported(
    workspace: Workspace, make_catalog: Callable, make_context: Callable, ids_file: Path
) -> None:
    make_catalog("rings", 3, 1)
    settings = ModelSettings(catalog="rings", ids=str(ids_file), starts=1)
    told = run(make_context(settings), settings)
    assert (told["candidates"], told["tested"], told["failed"]) == (2, 2, 0)
    assert told["supports"] + told["no_lens"] + told["unclear"] == 2
    assert run(make_context(settings), settings)["tested"] == 0  # what was kept is not done again

    with open_database(workspace).session() as session:
        key = candidates_named(session, ["rings-0"])["rings-0"][0].id
        row = latest_lens_tests(session, [key])[key]
        assert row.theta_e_arcsec > row.theta_e_error_arcsec > 0
        assert row.result["settings"]["starts"] == 1
        (exported,) = export_candidates(session, RankingQuery(sort="object_id"), [key])
        assert exported["lens_test"] == row.verdict
        assert exported["lens_test_theta_e"] == row.theta_e_arcsec
        wanted = LensTestKey(row.settings_key, row.version)
        place = cutout_places(session, [key])[key]
        assert find_lens_test(session, key, place, wanted).pictures
        # A test of other pixels counts no more.
        session.get(Candidate, key).cutout_sha256 = "0" * 64
        session.flush()
        place = cutout_places(session, [key])[key]
        assert find_lens_test(session, key, place, wanted) is None
        assert latest_lens_tests(session, [key]) == {}


def test_a_run_that_cannot_succeed_is_refused(
    workspace: Workspace, make_catalog: Callable, ids_file: Path
) -> None:
    make_catalog("rings", 2, 1)
    ids_file.write_text("rings-1\nrings-9\n", encoding="utf-8")
    assert "rings-9" in refusal(workspace, ModelSettings(catalog="rings", ids=str(ids_file)))
    assert "score it first" in refusal(workspace, ModelSettings(catalog="rings"))
    make_catalog("tiny", 1, 1, size_px=16)
    ids_file.write_text("tiny-0\n", encoding="utf-8")
    assert "at least 24" in refusal(workspace, ModelSettings(catalog="tiny", ids=str(ids_file)))
    assert "--no-quick" in refusal(workspace, ModelSettings(catalog="rings", quick=False))


def test_the_top_of_a_ranking_is_chosen_in_its_order(filled_workspace: Workspace) -> None:
    with open_database(filled_workspace).session() as session:
        chosen = candidates_to_fit(session, ModelSettings(catalog="cosmos", top=5))
        scores = [session.query(Score).filter_by(candidate_id=key).one().logit for key in chosen]
        best = sorted((s.logit for s in session.query(Score)), reverse=True)
    assert len(chosen) == 5
    assert scores == sorted(scores, reverse=True)
    assert scores[0] in best[:2]
