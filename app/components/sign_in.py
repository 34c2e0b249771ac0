"""Who is signed in, at the top of every page, and the dialogs to sign in, out and guard a name."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import param
from panel.custom import JSComponent

from app.context import AppContext
from app.identity import current_grader
from app.theme import TOKENS_CSS
from lensing_core.store.graders import list_graders

_FOLDER = Path(__file__).parent
_SCRIPTS = ("review_dom.js", "own_server.js", "sign_in.js")


class SignIn(JSComponent):
    """A button that says who is signed in.

    The dialogs post to the server beside Bokeh's connection, since the cookie that they are about
    is one that scripts cannot read.
    """

    state = param.Dict(default={}, doc="name, role, guarded; and graders: [name, guarded] of all")

    _esm = "\n".join((_FOLDER / name).read_text(encoding="utf-8") for name in _SCRIPTS)
    _stylesheets: ClassVar[list[str]] = [
        TOKENS_CSS,
        (_FOLDER / "sign_in.css").read_text(encoding="utf-8"),
    ]

    def __init__(self, context: AppContext, **params: Any) -> None:
        grader = current_grader(context)
        with context.database.session() as session:
            names = [[known.name, known.secret is not None] for known in list_graders(session)]
        state = {
            "name": grader.name if grader else "",
            "role": grader.role if grader else "",
            "guarded": grader.guarded if grader else False,
            "graders": names,
        }
        super().__init__(state=state, **{"margin": 0, **params})
