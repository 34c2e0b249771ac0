"""The job of a selection function, with a machine of known response in place of a network."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import sqlalchemy as sa
from selection_data import SETTINGS, inject_on_grid, score_injected, search_sky

from lens_triage.training.checks import refusal
from lens_triage.training.jobs.selection import job
from lens_triage.training.runner.context import Cancelled
from lens_triage.training.selection.exports import SUMMARY, write_exports
from lens_triage.training.selection.measuring import COMBINED, MACHINE, measure_selection
from lens_triage.training.settings import SelectionSettings
from lensing_core.datasets.groups import host_name
from lensing_core.selection import load_selection_function, write_ecsv
from lensing_core.store import open_database
from lensing_core.store.tables import Candidate, Catalog, Observation, Score


@pytest.fixture
def sky(workspace):
    search_sky(workspace)
    return workspace


@pytest.fixture
def known_machine(monkeypatch):
    """Scores of injected lenses by a known response, in place of a network's."""

    def score(context, settings):
        assert (settings.ensemble, settings.catalog) == ("known", "sky-injected")
        with open_database(context.workspace).session() as session:
            score_injected(session)

    monkeypatch.setattr(job.score, "run", score)


def test_a_stopped_run_goes_on_to_lenses_in_every_cell(
    sky, make_context, known_machine, monkeypatch
):
    few = SelectionSettings(**{**SETTINGS.to_json(), "per_cell": 8})
    context = make_context(few, "selection-1")
    assert refusal(sky, few) == ""

    def stop(self, done, total=None, activity=None):
        if done >= 16:
            raise Cancelled

    with monkeypatch.context() as patch:
        patch.setattr(job.StepContext, "progress", stop)
        with pytest.raises(Cancelled):
            job.run(context, few)
    monkeypatch.setattr(job, "write_exports", lambda measured, folder: write_ecsv(
        measured.maps[COMBINED], context.folder / "combined.ecsv"))  # fmt: skip
    result = job.run(make_context(few, "selection-1"), few)
    assert result["injected"] + result["unpainted"] == few.n_lenses
    assert result["injected"] > 0.9 * few.n_lenses
    with open_database(sky).session() as session:
        rows = session.execute(
            sa.select(Candidate.object_id, Observation.truth)
            .join(Observation, Observation.candidate_id == Candidate.id)
            .join(Catalog, Catalog.id == Candidate.catalog_id)
            .where(Catalog.name == "sky-injected")
        ).all()
    assert len({name for name, _ in rows}) == len(rows) == result["injected"]
    assert {host_name(name) for name, _ in rows} <= {f"sky-{k}" for k in range(90)}
    theta = np.array([truth["theta_e_arcsec"] for _, truth in rows])
    snr = np.array([truth["arc_snr"] for _, truth in rows])
    grid = few.grid()
    assert grid.count(theta, snr, theta > 0).total.min() >= 6
    assert grid.cell_of(theta, snr).min() == 0
    measured = measure_selection(sky, few)
    assert result["found"] == measured.maps[MACHINE].found > 0
    again = load_selection_function(context.folder / "combined.ecsv")
    assert again(0.9, 20).value == measured.maps[COMBINED].function(0.9, 20).value
    why = refusal(sky, SelectionSettings(**{**few.to_json(), "per_cell": 9}))
    assert "exists with other settings" in why


def test_every_map_has_grids_and_a_figure(sky, tmp_path):
    inject_on_grid(sky)
    measured = measure_selection(sky, SETTINGS)
    one = replace(measured, maps={"grader Ana": measured.maps[MACHINE]})
    found = write_exports(one, tmp_path)
    kinds = ("ecsv", "fits", "png", "pdf", "svg", "csv")
    assert {path.name for path in found} == {f"grader-ana.{kind}" for kind in kinds} | {SUMMARY}
    assert all(path.stat().st_size for path in found)


def test_what_cannot_be_measured_is_refused(sky):
    def why(**changed):
        return refusal(sky, SelectionSettings(**{**SETTINGS.to_json(), **changed}))

    assert "give a max_theta_e_arcsec below 3" in why(max_theta_e_arcsec=3.0)
    assert "everything would be found" in why(top=90)
    assert "There is no ensemble nobody" in why(ensemble="nobody")
    assert "does not exist" in why(population="nowhere.csv")
    assert "is not below max_arc_snr" in why(min_arc_snr=90.0)
    with open_database(sky).session() as session:
        session.execute(sa.delete(Score).where(Score.logit > 0))
    assert "has scored 84 of the 90" in why()
