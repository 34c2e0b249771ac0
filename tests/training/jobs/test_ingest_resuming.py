"""Imports that were stopped, repeated, or read by several processes end in one catalog."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from imports_of_files import (
    add_bad_rows,
    catalog_of,
    contents,
    context_for,
    ingest,
    settings_of,
    small_shards,
    write_fits,
)
from sqlalchemy import select

from lens_triage.training.jobs.ingest import run
from lens_triage.training.runner.context import Cancelled
from lensing_core.cutouts import CutoutStore, writing
from lensing_core.errors import BadInputError
from lensing_core.ingest import importing
from lensing_core.ingest.catalog_writer import CatalogWriter
from lensing_core.store import open_database
from lensing_core.store.tables import Catalog


def test_a_second_run_adds_nothing(workspace, survey):
    folder, _ = survey
    ingest(workspace, settings_of(folder))
    before = contents(workspace)
    report = ingest(workspace, settings_of(folder))
    assert report["already_complete"]
    assert report["ingested"] == 60
    assert contents(workspace) == before


class Killed(BaseException):
    """As if the process had ended here."""


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("where", ["before the shard", "before the rows", "after the rows"])
def test_a_killed_import_goes_on_to_the_same_catalog(
    workspace, tmp_path, survey, monkeypatch, where, workers
):
    folder, _ = survey
    add_bad_rows(folder)
    small_shards(monkeypatch)
    whole = type(workspace).create(tmp_path / "whole")
    open_database(whole)
    ingest(whole, settings_of(folder, workers=1))
    write = importing._write
    calls = 0

    def dying_write(*args):
        nonlocal calls
        calls += 1
        if calls == 3 and where == "before the shard":
            raise Killed
        if calls == 3 and where == "before the rows":
            monkeypatch.setattr(CatalogWriter, "_insert_rows", die)
        write(*args)
        if calls == 3:
            raise Killed

    def die(self, *args, **kwargs):
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(importing, "_write", dying_write)
        with pytest.raises(Killed):
            ingest(workspace, settings_of(folder, workers=workers))
        patch.undo()
    monkeypatch.undo()
    small_shards(monkeypatch)
    left = CutoutStore(workspace.catalog_cutouts("mine"))
    assert len(left) == (15 if where == "before the shard" else 22)
    assert not catalog_of(workspace).complete
    report = ingest(workspace, settings_of(folder, workers=workers))
    assert not report["already_complete"]
    assert contents(workspace) == contents(whole)
    assert report["doubts"] == {"label": 20}
    assert not list(workspace.cache.glob("ingest-*"))


def test_a_cancelled_import_goes_on(workspace, survey, monkeypatch):
    folder, pixels = survey
    small_shards(monkeypatch)
    settings = settings_of(folder)
    context = context_for(workspace, settings)
    progress = context.progress

    def cancel_later(done, total=None, activity=None):
        progress(done, total, activity)
        if done >= 24:
            raise Cancelled

    monkeypatch.setattr(context, "progress", cancel_later)
    with pytest.raises(Cancelled):
        run(context, settings)
    done = catalog_of(workspace).rows_read
    assert 0 < done < 60
    report = ingest(workspace, settings)
    assert report["ingested"] == 60
    store = CutoutStore(workspace.catalog_cutouts("mine"))
    np.testing.assert_array_equal(store.read_many(range(60)), pixels)


def test_processes_change_nothing(workspace, tmp_path, survey, monkeypatch):
    folder, _ = survey
    add_bad_rows(folder)
    small_shards(monkeypatch, rows=17)
    other = type(workspace).create(tmp_path / "other")
    open_database(other)
    ingest(workspace, settings_of(folder, workers=1))
    ingest(other, settings_of(folder, workers=2))
    assert contents(workspace) == contents(other)


def test_memory_does_not_grow_with_the_catalog(workspace, tmp_path, monkeypatch):
    folder = tmp_path / "big"
    planes = np.random.default_rng(0).normal(size=(3, 80, 80))
    for k in range(8):
        write_fits(folder / f"{k}.fits", planes + k)
    monkeypatch.setattr(writing, "SHARD_BYTES", 10 * planes.size * 4)
    peaks = {}
    for name, n in (("warm-up", 10), ("few", 40), ("many", 100)):
        lines = [f"{name}{k},{k % 8}.fits" for k in range(n)]
        (folder / f"{name}.csv").write_text("id,file\n" + "\n".join(lines) + "\n")
        settings = settings_of(folder, catalog=name, table=str(folder / f"{name}.csv"), workers=1)
        if name != "warm-up":
            tracemalloc.start()
        assert ingest(workspace, settings)["ingested"] == n
        if name != "warm-up":
            peaks[name] = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
    shard = 10 * planes.size * 4
    assert peaks["few"] > 2 * shard  # what is measured contains the pixels
    assert peaks["many"] - peaks["few"] < shard


def test_a_name_stands_for_one_import(workspace, survey):
    folder, _ = survey
    ingest(workspace, settings_of(folder))
    with pytest.raises(BadInputError, match="begun with another file-name pattern"):
        ingest(workspace, settings_of(folder, pattern="./{id}.fits"))
    with (folder / "objects.csv").open("a") as stream:
        stream.write("new,10,1,20,W1\n")
    with pytest.raises(BadInputError, match=r"another table \(or its file has changed\)"):
        ingest(workspace, settings_of(folder))


def test_a_name_of_a_catalog_that_was_not_imported(workspace, survey):
    folder, _ = survey
    ingest(workspace, settings_of(folder))
    with open_database(workspace).session() as session:
        session.scalars(select(Catalog)).one().notes = {}
    with pytest.raises(BadInputError, match="was not imported; choose another name"):
        ingest(workspace, settings_of(folder))
