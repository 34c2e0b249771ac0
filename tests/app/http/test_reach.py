"""Settings of the server, and what is believed of a proxy."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from tornado.httputil import HTTPHeaders, RequestStartLine

from lens_triage.app.acts import look_at_files, start_run
from lens_triage.app.context import AppContext
from lens_triage.app.front.forwarded import Client, read_forwarded, without_prefix
from lens_triage.app.http.reach import LOCAL, Reach
from lens_triage.app.server_settings import ServerSettings, read_reach
from lens_triage.training.settings import IngestSettings
from lensing_core.errors import BadInputError, PolicyError, SignInError
from lensing_core.store import open_database
from lensing_core.store.graders import add_grader
from lensing_core.store.passphrases import Passphrase

DEPLOY = Path(__file__).parent.parent.parent.parent / "deploy"
FAR = Reach(prefix="/lens", proxies=frozenset({"127.0.0.1", "10.0.0.2"}), asks=True)


def test_by_default_this_machine_alone_reaches_it(workspace):
    assert read_reach(workspace, {"host": None, "allow_host": None}) == LOCAL


@pytest.mark.parametrize(
    "given",
    [
        {"host": "0.0.0.0"},  # noqa: S104 - refused
        {"host": "::"},
        {"host": "192.0.2.7"},
        {"allow_host": ["lenses.example.org"]},
        {"behind_proxy": ["127.0.0.1"]},
    ],
)
def test_every_way_further_needs_a_sign_in(workspace, given):
    with pytest.raises(PolicyError, match="without signing in"):
        read_reach(workspace, given)
    assert read_reach(workspace, {**given, "require_sign_in": True}).asks


@pytest.mark.parametrize(
    "given",
    [
        {"host": "lenses.example.org"},
        {"allow_host": ["https://lenses.example.org"]},
        {"allow_host": ["a b"]},
        {"prefix": "lens"},
        {"prefix": "/a/../b"},
        {"prefix": "/a?b"},
        {"behind_proxy": ["proxy"]},
        {"root": ["/nonexistent"]},
    ],
)
def test_settings_that_make_no_sense_are_refused(workspace, given):
    with pytest.raises(BadInputError, match=next(iter(given))):
        read_reach(workspace, {"require_sign_in": True, **given})


def test_a_file_has_the_settings_and_options_go_first(workspace):
    file = workspace.root / "server.toml"
    file.write_text((DEPLOY / "server.toml").read_text())
    reach = read_reach(workspace, {"prefix": "/here/"})
    assert reach.names == ("127.0.0.1", "localhost", "lenses.example.org")
    assert (reach.prefix, reach.proxies, reach.asks) == ("/here", {"127.0.0.1"}, True)
    for wrong in ("colour = 1", "host = 7", "host ="):
        file.write_text(wrong)
        with pytest.raises(BadInputError, match=r"server\.toml"):
            read_reach(workspace, {})


def test_the_ready_file_names_settings_alone():
    named = tomllib.loads((DEPLOY / "server.toml").read_text().replace("# root", "root"))
    assert set(named) == set(ServerSettings.param) - {"name"}


FORWARDED = {
    "Host": "127.0.0.1:5006",
    "X-Forwarded-For": "203.0.113.9, 198.51.100.4, 10.0.0.2",
    "X-Forwarded-Host": "evil.example, lenses.example.org",
    "X-Forwarded-Proto": "https",
    "X-Real-Ip": "1.2.3.4",
    "Forwarded": "for=1.2.3.4",
    "Accept": "*/*",
}


def test_a_named_proxy_is_believed_as_far_as_it_saw():
    headers = HTTPHeaders(FORWARDED)
    assert read_forwarded(FAR, "127.0.0.1", headers) == Client("198.51.100.4", "https")
    assert dict(headers) == {"Host": "lenses.example.org", "Accept": "*/*"}


@pytest.mark.parametrize(
    ("addresses", "schemes", "scheme"),
    [
        ("198.51.100.4", "https", "https"),
        ("198.51.100.4, 10.0.0.2", "https,http", "https"),  # TLS ends at the first of two
        ("198.51.100.4, 10.0.0.2", "http,https", "http"),
        ("1.2.3.4, 198.51.100.4", "https, http", "http"),  # the first is what a browser wrote
        ("198.51.100.4, 10.0.0.2", "https", "https"),  # the second keeps what the first said
        ("198.51.100.4", "https, http", "http"),
        ("", "https", "https"),
        ("10.0.0.2", "", "http"),
    ],
)
def test_the_scheme_is_that_of_the_browser_that_counts(addresses, schemes, scheme):
    headers = HTTPHeaders({"X-Forwarded-For": addresses, "X-Forwarded-Proto": schemes})
    assert read_forwarded(FAR, "127.0.0.1", headers).scheme == scheme


@pytest.mark.parametrize(("reach", "peer"), [(FAR, "10.0.0.3"), (LOCAL, "127.0.0.1")])
def test_nobody_else_is_believed(reach, peer):
    headers = HTTPHeaders(FORWARDED)
    assert read_forwarded(reach, peer, headers) == Client(peer, "http")
    assert dict(headers) == {"Host": "127.0.0.1:5006", "Accept": "*/*"}


@pytest.mark.parametrize(
    ("asked", "path"),
    [
        ("/lens/overview?a=/lens/b", "/overview?a=/lens/b"),
        ("/lens", "/lens"),
        ("/lens/?a", "/?a"),
        ("/lens/", "/"),
        ("/lens/lens/x", "/lens/x"),
        ("/lenses/x", "/lenses/x"),
        ("/overview", "/overview"),
    ],
)
def test_the_prefix_is_taken_from_an_address(asked, path):
    line = RequestStartLine("GET", asked, "HTTP/1.1")
    assert without_prefix(FAR, line).path == path
    assert without_prefix(LOCAL, line).path == asked


def test_files_of_a_server_are_confined_to_its_roots(workspace, tmp_path):
    inside, outside = tmp_path / "surveys", tmp_path / "home"
    for folder in (inside, outside):
        folder.mkdir()
        (folder / "table.csv").write_text("id,ra,dec\n")
    (inside / "link").symlink_to(outside)
    reach = Reach(asks=True, roots=(inside,))
    assert reach.confine(inside / "table.csv") == inside / "table.csv"
    for path in (outside / "table.csv", inside / "link" / "table.csv", inside / ".." / "home"):
        assert LOCAL.confine(path) == path.resolve()
        with pytest.raises(PolicyError, match="in no folder that this server reads from"):
            reach.confine(path)
    assert look_at_files(AppContext.of(workspace), outside) == [outside]
    far = AppContext.of(workspace, reach)
    alone = IngestSettings(catalog="new", table=str(outside / "table.csv"))
    with pytest.raises(PolicyError, match="in no folder"):  # nobody has signed in: works alone
        start_run(far, alone)


def test_nobody_looks_at_files_of_a_server_but_organizers(workspace, tmp_path):
    with open_database(workspace).session() as session:
        add_grader(session, "Ana", "organizer", Passphrase("correct horse"))
    far = AppContext.of(workspace, Reach(asks=True, roots=(tmp_path,)))
    with pytest.raises(SignInError):
        look_at_files(far, tmp_path)
