"""Sign-in at the top of every page: dialogs to sign in, sign out and protect a name."""

from __future__ import annotations

from typing import Any, ClassVar

import param
from panel.custom import JSComponent

from lens_triage.app.context import AppContext
from lens_triage.app.http.identity import current_grader
from lens_triage.app.scripts import bundle, styles
from lens_triage.app.theme import TOKENS_CSS
from lensing_core.store.graders import list_graders
from lensing_core.store.identities import list_identities


class SignIn(JSComponent):
    """A button that says who is signed in.

    The dialogs post to the server beside Bokeh's connection, since the cookie that they are about
    is one that scripts cannot read.
    """

    state = param.Dict(
        default={},
        doc="name, role, guarded; graders: [name, guarded]; asks; by: services",
    )

    _esm = bundle("sign-in")
    _stylesheets: ClassVar[list[str]] = [TOKENS_CSS, styles("http/sign_in.css")]

    def __init__(self, context: AppContext, **params: Any) -> None:
        grader = current_grader(context)
        with context.database.session() as session:
            names = [[known.name, known.secret is not None] for known in list_graders(session)]
            tied = list_identities(session, grader.id) if grader else []
        titles = {each.issuer: each.title for each in context.reach.providers}
        if context.reach.asks:
            names = []  # each knows their own
        state = {
            "name": grader.name if grader else "",
            "role": grader.role if grader else "",
            "guarded": grader.guarded if grader else False,
            "graders": names,
            "asks": context.reach.asks,
            "by": [titles.get(each.issuer, each.issuer) for each in tied],
        }
        super().__init__(state=state, **{"margin": 0, **params})
