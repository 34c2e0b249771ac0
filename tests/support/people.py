"""Contexts of browsers in which somebody is signed in."""

from __future__ import annotations

from tornado.web import create_signed_value

from lens_triage.app.context import AppContext
from lens_triage.app.http.identity import SignedIn, cookie_name
from lensing_core.store import open_database
from lensing_core.store.graders import set_role, sign_in, workspace_secret
from lensing_core.store.sign_ins import open_sign_in


def signed_in_as(
    context: AppContext, name: str, role: str = "grader"
) -> tuple[AppContext, SignedIn]:
    """The context of a browser in which a person of a role is signed in, and who it is.

    An organizer is there before, as in every workspace in which somebody has signed in.
    """
    with open_database(context.workspace).session() as session:
        sign_in(session, "The organizer")
        person = sign_in(session, name)
        set_role(session, person.id, role)
        token = open_sign_in(session, person)
    signed = create_signed_value(workspace_secret(context.workspace), cookie_name(context), token)
    known = SignedIn(person.id, person.name, person.role, person.secret is not None)
    return context.seen_by(signed.decode("ascii")), known
