"""Any positions in any dialect, unit and frame come out in ICRS; what we export comes back."""

from __future__ import annotations

import math
from pathlib import Path
from tempfile import TemporaryDirectory

import astropy.units as u
import numpy as np
import pytest
from astropy.coordinates import (
    FK4,
    FK5,
    ICRS,
    Angle,
    BarycentricMeanEcliptic,
    Galactic,
    SkyCoord,
    Supergalactic,
)
from astropy.io import fits
from astropy.table import Table
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st
from table_rows import rows_of

from lensing_core.errors import BadInputError
from lensing_core.export import ExportRow, export_to
from lensing_core.ingest.labels import UnknownLabel, label_of
from lensing_core.ingest.text_files import decoded

FEW = settings(
    max_examples=30, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck)
)
MANY = settings(FEW, max_examples=60)
FRAMES = {
    "ICRS": (ICRS(), ("ra", "dec")),
    "FK5": (FK5(equinox="J1975"), ("ra", "dec")),
    "FK4": (FK4(equinox="B1950"), ("ra", "dec")),
    "FK4 by name": (FK4(equinox="B1950"), ("RAB1950", "DEB1950")),
    "galactic": (Galactic(), ("glon", "glat")),
    "ecliptic": (BarycentricMeanEcliptic(equinox="J2000"), ("elon", "elat")),
    "supergalactic": (Supergalactic(), ("sgl", "sgb")),
}
SYSTEMS = {"FK5": ("FK5", "J1975.0"), "FK4": ("FK4", "B1950.0"), "ICRS": ("ICRS", "")}
UNITS = ("deg", "rad", "arcmin", "arcsec", "hourangle", "sexagesimal")
DIALECTS = ("csv", "semicolons", "tab", "units row", "ecsv", "fits", "votable", "parquet", "ipac")
places = st.lists(st.tuples(st.floats(0.0, 359.99), st.floats(-89.0, 89.0)), min_size=1, max_size=4)


def spelled(lon, lat, unit, names, *, digits=12):
    """Cells of both axes and their units."""
    if unit == "sexagesimal":
        hours = names[0].lower().startswith("ra")
        style = {"sep": ":", "precision": 7, "pad": True}
        first = Angle(lon).to_string(unit=u.hourangle if hours else u.deg, **style)
        second = Angle(lat).to_string(unit=u.deg, alwayssign=True, **style)
        return [list(first), list(second)], ("h:m:s" if hours else "d:m:s", "d:m:s")
    of_lat = "deg" if unit == "hourangle" else unit
    return [lon.to_value(unit), lat.to_value(of_lat)], (unit, of_lat)


def write(folder: Path, dialect, cells, units, names, frame) -> Path:
    """A table of one of the dialects that states its units and its frame."""
    system, equinox = SYSTEMS.get(frame, ("", ""))
    ids = [f"o{k}" for k in range(len(cells[0]))]
    texts = [[c if isinstance(c, str) else f"{c:.15g}" for c in column] for column in cells]
    keywords = {"RADESYS": system, "EQUINOX": equinox}
    keywords = {key: value for key, value in keywords.items() if value}
    if dialect in ("csv", "semicolons", "tab", "units row"):
        separator = {"csv": ",", "semicolons": ";"}.get(dialect, "\t")
        head = [f"# {key} = {value}" for key, value in keywords.items()]
        if dialect == "units row":
            head += [separator.join(["id", *names]), separator.join(["", *units])]
        else:
            head += [
                separator.join(["id", *(f"{n} [{x}]" for n, x in zip(names, units, strict=True))])
            ]
        body = [separator.join(row) for row in zip(ids, *texts, strict=True)]
        if dialect == "semicolons":
            body = [line.replace(".", ",") for line in body]
        path = folder / ("t.tsv" if separator == "\t" else "t.csv")
        path.write_text("\n".join([*head, *body]) + "\n")
        return path
    table = Table({"id": ids, names[0]: cells[0], names[1]: cells[1]})
    for name, unit in zip(names, units, strict=True):
        if ":" not in unit:
            table[name].unit = unit
    if dialect == "votable":
        kind = (
            'datatype="char" arraysize="*"' if isinstance(cells[0][0], str) else 'datatype="double"'
        )
        fields = "".join(
            f'<FIELD name="{name}" {kind} unit="{unit}" ref="sys"/>'
            for name, unit in zip(names, units, strict=True)
        )
        told = f'equinox="{equinox}"' if equinox else ""
        coosys = f'<COOSYS ID="sys" system="eq_{system}" {told}/>' if system else ""
        fields = fields if system else fields.replace(' ref="sys"', "")
        rows = "".join(
            "<TR>" + "".join(f"<TD>{cell}</TD>" for cell in row) + "</TR>"
            for row in zip(ids, *([repr(float(c)) if not isinstance(c, str) else c for c in column]
                                  for column in cells), strict=True)
        )  # fmt: skip
        path = folder / "t.vot"
        path.write_text(
            '<?xml version="1.0"?><VOTABLE version="1.4" '
            f'xmlns="http://www.ivoa.net/xml/VOTable/v1.3"><RESOURCE>{coosys}<TABLE>'
            f'<FIELD name="id" datatype="char" arraysize="*"/>{fields}<DATA><TABLEDATA>{rows}'
            "</TABLEDATA></DATA></TABLE></RESOURCE></VOTABLE>"
        )
        return path
    if dialect == "fits":
        hdu = fits.BinTableHDU(table)
        hdu.header.update(keywords)
        if equinox:
            hdu.header["EQUINOX"] = float(equinox[1:])
        hdu.writeto(folder / "t.fits")
        return folder / "t.fits"
    if dialect == "ipac":
        table.meta["keywords"] = {key: {"value": value} for key, value in keywords.items()}
        table.write(folder / "t.tbl", format="ascii.ipac")
        return folder / "t.tbl"
    table.meta.update(keywords)
    table.write(folder / f"t.{dialect}")
    return folder / f"t.{dialect}"


@FEW
@given(places, st.sampled_from(DIALECTS), st.sampled_from(UNITS), st.sampled_from(sorted(FRAMES)))
@example([(10.5, 2.0)], "votable", "arcmin", "FK4")
@example([(10.5, 2.0)], "semicolons", "deg", "galactic")
@example([(0.001, -0.0003)], "csv", "sexagesimal", "FK5")
@example([(350.0, -0.5)], "fits", "rad", "FK4")
def test_positions_in_any_dialect_unit_and_frame(places, dialect, unit, frame):
    wanted = SkyCoord(places, unit="deg")
    made, names = FRAMES[frame]
    there = wanted.transform_to(made)
    lon, lat = there.spherical.lon, there.spherical.lat
    # A unit that a format cannot state is not asked of it.
    assume(
        unit != "hourangle"
        or (names[0].lower().startswith("ra") and dialect not in ("fits", "ipac"))
    )
    assume(unit != "sexagesimal" or dialect in ("csv", "tab", "units row", "votable", "ecsv"))
    cells, units = spelled(lon, lat, unit, names)
    with TemporaryDirectory() as folder:
        path = write(Path(folder), dialect, cells, units, names, frame)
        read = rows_of(path)
        assert not read.rejected, read.rejected[0].message
        found = SkyCoord(read.positions, unit="deg")
        assert read.ids == [f"o{k}" for k in range(len(places))]
    assert found.separation(wanted).arcsec.max() < 1e-3
    assert ("brought to ICRS" in read.told) == (frame != "ICRS")


@FEW
@given(
    st.lists(st.one_of(st.floats(0, 359.9), st.integers(0, 86399)), min_size=2, max_size=12),
    st.randoms(use_true_random=False),
)
def test_mixed_notations_are_read_right_or_refused(cells, chance):
    """Floats stand for degrees, whole numbers for seconds of time written h:m:s."""
    texts = [
        f"{c:.9f}" if isinstance(c, float) else f"{c // 3600}:{c // 60 % 60:02d}:{c % 60:02d}"
        for c in cells
    ]
    wanted = [c if isinstance(c, float) else c / 240 for c in cells]
    with TemporaryDirectory() as folder:
        path = Path(folder) / "t.csv"
        path.write_text("id,ra,dec\n" + "".join(f"o{k},{t},0\n" for k, t in enumerate(texts)))
        numbers = [c for c in cells if isinstance(c, float)]
        try:
            read = rows_of(path)
        except BadInputError:
            assert 0 < len(numbers) < len(cells)
            assert max(numbers) <= 24
            return
    assert np.allclose([ra for ra, _ in read.positions], wanted, atol=1e-8)


@pytest.mark.parametrize("words", ["GAPPT", "eq_app", "UNKNOWN", "horizontal", "FK6"])
def test_frames_that_are_not_known_are_refused(tmp_path, words):
    path = tmp_path / "t.csv"
    path.write_text(f"# frame: {words}\nid,ra,dec\na,1,2\n")
    with pytest.raises(BadInputError, match="which is not known; say which it is"):
        rows_of(path)
    assert rows_of(path, frame="icrs").positions == [(1.0, 2.0)]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("# frame: FK4\nid,RAJ2000,DEJ2000\na,1,2\n", "states FK4 .* named as of FK5"),
        ("# frame: galactic\nid,ra,dec\na,1,2\n", "named as of right ascensions"),
        ("id,ra,dec,equinox\na,1,2,B1950\nb,1,2,J2000\n", "states several frames"),
    ],
)
def test_frames_that_contradict_are_refused(tmp_path, text, message):
    (tmp_path / "t.csv").write_text(text)
    with pytest.raises(BadInputError, match=message):
        rows_of(tmp_path / "t.csv")


def test_a_column_may_state_the_equinox(tmp_path):
    (tmp_path / "t.csv").write_text("id,ra,dec,equinox\na,10,20,1950\nb,11,21,1950\n")
    wanted = SkyCoord([10, 11], [20, 21], unit="deg", frame="fk4").icrs
    read = rows_of(tmp_path / "t.csv")
    assert np.allclose(read.positions, np.c_[wanted.ra.deg, wanted.dec.deg], atol=1e-10)


# What we write we read

number = st.one_of(st.none(), st.floats(0.001, 19.9).map(lambda x: float(f"{x:.12g}")))
name = st.text(
    st.characters(codec="utf-8", categories=("L", "N", "P", "S", "Zs")), min_size=1, max_size=24
).filter(lambda text: text == text.strip() and not text.startswith("'"))
row = st.fixed_dictionaries({
    "object_id": name,
    "label": st.sampled_from(["", "lens", "not_lens"]),
    "place": st.one_of(st.none(), st.tuples(st.floats(0, 359.999), st.floats(-90, 90))),
    "magnitude": number, "z_spec": number, "z_phot": number, "z_err": number,
})  # fmt: skip


@settings(MANY, max_examples=12)
@given(st.lists(row, min_size=1, max_size=5, unique_by=lambda r: r["object_id"]))
@pytest.mark.parametrize("kind", ["csv", "ecsv", "fits", "votable"])
def test_an_export_comes_back_as_it_was(kind, rows):
    if kind == "fits":  # whose text is ASCII
        assume(all(r["object_id"].isascii() for r in rows))
    made = []
    for rank, values in enumerate(rows, start=1):
        ra, dec = values["place"] or (None, None)
        both = {**values, "rank": rank, "candidate": rank, "catalog": "c", "ra": ra, "dec": dec}
        made.append(ExportRow({**both, "n_grades": 0, "n_lens": 0}, "c", rank))
    with TemporaryDirectory() as folder:
        path = Path(folder) / {"votable": "t.vot"}.get(kind, f"t.{kind}")
        export_to(path, kind, lambda: iter(made), ["a note"])
        read = rows_of(path)
        assert not read.rejected, read.rejected[0].message
        names = ("object_id", "ra_deg", "dec_deg", "magnitude", "z_spec", "z_phot", "z_err")
        back = read.values(*names)
    labels = {"": None, "lens": 1, "not_lens": 0}
    assert read.labels == [labels[values["label"]] for values in rows]
    for values, found in zip(rows, back, strict=True):
        ra, dec = values["place"] or (None, None)
        wanted = (ra, dec, *(values[key] for key in names[3:]))
        assert found[0] == values["object_id"]
        assert found[1:] == tuple(
            None if x is None else pytest.approx(x, rel=1e-14, abs=1e-300) for x in wanted
        )
    assert read.unclear_cells == {}


# Labels and text


@MANY
@given(
    st.sampled_from(
        [
            *(("lens", 1), ("not lens", 0), ("non lens", 0), ("no lens", 0), ("unlabeled", None)),
            *(("false positive", 0), ("contaminant", 0), ("not a lens", 0)),
        ]
    ),
    st.sampled_from(["", " ", "_", "-"]),
    st.sampled_from([str.lower, str.upper, str.title]),
)  # fmt: skip
def test_words_of_labels_in_any_spelling(word, joint, case):
    assert label_of(case(word[0].replace(" ", joint))) == word[1]


@MANY
@given(st.floats(allow_infinity=False), st.sampled_from(["{!r}", "{:.3f}", "{:+g}", "{:e}"]))
@example(-1.0, "{!r}")
@example(-1.0, "{:.3f}")
def test_a_number_is_one_label_however_it_is_spelled(number, spelling):
    text = spelling.format(number)
    try:
        found = label_of(text)
    except UnknownLabel:
        assert math.isfinite(float(text))
        assert float(text) not in (0, 1, -1)
    else:
        assert found == {0.0: 0, 1.0: 1}.get(float(text))


@MANY
@given(
    st.text(st.characters(codec="latin-1", min_codepoint=0x20, max_codepoint=0xFF), min_size=8),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-32", "latin-1"]),
)
def test_text_in_any_encoding(text, encoding):
    text = f"id,name\n{text.replace(chr(127), '').strip()}\n"
    assume(encoding != "latin-1" or not any(0x7F <= ord(c) <= 0x9F for c in text))
    content = text.encode(encoding)
    if encoding == "latin-1" and not text.isascii():
        try:  # by chance UTF-8 as well, which nobody can tell
            content.decode("utf-8")
        except UnicodeDecodeError:
            assert "Latin-1" in decoded(content, "t.csv")[1][0]
        else:
            return
    assert decoded(content, "t.csv")[0] == text
