"""Imports of plain FITS files, which threads of this process read: rows, quarantine, going on."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from imports_of_files import BANDS, SIZE, candidates, quarantine, settings_of, write_fits

from lens_triage.training.jobs.ingest import request_of, spec_of
from lensing_core.cutouts import CutoutStore, writing
from lensing_core.errors import BadInputError
from lensing_core.ingest import chunks
from lensing_core.ingest.importing import bytes_of_cutout, import_catalog
from lensing_core.ingest.planning import make_plan

N = 12


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Twelve files of three bands and their table, for shards of five rows and tasks of two."""
    monkeypatch.setattr(writing, "SHARD_BYTES", 5 * 4 * len(BANDS) * SIZE * SIZE)
    monkeypatch.setattr(chunks, "ROWS_PER_TASK", 2)
    rng = np.random.default_rng(3)
    made = tmp_path / "files"
    for k in range(N):
        cards = {"CRVAL1": 10.0 + k, "CRVAL2": 1.0, "CRPIX1": 7.5, "CRPIX2": 6.5}
        write_fits(made / f"o{k}.fits", rng.normal(size=(3, SIZE, SIZE)).astype("f4"), **cards)
    table(made, [f"o{k},{10 + k},1" for k in range(N)])
    return made


def table(folder, rows) -> None:
    (folder / "objects.csv").write_text("id,ra,dec\n" + "\n".join(rows) + "\n")


def bring_in(workspace, folder, progress=lambda done, total: None, **changes):
    settings = settings_of(folder, **changes)
    plan = make_plan(request_of(settings))
    spec = replace(spec_of(settings, plan), notes={"field": "north"})
    return import_catalog(workspace, plan, spec, progress=progress)


def test_every_row_becomes_a_candidate_with_its_pixels_and_wcs(workspace, folder):
    steps = []
    report = bring_in(workspace, folder, lambda done, total: steps.append((done, total)))
    assert (report.rows, report.ingested, report.quarantined) == (N, N, 0)
    assert (report.outside_cutout, report.missing_bands, report.already_complete) == (0, {}, False)
    assert steps[-1] == (N, N)
    assert steps == sorted(steps)
    rows = candidates(workspace)
    assert [row.object_id for row in rows] == [f"o{k}" for k in range(N)]
    store = CutoutStore(workspace.catalog_cutouts("mine"))
    assert len(list(workspace.catalog_cutouts("mine").glob("shard-*.json"))) == 3
    plan = make_plan(request_of(settings_of(folder)))
    np.testing.assert_array_equal(store.read(0), plan.sample.pixels.flux[0])
    assert bytes_of_cutout(plan) == 4 * len(BANDS) * SIZE * SIZE
    ingest = rows[3].observation.properties["ingest"]
    assert ingest["centre_px"] == [6.5, 5.5]
    assert ingest["sky_matrix_arcsec"] == [[-0.168, 0.0], [0.0, 0.168]]
    assert ingest["north_deg"] == 0.0
    assert "is_mirrored" not in ingest
    assert list(workspace.cache.glob("ingest-*")) == []


def test_of_rows_with_one_id_the_first_is_taken_across_shards(workspace, folder):
    names = ["o0", "o1", "o1", "", "o5", "o4", *(f"o{k}" for k in range(6, 10)), "o0", "o11"]
    table(folder, [f"{name},{10 + k},1" for k, name in enumerate(names)])
    report = bring_in(workspace, folder)
    assert (report.ingested, report.reasons) == (9, {"duplicate_id": 2, "missing_id": 1})
    assert [row.row_number for row in quarantine(workspace)] == [2, 3, 10]
    assert report.outside_cutout == 2  # o4 and o5, in the rows of each other


def test_an_import_that_was_stopped_goes_on_and_a_finished_one_adds_nothing(workspace, folder):
    def stop(done: int, total: int) -> None:
        if done > 6:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        bring_in(workspace, folder, stop)
    seen = []
    report = bring_in(workspace, folder, lambda done, total: seen.append(done))
    assert report.ingested == N
    assert min(seen) > 5  # the first shard was not read again
    again = bring_in(workspace, folder)
    assert (again.already_complete, again.ingested) == (True, N)


def test_a_name_stands_for_one_table_read_in_one_way(workspace, folder):
    bring_in(workspace, folder)
    with pytest.raises(BadInputError, match="was begun with images of another kind"):
        bring_in(workspace, folder, image_kind="fits_per_band", bands=["g"])
    table(folder, ["o0,10,1"])
    with pytest.raises(BadInputError, match="was begun with another table"):
        bring_in(workspace, folder)
