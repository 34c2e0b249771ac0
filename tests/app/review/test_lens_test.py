"""The endpoint of lens tests, alone."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from io import BytesIO
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import numpy as np
import pytest
from endpoints import serve_routes
from filling import fill_workspace
from PIL import Image

from lens_triage.app.context import AppContext
from lens_triage.app.review.lens_test import routes
from lensing_core.lens_test import candidates
from lensing_core.workspace import Workspace


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """URL of a server with the endpoint alone, of somebody who works alone."""
    workspace = Workspace.create(tmp_path_factory.mktemp("lens") / "workspace")
    with serve_routes(routes(AppContext.of(fill_workspace(workspace)))) as url:
        yield f"{url}/lens-test"


def ask(url: str, **sent: Any) -> tuple[int, dict[str, Any]]:
    headers = {"Content-Type": "application/json"}
    request = Request(url, json.dumps(sent).encode(), headers)  # noqa: S310 - our own
    try:
        with urlopen(request) as answer:  # noqa: S310 - our own
            return answer.status, json.loads(answer.read())
    except HTTPError as refusal:
        return refusal.code, json.loads(refusal.read())


def test_a_test_is_computed_once_and_kept(server: str, monkeypatch) -> None:
    assert ask(server, candidate=3) == (200, {"candidate": 3, "kept": False})
    status, told = ask(server, candidate=3, compute=True)
    assert status == 200
    assert told["kept"]
    assert told["verdict"] in ("supports", "no_lens", "unclear")
    assert told["theta_e_arcsec"]["error"] > 0
    monkeypatch.setattr(candidates, "outcome", lambda *given: pytest.fail("computed again"))
    assert ask(server, candidate=3)[1]["sentence"] == told["sentence"]
    assert ask(server, candidate=3, compute=True)[1]["at"] == told["at"]


def test_its_pictures_are_upright_and_of_one_size(server: str) -> None:
    told = ask(server, candidate=3, compute=True)[1]
    assert set(told["pictures"]) == {"data", "model", "residual", "arcs", "lensed", "source"}
    images = {
        name: np.asarray(Image.open(BytesIO(base64.b64decode(url.partition(",")[2]))))
        for name, url in told["pictures"].items()
    }
    side = round(told["side_arcsec"] / told["scale_arcsec"])
    for name in ("data", "model", "residual"):
        assert images[name].shape == (side, side, 4)
    middle = side // 2
    brightness = images["data"][..., :3].sum(axis=2).astype(int)
    assert brightness[middle - 2 : middle + 2, middle - 2 : middle + 2].mean() > np.median(
        brightness
    )


def test_the_newest_is_told_with_how_it_was_begun(server: str, monkeypatch) -> None:
    failed = {"verdict": "failed", "sentence": "No data.", "result": {}, "pictures": None}
    begun = []
    monkeypatch.setattr(candidates, "outcome", lambda *given: begun.append(given[2]) or failed)
    assert ask(server, candidate=5, compute=True)[1]["sentence"] == "No data."
    positions = [[0.5, -1.0], [1, 1.25]]
    assert ask(server, candidate=5, compute=True, positions=positions)[1]["verdict"] == "failed"
    assert [given.positions_arcsec for given in begun] == [(), ((0.5, -1.0), (1.0, 1.25))]
    assert ask(server, candidate=5)[1]["kept"]


@pytest.mark.parametrize(
    ("sent", "status", "message"),
    [
        ({"candidate": 9999}, 404, "does not exist"),
        ({"candidate": "1"}, 400, "give its number"),
        ({"candidate": True}, 400, "give its number"),
        ({"candidate": 1, "positions": [[0, "x"]]}, 400, "pairs of numbers"),
        ({"candidate": 1, "positions": [[0, 1]] * 9}, 400, "up to 8"),
    ],
)
def test_odd_requests_are_refused_in_a_sentence(
    server: str, sent: dict[str, Any], status: int, message: str
) -> None:
    answered, told = ask(server, **sent)
    assert answered == status
    assert message in told["error"]
