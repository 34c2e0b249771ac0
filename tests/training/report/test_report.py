"""A report is opened by others: astropy, the VOTable parser, a BibTeX reader, our own import."""

from __future__ import annotations

import csv
import hashlib
import json
import math
import re
import shutil
import warnings
from html.parser import HTMLParser
from pathlib import Path

import bibtexparser
import numpy as np
import pytest
from astropy.io import votable
from astropy.io.votable.ucd import check_ucd
from astropy.table import Table
from PIL import Image
from reported import BLIND, GRADERS, N_GRADED, report_something

from lens_triage.training.report.facts import gather
from lens_triage.training.report.figures import DPI, roc
from lens_triage.training.report.measured import Measured
from lens_triage.training.report.writing import CHECKSUMS, ReportRequest, write_report
from lensing_core.errors import BadInputError, NotFoundError
from lensing_core.export.columns import ExportRow
from lensing_core.export.published import (
    TableTitle,
    write_cds,
    write_deluxetable,
    write_mrt,
    write_published_votable,
)
from lensing_core.ingest.columns import recognize
from lensing_core.ingest.tables import read_table
from lensing_core.store import open_database
from lensing_core.store.tables import Candidate, Catalog, Ensemble, Score, utc_now
from lensing_core.workspace import Workspace

TABLE = 60


@pytest.fixture(scope="module")
def searched(filled_on_sqlite, tmp_path_factory) -> Workspace:
    root = tmp_path_factory.mktemp("searched") / "workspace"
    shutil.copytree(filled_on_sqlite.root, root)
    report_something(Workspace(root))
    return Workspace(root)


@pytest.fixture(scope="module")
def report(searched, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("made") / "report"
    said = []
    found = write_report(
        searched,
        folder,
        ReportRequest("cosmos", authors="Leavitt H.S.", candidates=TABLE),
        progress=lambda done, total, what: said.append(what),
    )
    assert (found["figures"], found["candidates"]) == (12, TABLE)
    assert said[-1] == "Done"
    return folder


@pytest.fixture(scope="module")
def truth(searched) -> dict[str, np.ndarray]:
    """The first of the ranking, from the database."""
    with open_database(searched).session() as session:
        catalog = session.query(Catalog).filter_by(name="cosmos").one()
        rows = (
            session.query(Candidate, Score)
            .join(Score, Score.candidate_id == Candidate.id)
            .filter(Score.catalog_id == catalog.id)
            .order_by(Score.logit.desc())
            .limit(TABLE)
            .all()
        )
        return {
            "Name": np.array([c.object_id for c, _ in rows]),
            "RAdeg": np.array([c.ra_deg for c, _ in rows]),
            "DEdeg": np.array([c.dec_deg for c, _ in rows]),
            "Prob": np.array([s.probability for _, s in rows]),
            "mag": np.array([c.magnitude for c, _ in rows]),
            "label": np.array([{1: "lens", 0: "not_lens"}.get(c.label, "") for c, _ in rows]),
            "id": np.array([c.id for c, _ in rows]),
        }


def _check(table: Table, truth: dict[str, np.ndarray]) -> None:
    assert len(table) == TABLE
    assert table["Name"].tolist() == truth["Name"].tolist()
    for name, close in (("RAdeg", 5e-7), ("DEdeg", 5e-7), ("Prob", 5e-7), ("mag", 5e-4)):
        np.testing.assert_allclose(table[name], truth[name], rtol=0, atol=close * 1.001)
    assert str(table["RAdeg"].unit) == "deg"
    assert str(table["mag"].unit) == "mag"
    assert "ICRS" in table["RAdeg"].description


def test_the_mrt_and_cds_readers_open_the_tables(report, truth):
    mrt = Table.read(report / "tables/candidates.mrt", format="ascii.mrt")
    cds = Table.read(
        report / "cds/table1.dat", format="ascii.cds", readme=str(report / "cds/ReadMe")
    )
    for table in (mrt, cds):
        _check(table, truth)
        labels = np.ma.filled(np.ma.asarray(table["Label"]), "")
        assert [str(one) if one != "N/A" else "" for one in labels] == truth["label"].tolist()
    text = (report / "tables/candidates.mrt").read_text("ascii")
    assert text.startswith("Title: Search for strong lenses in cosmos\nAuthors: Leavitt H.S.\n")
    readme = (report / "cds/ReadMe").read_text("ascii").splitlines()
    assert max(map(len, readme)) <= 80
    assert readme[0] == "Search for strong lenses in cosmos"
    lines = (report / "cds/table1.dat").read_text("ascii").splitlines()
    (told,) = [line.split() for line in readme if line.startswith(" table1.dat")]
    assert (int(told[1]), int(told[2])) == (max(map(len, lines)), len(lines))


def test_the_votable_is_valid(report, truth):
    path = report / "tables/candidates.vot"
    assert votable.is_votable(path)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        table = votable.parse_single_table(path, verify="exception")
    fields = {field.name: field for field in table.fields}
    for field in fields.values():
        assert check_ucd(field.ucd, check_controlled_vocabulary=True), field.name
    assert (str(fields["ra"].unit), fields["ra"].ucd) == ("deg", "pos.eq.ra;meta.main")
    np.testing.assert_allclose(table.array["probability"], truth["Prob"], rtol=1e-15)
    assert table.array["object_id"].tolist() == truth["Name"].tolist()


def test_the_tables_come_back_by_our_own_import(report, truth):
    for name in ("candidates.mrt", "candidates.vot", "candidates.csv"):
        table = read_table(report / "tables" / name)
        roles = recognize(table, ["g", "r", "i"]).roles
        assert {"id", "ra", "dec", "magnitude", "z_phot", "label"} <= set(roles), name
        assert table.cells(roles["id"]) == truth["Name"].tolist()
        ra = [float(cell) for cell in table.cells(roles["ra"])]
        np.testing.assert_allclose(ra, truth["RAdeg"], rtol=0, atol=6e-7)
        labels = [str(cell or "") for cell in table.cells(roles["label"])]
        assert labels == truth["label"].tolist(), name


def test_aastex_has_a_cell_for_every_value(report, truth):
    text = (report / "tables/candidates.tex").read_text("utf-8")
    heads = re.search(r"\\tablehead\{(.*)\}\n", text)
    body = text.partition("\\startdata\n")[2].partition("\n\\enddata")[0].split(" \\\\\n")
    assert len(body) == TABLE
    assert {line.count(" & ") for line in body} == {heads[1].count(" & ")}
    assert body[0].split(" & ")[1] == truth["Name"][0]
    assert text.count("{") == text.count("}")
    table = Table.read(report / "tables/candidates.tex", format="ascii.aastex")
    assert table["Name"].tolist() == truth["Name"].tolist()
    np.testing.assert_allclose(table["R.A. (deg)"], truth["RAdeg"], rtol=0, atol=6e-7)


def test_every_citation_is_in_the_bibliography(report):
    parser = bibtexparser.bparser.BibTexParser(ignore_nonstandard_types=False)
    entries = bibtexparser.loads((report / "references.bib").read_text("utf-8"), parser).entries
    keys = [entry["ID"] for entry in entries]
    text = (report / "methods.tex").read_text("utf-8")
    cited = {key for group in re.findall(r"\\citep\{([^}]+)\}", text) for key in group.split(",")}
    assert cited == set(keys)
    assert len(keys) == len(set(keys))
    assert {"Aihara2022", "Platt1999", "Marshall2016", "Paszke2019", "Ke2017"} <= set(keys)
    assert "Stone2024" not in keys  # nothing of it was simulated
    of = {entry["ID"]: entry for entry in entries}
    assert of["Harris2020"]["note"] == f"Version {np.__version__}"
    assert all(entry["title"] for entry in entries)


class _Page(HTMLParser):
    """Attributes that reach outside, and tags."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.outside: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.outside += [
            value
            for name, value in attrs
            if name in ("src", "href", "srcset", "data") and not str(value).startswith("data:")
        ]


def test_the_page_needs_no_other_file(report):
    text = (report / "report.html").read_text("utf-8")
    page = _Page()
    page.feed(text)
    assert page.outside == []
    assert not page.tags & {"script", "link", "iframe"}
    assert "url(" not in text
    assert text.count("<img ") == 12
    assert "3 grades of open blind sessions are left out" in text
    assert "Scores are no confirmation" in text


def test_metrics_are_for_print_and_say_their_numbers(report):
    folder = report / "figures"
    names = {path.stem for path in folder.iterdir()}
    for name in ("roc", "reliability", "purity", "completeness", "confusion", "scores"):
        assert name in names
        with Image.open(folder / f"{name}.png") as image:
            assert image.info["dpi"] == pytest.approx((DPI, DPI), abs=0.1)
        assert (folder / f"{name}.pdf").read_bytes().startswith(b"%PDF")
        assert "<svg" in (folder / f"{name}.svg").read_text("utf-8")
    for cell in ("true-positives", "false-positives", "false-negatives", "true-negatives"):
        assert f"gallery-{cell}" in names
    with (folder / "confusion.csv").open() as stream:
        counts = {(r["label"], r["passes"]): int(r["objects"]) for r in csv.DictReader(stream)}
    assert sum(n for (label, _), n in counts.items() if label == "lens") == 30
    assert counts["non-lens", "True"] <= 1
    numbers = json.loads((report / "report.json").read_text("utf-8"))
    with (folder / "roc.csv").open() as stream:
        curve = list(csv.DictReader(stream))
    assert float(curve[0]["false_positive_rate"]) == pytest.approx(1 / 90)
    assert float(curve[-1]["recall"]) == 1
    assert numbers["ensemble"]["figures"]["tpr10"]["value"] == pytest.approx(
        max(float(r["recall"]) for r in curve if float(r["false_positive_rate"]) <= 9 / 90)
    )


def test_checksums_name_every_file(report):
    lines = (report / CHECKSUMS).read_text("ascii").splitlines()
    told = dict(reversed(line.split("  ", 1)) for line in lines)
    files = {p.relative_to(report).as_posix(): p for p in report.rglob("*") if p.is_file()}
    assert set(told) == set(files) - {CHECKSUMS}
    for name, digest in told.items():
        assert hashlib.sha256(files[name].read_bytes()).hexdigest() == digest


def test_grades_of_open_blind_sessions_are_not_told(searched, report, truth):
    numbers = json.loads((report / "report.json").read_text("utf-8"))
    assert [one["name"] for one in numbers["graders"]] == ["grader 1", "grader 2"]
    assert [one["n_votes"] for one in numbers["graders"]] == [N_GRADED, N_GRADED]
    assert sum(numbers["consensus_states"].values()) == N_GRADED
    everything = "".join(
        p.read_text("utf-8") for p in report.rglob("*") if p.suffix in (".html", ".json", ".tex")
    )
    assert not any(name in everything for name in GRADERS)
    table = Table.read(report / "tables/candidates.vot")
    blind = np.isin(truth["id"], BLIND)
    assert blind.any()
    assert np.all(table["n_grades"].mask == blind)
    assert np.all(table["consensus"].mask[blind])
    with open_database(searched).session() as session:
        named = gather(session, searched, "cosmos", names=True, made_at=utc_now())
    assert {one.name for one in named.graders} == set(GRADERS)
    assert named.agreement.value == pytest.approx(_fleiss(), abs=1e-12)


def _fleiss() -> float:
    """Fleiss' formula, by hand: two graders on 30 candidates who differ on five of them."""
    differ = sum(k % 7 == 0 for k in range(N_GRADED))
    lens = (15 + sum((k + (k % 7 == 0)) % 2 == 0 for k in range(N_GRADED))) / (2 * N_GRADED)
    chance = lens**2 + (1 - lens) ** 2
    return (1 - differ / N_GRADED - chance) / (1 - chance)


def test_what_is_missing_is_said(searched, tmp_path):
    """A catalog without scores: no chart is empty, sentences say what there is not."""
    write_report(searched, tmp_path / "r", ReportRequest("simulated", candidates=5))
    numbers = json.loads((tmp_path / "r/report.json").read_text("utf-8"))
    assert numbers["missing"] == [
        "No ensemble has scored simulated: the report has no ranking and no metrics of one.",
        "Nobody has graded candidates of simulated.",
    ]
    figures = {path.stem for path in (tmp_path / "r/figures").iterdir()}
    assert figures == {"gallery-candidates", "gallery-lenses"}
    assert "Stone2024" in (tmp_path / "r/references.bib").read_text("utf-8")


def test_nothing_half_written_stays(searched, tmp_path):
    class Full(Exception):
        pass

    def stop(done: int, total: int, what: str) -> None:
        raise Full

    with pytest.raises(Full):
        write_report(searched, tmp_path / "r", ReportRequest("cosmos"), progress=stop)
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "r").mkdir()
    (tmp_path / "r" / "mine").touch()
    with pytest.raises(BadInputError, match="not empty: give another folder"):
        write_report(searched, tmp_path / "r", ReportRequest("cosmos"))
    with pytest.raises(BadInputError, match="There is no folder"):
        write_report(searched, tmp_path / "gone" / "r", ReportRequest("cosmos"))
    with pytest.raises(NotFoundError, match="no ensemble other that has scored"):
        write_report(searched, tmp_path / "s", ReportRequest("cosmos", "other"))


def test_on_what_an_ensemble_is_measured(searched):
    """Never on objects that it was fitted on."""
    with open_database(searched).session() as session:
        ensemble = session.query(Ensemble).filter_by(name="first").one()
        facts = gather(session, searched, "cosmos", names=False, made_at=utc_now())
        assert facts.measured.on.startswith("the labeled candidates of cosmos")
        ensemble.manifest = {**ensemble.manifest, "catalogs": ["cosmos"]}
        facts = gather(session, searched, "cosmos", names=False, made_at=utc_now())
        session.rollback()
    assert facts.measured is None
    assert any("first was fitted on cosmos" in sentence for sentence in facts.missing)


def test_the_threshold_passes_at_most_one_in_a_hundred():
    rng = np.random.default_rng(1)
    label = np.r_[np.ones(50, int), np.zeros(1000, int)]
    logit = rng.normal(label * 2.0, 1)
    measured = Measured(np.arange(1050), label, logit, "objects", 0.01)
    passes = logit >= measured.threshold
    assert (passes & (label == 0)).sum() == 10
    cells = [measured.part(k) for k in ("true_positives", "false_positives")]
    assert [len(c) for c in cells] == [(passes & (label == 1)).sum(), 10]
    assert np.all(np.diff(logit[cells[1]]) <= 0)
    assert logit[measured.part("false_negatives")[0]] == logit[:50].min()


def test_the_same_search_gives_the_same_files(tmp_path):
    rng = np.random.default_rng(2)
    label = np.arange(200) % 2
    measured = Measured(np.arange(200), label, rng.normal(label), "objects", 0.01)
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        roc(measured).save(tmp_path / name)
    for path in (tmp_path / "a").iterdir():
        assert path.read_bytes() == (tmp_path / "b" / path.name).read_bytes()


def _row(**values) -> ExportRow:
    return ExportRow({"rank": 1, "object_id": "a", "ra": 1.0, "dec": -0.5, **values})


def test_hostile_names_stay_names(tmp_path):
    """LaTeX, XML and fixed columns are not what a name could be."""
    name = r"\input{x} & $1 <b> 100%_#"
    rows = [_row(object_id=name, probability=math.nan), _row(object_id="b", n_grades=0)]
    about = TableTitle("A & B")
    write_deluxetable(tmp_path / "t.tex", rows, about)
    assert (
        r"\textbackslash{}input\{x\} \& \$1 $<$b$>$ 100\%\_\#" in (tmp_path / "t.tex").read_text()
    )
    write_published_votable(tmp_path / "t.vot", rows, ["<note>"])
    assert Table.read(tmp_path / "t.vot")["object_id"][0] == name
    write_mrt(tmp_path / "t.mrt", rows, about)
    assert Table.read(tmp_path / "t.mrt", format="ascii.mrt")["Name"][0] == name
    write_cds(tmp_path / "t.dat", tmp_path / "ReadMe", rows, about)
    back = Table.read(tmp_path / "t.dat", format="ascii.cds", readme=str(tmp_path / "ReadMe"))
    assert back["Name"].tolist() == [name, "b"]
    assert back["DEdeg"].tolist() == [-0.5, -0.5]
    for write in (write_mrt, lambda p, r, a: write_cds(p, tmp_path / "R", r, a)):
        with pytest.raises(BadInputError, match="letters beyond ASCII"):
            write(tmp_path / "u", [_row(object_id="α")], about)
