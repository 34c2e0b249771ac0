"""Published sets with images: labels, image names, and votes as reasons."""

from __future__ import annotations

import csv
import os
from pathlib import Path

import h5py
import numpy as np
import pytest

from lensing_core.errors import BadInputError
from lensing_core.named_sets.known import NAMED_SETS
from lensing_core.named_sets.rows import SetFiles, SetRow, write_rows

STAMPS = Path(os.environ.get("LENS_TRIAGE_REAL_DATA", ".")) / "spacewarps_cfhtls"


def touch(folder: Path, *names: str) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def test_galaxies_ml(tmp_path):
    path = tmp_path / "5x64x64.hdf5"
    with h5py.File(path, "w") as file:
        file["image"] = np.zeros((3, 5, 8, 8), dtype="f4")
        file["object_id"] = np.array([36411452835238206, 2, 3])
        file["ra"], file["dec"] = [1.0, 2, 3], [4.0, 5, 6]
        file["specz_redshift"] = [[0.1], [0.2], [0.3]]
        file["edges"] = np.arange(7)
    rows = NAMED_SETS["galaxiesml"].read(SetFiles(None, path))
    assert [row.name for row in rows] == ["36411452835238206", "2", "3"]
    assert {row.label for row in rows} == {None}
    assert rows[2].properties == {"stack_index": 2, "z_spec": 0.3}
    assert (rows[1].ra_deg, rows[1].dec_deg) == (2.0, 5.0)
    with h5py.File(path, "w") as file:
        file["x"] = [1]
    with pytest.raises(BadInputError, match="no array 'image'; it has x"):
        NAMED_SETS["galaxiesml"].read(SetFiles(None, path))


def test_bologna_1_on_the_ground_and_in_space(tmp_path):
    table = tmp_path / "classifications.csv"
    table.write_text("ID,is_lens,Einstein_area,numb_pix_lensed_image,flux_lensed_image_in_sigma\n"
                     "100002,1,3.5,120,80\n100003,0,0,0,0\n")  # fmt: skip
    ground = tmp_path / "ground"
    for band, key in {1: "R", 2: "I", 3: "G", 4: "U"}.items():
        touch(ground, *(f"Public/Band{band}/imageSDSS_{key}-10000{k}.fits" for k in (2, 3)))
    rows = NAMED_SETS["bologna1"].read(SetFiles(table, ground))
    assert [(row.name, row.label) for row in rows] == [("100002", 1), ("100003", 0)]
    assert rows[0].files["r"] == "Public/Band1/imageSDSS_R-100002.fits"
    assert list(rows[0].files) == ["u", "g", "r", "i"]
    assert rows[0].properties["Einstein_area"] == "3.5"
    space = tmp_path / "space"
    touch(space, "imageEUC_VIS-100002.fits")
    rows = NAMED_SETS["bologna1"].read(SetFiles(table, space))
    assert rows[0].files == {"VIS": "imageEUC_VIS-100002.fits"}
    with pytest.raises(BadInputError, match="no file below"):
        NAMED_SETS["bologna1"].read(SetFiles(table, tmp_path / "none"))


def test_bologna_2_by_the_rule_of_its_evaluation(tmp_path):
    table = tmp_path / "image_catalog2.0train.csv"
    table.write_text("ID,n_source_im,mag_eff,n_pix_source\n"
                     "200000,1,1.61,21\n200001,0,5,90\n200002,1,1.6,90\n200003,1,3,20\n"
                     "200004,,,\n")  # fmt: skip
    touch(
        tmp_path,
        *(f"Public/EUC_{band}/imageEUC_{band}-200000.fits" for band in ["VIS", "Y", "J", "H"]),
    )
    rows = NAMED_SETS["bologna2"].read(SetFiles(table, tmp_path))
    assert [row.label for row in rows] == [1, 0, 0, 0, 0]
    assert rows[0].files == {
        band: f"Public/EUC_{band}/imageEUC_{band}-200000.fits" for band in ("VIS", "Y", "J", "H")
    }


@pytest.mark.parametrize(
    ("columns", "cells", "reason"),
    [
        (
            "t08_odd_feature_a19_ring_debiased,t08_odd_feature_a24_merger_debiased",
            "0.7,0.1",
            "ring",
        ),
        ("merging_merger_fraction,has-spiral-arms_yes_fraction", "0.2,0.9", "spiral"),
        ("P_MG,P_CS,P_EDGE", "0.6,0.1,0.2", "merger"),
        ("disk-edge-on_yes_fraction,has-spiral-arms_yes_fraction", "0.8,0.1", "edge_on"),
        ("t08_odd_feature_a19_ring_count,t08_odd_feature_a19_ring_fraction", "9,0.4", None),
        ("ring_fraction,t08_odd_feature_a20_lens_or_arc_fraction", "0.9,0.3", None),
    ],
)
def test_votes_are_reasons(tmp_path, columns, cells, reason):
    path = tmp_path / "votes.csv"
    path.write_text(f"iauname,ra,dec,{columns}\nJ1,10,20,{cells}\n")
    (row,) = NAMED_SETS["galaxyzoo"].read(SetFiles(path, None))
    assert row.properties.get("reject_reason") == reason
    assert row.label == (None if reason is None else 0)
    assert (row.name, row.ra_deg, row.dec_deg) == ("J1", 10.0, 20.0)


def test_sexagesimal_positions_of_galaxy_zoo_1(tmp_path):
    path = tmp_path / "zoo1.csv"
    path.write_text("OBJID,RA,DEC,P_CS,P_MG\n587727178986356823,00:00:00.41,-10:22:25.7,0.9,0\n")
    (row,) = NAMED_SETS["galaxyzoo"].read(SetFiles(path, None))
    assert row.name == "587727178986356823"
    assert row.ra_deg == pytest.approx(0.41 / 240, abs=1e-6)
    assert row.dec_deg == pytest.approx(-10.373806, abs=1e-5)


def test_a_table_without_votes_is_refused(tmp_path):
    path = tmp_path / "votes.csv"
    path.write_text("iauname,ra,dec,smooth_fraction\nJ1,1,2,0.5\n")
    with pytest.raises(BadInputError, match="no votes on rings"):
        NAMED_SETS["galaxyzoo"].read(SetFiles(path, None))


def test_space_warps_grades(tmp_path):
    path = tmp_path / "candidates.txt"
    path.write_text("# Name Ra(deg)\nJ1_30asec_gri.png 30.5 -11.1 0.45 20.4 2.0 0.88 ASW1 N\n"
                    "J2.png 31 -11 0.45 20 1.0 0.1 ASW2 P\n"
                    "J3.png 32 -11 0.4 20 0.7 0.1 ASW3 N\n")  # fmt: skip
    rows = NAMED_SETS["spacewarps"].read(SetFiles(path, None))
    assert [(row.name, row.label) for row in rows] == [
        ("J1_30asec_gri", 1),
        ("J2", None),
        ("J3", 0),
    ]
    assert rows[0].files == {"": "J1_30asec_gri.png"}
    assert rows[0].properties["grade"] == 2.0
    path.write_text("J1.png 30 -11\n")
    with pytest.raises(BadInputError, match=r"line 1 of candidates\.txt has 3 cells"):
        NAMED_SETS["spacewarps"].read(SetFiles(path, None))


@pytest.mark.skipif(not STAMPS.is_dir(), reason="real data are not here")
def test_real_space_warps_cutouts_are_all_there():
    rows = NAMED_SETS["spacewarps"].read(SetFiles(STAMPS / "candidates.txt", None))
    assert len(rows) == 210
    assert sum(row.label == 1 for row in rows) == 48
    assert sum(row.label == 0 for row in rows) == 121
    assert all((STAMPS / "candidates" / row.files[""]).is_file() for row in rows)


def test_the_table_of_a_set_keeps_every_digit(tmp_path):
    row = SetRow("-51", 0.1 + 0.2, None, 1, 0.8, {"id": "x", "z": 1e-9}, {"g": "a.fits"})
    path = tmp_path / "set.csv"
    assert write_rows(path, [row], NAMED_SETS["castles"]) == 1
    (cells,) = csv.DictReader(path.open())
    assert float(cells["ra"]) == 0.1 + 0.2
    assert (cells["label"], cells["label_confidence"]) == ("lens", "0.8")
    assert (cells["label_policy"], cells["label_source"]) == ("positives_only", "obs:castles")
    assert (cells["file_g"], cells["list_id"], cells["dec"]) == ("a.fits", "x", "")
