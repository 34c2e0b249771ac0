"""Known lenses near real clusters and candidates; the counts were found with other software."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from lensing_core.crossmatch.lenscat import read_lenscat
from lensing_core.crossmatch.matching import Status, crossmatch
from lensing_core.crossmatch.table_reference import read_reference_table

pytestmark = pytest.mark.real


@pytest.mark.parametrize(
    ("name", "known"),
    [
        ("sdss_redmapper", 164),
        ("DESy3_redmapper", 118),
        ("aactpol", 128),
        ("psz2", 73),
        ("sptsz", 17),
    ],
)
def test_clusters_with_a_confident_lens_within_an_arcmin(real_data: Path, name: str, known: int):
    path = real_data / "clusterdb_catalogs" / "data" / f"{name}.csv.gz"
    clusters, notes = read_reference_table(path, "cluster")
    assert notes == []
    lenses = read_lenscat("confident")
    found = crossmatch(clusters.positions(15), lenses.positions(15), 60)
    assert len(np.unique(found.source)) == known
    # Several lens systems of one cluster, or several clusters, are never taken silently.
    assert 0 < found.count(Status.MATCHED) < known
    assert found.count(Status.MATCHED) + found.count(Status.REVIEW) == known


def test_confirmed_lenses_of_panstarrs_are_in_lenscat(real_data: Path):
    """Half or more of the quasars; positions agree within the errors where one lens is near."""
    lenses = read_lenscat("confident")
    quasars, _ = read_reference_table(real_data / "sled_ps1" / "lensed_quasars.csv", "lens")
    found = crossmatch(quasars.positions(1), lenses.positions(1), 5)
    assert (found.count(Status.MATCHED), found.count(Status.REVIEW), len(quasars)) == (15, 0, 20)
    galaxies, _ = read_reference_table(real_data / "sled_ps1" / "lensed_galaxies.csv", "lens")
    found = crossmatch(galaxies.positions(1), lenses.positions(1), 5)
    assert (found.count(Status.MATCHED), found.count(Status.REVIEW)) == (11, 1)


def test_crowdsourced_candidates_with_a_table_of_comments(real_data: Path):
    path = real_data / "spacewarps_cfhtls" / "candidates.txt"
    candidates, notes = read_reference_table(path, "probable")
    assert len(candidates) == 210
    assert "comment" in notes[0]
    counts = {}
    for grading in ("confident", "probable"):
        found = crossmatch(candidates.positions(1), read_lenscat(grading).positions(1), 5)
        counts[grading] = found.count(Status.MATCHED), found.count(Status.REVIEW)
    assert counts == {"confident": (22, 4), "probable": (77, 3)}
