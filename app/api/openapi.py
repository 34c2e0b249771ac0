"""The API's description in OpenAPI 3.1, from the tables of endpoints and of permissions."""

from __future__ import annotations

from typing import Any

from pydantic import TypeAdapter

from lens_triage.app.api.endpoints import BASE, ENDPOINTS, Endpoint, Parameter
from lens_triage.app.api.forms import ErrorReply
from lens_triage.app.permissions import WHO
from lensing_core import __version__

_REF = "#/components/schemas/{model}"
_REFUSALS = {
    400: "A parameter or the body makes no sense",
    401: "No token, or one that is good no more",
    403: "The role of the token may not ask this",
    404: "There is no such thing",
    429: "Too many requests by this token; Retry-After says when to go on",
    503: "The server is busy; Retry-After says when to try again",
}


def description(prefix: str = "") -> dict[str, Any]:
    """Return the description as JSON.

    Parameters
    ----------
    prefix : str, optional
        Path before all addresses, as behind a proxy.
    """
    schemas: dict[str, Any] = {}
    paths: dict[str, Any] = {}
    for endpoint in ENDPOINTS:
        operation = _operation(endpoint, schemas)
        paths.setdefault(f"{BASE}{endpoint.path}", {})[endpoint.method.lower()] = operation
    _schema(ErrorReply, schemas)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "lens-triage",
            "version": __version__,
            "description": "Candidates, scores, pixels, labels and runs of a workspace.",
        },
        "servers": [{"url": prefix or "/"}],
        "security": [{"token": []}],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }


def roles_of(endpoint: Endpoint) -> list[str]:
    """Return the roles that may ask an endpoint, in the order of their table."""
    return [who for who in WHO if who in endpoint.route.may]


def _operation(endpoint: Endpoint, schemas: dict[str, Any]) -> dict[str, Any]:
    made: dict[str, Any] = {
        "summary": endpoint.summary,
        "operationId": f"{endpoint.method.lower()}{_camel(endpoint.path)}",
        "x-roles": roles_of(endpoint),
        "parameters": [*_path_parameters(endpoint), *map(_parameter, endpoint.parameters)],
        "responses": {
            "200": {
                "description": endpoint.summary,
                "content": _content(endpoint.reply, schemas),
            },
            **{
                str(status): {
                    "description": why,
                    "content": {"application/json": {"schema": {"$ref": _ref(ErrorReply)}}},
                }
                for status, why in _REFUSALS.items()
            },
        },
    }
    if endpoint.description:
        made["description"] = endpoint.description
    if endpoint.body is not None:
        made["requestBody"] = {"required": True, "content": _content(endpoint.body, schemas)}
    return made


def _path_parameters(endpoint: Endpoint) -> list[dict[str, Any]]:
    if "{id}" not in endpoint.path:
        return []
    kind = "string" if endpoint.path.startswith("/runs") else "integer"
    return [{"name": "id", "in": "path", "required": True, "schema": {"type": kind}}]


def _parameter(parameter: Parameter) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": parameter.kind}
    if parameter.choices:
        schema["enum"] = list(parameter.choices)
    if parameter.many:
        schema = {"type": "array", "items": schema}
    return {
        "name": parameter.name,
        "in": "query",
        "description": parameter.description,
        "schema": schema,
        **({"explode": True} if parameter.many else {}),
    }


def _content(form: type | tuple[str, ...], schemas: dict[str, Any]) -> dict[str, Any]:
    """Media types of a body, with the schema of one in JSON."""
    if isinstance(form, tuple):
        return {kind: {"schema": {"type": "string", "format": "binary"}} for kind in form}
    return {"application/json": {"schema": {"$ref": _schema(form, schemas)}}}


def _schema(form: type, schemas: dict[str, Any]) -> str:
    """Add the schema of a form, and of those within it; returns its reference."""
    made = TypeAdapter(form).json_schema(ref_template=_REF)
    schemas.update(made.pop("$defs", {}))
    schemas[form.__name__] = made
    return _ref(form)


def _ref(form: type) -> str:
    return _REF.format(model=form.__name__)


def _camel(path: str) -> str:
    words = path.replace("{id}", "one").strip("/").split("/")
    return "".join(word.capitalize() for word in words)
