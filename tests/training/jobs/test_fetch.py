"""From a table of positions to a catalog that can be scored, with images of a local server."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sky_services import CutoutServices, galaxy_flux, serve_cutouts
from sqlalchemy import select
from waiting import until

from lens_triage.training import runner as jobs
from lens_triage.training.bundled import BUNDLED, import_ensemble
from lens_triage.training.checks import refusal
from lens_triage.training.jobs import fetch, ingest
from lens_triage.training.runner.context import Cancelled, JobContext
from lens_triage.training.settings import IngestSettings, ScoreSettings
from lensing_core.crossmatch.rate_limits import ServiceError
from lensing_core.cutouts import CutoutStore
from lensing_core.errors import BadInputError
from lensing_core.store import open_database
from lensing_core.store.catalogs import find_catalog
from lensing_core.store.tables import Candidate, Quarantine, Run
from lensing_core.workspace import Workspace

Fetch = Callable[..., dict[str, Any]]


@pytest.fixture
def services(monkeypatch: pytest.MonkeyPatch) -> Iterator[CutoutServices]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr(fetch, "BACKOFF_S", 0.01)
    with serve_cutouts(CutoutServices()) as running:
        yield running


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """Six objects with a label and a redshift; the last has no position."""
    lines = ["name,RA,Dec,z,label"]
    lines += [f"J {k}/x,{150 + 0.1 * k},2.2,0.{k + 1},{k % 2}" for k in range(5)]
    (tmp_path / "mine.csv").write_text("\n".join([*lines, "nowhere,,,0.9,1"]) + "\n")
    return tmp_path / "mine.csv"


@pytest.fixture
def settings(services: CutoutServices, table: Path) -> Callable[..., IngestSettings]:
    def made(service: str, **values: Any) -> IngestSettings:
        return IngestSettings(
            **{
                "catalog": "mine",
                "table": str(table),
                "images_from": service,
                "fetch_address": services.address(service),
                "fetch_size_arcsec": 8.0,
                "fetch_pause_s": 0.0,
                "label_source": "obs:mine",
                "workers": 1,
                **values,
            }
        )

    return made


@pytest.fixture
def run(workspace: Workspace) -> Fetch:
    def run_here(settings: IngestSettings) -> dict[str, Any]:
        with open_database(workspace).session() as session:
            if session.get(Run, settings.catalog) is None:
                row = Run(id=settings.catalog, kind="ingest", title="", settings=settings.to_json())
                session.add(row)
        return ingest.run(JobContext(workspace, settings.catalog), settings)

    return run_here


def rows(workspace: Workspace, table: Any) -> list[Any]:
    with open_database(workspace).session() as session:
        return list(session.scalars(select(table).order_by(table.id)))


@pytest.mark.parametrize(
    ("service", "survey", "zero_point"),
    [
        ("panstarrs", "ps1", 25 + 2.5 * np.log10(600)),
        ("legacy", "decals", 22.5),
        ("hips2fits", "ps1", None),
        ("skyview", "sdss", None),
    ],
)
def test_positions_become_a_catalog(workspace, run, settings, service, survey, zero_point):
    made = settings(service)
    assert refusal(workspace, made) == ""
    report = run(made)
    assert (report["ingested"], report["reasons"]) == (5, {"bad_coordinates": 1})
    with open_database(workspace).session() as session:
        catalog = find_catalog(session, "mine")
    order = made.order()
    store = CutoutStore(workspace.catalog_cutouts("mine"))
    geometry = store.geometry
    assert (geometry.survey, geometry.bands) == (survey, order.bands)
    assert geometry.size_px == order.size_px
    assert geometry.pixel_scale_arcsec == pytest.approx(order.scale_arcsec, rel=1e-4)
    assert [c.object_id for c in rows(workspace, Candidate)] == [f"J {k}/x" for k in range(5)]
    assert [c.label for c in rows(workspace, Candidate)] == [0, 1, 0, 1, 0]
    peak = store.read(2)[0].max()  # of the galaxy, in the unit of the catalog
    stored_mag = geometry.zero_points_mag[0] - 2.5 * np.log10(peak)
    sent = galaxy_flux(150.2, "g")
    assumed = geometry.zero_points_mag[0]
    zero = assumed if zero_point is None else zero_point
    assert stored_mag == pytest.approx(zero - 2.5 * np.log10(sent), abs=0.05)
    warned = any("do not give the zero point" in text for text in report["warnings"])
    assert warned == (zero_point is None)
    noted = catalog.notes["fetched"]
    assert (noted["service"], noted["layer"]) == (order.service.title, order.layer)
    assert len(notes_of_files(workspace)) == 5 * len(order.bands)


def notes_of_files(workspace: Workspace) -> list[dict[str, Any]]:
    """Where each fetched file is from."""
    notes = (workspace.cache / "fetched").glob("*/*/*.json")
    return [json.loads(path.read_text()) for path in notes]


def test_the_bundled_ensemble_can_score_what_was_fetched(workspace, run, settings):
    import_ensemble(workspace, BUNDLED / "default-ps1", trusted=True)
    run(settings("panstarrs", fetch_size_arcsec=12.0))
    asked = {"ensemble": "default-ps1", "catalog": "mine"}
    # The sky of the stand-in has nearly no noise, as a wrong zero point would make it seem.
    assert "in all bands noise is" in refusal(workspace, ScoreSettings(**asked))
    assert refusal(workspace, ScoreSettings(**asked, any_scale=True)) == ""


@pytest.mark.slow
def test_a_killed_run_asks_for_nothing_twice(workspace, settings, services):
    services.faults = {"legacy": [None, None, "slow"]}
    run_id = jobs.submit(workspace, settings("legacy"))
    until(lambda: services.count("legacy") == 3)
    with open_database(workspace).session() as session:
        os.kill(session.get(Run, run_id).pid, signal.SIGKILL)
    services.held.set()
    assert jobs.wait(workspace, run_id, poll_s=0.05).status == "lost"
    jobs.resume(workspace, run_id)
    ended = jobs.wait(workspace, run_id)
    assert (ended.status, ended.result["ingested"]) == ("succeeded", 5)
    assert services.count("legacy") == 3 + 3  # the one that was under way is asked for again


def test_faults_cost_their_rows_alone_and_say_why(workspace, run, settings, services, table):
    lines = table.read_text().splitlines()
    table.write_text("\n".join([*lines[:6], "south,151,-50,0.5,0"]) + "\n")
    services.south_deg = -30.0
    services.faults_at = {150.1: "html", 150.2: "half", 150.3: 404}
    report = run(settings("hips2fits"))
    assert report["ingested"] == 2
    assert report["reasons"] == {"not_fetched": 4}
    told = {row.object_id: row.message for row in rows(workspace, Quarantine)}
    assert all(text.startswith("hips2fits (CDS), band g: ") for text in told.values())
    assert "a web page: Down for maintenance" in told["J 1/x"]
    assert "half a file" in told["J 2/x"]
    assert "HTTP 404" in told["J 3/x"]
    assert "outside of the survey" in told["south"]
    asked_of_page = [query for _, query in services.asked if query["ra"] == "150.100000"]
    assert len(asked_of_page) == 2 * 3  # once more at the end, in each band


def test_a_passing_fault_is_asked_again_at_the_end(workspace, run, settings, services):
    services.faults = {"legacy": ["html"]}
    report = run(settings("legacy"))
    assert (report["ingested"], services.count("legacy")) == (5, 6)


def test_a_band_that_does_not_come_is_missing(workspace, run, settings, services):
    services.faults = {"fitscut": [None, None, 404]}
    report = run(settings("panstarrs"))
    assert report["ingested"] == 5
    assert report["missing_bands"] == {"i: not_fetched": 1}


def test_a_stopped_run_goes_on_where_it_was(workspace, run, settings, services, monkeypatch):
    progress = JobContext.progress

    def stop_after_three(self: JobContext, done: int, *rest: Any) -> None:
        if done == 3:
            raise Cancelled
        progress(self, done, *rest)

    monkeypatch.setattr(JobContext, "progress", stop_after_three)
    with pytest.raises(Cancelled):
        run(settings("legacy"))
    assert services.count("legacy") == 3
    monkeypatch.setattr(JobContext, "progress", progress)
    assert run(settings("legacy"))["ingested"] == 5
    assert services.count("legacy") == 5


def test_another_catalog_of_the_same_positions_asks_nobody(workspace, run, settings, services):
    run(settings("legacy"))
    before = len(services.asked)
    assert run(settings("legacy", catalog="again"))["ingested"] == 5
    assert len(services.asked) == before


def test_without_a_network_the_run_ends_and_can_be_resumed(workspace, run, settings, services):
    made = settings("legacy", fetch_timeout_s=1.0)
    services.faults = {"legacy": [None, *[503] * 18]}
    with pytest.raises(ServiceError, match="resume the run"):
        run(made)
    services.faults = {}
    assert run(made)["ingested"] == 5


def test_a_place_that_always_fails_stops_no_run_twice(workspace, run, settings, services):
    """Three places in a row: the first attempt ends there, the next goes on behind them."""
    services.faults_at = dict.fromkeys((150.0, 150.1, 150.2), 503)
    with pytest.raises(ServiceError, match="in a row"):
        run(settings("legacy"))
    report = run(settings("legacy"))
    assert (report["ingested"], report["reasons"]["not_fetched"]) == (2, 3)


def test_a_list_of_known_lenses_gets_its_images(workspace, run, settings, tmp_path):
    (tmp_path / "castles.csv").write_text("name,ra,dec,grade\nQ1,150.1,2.2,A\nQ2,150.2,2.2,C\n")
    report = run(settings("legacy", preset="castles", table=str(tmp_path / "castles.csv")))
    assert report["ingested"] == 2
    assert rows(workspace, Candidate)[0].label == 1


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"fetch_address": "http://example.org"}, "no address"),
        ({"fetch_address": "", "fetch_pause_s": 0.1}, "at least 0.3 s"),
        ({"images": "."}, "leave images as it is"),
        ({"pattern": "{id}.fits"}, "leave pattern as it is"),
        ({"table": ""}, "table of the positions"),
        ({"fetch_layer": "CDS/P/DES-DR2/{band}"}, "State the survey"),
        ({"preset": "spacewarps"}, "images of its own"),
        ({"fetch_size_arcsec": 500.0}, "8 to 1,024"),
    ],
)
def test_what_cannot_be_fetched_is_refused_before_it_begins(settings, values, message):
    with pytest.raises(BadInputError, match=message):
        settings("hips2fits", **values).check()


def test_checks_ask_no_service(workspace, settings, services, table, monkeypatch):
    assert "no band 'u'" in refusal(workspace, settings("hips2fits", bands=["u"]))
    monkeypatch.setattr(fetch, "MOST_REQUESTS", 14)
    assert "15 requests to hips2fits" in refusal(workspace, settings("hips2fits"))
    table.write_text("name,x\na,1\n")
    assert "no columns of positions" in refusal(workspace, settings("legacy"))
    assert services.asked == []


def test_the_preview_tells_the_cost_and_asks_no_service(workspace, settings, services):
    found = ingest.preview(settings("panstarrs", fetch_pause_s=1.0), workspace)
    assert found.error == ""
    assert (found.fetching.n_positions, found.fetching.n_requests) == (5, 20)
    assert found.fetching.seconds == pytest.approx(40)
    assert {column.name: column.role for column in found.columns}["RA"] == "ra"
    assert found.warnings == ["Rows without a position, which get no image: 1."]
    assert services.asked == []
    assert not (workspace.cache / "fetched").exists()
