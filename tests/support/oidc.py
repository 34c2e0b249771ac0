"""A small service by which people sign in, on this machine: OpenID Connect, and GitHub's OAuth.

It signs with RSA keys of its own, asks nobody for consent, checks what a service checks (client,
secret, PKCE, address to send the browser back to, a code once), and can be told to be at fault.
"""

from __future__ import annotations

import hashlib
import json
import secrets
import time
from base64 import b64decode, urlsafe_b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from urllib.parse import parse_qs, unquote, urlencode

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from endpoints import serve_routes
from jwt.algorithms import RSAAlgorithm
from tornado.web import RequestHandler

CLIENT, SECRET = "lens-triage-here", "s3cret of the client"


@cache
def _key(name: str) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def public_jwk(name: str) -> dict[str, Any]:
    """The public half of a key, with the name as its id."""
    as_json = json.loads(RSAAlgorithm.to_jwk(_key(name).public_key()))
    return {**as_json, "kid": name, "use": "sig", "alg": "RS256"}


@dataclass
class Given:
    """What a code stands for."""

    redirect_uri: str
    nonce: str
    challenge: str
    person: dict[str, Any]


@dataclass
class OidcServer:
    """The service.

    Attributes
    ----------
    issuer : str
        Its address.
    person : dict
        Claims of who is signed in at the service; ``sub`` is the account.
    claims : dict
        That the next ID tokens have in place of the right ones; None removes one.
    header : dict
        Likewise of the head of the token.
    signs_with : str
        Name of the key that signs.
    published : list of str
        Names of the keys that it tells of.
    refuses : str
        Code of an error with which it sends the browser back.
    answers_state : str
        In place of the state that it was given.
    in_token : bool
        Whether name and e-mail are in the ID token; else it tells them when asked (userinfo).
    emails : list of dict
        What GitHub says of the addresses of the account.
    asked : list of str
        Paths that were asked for.
    """

    issuer: str = ""
    person: dict[str, Any] = field(default_factory=dict)
    claims: dict[str, Any] = field(default_factory=dict)
    header: dict[str, Any] = field(default_factory=dict)
    signs_with: str = "one"
    published: list[str] = field(default_factory=lambda: ["one"])
    refuses: str = ""
    answers_state: str = ""
    in_token: bool = True
    emails: list[dict[str, Any]] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    codes: dict[str, Given] = field(default_factory=dict)
    tokens: dict[str, dict[str, Any]] = field(default_factory=dict)

    def be(self, sub: str, name: str = "", email: str = "", **more: Any) -> None:
        """Let somebody be signed in at the service, with all as it should be."""
        self.person = {"sub": sub, "name": name, "email": email, "email_verified": True, **more}
        self.claims, self.header, self.signs_with, self.published = {}, {}, "one", ["one"]
        self.refuses, self.answers_state, self.in_token, self.emails = "", "", True, []

    def settings(self, **more: str) -> str:
        """A table of ``server.toml`` for this service."""
        table = {"kind": "oidc", "title": "The institute", "issuer": self.issuer,
                 "client_id": CLIENT, "client_secret_file": "oidc-secret", **more}  # fmt: skip
        return "[[provider]]\n" + "".join(f"{k} = {json.dumps(v)}\n" for k, v in table.items())

    def give_code(self, asked: dict[str, str]) -> str:
        """A code for a sign-in that a browser asks for."""
        code = secrets.token_urlsafe(16)
        self.codes[code] = Given(
            asked["redirect_uri"],
            asked.get("nonce", ""),
            asked["code_challenge"],
            dict(self.person),
        )
        return code

    def take_code(self, form: dict[str, str], client: str, secret: str) -> Given | None:
        """What a code stands for, once, for the client that has the secret of PKCE."""
        given = self.codes.pop(form.get("code", ""), None)
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        challenge = urlsafe_b64encode(digest).rstrip(b"=").decode()
        if (client, secret) != (CLIENT, SECRET) or given is None:
            return None
        is_same = given.redirect_uri == form.get("redirect_uri")
        return given if is_same and given.challenge == challenge else None

    def id_token(self, given: Given) -> str:
        """The token of a sign-in, with the faults that were ordered."""
        now = int(time.time())
        person = given.person if self.in_token else {"sub": given.person["sub"]}
        right = {"iss": self.issuer, "aud": CLIENT, "iat": now, "exp": now + 300,
                 "nonce": given.nonce, **person}  # fmt: skip
        claims = {k: v for k, v in {**right, **self.claims}.items() if v is not None}
        header = {"kid": self.signs_with, **self.header}
        algorithm = header.pop("alg", "RS256")
        key: Any = _key(self.signs_with)
        if algorithm == "none":
            key = None
        elif algorithm.startswith("HS"):  # signed with what everybody knows
            key = CLIENT.ljust(64, "-")
        return jwt.encode(claims, key, algorithm, headers=header)


class _Handler(RequestHandler):
    def initialize(self, service: OidcServer) -> None:
        self.service = service

    def prepare(self) -> None:
        self.service.asked.append(self.request.path)

    def query(self) -> dict[str, str]:
        return {name: self.get_query_argument(name) for name in self.request.query_arguments}

    def form(self) -> dict[str, str]:
        found = parse_qs(self.request.body.decode(), strict_parsing=True)
        return {name: values[0] for name, values in found.items()}

    def send(self, content: Any, status: int = 200) -> None:
        self.set_status(status)
        self.set_header("Content-Type", "application/json")
        self.finish(json.dumps(content))

    def bearer(self) -> dict[str, Any] | None:
        given = self.request.headers.get("Authorization", "")
        return self.service.tokens.get(given.removeprefix("Bearer "))


class _Metadata(_Handler):
    def get(self) -> None:
        base = self.service.issuer
        self.send(
            {
                "issuer": base,
                "authorization_endpoint": f"{base}/authorize",
                "token_endpoint": f"{base}/token",
                "jwks_uri": f"{base}/jwks",
                "userinfo_endpoint": f"{base}/userinfo",
                "response_types_supported": ["code"],
                "id_token_signing_alg_values_supported": ["RS256"],
                "code_challenge_methods_supported": ["S256"],
            }
        )


class _Authorize(_Handler):
    def get(self) -> None:
        asked = self.query()
        if asked["client_id"] != CLIENT or asked["code_challenge_method"] != "S256":
            self.send({"error": "invalid_request"}, 400)
            return
        back = {"state": self.service.answers_state or asked["state"]}
        if self.service.refuses:
            back["error"] = self.service.refuses
        else:
            back["code"] = self.service.give_code(asked)
        self.redirect(f"{asked['redirect_uri']}?{urlencode(back)}")


class _Token(_Handler):
    def post(self) -> None:
        form = self.form()
        kind, _, basic = self.request.headers.get("Authorization", "").partition(" ")
        client, secret = form.get("client_id", ""), form.get("client_secret", "")
        if kind == "Basic":
            client, secret = map(unquote, b64decode(basic).decode().split(":", 1))
        given = self.service.take_code(form, client, secret)
        if given is None:
            self.send({"error": "invalid_grant"}, 200 if "oauth" in self.request.path else 400)
            return
        access = secrets.token_urlsafe(16)
        self.service.tokens[access] = given.person
        answer = {"access_token": access, "token_type": "bearer"}
        if "oauth" not in self.request.path:
            answer["id_token"] = self.service.id_token(given)
        self.send(answer)


class _Keys(_Handler):
    def get(self) -> None:
        self.send({"keys": [public_jwk(name) for name in self.service.published]})


class _UserInfo(_Handler):
    def get(self) -> None:
        person = self.bearer()
        self.send(person or {}, 200 if person else 401)


class _GitHubUser(_Handler):
    def get(self) -> None:
        person = self.bearer() or {}
        self.send({"id": int(person["sub"]), "login": "octo", "name": person.get("name")})


class _GitHubEmails(_Handler):
    def get(self) -> None:
        self.send(self.service.emails, 200 if self.bearer() else 401)


@contextmanager
def oidc_server() -> Iterator[OidcServer]:
    """Serve on a free port of this machine until the block ends."""
    service = OidcServer()
    service.be("0001", "Dana Oort", "dana@example.org")
    given = {"service": service}
    routes = [
        (r"/\.well-known/openid-configuration", _Metadata, given),
        (r"/authorize", _Authorize, given),
        (r"/token", _Token, given),
        (r"/jwks", _Keys, given),
        (r"/userinfo", _UserInfo, given),
        (r"/login/oauth/authorize", _Authorize, given),
        (r"/login/oauth/access_token", _Token, given),
        (r"/api/v3/user", _GitHubUser, given),
        (r"/api/v3/user/emails", _GitHubEmails, given),
    ]
    with serve_routes(routes) as service.issuer:
        yield service
