"""Target lists, proposal table and finding charts, opened by other readers."""

from __future__ import annotations

import csv
import dataclasses
import gzip
import json
import re
from datetime import date
from io import BytesIO

import astropy.units as u
import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.io import fits, votable
from astropy.io.votable.ucd import check_ucd
from astropy.wcs import WCS
from pypdf import PdfReader
from regions import Regions

from lens_triage.training.followup import (
    PLAN_FORMATS,
    FollowUpSettings,
    cutouts_of,
    plan_follow_up,
    write_plan,
)
from lensing_core.crossmatch.answers import Answer, AnswerCache
from lensing_core.errors import BadInputError
from lensing_core.export.columns import ExportRow, PixelFrame
from lensing_core.export.pictures import _add_wcs
from lensing_core.followup import charts, tables
from lensing_core.followup.charts import bar_arcsec, chart_frame
from lensing_core.followup.offset_stars import OffsetStar, offset_stars
from lensing_core.followup.planning import Plan
from lensing_core.store import open_database
from lensing_core.workspace import Workspace

NIGHT = date(2026, 3, 14)


@pytest.fixture(scope="module")
def planned(filled_on_sqlite) -> tuple[Workspace, Plan]:
    """A plan of detections of the filled workspace, which is only read; six, one with an arc."""
    settings = FollowUpSettings(
        site="ctio", first_night=NIGHT.isoformat(), nights=2, stages=["detection"], most=40
    )
    plan = plan_follow_up(filled_on_sqlite, settings)
    lit = next(k for k, target in enumerate(plan.targets) if target.band is not None)
    kept = sorted({lit, *[k for k in range(6) if k != lit][:5]})
    return filled_on_sqlite, dataclasses.replace(plan, targets=tuple(plan.targets[k] for k in kept))


def test_a_plan_orders_by_priority(planned):
    _, plan = planned
    priorities = [target.priority for target in plan.targets]
    assert len(priorities) == 6
    assert priorities == sorted(priorities, reverse=True)
    for target in plan.targets:
        assert target.priority == pytest.approx(target.posterior * target.value)
        assert target.posterior_from == "score"
        assert target.hours == sum(night.hours for night in target.nights) > 2
    assert any(target.band is not None for target in plan.targets)
    assert [night.evening for night in plan.nights] == [date(2026, 3, 14), date(2026, 3, 15)]


def test_weights_change_the_order(planned, filled_on_sqlite):
    _, plan = planned
    settings = FollowUpSettings(
        site="ctio", first_night=NIGHT.isoformat(), stages=["detection"], most=6,
        **{f"weight_{n}": 0.0 for n in ("brightness", "einstein_radius", "lens_redshift", "new",
                                        "lens_test")},
    )  # fmt: skip
    alone = plan_follow_up(filled_on_sqlite, settings)
    assert [t.priority for t in alone.targets] == [t.posterior for t in alone.targets]
    assert len(alone.targets) == 6
    assert max(t.priority for t in plan.targets) < alone.targets[0].priority


def test_target_lists_are_read_by_others(planned, tmp_path):
    workspace, plan = planned
    for name in ("csv", "votable", "ds9"):
        assert write_plan(workspace, plan, name, tmp_path / PLAN_FORMATS[name].file_name) == 6
    with (tmp_path / "targets.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    document = votable.parse(str(tmp_path / "targets.vot"), verify="exception")
    table = document.get_first_table()
    assert votable.validate(str(tmp_path / "targets.vot"), output=None)
    found = table.to_table(use_names_over_ids=True)
    regions = Regions.read(str(tmp_path / "targets.reg"), format="ds9")
    for k, target in enumerate(plan.targets):
        place = SkyCoord(target.row["ra"], target.row["dec"], unit="deg")
        assert rows[k]["object_id"] == found["object_id"][k] == target.row.name
        assert float(rows[k]["priority"]) == found["priority"][k] == target.priority
        assert found["ra"].unit == u.deg
        assert regions[k].center.separation(place).arcsec < 0.01
        assert regions[k].radius >= 2 * u.arcsec
    fields = {field.name: field for field in table.fields}
    assert fields["arc_sb"].unit == u.mag / u.arcsec**2
    for field in table.fields:
        assert check_ucd(field.ucd, check_controlled_vocabulary=True), field.name
    assert {c.name for c in tables.TARGET_COLUMNS} == set(rows[0])


def test_cells_are_no_formulas_and_latex_is_escaped(planned, tmp_path):
    workspace, plan = planned
    first = plan.targets[0]
    row = ExportRow(
        {**first.row.values, "object_id": "=cmd|'/C calc'!A1 & 50% {x}"},
        first.row.catalog,
        first.row.cutout_index,
        first.row.frame,
    )
    odd = dataclasses.replace(
        plan, targets=(dataclasses.replace(first, row=row), *plan.targets[1:])
    )
    write_plan(workspace, odd, "csv", tmp_path / "odd.csv")
    write_plan(workspace, odd, "ds9", tmp_path / "odd.reg")
    write_plan(workspace, odd, "latex", tmp_path / "odd.tex")
    with (tmp_path / "odd.csv").open() as stream:
        assert next(csv.DictReader(stream))["object_id"].startswith("'=")
    assert len(Regions.read(str(tmp_path / "odd.reg"), format="ds9")) == 6
    text = (tmp_path / "odd.tex").read_text()
    assert r"\& 50\% \{x\}" in text
    body = [line for line in text.splitlines() if line.endswith(r"\\") and "Target" not in line]
    assert {len(re.split(r"(?<!\\)&", line)) for line in body} == {10}
    assert text.count(r"\begin{") == text.count(r"\end{") == 2


def keep_gaia(workspace, stars):
    """Keep an answer of Gaia, as a cross-match does."""
    ra, dec, magnitudes = zip(*stars, strict=True)
    names = [f"Gaia DR3 {k}" for k in range(len(ra))]
    answer = Answer(names, list(ra), list(dec), [None] * len(ra), {"Gmag": list(magnitudes)})
    AnswerCache(workspace.cache / "crossmatch").put(
        {"service": "xmatch", "table": "I/355/gaiadr3", "ra_deg": [ra[0]]}, answer
    )


def test_offset_stars_come_from_kept_answers(workspace):
    place = (150.0, 2.0)
    assert offset_stars(workspace, [place]) == [None]
    other = {"request": {"service": "ned"}, "answer": {}}
    folder = workspace.cache / "crossmatch"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "x-20260101T000000000000.json.gz").write_bytes(
        gzip.compress(json.dumps(other).encode())
    )
    north, east = 40 / 3600, 60 / 3600 / np.cos(np.radians(2.0))
    keep_gaia(
        workspace,
        [
            (150.0, 2.0 + 1 / 3600, 14.0),  # the target itself
            (150.0 + east, 2.0, 15.0),
            (150.0, 2.0 - north, 16.0),  # the nearest that suits
            (150.0, 2.0 + north / 2, 5.0),  # too bright
            (150.0, 2.0 + north / 2, 20.0),  # too faint
        ],
    )
    star, none = offset_stars(workspace, [place, (10.0, 2.0)])
    assert (star.name, none) == ("Gaia DR3 2", None)
    assert star.east_arcsec == pytest.approx(0, abs=0.01)
    assert star.north_arcsec == pytest.approx(40, abs=0.01)


def test_charts_say_what_is_needed(planned, tmp_path):
    workspace, plan = planned
    first = plan.targets[0].row
    with open_database(workspace).session() as session:
        source = cutouts_of(session, workspace)
    star = OffsetStar("Gaia DR3 7", first.number("ra"), first.number("dec") - 2e-4, 15.2, 0.0, 0.72)
    path = tmp_path / "charts.pdf"
    assert charts.write_charts(path, plan, [star, *[None] * 5], source) == 6
    reader = PdfReader(BytesIO(path.read_bytes()))
    assert len(reader.pages) == 6
    text = reader.pages[0].extract_text()
    assert first.name in text
    assert f"{first.number('ra'):.6f}" in text
    assert "Gaia DR3 7, G = 15.2" in text
    assert "0.7″ N" in text
    assert re.search(r"^\s*[NE]\s*$", text, re.M)
    assert "Offset star" not in reader.pages[1].extract_text()
    assert len(reader.pages[0].images) >= 1


@pytest.mark.parametrize(("north_deg", "mirrored"), [(0.0, False), (37.0, False), (200.0, True)])
def test_compass_agrees_with_the_wcs_that_exports_write(north_deg, mirrored):
    frame = PixelFrame(20.5, 30.25, north_deg, mirrored)
    row = ExportRow({"ra": 150.0, "dec": 40.0}, frame=frame)
    header = fits.Header()
    _add_wcs(header, row, 64, 0.2)
    wcs = WCS(header)
    found = chart_frame(row, 64, 0.2)
    target = SkyCoord(150.0, 40.0, unit="deg")
    for east, north in ((5.0, 0.0), (0.0, 5.0), (-3.0, 4.0)):
        x, y = wcs.world_to_pixel(target.spherical_offsets_by(east * u.arcsec, north * u.arcsec))
        assert found.place(east, north) == pytest.approx([float(x), float(y)], abs=1e-3)


def test_scale_bars_are_round():
    assert [bar_arcsec(f) for f in (8.06, 12.8, 64.0, 200.0, 0.5)] == [2, 2, 10, 50, 0.1]


def test_what_cannot_be_planned_is_said(planned, tmp_path, filled_on_sqlite):
    workspace, plan = planned
    with pytest.raises(BadInputError, match="No candidate is in stage confirmation"):
        plan_follow_up(filled_on_sqlite, FollowUpSettings(site="ctio"))
    with pytest.raises(BadInputError, match="First night"):
        FollowUpSettings(first_night="tomorrow").check()
    with pytest.raises(BadInputError, match="choose one of csv"):
        write_plan(workspace, plan, "docx", tmp_path / "x")
    empty = dataclasses.replace(plan, targets=())
    with pytest.raises(BadInputError, match="no target"):
        write_plan(workspace, empty, "csv", tmp_path / "x")
