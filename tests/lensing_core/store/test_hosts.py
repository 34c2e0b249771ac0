"""Galaxies to paint arcs on, details of candidates, changes and sizes of a workspace."""

from __future__ import annotations

import numpy as np
import pytest

from lensing_core.cutouts import CutoutGeometry
from lensing_core.ingest.catalog_writer import CatalogSpec, CatalogWriter, NewCandidate
from lensing_core.store import open_database
from lensing_core.store.catalogs import find_catalog
from lensing_core.store.changes import ChangeFingerprint
from lensing_core.store.details import candidate_details
from lensing_core.store.hosts import candidates_by_id, possible_hosts
from lensing_core.store.tables import Run
from lensing_core.store.usage import folder_sizes


@pytest.fixture
def sky(workspace):
    """A lens, a non-lens, and two unlabeled candidates of 18 and 22 mag."""
    geometry = CutoutGeometry("hsc", ("g",), 8, 0.168, "flux", (27.0,), (0.8,))
    writer = CatalogWriter(workspace, CatalogSpec("sky", geometry, {}))
    rows = [
        NewCandidate(f"o{k}", k * 1.0, 0.0, label=label, magnitude=magnitude)
        for k, (label, magnitude) in enumerate([(1, 19.0), (0, 19.0), (None, 18.0), (None, 22.0)])
    ]
    writer.append(np.ones((4, 1, 8, 8), dtype="f4"), rows, rows_read=4)
    writer.finish()
    return workspace


def test_labeled_lenses_and_other_magnitudes_are_no_hosts(sky):
    with open_database(sky).session() as session:
        key = find_catalog(session, "sky").id
        assert [host.row for host in possible_hosts(session, key)] == [1, 2, 3]
        bright = list(possible_hosts(session, key, min_magnitude=18.5, max_magnitude=20))
        assert [(host.row, host.redshift, dict(host.properties)) for host in bright] == [
            (1, None, {})
        ]
        ids = [host.id for host in possible_hosts(session, key)]
        found = candidates_by_id(session, ids[::-1])
    assert [candidate.object_id for candidate in found] == ["o3", "o2", "o1"]  # outlive the session


def test_details_of_candidates_without_scores(sky):
    with open_database(sky).session() as session:
        found = candidate_details(session, [1, 3, 99], ensemble_id=1)
        assert {key: (d.candidate.object_id, d.members) for key, d in found.items()} == {
            1: ("o0", ()),
            3: ("o2", ()),
        }


def test_every_commit_of_another_connection_changes_the_fingerprint(sky):
    database = open_database(sky)
    fingerprint = ChangeFingerprint(database)
    before = fingerprint()
    assert fingerprint() == before
    with database.session() as session:
        session.add(Run(id="r", kind="train", title="t", settings={}))
    after = fingerprint()
    assert after != before
    fingerprint.close()
    assert fingerprint() != after  # of another connection: its count means nothing beside it


def test_sizes_count_files_below_each_folder(sky):
    (sky.root / "models" / "one").mkdir(parents=True, exist_ok=True)
    (sky.root / "models" / "one" / "weights").write_bytes(b"x" * 1000)
    (sky.root / "models" / "link").symlink_to("/nowhere")
    sizes = folder_sizes(sky)
    assert 1000 <= sizes["models"] < 1100
    assert sizes["cutouts"] > 4 * 64 * 4
    assert sizes["database"] >= sky.database.stat().st_size
