"""The endpoints of lens models, alone."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from endpoints import serve_routes
from filling import fill_workspace
from kept_models import keep_model

from lens_triage.app.context import AppContext
from lens_triage.app.review.lens_models import routes
from lens_triage.training.runner import runner
from lensing_core.lens_model.places import CORNER, model_folder
from lensing_core.store import open_database
from lensing_core.store.candidates import cutout_places
from lensing_core.store.tables import Run
from lensing_core.workspace import Workspace


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    return fill_workspace(Workspace.create(tmp_path_factory.mktemp("models") / "workspace"))


@pytest.fixture(scope="module")
def server(filled: Workspace) -> Iterator[str]:
    """URL of a server with the endpoints alone, of somebody who works alone."""
    with serve_routes(routes(AppContext.of(filled))) as url:
        yield url


def ask(url: str, **sent: Any) -> tuple[int, dict[str, Any]]:
    headers = {"Content-Type": "application/json"}
    request = Request(f"{url}/lens-model", json.dumps(sent).encode(), headers)  # noqa: S310 - ours
    try:
        with urlopen(request) as answer:  # noqa: S310 - our own
            return answer.status, json.loads(answer.read())
    except HTTPError as refusal:
        return refusal.code, json.loads(refusal.read())


def test_a_kept_model_is_told_with_its_picture_and_packed(server: str, filled: Workspace) -> None:
    assert ask(server, candidate=3)[1] == {
        "candidate": 3, "model": None, "run": None, "refusal": ""
    }  # fmt: skip
    keep_model(filled, 3)
    model = ask(server, candidate=3)[1]["model"]
    assert model["quantities"]["theta_e_arcsec"]["p50"] == 1.2
    assert model["corner"].startswith("data:image/svg+xml;base64,")
    with urlopen(f"{server}/lens-models/3") as answer:  # noqa: S310 - our own
        packed = zipfile.ZipFile(io.BytesIO(answer.read()))
    assert packed.read(CORNER).startswith(b"<svg")
    (model_folder(filled.runs / "sampled", 3) / CORNER).unlink()
    assert ask(server, candidate=3)[1]["model"]["corner"] is None
    with pytest.raises(HTTPError) as gone:
        urlopen(f"{server}/lens-models/3")  # noqa: S310 - our own
    assert gone.value.code == 404


def test_a_run_is_started_and_followed(server: str, filled: Workspace, monkeypatch) -> None:
    monkeypatch.setattr(runner, "advance", lambda workspace: False)  # queued is enough
    status, told = ask(server, candidate=5, start={"mass": "epl", "z_lens": 0.4, "z_source": 1.5})
    assert status == 200, told
    assert told["run"]["active"]
    assert told["run"]["status"] == "queued"
    with open_database(filled).session() as session:
        run = session.get_one(Run, told["run"]["id"])
        place = cutout_places(session, [5])[5]
        assert run.settings["objects"] == [place.object_id]
        assert (run.settings["mass"], run.settings["z_source"]) == ("epl", 1.5)
    assert ask(server, candidate=5)[1]["run"]["id"] == told["run"]["id"]
    assert ask(server, candidate=6)[1]["run"] is None


@pytest.mark.parametrize(
    ("sent", "status", "message"),
    [
        ({"candidate": 9999}, 404, "does not exist"),
        ({"candidate": "1"}, 400, "give its number"),
        ({"candidate": 1, "start": 3}, 400, "mass, z_lens and z_source"),
        ({"candidate": 1, "start": {"mass": "nfw"}}, 400, "mass"),
        ({"candidate": 1, "start": {"z_lens": "0.5"}}, 400, "give a number"),
        ({"candidate": 1, "start": {"z_lens": 1.0, "z_source": 0.5}}, 400, "not behind"),
    ],
)
def test_odd_requests_are_refused_in_a_sentence(
    server: str, sent: dict[str, Any], status: int, message: str
) -> None:
    answered, told = ask(server, **sent)
    assert answered == status
    assert message in told["error"]
