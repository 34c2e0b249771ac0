"""What manifests say of the program, the device and the data."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from lensing_core.models import provenance
from lensing_core.models.manifest_form import check_model_manifest
from lensing_core.store import open_database
from lensing_core.store.snapshots import snapshots_of
from lensing_core.store.tables import Candidate, Catalog


def test_the_commit_is_that_of_the_checkout():
    root = Path(provenance.__file__).parents[2]
    commit, changed = provenance.program_commit()
    if not (root / ".git").exists():
        pytest.skip("not a checkout")
    words = ["git", "-C", str(root), "rev-parse", "HEAD"]
    assert (
        commit == subprocess.run(words, capture_output=True, text=True, check=True).stdout.strip()
    )
    assert changed in (True, False)
    assert provenance.made_with()["git_commit"] == commit


def test_the_driver_is_read_as_nvidia_writes_it(tmp_path, monkeypatch):
    path = tmp_path / "version"
    monkeypatch.setattr(provenance, "_NVIDIA", path)
    assert provenance.nvidia_driver() is None
    for line, expected in (
        ("NVRM version: NVIDIA UNIX x86_64 Kernel Module  535.104.05  Sat Aug 19", "535.104.05"),
        (
            "NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  570.86.15  Release",
            "570.86.15",
        ),
    ):
        path.write_text(line)
        assert provenance.nvidia_driver() == expected


def test_a_snapshot_moves_with_pixels_and_labels(filled_workspace):
    with open_database(filled_workspace).session() as session:
        before = snapshots_of(session, ["simulated", "gone", "simulated"])
        assert set(before) == {"simulated"}
        assert before["simulated"]["candidates"] == 60
        catalog = session.query(Catalog).filter_by(name="simulated").one()
        one = session.query(Candidate).filter_by(catalog_id=catalog.id).first()
        one.label = 1 - one.label
        session.flush()
        relabeled = snapshots_of(session, ["simulated"])["simulated"]
        one.cutout_sha256 = "0" * 64
        session.flush()
        other = snapshots_of(session, ["simulated"])["simulated"]
    assert relabeled["cutouts_sha256"] == before["simulated"]["cutouts_sha256"]
    assert relabeled["labels_sha256"] != before["simulated"]["labels_sha256"]
    assert other["cutouts_sha256"] != relabeled["cutouts_sha256"]


def test_manifests_with_and_without_it_are_read(tmp_path):
    contract = {"bands": ["g"], "size_px": 32, "pixel_scale_arcsec": 0.2, "pixel_kind": "flux"}
    older = {"id": "a", "kind": "lightgbm", "files": {}, "contract": contract,
             "features": {"names": [], "units": []}}  # fmt: skip
    assert check_model_manifest(older, tmp_path) == older
    newer = {**older, "made_with": dict(provenance.made_with())}
    assert check_model_manifest(newer, tmp_path) == newer
