"""Exports by the words of an address: through the server, and on the command line."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Iterator

import pytest
from endpoints import get, serve_routes
from filling import N_OBSERVED
from finding_data import RINGS, fill_for_finding
from typer.testing import CliRunner
from waiting import until

from lens_triage.app.cli import cli
from lens_triage.app.context import AppContext
from lens_triage.app.review import exporting
from lens_triage.app.review.exporting import read_request
from lensing_core.errors import BadInputError
from lensing_core.store import open_database
from lensing_core.workspace import Workspace


@pytest.fixture(scope="module")
def context(tmp_path_factory) -> AppContext:
    workspace = Workspace.create(tmp_path_factory.mktemp("export") / "workspace")
    open_database(workspace)
    return AppContext.of(fill_for_finding(workspace))


@pytest.fixture(scope="module")
def server(context) -> Iterator[str]:
    """URL of a server with the endpoint alone."""
    with serve_routes(exporting.routes(context)) as url:
        yield f"{url}/export"


def table(body: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(body.decode())))


def test_the_list_as_it_is_filtered(server, context):
    status, headers, body = get(f"{server}/csv")
    assert status == 200
    assert headers["Content-Disposition"] == (f'attachment; filename="candidates-{N_OBSERVED}.csv"')
    rows = table(body)
    assert [int(row["rank"]) for row in rows] == list(range(1, N_OBSERVED + 1))
    scores = [float(row["probability"]) for row in rows]
    assert scores == sorted(scores, reverse=True)
    rings = table(get(f"{server}/csv?tag=ring&sort=object_id&order=asc")[2])
    assert [row["object_id"] for row in rings] == [f"cosmos-{k:05d}" for k in RINGS]
    assert {row["tags"] for row in rings} == {"ring"}
    assert len(table(get(f"{server}/csv?limit=5")[2])) == 5
    until(lambda: not list((context.workspace.cache / "exports").iterdir()))  # sent, then removed


def test_one_candidate_with_its_pixels(server):
    _, headers, body = get(f"{server}/cutouts?candidate=7&only=1")
    assert headers["Content-Disposition"] == 'attachment; filename="candidate-7.zip"'
    with zipfile.ZipFile(io.BytesIO(body)) as archive:
        assert archive.namelist() == ["000001-cosmos-00006.fits"]


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        ("docx", 400, "choose one of csv"),
        ("csv?tag=none-has-it", 400, "no candidate to export"),
        ("csv?sort=beauty", 400, "There is no sort"),  # no silent export of something else
        ("csv?votes=mine", 400, "signed in"),
        ("csv?limit=0", 400, "above 0"),
        ("csv?only=1", 400, "needs a candidate"),
        ("csv?only=1&candidate=999999", 404, "does not exist"),
    ],
)
def test_what_cannot_be_exported_is_said(server, path, status, words):
    found, _, body = get(f"{server}/{path}")
    assert found == status
    assert words in body.decode()


def test_a_selection_that_is_gone_is_not_exported_as_everything(context):
    with pytest.raises(BadInputError, match="has expired"):
        read_request(context, "csv", {"selection": ["abc"]}, None)


def test_the_command_line_takes_an_address(context, tmp_path):
    run = CliRunner().invoke
    root, file = str(context.workspace.root), tmp_path / "rings.vot"
    address = "http://127.0.0.1:5006/review?tag=ring"
    result = run(cli, ["export", root, "votable", str(file), "--query", address, "--limit", "3"])
    assert result.exit_code == 0, result.output
    assert "3 candidates written" in result.output
    assert file.read_text().count("<TR>") == 3
