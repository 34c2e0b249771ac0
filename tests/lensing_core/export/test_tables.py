"""Exported tables read back by the programs that read them."""

from __future__ import annotations

import csv
import math

import astropy.units as u
import fitsio
import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.io.votable import parse, validate
from astropy.table import Table
from hypothesis import given
from hypothesis import strategies as st
from mocpy import MOC

from lensing_core.errors import BadInputError
from lensing_core.export import COLUMNS, ExportRow, export_to, plain_cell
from lensing_core.export.text import sexagesimal
from lensing_core.export.watch import watch_radius_arcsec

EVIL = '=HYPERLINK("http://x","y")'


def row(rank: int, **changes) -> ExportRow:
    values = {
        "rank": rank,
        "candidate": 100 + rank,
        "catalog": "cosmos",
        "object_id": f"J{rank}",
        "ra": 150.0 + rank,
        "dec": -2.5,
        "probability": 0.25,
        "magnitude": None,
        "z_phot": 0.5,
        "label": "",
        "tags": "ring,quad",
        "n_grades": 2,
        "n_lens": 1,
        "stage": "detection",
    }
    return ExportRow({**values, **changes}, "cosmos", rank)


ROWS = [
    row(1),
    row(2, object_id=EVIL, ra=None, dec=None, probability=None),
    row(3, object_id='a {b} & "c" <d>_e\nf', tags="", magnitude=21.25),
    row(4, object_id="ΔΕΛ-4", dec=-0.0001),
]
NOTES = ["Candidates of lens-triage, scores of ensemble first.", "Scores are no confirmation."]


PLACED = ("ds9", "watchlist", "moc")  # candidates with a position alone


def export(tmp_path, name, rows=ROWS):
    path = tmp_path / f"out.{name}"
    assert export_to(path, name, lambda: iter(rows), NOTES) == (3 if name in PLACED else 4)
    assert [p.name for p in tmp_path.iterdir()] == [path.name]
    return path


def check_numbers(table):
    assert list(table.colnames) == [c.name for c in COLUMNS]
    np.testing.assert_array_equal(table["rank"], [1, 2, 3, 4])
    np.testing.assert_array_equal(table["candidate"], [101, 102, 103, 104])
    ra = np.ma.filled(np.ma.asarray(table["ra"], dtype=float), np.nan)
    np.testing.assert_array_equal(ra, [151, np.nan, 153, 154])
    dec = np.ma.filled(np.ma.asarray(table["dec"], dtype=float), np.nan)
    assert dec[3] == -0.0001
    assert str(table["ra"].unit) == "deg"
    assert str(table["magnitude"].unit) == "mag"
    assert str(table["theta_e_proxy"].unit) == "arcsec"


def test_csv_has_no_formula(tmp_path):
    with export(tmp_path, "csv").open(newline="", encoding="utf-8") as stream:
        lines = list(csv.DictReader(stream))
    assert list(lines[0]) == [c.name for c in COLUMNS]
    assert lines[1]["object_id"] == "'" + EVIL
    assert lines[1]["ra"] == ""
    assert float(lines[0]["dec"]) == -2.5  # a number keeps its sign
    assert lines[2]["object_id"] == 'a {b} & "c" <d>_e f'
    assert lines[3]["object_id"] == "ΔΕΛ-4"


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        *(("=1", "'=1"), ("+1", "+1"), ("-1", "-1"), ("+x", "'+x"), ("@x", "'@x"), (" =1", "' =1")),
        *(("\t=1", "' =1"), ("\r=1", "' =1"), ("a=1", "a=1"), ("J1+2", "J1+2"), ("", "")),
    ],
)
def test_cells(text, safe):
    assert plain_cell(text) == safe


def test_ecsv(tmp_path):
    table = Table.read(export(tmp_path, "ecsv"), format="ascii.ecsv")
    check_numbers(table)
    assert table["object_id"][1] == EVIL
    assert table["ra"].info.meta["ucd"] == "pos.eq.ra;meta.main"
    assert "not a confirmation" in table["probability"].description
    assert table.meta["comments"] == NOTES


def test_fits(tmp_path):
    path = export(tmp_path, "fits", [*ROWS[:3], row(4, object_id="DEL-4", dec=-0.0001)])
    table = Table.read(path)
    check_numbers(table)
    names = [str(name).strip() for name in table["object_id"]]
    assert names[1] == EVIL
    assert names[3] == "DEL-4"
    assert math.isnan(np.ma.filled(table["probability"], np.nan)[1])
    header = fitsio.read_header(path, ext=1)
    assert header["TUCD5"] == "pos.eq.ra;meta.main"


def test_names_that_fits_cannot_hold_are_refused_and_nothing_is_written(tmp_path):
    with pytest.raises(BadInputError, match="object_id 'ΔΕΛ-4' has letters"):
        export(tmp_path, "fits")
    assert list(tmp_path.iterdir()) == []


def test_votable(tmp_path):
    path = export(tmp_path, "votable")
    found = parse(path, verify="exception").get_first_table()
    table = found.to_table(use_names_over_ids=True)
    check_numbers(table)
    assert table["object_id"][3] == "ΔΕΛ-4"
    assert found.get_field_by_id_or_name("dec").ucd == "pos.eq.dec;meta.main"
    assert validate(str(path), output=None, xmllint=False)


def test_ds9_regions(tmp_path):
    lines = export(tmp_path, "ds9").read_text().splitlines()
    circles = [line for line in lines if line.startswith("circle")]
    assert circles[0] == 'circle(151.0000000,-2.5000000,2.0") # text={J1 P=0.250}'
    assert circles[1].endswith('# text={a (b) & "c" <d>_e f P=0.250}')
    assert "icrs" in lines


@pytest.mark.parametrize(
    ("ra", "dec", "text"),
    [
        *((359.99999999, 1e-8, "00:00:00.00 +00:00:00.0"), (0, -1e-8, "00:00:00.00 +00:00:00.0")),
        *((14.9999999, 9.99999, "01:00:00.00 +10:00:00.0"), (15, -0.5, "01:00:00.00 -00:30:00.0")),
        *((0.2499999, 89.99999, "00:01:00.00 +90:00:00.0"), (-15, 0, "23:00:00.00 +00:00:00.0")),
        (187.2779, 2.0524, "12:29:06.70 +02:03:08.6"),
    ],
)
def test_seconds_carry(ra, dec, text):
    assert " ".join(sexagesimal(ra, dec)) == text


@given(st.floats(0, 360), st.floats(-90, 90))
def test_sexagesimal_comes_back(ra, dec):
    hours, degrees = sexagesimal(ra, dec)
    assert "60" not in (hours.split(":")[1], hours.split(":")[2][:2], degrees.split(":")[2][:2])
    sky = SkyCoord(hours, degrees, unit=("hourangle", "deg"))
    assert abs((sky.ra.deg - ra + 180) % 360 - 180) <= 0.0051 * 15 / 3600
    assert abs(sky.dec.deg - dec) <= 0.051 / 3600


def test_latex(tmp_path):
    text = export(tmp_path, "latex").read_text()
    assert r"a \{b\} \& " in text
    assert r"\_e f" in text
    assert "10:04:00.00 & $-$02:30:00.0 & 0.250" in text
    assert text.count(r"\\") == 6
    assert text.count(" & -- & -- & -- & -- & ") == 1  # no position, score or magnitude


def test_nothing_and_the_unknown_are_refused(tmp_path):
    with pytest.raises(BadInputError, match="no candidate"):
        export_to(tmp_path / "x", "csv", lambda: iter([]), NOTES)
    with pytest.raises(BadInputError, match="choose one of csv"):
        export_to(tmp_path / "x", "docx", lambda: iter(ROWS), NOTES)
    with pytest.raises(BadInputError, match="cannot be written"):
        export_to(tmp_path / "no" / "x", "csv", lambda: iter(ROWS), NOTES)
    with pytest.raises(BadInputError, match="needs the cutouts"):
        export_to(tmp_path / "x", "pdf", lambda: iter(ROWS), NOTES)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("known", "radius"),
    [
        ({}, 5.0),
        ({"theta_e_proxy": 1.0}, 3.0),
        ({"theta_e_proxy": 1.0, "arc_radius": 2.5, "lens_test_theta_e": 1.2}, 5.0),
        ({"arc_radius": 90.0}, 120.0),
        ({"arc_radius": math.nan, "theta_e_proxy": 4.0}, 8.0),
    ],
)
def test_alerts_belong_to_a_candidate_within_twice_its_size(known, radius):
    assert watch_radius_arcsec(row(1, **known)) == radius


def test_a_watch_list_says_who_gave_the_probability(tmp_path):
    given = {"ensemble": "first", "version": "0123456789ab", "arc_radius": 2.0}
    path = export(tmp_path, "watchlist", [row(1, **given), *ROWS[1:]])
    assert validate(str(path), output=None)
    table = parse(path).get_first_table().to_table()
    assert list(table["object_id"]) == ["J1", 'a {b} & "c" <d>_e f', "ΔΕΛ-4"]
    assert (table["ensemble"][0], table["version"][0]) == ("first", "0123456789ab")
    assert list(table["radius"]) == [4.0, 5.0, 5.0]
    assert str(table["radius"].unit) == "arcsec"


def test_the_moc_covers_the_circles_and_little_else(tmp_path):
    moc = MOC.from_fits(export(tmp_path, "moc"))
    near = SkyCoord([150.0 + 1, 153.0], [-2.5, -2.5], unit="deg")
    for turn in range(0, 360, 45):
        inside, outside = (
            near.directional_offset_by(turn * u.deg, r * u.arcsec) for r in (4.9, 6.5)
        )
        assert moc.contains_skycoords(inside).all()
        assert not moc.contains_skycoords(outside).any()
    circles = 3 * math.pi * 5.0**2 / 3600**2 / 41252.96
    assert circles < moc.sky_fraction < 1.5 * circles
