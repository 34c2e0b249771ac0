"""Exports by the words of an address: through the server, and on the command line."""

from __future__ import annotations

import csv
import io
import zipfile

import pytest
from filling import N_OBSERVED
from finding_data import RINGS, fill_for_finding
from tornado.httpclient import HTTPClientError
from tornado.testing import AsyncHTTPTestCase
from tornado.web import Application
from typer.testing import CliRunner

from app import exporting
from app.cli import cli
from app.context import AppContext
from app.exporting import read_request
from lensing_core.errors import BadInputError
from lensing_core.store import open_database
from lensing_core.workspace import Workspace


@pytest.fixture(scope="module")
def context(tmp_path_factory) -> AppContext:
    workspace = Workspace.create(tmp_path_factory.mktemp("export") / "workspace")
    open_database(workspace)
    return AppContext.of(fill_for_finding(workspace))


@pytest.fixture
def fetch(context):
    """Function that asks a server of its own for a path."""

    class Case(AsyncHTTPTestCase):
        def get_app(self) -> Application:
            return Application(exporting.routes(context))

        def runTest(self) -> None:
            """Needed to make one."""

    case = Case()
    case.setUp()

    def get(path: str):
        try:
            return case.fetch(path, raise_error=False, request_timeout=60)
        except HTTPClientError as error:
            return error.response

    yield get
    case.tearDown()


def table(response) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(response.body.decode())))


def test_the_list_as_it_is_filtered(fetch, context):
    everything = fetch("/export/csv")
    assert everything.code == 200
    assert everything.headers["Content-Disposition"] == (
        f'attachment; filename="candidates-{N_OBSERVED}.csv"'
    )
    rows = table(everything)
    assert [int(row["rank"]) for row in rows] == list(range(1, N_OBSERVED + 1))
    scores = [float(row["probability"]) for row in rows]
    assert scores == sorted(scores, reverse=True)
    rings = table(fetch("/export/csv?tag=ring&sort=object_id&order=asc"))
    assert [row["object_id"] for row in rings] == [f"cosmos-{k:05d}" for k in RINGS]
    assert {row["tags"] for row in rings} == {"ring"}
    assert len(table(fetch("/export/csv?limit=5"))) == 5
    assert list((context.workspace.cache / "exports").iterdir()) == []


def test_one_candidate_with_its_pixels(fetch):
    answer = fetch("/export/cutouts?candidate=7&only=1")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="candidate-7.zip"'
    with zipfile.ZipFile(io.BytesIO(answer.body)) as archive:
        assert archive.namelist() == ["000001-cosmos-00006.fits"]


@pytest.mark.parametrize(
    ("path", "code", "words"),
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
def test_what_cannot_be_exported_is_said(fetch, path, code, words):
    answer = fetch(f"/export/{path}")
    assert answer.code == code
    assert words in answer.body.decode()


def test_a_selection_that_is_gone_is_not_exported_as_everything(context):
    with pytest.raises(BadInputError, match="no longer kept"):
        read_request(context, "csv", {"selection": ["abc"]}, None)


def test_the_command_line_takes_an_address(context, tmp_path):
    run = CliRunner().invoke
    root, file = str(context.workspace.root), tmp_path / "rings.vot"
    address = "http://127.0.0.1:5006/review?tag=ring"
    result = run(cli, ["export", root, "votable", str(file), "--query", address, "--limit", "3"])
    assert result.exit_code == 0, result.output
    assert "3 candidates written" in result.output
    assert file.read_text().count("<TR>") == 3
