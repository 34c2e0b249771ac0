"""Signing in by another service: the whole flow against one of this machine, and its faults."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
import requests
from endpoints import serve_application
from oidc import SECRET, OidcServer, oidc_server
from tornado.netutil import bind_sockets

from lens_triage.app.context import AppContext
from lens_triage.app.front.connections import FrontServer
from lens_triage.app.front.main import front_application
from lens_triage.app.front.pages import Pages
from lens_triage.app.front.providers import handlers
from lens_triage.app.front.providers.handlers import page_of_ours
from lens_triage.app.front.providers.pending import LASTS_S, PendingSignIns
from lens_triage.app.http.identity import forget_read
from lens_triage.app.http.throttle import Throttle
from lens_triage.app.server_settings import read_reach
from lensing_core.errors import BadInputError, PolicyError
from lensing_core.store import open_database
from lensing_core.store.audit import latest_entries
from lensing_core.store.graders import add_grader, list_graders, named_grader, set_active, sign_in
from lensing_core.store.identities import list_identities, untie
from lensing_core.store.invitations import invite
from lensing_core.store.passphrases import Passphrase
from lensing_core.workspace import Workspace

OPENS = {"Accept": "text/html"}


@dataclass
class Browser:
    """A browser that is not yet signed in; it follows no redirect by itself."""

    url: str
    session: requests.Session = field(default_factory=requests.Session)

    def post(self, path: str, **sent: Any) -> requests.Response:
        return self.session.post(f"{self.url}/{path}", json=sent)

    def begin(self, provider: str = "oidc", page: str = "", invitation: str = "") -> str:
        """Address of the service."""
        reply = self.post("sign-in-with", provider=provider, page=page, invitation=invitation)
        assert reply.status_code == 200, reply.text
        return reply.json()["address"]

    def at_service(self, address: str) -> str:
        """Where the service sends this browser back to."""
        reply = requests.get(address, allow_redirects=False, timeout=30)
        assert reply.status_code == 302, reply.text
        return reply.headers["Location"]

    def come_back(self, address: str, **headers: str) -> requests.Response:
        return self.session.get(address, headers={**OPENS, **headers}, allow_redirects=False)

    def sign_in(self, **how: str) -> requests.Response:
        """All of it."""
        return self.come_back(self.at_service(self.begin(**how)))

    @property
    def is_in(self) -> bool:
        forget_read()
        return self.session.get(f"{self.url}/tiles/none/0").status_code != 401


@dataclass
class Place:
    """A server that asks for a sign-in, and a service beside it."""

    workspace: Workspace
    service: OidcServer
    url: str

    def names(self) -> list[str]:
        with open_database(self.workspace).session() as session:
            return [grader.name for grader in list_graders(session)]

    def invite(self, name: str) -> str:
        with open_database(self.workspace).session() as session:
            return invite(session, name)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder: Path = tmp_path_factory.mktemp("providers")
    workspace = Workspace.create(folder / "workspace")
    with open_database(workspace).session() as session:
        add_grader(session, "Ana", "organizer", Passphrase("correct horse"))
    with oidc_server() as service:
        (workspace.root / "oidc-secret").write_text(SECRET + "\n")
        tables = [
            service.settings(),
            service.settings(key="open", new_people="grader", allow_domain=["example.org"]),  # type: ignore[arg-type]
            service.settings(key="octo", kind="github", allow_domain=["example.org"],  # type: ignore[arg-type]
                             new_people="grader"),
        ]  # fmt: skip
        head = 'prefix = "/lens"\nbehind_proxy = ["127.0.0.1"]\nrequire_sign_in = true\n'
        (workspace.root / "server.toml").write_text(head + "".join(tables))
        reach = read_reach(workspace, {})
        context = AppContext.of(workspace, reach)
        application = front_application(context, Pages(workspace.root, 0, folder, reach))
        sockets = bind_sockets(0, "127.0.0.1")
        with serve_application(
            application, sockets, lambda app: FrontServer(app, reach=reach)
        ) as url:
            yield Place(workspace, service, f"{url}/lens")


@pytest.fixture
def service(place: Place, monkeypatch: pytest.MonkeyPatch) -> OidcServer:
    monkeypatch.setattr(handlers, "_REFUSED", Throttle(free=1000))
    place.service.be("0001", "Dana Oort", "dana@example.org")
    return place.service


@pytest.fixture
def browser(place: Place) -> Browser:
    return Browser(place.url)


def said(reply: requests.Response) -> str:
    found = re.search(r'role="alert">(.*?)</p>', reply.text)
    assert found is not None, reply.text
    return found.group(1)


def leads_to(reply: requests.Response) -> str:
    found = re.search(r'href="([^"]*)" data-leads="on"', reply.text)
    return found.group(1) if found else ""


def changed(address: str, **values: str) -> str:
    """An address with other arguments; '' removes one."""
    parts = urlsplit(address)
    query = {**dict(parse_qsl(parts.query)), **values}
    return parts._replace(query=urlencode({k: v for k, v in query.items() if v})).geturl()


def test_an_account_signs_in_under_the_name_of_its_invitation(place, service, browser):
    token = place.invite("Dana Oort")
    reply = browser.sign_in(page="review?min=0.5", invitation=token)
    assert (reply.status_code, leads_to(reply)) == (200, "/lens/review?min=0.5")
    assert browser.is_in
    cookie = next(c for c in browser.session.cookies if c.name.startswith("lens-triage-grader"))
    assert cookie.path == "/lens/"
    again = Browser(place.url)
    service.person["name"] = "Somebody Else"  # a name of the service is nothing to go by
    assert again.sign_in().status_code == 200
    with open_database(place.workspace).session() as session:
        dana = named_grader(session, "Dana Oort")
        (known,) = list_identities(session, dana.id)
        assert (known.issuer, known.subject) == (service.issuer, "0001")
        kinds = [(e.kind, e.who) for e in latest_entries(session, 3)]
        assert kinds == [("sign-in", "Dana Oort")] * 2 + [("invitation", "Dana Oort")]
    assert "Somebody Else" not in place.names()
    assert Browser(place.url).sign_in(invitation=token).status_code == 403
    refused = pytest.raises(PolicyError, match="passphrase is not that")
    with refused, open_database(place.workspace).session() as session:  # served locally, too
        sign_in(session, "Dana Oort")


def test_nobody_comes_in_without_an_invitation(place, service, browser):
    service.be("0404", "Mallory", "mallory@example.org")
    reply = browser.sign_in()
    assert (reply.status_code, browser.is_in) == (403, False)
    assert said(reply).startswith("This account of The institute may not sign in here")
    assert "Mallory" not in place.names()
    with open_database(place.workspace).session() as session:
        (entry,) = latest_entries(session, 1)
    assert (entry.kind, entry.details) == (
        "refused sign-in", "The institute: 0404 mallory@example.org"
    )  # fmt: skip


def test_a_domain_of_addresses_lets_people_in_as_long_as_they_are_in_it(place, service, browser):
    service.be("0500", "Ana", "second.ana@example.org")
    assert browser.sign_in(provider="open").status_code == 200
    assert "Ana 2" in place.names()  # the name is taken
    for email, verified in (
        ("ana@example.com", True),
        ("ana@sub.example.org", True),
        ("ana@example.org", False),
        ("ana@example.org", "true"),
        ("ana@example.org.evil.example", True),
    ):
        service.be("0500", "Ana", email)
        service.person["email_verified"] = verified
        assert Browser(place.url).sign_in(provider="open").status_code == 403
    service.be("0500", "Ana", "ana@example.org")
    service.in_token = False  # told when it is asked for
    assert Browser(place.url).sign_in(provider="open").status_code == 200


def test_who_is_deactivated_or_untied_is_out(place, service, browser):
    service.be("0600", "Rosa", "rosa@example.org")
    browser.sign_in(provider="open")
    assert browser.is_in
    with open_database(place.workspace).session() as session:
        set_active(session, named_grader(session, "Rosa").id, active=False)
    assert not browser.is_in
    reply = Browser(place.url).sign_in(provider="open")
    assert (reply.status_code, said(reply)) == (
        403, "The name Rosa is deactivated; ask an organizer."
    )  # fmt: skip
    with open_database(place.workspace).session() as session:
        rosa = set_active(session, named_grader(session, "Rosa").id, active=True)
        assert untie(session, rosa) == 1
    assert Browser(place.url).sign_in().status_code == 403


NOW = int(time.time())
FAULTS: dict[str, tuple[dict[str, Any], str]] = {
    "nonce of another": ({"claims": {"nonce": "of another"}}, "belongs to another sign-in"),
    "no nonce": ({"claims": {"nonce": None}}, "belongs to another sign-in"),
    "another audience": ({"claims": {"aud": "another"}}, "meant for another server"),
    "given to another": (
        {"claims": {"aud": ["lens-triage-here", "b"], "azp": "b"}},
        "given to another server",
    ),
    "several, and none": ({"claims": {"aud": ["lens-triage-here", "b"]}}, "given to another"),
    "another issuer": ({"claims": {"iss": "https://evil.example"}}, "InvalidIssuerError"),
    "expired": ({"claims": {"exp": NOW - 3600, "iat": NOW - 7200}}, "has expired"),
    "no end": ({"claims": {"exp": None}}, "MissingRequiredClaimError"),
    "of the future": ({"claims": {"iat": NOW + 7200}}, "ImmatureSignatureError"),
    "no account": ({"claims": {"sub": ""}}, "names no account"),
    "a key of another": (
        {"signs_with": "two", "header": {"kid": "one"}},
        "is not signed by it",
    ),
    "an unknown key": ({"signs_with": "two"}, "is not signed by it"),
    "no signature": ({"header": {"alg": "none"}}, "proves nothing"),
    "signed by all": ({"header": {"alg": "HS256"}}, "proves nothing"),
    "refused there": ({"refuses": "access_denied"}, "did not sign you in (access_denied)"),
    "a refusal with markup": ({"refuses": "<b>x</b>"}, "did not sign you in."),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_one_sentence_and_no_sign_in(place, service, browser, fault):
    ordered, sentence = FAULTS[fault]
    for name, value in ordered.items():
        setattr(service, name, value)
    service.person["sub"] = "0700"
    reply = browser.sign_in(provider="open")
    assert (reply.status_code, browser.is_in) == (403, False)
    assert sentence in said(reply)
    assert service.issuer not in reply.text
    assert SECRET not in reply.text


def test_a_new_key_of_the_service_is_asked_for(place, service, browser, monkeypatch):
    from lens_triage.app.front.providers import oidc

    monkeypatch.setattr(oidc, "_KEYS_AT_MOST_EVERY_S", 0.0)
    service.be("0001", "Dana Oort", "dana@example.org")
    service.signs_with, service.published = "three", ["one", "three"]
    assert browser.sign_in(provider="open").status_code == 200


def test_what_comes_back_is_taken_once_and_by_the_browser_that_began(place, service, browser):
    back = browser.at_service(browser.begin(provider="open"))
    wrong = changed(back, state="x" * 43)
    assert browser.come_back(wrong).status_code == 403
    thief = Browser(place.url)  # has the address, and not the cookie
    assert thief.come_back(back).status_code == 403
    assert not thief.is_in
    assert browser.come_back(back).status_code == 403  # it is over
    back = browser.at_service(browser.begin(provider="open"))
    reply = browser.come_back(back)
    assert reply.status_code == 200, said(reply)
    replayed = browser.come_back(back)
    assert (replayed.status_code, said(replayed)[:24]) == (403, "This sign-in has expired")
    first, second = browser.begin(provider="open"), browser.begin(provider="open")
    for begun in (second, first):  # two tabs
        assert browser.come_back(browser.at_service(begun)).status_code == 200


@pytest.mark.parametrize(
    "change",
    [{"code": ""}, {"code": "x"}, {"state": ""}, {"iss": "https://evil.example"}],
)
def test_a_changed_address_signs_nobody_in(place, service, browser, change):
    back = browser.at_service(browser.begin(provider="open"))
    assert browser.come_back(changed(back, **change)).status_code in (403, 502)
    assert not browser.is_in


def test_a_code_of_one_service_is_not_taken_for_another(place, service, browser):
    back = browser.at_service(browser.begin(provider="open"))
    assert browser.come_back(back.replace("/sign-in/open", "/sign-in/oidc")).status_code in (403,)
    assert not browser.is_in


def test_a_code_that_the_service_gave_to_another_browser_is_not_taken(place, service, browser):
    other = Browser(place.url)
    stolen = dict(parse_qsl(urlsplit(other.at_service(other.begin(provider="open"))).query))
    mine = browser.at_service(browser.begin(provider="open"))
    reply = browser.come_back(changed(mine, code=stolen["code"]))  # its PKCE is another
    assert (reply.status_code, browser.is_in) == (502, False)


@pytest.mark.parametrize(
    "page",
    [
        "//evil.example", "https://evil.example", "/\\evil.example", "javascript:alert(1)", "..",
        "review/../../x", "review\n", "review?a=\r\nSet-Cookie: a=b", "\\\\evil", "review#x",
        "@evil", "%2f%2fevil.example", ".", "/",
    ],
)  # fmt: skip
def test_a_sign_in_leads_to_pages_of_this_server_alone(place, service, browser, page):
    assert page_of_ours(page) == "overview"
    if "evil.example" in page:
        reply = browser.sign_in(provider="open", page=page)
        assert leads_to(reply) == "/lens/overview"


def test_where_the_service_sends_back_to_is_below_the_prefix(place, service, browser):
    forwarded = {"X-Forwarded-Proto": "https", "X-Forwarded-Host": "localhost"}
    reply = browser.session.post(
        f"{place.url}/sign-in-with", json={"provider": "open"}, headers=forwarded
    )
    asked = dict(parse_qsl(urlsplit(reply.json()["address"]).query))
    assert asked["redirect_uri"] == "https://localhost/lens/sign-in/open"
    assert {"code_challenge", "state", "nonce"} <= asked.keys()
    given = reply.headers["Set-Cookie"].lower().split("; ")
    assert {"httponly", "secure", "samesite=lax", "path=/lens/sign-in/"} <= set(given)


def test_the_way_back_is_opened_as_a_page_alone(place, service, browser):
    back = browser.at_service(browser.begin(provider="open"))
    asked = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}
    for more in (
        {"Sec-Fetch-Dest": "iframe"},
        {"Sec-Fetch-Dest": "empty", "Sec-Fetch-Mode": "cors"},
    ):
        assert browser.come_back(back, **{**asked, **more}).status_code == 403
    reply = browser.come_back(back, **asked, **{"Sec-Fetch-Dest": "document"})
    assert reply.status_code == 200
    assert "unsafe" not in reply.headers["Content-Security-Policy"]
    foreign = {"Origin": "https://evil.example", "Content-Type": "application/json"}
    begun = browser.session.post(f"{place.url}/sign-in-with", data="{}", headers=foreign)
    assert begun.status_code == 403


def test_github_is_asked_whose_account_it_is(place, service, browser):
    service.be("583231", "The Octocat")
    service.emails = [
        {"email": "octo@github.example", "primary": True, "verified": True},
        {"email": "Octo@Example.org", "primary": False, "verified": True},
    ]
    assert browser.sign_in(provider="octo").status_code == 200
    assert "The Octocat" in place.names()
    service.emails[1]["verified"] = False
    assert Browser(place.url).sign_in(provider="octo").status_code == 403
    with open_database(place.workspace).session() as session:
        (known,) = list_identities(session, named_grader(session, "The Octocat").id)
    assert known.subject == "583231"


def test_the_sign_in_page_has_a_button_for_each_service(place, browser):
    text = browser.session.get(f"{place.url}/review", headers=OPENS).text
    assert re.findall(r'data-provider="(\w+)"', text) == ["oidc", "open", "octo"]
    assert "Sign in with The institute" in text
    assert browser.post("sign-in-with", provider="none").status_code == 403
    assert "/lens/sign-in/none" not in text
    assert browser.come_back(f"{place.url}/sign-in/none").status_code == 401


def test_a_service_that_is_away_is_one_sentence(workspace, tmp_path):
    from lens_triage.app.front.providers.calls import ProviderError, ask

    with pytest.raises(ProviderError, match="does not answer"):
        ask("The institute", "http://127.0.0.1:9/token", form={"client_secret": SECRET})
    with pytest.raises(ProviderError, match="not of https"):
        ask("The institute", "http://login.example.org/token", form={"client_secret": SECRET})


def test_sign_ins_that_were_begun_end_and_are_bounded():
    now = [0.0]
    kept = PendingSignIns(clock=lambda: now[0])
    first = kept.begin("oidc", "https://a/", "overview", "", "192.0.2.1")
    other = kept.begin("oidc", "https://a/", "overview", "", "192.0.2.2")
    for _ in range(60):
        kept.begin("oidc", "https://a/", "overview", "", "192.0.2.1")
    assert kept.take(first.state) is None  # whoever begins many loses their own first
    assert kept.take(other.state) is other
    last = kept.begin("oidc", "https://a/", "overview", "", "192.0.2.1")
    now[0] += LASTS_S + 1
    assert kept.take(last.state) is None
    assert SECRET not in repr(last)
    assert last.verifier not in repr(last)


TABLE = {"kind": "oidc", "issuer": "https://login.example.org", "client_id": "a",
         "client_secret_env": "LENS_TRIAGE_TEST_SECRET"}  # fmt: skip


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"kind": "other"}, "kind"),
        ({"kind": None}, "kind is missing"),
        ({"issuer": "http://login.example.org"}, "issuer"),
        ({"issuer": None}, "issuer"),
        ({"kind": "google"}, "issuer"),
        ({"client_id": None}, "client_id"),
        ({"client_secret_env": None}, "client_secret_file or client_secret_env"),
        ({"client_secret_env": "LENS_TRIAGE_NONE"}, "holds no secret"),
        ({"client_secret_env": None, "client_secret_file": "/nonexistent"}, "cannot be read"),
        ({"new_people": "grader"}, "whoever has an account"),
        ({"new_people": "organizer", "allow_domain": ["example.org"]}, "new_people"),
        ({"allow_domain": ["a b"]}, "allow_domain"),
        ({"key": "A/B"}, "key"),
        ({"secret": "x"}, "is no setting"),
    ],
)
def test_services_that_make_no_sense_are_refused(workspace, monkeypatch, change, named):
    monkeypatch.setenv("LENS_TRIAGE_TEST_SECRET", SECRET)
    table = {k: v for k, v in {**TABLE, **change}.items() if v is not None}
    text = "".join(f"{name} = {json.dumps(value)}\n" for name, value in table.items())
    file = workspace.root / "server.toml"
    file.write_text(f"require_sign_in = true\n[[provider]]\n{text}")
    with pytest.raises(BadInputError, match=named) as refused:
        read_reach(workspace, {})
    assert SECRET not in str(refused.value)


def test_a_service_needs_a_server_that_asks_and_its_secret_is_never_shown(workspace, monkeypatch):
    monkeypatch.setenv("LENS_TRIAGE_TEST_SECRET", SECRET)
    text = "[[provider]]\n" + "".join(f"{k} = {json.dumps(v)}\n" for k, v in TABLE.items())
    file = workspace.root / "server.toml"
    file.write_text(text)
    with pytest.raises(PolicyError, match="require_sign_in"):
        read_reach(workspace, {})
    file.write_text(f"require_sign_in = true\n{text}")
    reach = read_reach(workspace, {})
    assert reach.providers[0].client_secret == SECRET
    assert SECRET not in repr(reach)
    assert not reach.without_secrets().providers[0].client_secret
    file.write_text(f"require_sign_in = true\n{text}{text}")
    with pytest.raises(BadInputError, match="there are two"):
        read_reach(workspace, {})
