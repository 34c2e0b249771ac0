"""The cross-match job: known lenses, own tables, duplicates, services, resume and no network."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from astropy.table import Table
from sky_services import SkyServices, serve_sky, simbad_table
from sqlalchemy import select

from lens_triage.training.jobs.crossmatch import run
from lens_triage.training.runner.context import (
    Cancelled,
    JobContext,
)
from lens_triage.training.settings import CrossmatchSettings
from lensing_core.crossmatch.lenscat import read_lenscat
from lensing_core.cutouts import CutoutGeometry
from lensing_core.errors import BadInputError, NotFoundError
from lensing_core.ingest.catalog_writer import CatalogSpec, CatalogWriter, NewCandidate
from lensing_core.store import open_database
from lensing_core.store.crossmatches import latest_crossmatches
from lensing_core.store.tables import (
    Candidate,
    Catalog,
    Crossmatch,
    CrossmatchEntry,
    Ensemble,
    Run,
    Score,
)
from lensing_core.workspace import Workspace

Match = Callable[..., dict[str, Any]]
LENSES = read_lenscat("confident")


def write_catalog(
    workspace: Workspace, name: str, positions: list[tuple[float | None, float | None]], **spec: str
) -> None:
    geometry = CutoutGeometry("hsc", ("r",), 8, 0.2, "flux", (27.0,), (0.7,))
    rows = [NewCandidate(f"{name}-{k}", ra, dec) for k, (ra, dec) in enumerate(positions)]
    writer = CatalogWriter(workspace, CatalogSpec(name, geometry, {}, **spec))
    rng = np.random.default_rng(1)
    writer.append(rng.normal(size=(len(rows), 1, 8, 8)).astype("f4"), rows, rows_read=len(rows))
    writer.finish()


@pytest.fixture
def match(workspace: Workspace) -> Match:
    """Run the job in this process; the same run id goes on with what it has."""

    def match_here(run_id: str = "match", **settings: Any) -> dict[str, Any]:
        made = CrossmatchSettings(**{"catalog": "field", "references": ["lenscat"], **settings})
        made.check()
        with open_database(workspace).session() as session:
            if session.get(Run, run_id) is None:
                session.add(Run(id=run_id, kind="crossmatch", title="t", settings=made.to_json()))
        return run(JobContext(workspace, run_id), made)

    return match_here


def entries(workspace: Workspace, reference: str) -> list[CrossmatchEntry]:
    with open_database(workspace).session() as session:
        return list(
            session.scalars(
                select(CrossmatchEntry)
                .join(Crossmatch)
                .where(Crossmatch.reference == reference)
                .order_by(CrossmatchEntry.id)
            )
        )


def crossmatches(workspace: Workspace) -> dict[str, Crossmatch]:
    with open_database(workspace).session() as session:
        catalog_id = session.scalar(select(Catalog.id).where(Catalog.name == "field"))
        found = latest_crossmatches(session, catalog_id)
    return {crossmatch.reference: crossmatch for crossmatch in found}


def isolated_lens() -> int:
    """A known lens without another of the list within a degree."""
    ra, dec = np.radians(LENSES.ra_deg), np.radians(LENSES.dec_deg)
    for k in range(len(LENSES)):
        cosine = np.sin(dec[k]) * np.sin(dec) + np.cos(dec[k]) * np.cos(dec) * np.cos(ra - ra[k])
        if np.sum(cosine > np.cos(np.radians(1.5))) == 1:
            return k
    raise AssertionError


LENS = isolated_lens()
RA, DEC = float(LENSES.ra_deg[LENS]), float(LENSES.dec_deg[LENS])


def test_a_known_lens_is_recovered_with_its_row_and_footprint(workspace, match):
    write_catalog(workspace, "field", [(RA, DEC + 0.5 / 3600), (RA, DEC + 0.1), (None, None)])
    result = match()
    assert result["references"]["lenscat"] == {
        "candidates": 2,
        "matched": 1,
        "review": 0,
        "unmatched": 1,
    }
    (entry,) = entries(workspace, "lenscat")
    assert entry.status == "matched"
    assert entry.counterpart_name == LENSES.names[LENS]
    assert entry.counterpart["grading"] == "confident"
    assert entry.separation_arcsec == pytest.approx(0.5, abs=1e-4)
    assert entry.normalized == pytest.approx(0.5 / np.hypot(0.3, 1.0), rel=1e-3)
    found = crossmatches(workspace)["lenscat"]
    assert (found.version, found.radius_arcsec, found.state) == ("1.1.3", 5.0, "complete")
    assert (found.n_candidates, found.n_unplaced, found.n_references) == (2, 1, 2309)
    assert (found.footprint_nside, found.n_in_footprint) == (64, 1)


def test_a_lens_of_the_footprint_without_a_candidate_is_kept_as_missed(workspace, match):
    write_catalog(workspace, "field", [(RA, DEC + 60 / 3600)])
    assert match()["references"]["lenscat"]["matched"] == 0
    (entry,) = entries(workspace, "lenscat")
    assert (entry.status, entry.candidate_id) == ("unmatched", None)
    assert entry.counterpart_name == LENSES.names[LENS]


def test_two_candidates_of_one_lens_are_for_review(workspace, match):
    write_catalog(workspace, "field", [(RA, DEC + 1 / 3600), (RA, DEC - 1 / 3600)])
    match()
    assert [(e.status, e.n_rivals) for e in entries(workspace, "lenscat")] == [("review", 2)] * 2
    assert "2 candidates claim" in entries(workspace, "lenscat")[0].reason


def test_cluster_catalogs_are_matched_within_an_arcmin(workspace, match):
    write_catalog(workspace, "field", [(RA, DEC + 40 / 3600)], scale="cluster")
    match()
    found = crossmatches(workspace)["lenscat"]
    assert (found.radius_arcsec, found.reference_error_arcsec, found.n_matched) == (60, 15, 1)


def test_probable_rows_stand_apart(workspace, match):
    write_catalog(workspace, "field", [(RA, DEC)])
    match(references=["lenscat_probable", "lenscat"])
    kinds = {key: found.kind for key, found in crossmatches(workspace).items()}
    assert kinds == {"lenscat": "lens", "lenscat_probable": "probable"}


def test_own_tables_with_rows_that_cannot_be_read(workspace, match, tmp_path):
    write_catalog(workspace, "field", [(10.0, 2.0), (11.0, 2.0)])
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "known.csv").write_text("id,ra,dec,z\nX,10.0,2.0,0.5\nY,400,2,1\n")
    tables = [str(tmp_path / folder / "known.csv") for folder in ("a", "b")]
    result = match(references=[], tables=tables, table_kind="lens")
    assert set(result["references"]) == {"table:known.csv", "table:known.csv (2)"}
    matched = [e for e in entries(workspace, "table:known.csv") if e.status == "matched"]
    assert matched[0].counterpart == {"id": "X", "z": 0.5}
    assert crossmatches(workspace)["table:known.csv"].n_references == 1


def test_duplicates_within_and_between_catalogs(workspace, match):
    write_catalog(workspace, "field", [(10.0, 2.0), (10.0, 2.0 + 0.5 / 3600), (11.0, 2.0)])
    write_catalog(workspace, "other", [(11.0, 2.0 + 0.2 / 3600), (50.0, 2.0)])
    result = match(references=["duplicates"], catalogs=["other"])
    assert result["references"]["duplicates"]["matched"] == 2
    (pair,) = entries(workspace, "duplicates")
    assert pair.counterpart["catalog"] == "field"
    assert pair.candidate_id < pair.counterpart["candidate_id"]
    (between,) = entries(workspace, "catalog:other")
    assert between.counterpart_name == "other-0"
    assert between.normalized == pytest.approx(0.2 / np.hypot(0.3, 0.3), rel=1e-3)


@pytest.fixture
def sky(monkeypatch: pytest.MonkeyPatch) -> Iterator[SkyServices]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    ra = np.arange(10) * 0.1 + 150.0
    services = SkyServices(
        tables={
            "simbad": simbad_table(ra[:3], np.full(3, 2.0)),
            "I/355/gaiadr3": Table({"Source": [7], "ra": [150.9], "dec": [2.0], "pmRA": [-50.0]}),
        }
    )
    with serve_sky(services):
        yield services


def online(sky: SkyServices, **settings: Any) -> dict[str, Any]:
    return {
        "references": ["simbad", "gaia"],
        "mirrors": sky.mirrors,
        "pause_s": 0.0,
        "batch_size": 4,
        **settings,
    }


def ten(workspace: Workspace) -> None:
    write_catalog(workspace, "field", [(150.0 + 0.1 * k, 2.0) for k in range(10)])


def test_services_are_asked_for_all_candidates(workspace, match, sky):
    ten(workspace)
    result = match(**online(sky, first=0))
    assert result["not_reached"] == []
    assert result["references"]["simbad"]["matched"] == 3
    assert result["references"]["gaia"]["matched"] == 1
    found = crossmatches(workspace)
    assert found["simbad"].asked_all
    assert found["gaia"].kind == "star"
    assert found["gaia"].version.endswith("I/355/gaiadr3")
    assert entries(workspace, "gaia")[0].counterpart["pmRA"] == -50.0
    assert all(e.status == "matched" for e in entries(workspace, "simbad"))


def test_only_the_first_of_the_ranking_are_asked_for(workspace, match, sky):
    ten(workspace)
    with open_database(workspace).session() as session:
        session.add(Ensemble(id=1, name="first", fusion="mean", manifest={}))
        session.flush()
        for k, candidate in enumerate(session.scalars(select(Candidate).order_by(Candidate.id))):
            score = dict.fromkeys(("epistemic", "aleatoric", "disagreement"), 0.0)
            session.add(
                Score(
                    ensemble_id=1,
                    candidate_id=candidate.id,
                    catalog_id=candidate.catalog_id,
                    logit=float(k),
                    probability=0.5,
                    **score,
                )
            )
    match(**online(sky, first=4, references=["gaia"]))
    assert sky.asked == ["tables", "xmatch vizier:I/355/gaiadr3 4"]
    found = crossmatches(workspace)["gaia"]
    assert (found.n_candidates, found.n_matched, found.asked_all) == (4, 1, False)
    statuses = [e.status for e in entries(workspace, "gaia")]
    assert sorted(statuses) == ["matched"] + ["unmatched"] * 3  # what was asked stands there


def test_a_service_that_fails_midway_leaves_the_rest_and_the_run_goes_on(workspace, match, sky):
    ten(workspace)
    sky.faults = [None, 404]
    result = match(**online(sky, first=0))
    assert result["not_reached"] == ["simbad"]
    assert result["references"]["gaia"]["matched"] == 1
    found = crossmatches(workspace)["simbad"]
    assert (found.state, found.n_candidates) == ("partial", 4)
    assert "HTTP 404" in found.message
    before = len(sky.asked)
    again = match(**online(sky, first=0))
    assert list(again["references"]) == ["simbad"]  # Gaia was complete
    assert again["not_reached"] == []
    assert sky.asked[before:] == ["xmatch simbad 4", "xmatch simbad 2"]  # the first is kept
    assert crossmatches(workspace)["simbad"].state == "complete"
    assert len(entries(workspace, "simbad")) == 3


def test_no_network_is_a_state_and_hides_no_older_answer(workspace, match, sky):
    ten(workspace)
    match("first", **online(sky, first=0, references=["simbad"]))
    nowhere = {"xmatch": "http://127.0.0.1:9"}
    result = match(
        "second",
        **online(sky, first=0, references=["lenscat", "simbad", "gaia"]) | {"mirrors": nowhere},
    )
    assert result["not_reached"] == ["gaia", "simbad"]
    found = crossmatches(workspace)
    assert found["simbad"].n_matched == 3
    assert found["gaia"].state == "unreachable"
    assert "cannot be reached" in found["gaia"].message
    assert found["lenscat"].state == "complete"


def test_a_run_cancelled_midway_goes_on_to_the_same_end(workspace, match, sky, monkeypatch):
    ten(workspace)
    said = []
    original = JobContext.progress

    def stop_at_eight(self: JobContext, done: int, total: int, activity: str) -> None:
        said.append(activity)
        if "SIMBAD, 8" in activity:
            raise Cancelled
        original(self, done, total, activity)

    monkeypatch.setattr(JobContext, "progress", stop_at_eight)
    with pytest.raises(Cancelled):
        match(**online(sky, first=0))
    assert not crossmatches(workspace)
    monkeypatch.setattr(JobContext, "progress", original)
    result = match(**online(sky, first=0))
    assert result["references"]["simbad"]["matched"] == 3
    assert sky.asked.count("xmatch simbad 4") == 2
    assert sky.asked.count("xmatch simbad 2") == 1


def test_what_is_wrong_is_said_first(workspace, match, tmp_path):
    with pytest.raises(NotFoundError, match="no catalog field"):
        match()
    write_catalog(workspace, "field", [(None, None)])
    with pytest.raises(BadInputError, match="has a position"):
        match()
    for settings, message in (
        ({"references": []}, "at least one"),
        ({"catalogs": ["field"]}, "duplicates"),
        ({"tables": [str(tmp_path / "none.csv")]}, "does not exist"),
        ({"vizier": {"J/A+A/1/2": "galaxies"}}, "kinds"),
        ({"mirrors": {"simbad": "http://x"}}, "xmatch=URL"),
    ):
        with pytest.raises(BadInputError, match=message):
            match(**settings)


def test_relative_tables_become_absolute(tmp_path: Path, monkeypatch):
    (tmp_path / "known.csv").write_text("ra,dec\n1,2\n")
    monkeypatch.chdir(tmp_path)
    settings = CrossmatchSettings(tables=["known.csv"])
    settings.check()
    assert settings.tables == [str(tmp_path / "known.csv")]
