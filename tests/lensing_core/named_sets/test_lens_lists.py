"""Lists of known lenses: grades become labels, all of them for positives only."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
import sqlalchemy as sa
from small_catalogs import add_objects

from lensing_core.errors import BadInputError
from lensing_core.named_sets.attaching import attach
from lensing_core.named_sets.choices import ATTACHABLE, LISTS, PRESETS
from lensing_core.named_sets.known import NAMED_SETS, named_set
from lensing_core.named_sets.lens_lists import LENS_LISTS
from lensing_core.named_sets.rows import SetFiles, SetRow
from lensing_core.store import open_database
from lensing_core.store.catalogs import find_catalog
from lensing_core.store.tables import Candidate, Observation
from lensing_core.workspace import Workspace

REAL = os.environ.get("LENS_TRIAGE_REAL_DATA")
SLED = Path(REAL or ".") / "sled_ps1" / "lensed_galaxies.csv"


def read(tmp_path, key: str, text: str, scale="galaxy"):
    path = tmp_path / f"{key}.csv"
    path.write_text(text, encoding="utf-8")
    return NAMED_SETS[key].read(SetFiles(path, None, scale))


def test_every_list_is_for_positives_only():
    assert {one.policy for one in LENS_LISTS} == {"positives_only"}
    assert tuple(one.key for one in LENS_LISTS) == LISTS
    assert sorted(NAMED_SETS) == sorted(PRESETS)
    observed = {key for key, one in NAMED_SETS.items() if one.source.startswith("obs:")}
    assert set(ATTACHABLE) == observed
    assert {one.policy for key, one in NAMED_SETS.items() if key.startswith("bologna")} == {"all"}
    assert NAMED_SETS["galaxiesml"].policy == "pretraining_only"
    with pytest.raises(BadInputError, match="choose one of galaxiesml"):
        named_set("nothing")


def test_castles_keeps_its_grades(tmp_path):
    text = (
        "Lens Name,G,zs,zl,RA (J2000),Dec (J2000),Nim\n"
        "Q0047-2808,A,3.60,0.48,00:49:41.89,-27:52:25.7,4\n"
        "HE0047-1756,B,1.66,0.41,00:50:27.83,-17:40:08.8,2\n"
        "Q1009-0252,C,2.74,,10:12:15.71,-03:07:02.0,2\nodd,,,,10:00:00,-03:00:00,2\n"
    )
    rows = read(tmp_path, "castles", text)
    assert [(row.label, row.confidence) for row in rows] == [
        (1, 1.0),
        (1, 0.8),
        (1, 0.6),
        (None, 1),
    ]
    assert [row.properties.get("grade") for row in rows] == ["A", "B", "C", None]
    assert rows[0].name == "Q0047-2808"
    assert rows[0].ra_deg == pytest.approx(12.42454, abs=1e-5)
    assert rows[0].dec_deg == pytest.approx(-27.87381, abs=1e-5)
    with pytest.raises(BadInputError, match="no column of grades"):
        read(tmp_path, "castles", "name,ra,dec\na,1,2\n")


@pytest.mark.parametrize("key", ["slacs", "bells", "sl2s"])
def test_lists_without_grades_are_lenses(tmp_path, key):
    rows = read(tmp_path, key, "Name,RA,DEC,z\nJ0029-0055,7.2500,-0.9200,0.23\n")
    assert [(row.name, row.label, row.confidence) for row in rows] == [("J0029-0055", 1, 1.0)]
    assert rows[0].properties["lens_scale"] == "galaxy"
    assert "domain_shifted" not in rows[0].properties
    assert NAMED_SETS[key].domain
    graded = read(tmp_path, key, "Name,RA,DEC,grade\na,7,1,A\nb,7,2,X\n", scale="cluster")
    assert [row.label for row in graded] == [1, None]
    assert graded[0].properties["domain_shifted"] == 1


def test_sled_takes_what_is_confirmed(tmp_path):
    text = (
        "name,ra_deg,dec_deg,flag,lens_type\na,1,2,CONFIRMED,GALAXY\nb,1,3,CANDIDATE,GALAXY\n"
        "c,1,4,CONTAMINANT,GALAXY\nd,1,5,CONFIRMED,CLUSTER\n"
    )
    rows = read(tmp_path, "sled", text)
    assert [row.label for row in rows] == [1, None, None, 1]
    assert rows[3].properties["domain_shifted"] == 1


@pytest.mark.skipif(not SLED.is_file(), reason="real data are not here")
def test_real_rows_of_sled():
    rows = NAMED_SETS["sled"].read(SetFiles(SLED, None))
    assert len(rows) == 35
    assert {row.label for row in rows} <= {1, None}
    first = rows[0]
    assert (first.name, first.ra_deg, first.dec_deg) == (
        "COSMOSJ095930.94+023427.7",
        149.8789,
        2.5744,
    )


def test_lenscat_comes_with_the_program():
    rows = NAMED_SETS["lenscat"].read(SetFiles(None, None))
    assert len(rows) == 2309
    assert {row.label for row in rows} == {1}
    shifted = [row for row in rows if row.properties.get("domain_shifted")]
    assert len(shifted) == 271  # 262 clusters, 9 groups
    for_clusters = NAMED_SETS["lenscat"].read(SetFiles(None, None, "cluster"))
    assert sum(bool(row.properties.get("domain_shifted")) for row in for_clusters) == 2038


def at(name, ra, dec, label=1, **more) -> SetRow:
    return SetRow(name, ra, dec, label, **more)


@pytest.fixture
def workspace(tmp_path):
    made = Workspace.create(tmp_path / "ws")
    places = {"a": (10.0, 20.0), "b": (0.00002, -5.0), "c": (30.0, 0.0), "d": (30.0003, 0.0),
              "e": (50.0, 60.0), "f": (70.0, 1.0), "g": None}  # fmt: skip
    add_objects(made, "deep", places)
    return made


def labels(workspace) -> dict:
    with open_database(workspace).session() as session:
        rows = session.execute(
            sa.select(
                Candidate.object_id, Candidate.label, Candidate.label_source,
                Candidate.label_confidence, Candidate.label_policy,
            ).where(Candidate.label.is_not(None))
        )  # fmt: skip
        return {name: tuple(rest) for name, *rest in rows}


def run(workspace, rows, key="castles", radius=2.0):
    with open_database(workspace).session() as session:
        catalog = find_catalog(session, "deep")
        return attach(session, catalog.id, rows, NAMED_SETS[key], radius_arcsec=radius)


def test_a_list_labels_a_catalog_by_position(workspace):
    rows = [
        at("one", 10.0, 20.0 + 1 / 3600, confidence=0.8, properties={"grade": "B"}),
        at("wrap", 359.99998, -5.0),
        at("pair", 30.00015, 0.0),
        at("far", 200.0, 0.0),
        at("ungraded", 50.0, 60.0, None),
        at("nowhere", None, None),
    ]
    report = run(workspace, rows)
    assert (report.objects, report.attached, report.out_of_reach, report.unlabeled) == (4, 2, 1, 2)
    assert report.ambiguous == ["pair: 2 candidates in reach, c, d"]
    assert labels(workspace) == {
        "a": (1, "obs:castles", 0.8, "positives_only"),
        "b": (1, "obs:castles", 1.0, "positives_only"),
    }
    with open_database(workspace).session() as session:
        kept = session.scalar(
            sa.select(Observation.properties).join(Candidate).where(Candidate.object_id == "a")
        )
        assert kept["known_object"]["grade"] == "B"
        assert kept["known_object"]["name"] == "one"
    again = run(workspace, rows)
    assert (again.attached, again.known) == (0, 2)


def test_labels_that_are_there_stay(workspace):
    run(workspace, [at("x", 70.0, 1.0, 0, properties={"reject_reason": "ring"})], "galaxyzoo")
    report = run(workspace, [at("lens", 70.0, 1.0)])
    assert (report.attached, report.contradicted) == (0, 1)
    assert labels(workspace) == {"f": (0, "obs:galaxyzoo", 1.0, "all")}
    both = run(workspace, [at("yes", 10, 20), at("no", 10, 20.0001, 0)])
    assert both.ambiguous == ["a: lies in reach of yes, no"]
    assert both.attached == 0


def test_reject_reasons_of_sets_are_hard_negatives(workspace):
    from lensing_core.datasets.labels import read_labels
    from lensing_core.datasets.table import REASONS
    from lensing_core.datasets.uses import USES

    run(workspace, [at("x", 70.0, 1.0, 0, properties={"reject_reason": "ring"}),
                    at("y", 10.0, 20.0, 0)], "galaxyzoo")  # fmt: skip
    with open_database(workspace).session() as session:
        found = read_labels(session, [find_catalog(session, "deep")], USES["retrain"])
    said = dict(zip(np.flatnonzero(found.state == 0).tolist(),
                    found.reason[found.state == 0].tolist(), strict=True))  # fmt: skip
    assert said == {0: -1, 5: REASONS.index("ring")}
