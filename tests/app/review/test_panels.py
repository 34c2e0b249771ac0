"""What the filter panel, the charts and the SAMP menu ask of the server."""

from __future__ import annotations

import base64
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from astropy.io.votable import parse_single_table
from filling import N_OBSERVED
from finding_data import RINGS, fill_for_finding
from review_questions import Asked

from lens_triage.app.context import AppContext
from lens_triage.app.review import charts as review_charts
from lens_triage.app.review.charts import ReviewCharts
from lens_triage.app.review.samp import (
    ReviewSamp,
    pointed_to_json,
)
from lens_triage.app.review.service import ReviewService
from lensing_core.errors import BadInputError
from lensing_core.export.samp import Pointed
from lensing_core.store import open_database
from lensing_core.store.query_json import query_to_json
from lensing_core.store.ranking import Range, RankingQuery
from lensing_core.store.tables import Candidate, Score
from lensing_core.workspace import Workspace

QUERY = query_to_json(RankingQuery(1))


@pytest.fixture(scope="module")
def context(tmp_path_factory) -> AppContext:
    workspace = Workspace.create(tmp_path_factory.mktemp("panels") / "workspace")
    open_database(workspace)
    return AppContext.of(fill_for_finding(workspace))


@pytest.fixture
def ask(context):
    """Function that asks the service, as the page of grader 1 does."""
    charts, samp = ReviewCharts(context, 1), ReviewSamp(context, 1)
    service = Asked(context, ReviewService(1, {**charts.answers(), **samp.answers()}))

    def answer(type_: str, **message):
        return service.answer({"type": type_, "query": QUERY, "request": 1, **message})

    return answer


def unpack(text: str, dtype: str) -> np.ndarray:
    return np.frombuffer(base64.b64decode(text), dtype=dtype)


def test_facets_and_filters_kept_by_name(ask):
    facets = ask("facets")
    assert facets["grades"] == ["A", "B", "C", "X"]
    assert facets["tags"] == ["ring"]
    assert facets["known"]["arc_snr"]
    assert not facets["known"]["theta_e"]
    assert facets["matched"]
    assert ask("cone", text="10:00:00 +02:00:00 30arcsec")["cone"] == (
        "150.000000 +2.000000 30arcsec"
    )
    rings = query_to_json(RankingQuery(1, tags=("ring",), votes="mine", grader_id=1))
    kept = ask("save_filter", name="My rings", shared=False, query=rings)["saved"]
    assert [(k["name"], k["shared"], k["query"]["tags"]) for k in kept] == [
        ("My rings", False, ["ring"])
    ]
    assert ask("delete_filter", id=kept[0]["id"])["saved"] == []


def test_the_histogram_counts_every_candidate(ask):
    found = ask("histogram")
    assert found["n"] == sum(found["counts"]) == N_OBSERVED
    assert sorted(found["probabilities"]) == found["probabilities"]
    few = query_to_json(RankingQuery(1, ranges=(Range("epistemic", 0.01, None),)))
    assert 0 < ask("histogram", query=few)["n"] < N_OBSERVED
    assert ask("histogram", query=query_to_json(RankingQuery(1, tags=("none",))))["n"] == 0


@pytest.mark.parametrize("kind", ["uncertainty", "embedding", "sky"])
def test_points_one_by_one_or_counted(ask, monkeypatch, kind):
    shape = {"width": 60, "height": 40}
    single = ask("chart", kind=kind, **shape)
    assert single["n"] == N_OBSERVED
    x = unpack(single["points"]["x"], "<f4")
    assert len(x) == N_OBSERVED
    left, right, bottom, top = single["whole"]
    assert left < x.min() < x.max() < right
    if kind != "uncertainty":
        assert (right - left) / (top - bottom) == pytest.approx(1.5)
    monkeypatch.setattr(review_charts, "_MOST_POINTS", 20)
    counted = ask("chart", kind=kind, **shape)["grid"]
    counts = unpack(counted["counts"], "<u2").reshape(counted["shape"])
    assert counts.shape == (40, 60)
    assert counts.sum() == N_OBSERVED
    assert counts.max() == counted["most"]
    middle = float(np.median(x))
    part = ask("chart", kind=kind, view=[left, middle, bottom, top], **shape)
    assert unpack(part["grid"]["counts"], "<u2").sum() == pytest.approx(N_OBSERVED / 2, abs=2)


def test_what_lies_under_the_pointer_and_inside_a_lasso(ask, context):
    with open_database(context.workspace).session() as session:
        best = session.query(Score).order_by(Score.logit.desc()).first()
    place = ask("chart_place", kind="uncertainty", id=best.candidate_id)["place"]
    assert place == pytest.approx([best.logit, best.epistemic])
    near = ask("chart_near", kind="uncertainty", x=best.logit, y=best.epistemic, dx=0.1, dy=0.01)
    assert near["candidate"]["id"] == best.candidate_id
    nothing = ask("chart_near", kind="uncertainty", x=99, y=99, dx=0.1, dy=0.1)
    assert nothing["candidate"] is None
    box = [[best.logit - 1e-6, -1], [99, -1], [99, 9], [best.logit - 1e-6, 9]]
    selection = ask("chart_select", kind="uncertainty", corners=box)["selection"]
    assert selection["n"] == 1
    limited = {**QUERY, "selection": selection["id"]}
    assert [row["id"] for row in ask("page", query=limited)["rows"]] == [best.candidate_id]
    with pytest.raises(BadInputError, match="No candidate lies inside"):
        ask("chart_select", kind="sky", corners=[[50, 50], [51, 50], [51, 51]])
    with pytest.raises(BadInputError, match="Draw a line"):
        ask("chart_select", kind="sky", corners=[[0, 0], [1, 1]])
    assert ask("chart_place", kind="sky", id=10**6)["place"] is None


class FakeLink:
    """Stands in for the hub; the real one is tested where it lives."""

    connected = True

    def __init__(self) -> None:
        self.sent: list[tuple] = []

    def others(self) -> list[str]:
        return ["topcat"]

    def send_table(self, path: Path, name: str, ids: list[int]) -> int:
        self.sent.append((path, ids))
        return 1

    def send_image(self, path: Path, name: str) -> int:
        self.sent.append((path, name))
        return 2

    def send_position(self, ra: float, dec: float) -> int:
        self.sent.append((ra, dec))
        return 1


def test_samp_sends_what_is_on_the_page(context):
    samp = ReviewSamp(context, 1)
    link = samp._link = FakeLink()  # type: ignore[assignment]
    service = Asked(context, ReviewService(1, samp.answers()))
    rings = query_to_json(RankingQuery(1, tags=("ring",)))
    answer = service.answer({"type": "samp_table", "query": rings})
    assert answer["sent"] == f"{len(RINGS)} rows sent to 1 program."
    path, ids = link.sent[-1]
    table = parse_single_table(path).to_table()
    assert table["candidate"].tolist() == ids
    answer = service.answer({"type": "samp_image", "query": QUERY, "id": 3})
    assert answer["sent"] == "cosmos-00002 sent to 2 programs."
    with fits.open(link.sent[-1][0]) as hdus:
        assert [hdu.name for hdu in hdus[1:]] == ["G", "R", "I"]
    service.answer({"type": "samp_position", "query": QUERY, "id": 3})
    with open_database(context.workspace).session() as session:
        third = session.get_one(Candidate, 3)
        ra, dec = third.ra_deg, third.dec_deg
    assert link.sent[-1] == (ra, dec)

    there = Pointed(position_deg=(ra, dec + 2 / 3600))
    assert pointed_to_json(context, there) == {"type": "samp", "open": 3}
    away = pointed_to_json(context, Pointed(position_deg=(10.0, 10.0)))
    assert "no candidate lies within 5″" in away["notice"]
    assert pointed_to_json(context, Pointed((7,))) == {"type": "samp", "open": 7}
    assert pointed_to_json(context, Pointed((7, 8)))["selection"]["n"] == 2
    assert pointed_to_json(context, Pointed()) is None


def test_samp_is_off_until_it_is_asked_for(ask, monkeypatch):
    monkeypatch.setenv("SAMP_HUB", "std-lockurl:file:///nonexistent/samp")
    assert not ask("samp_state")["connected"]
    answer = ask("samp_connect")
    assert not answer["connected"]
    assert answer["sent"].startswith("No SAMP hub runs")
    with pytest.raises(BadInputError, match="not connected"):
        ask("samp_position", id=3)
