"""API tokens: one's own, and for organizers everybody's."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import panel as pn
import panel_material_ui as pmui

from lens_triage.app import acts
from lens_triage.app.acting import why_not
from lens_triage.app.context import AppContext
from lens_triage.app.http.identity import SignedIn, current_grader
from lens_triage.app.widgets import format as fmt
from lens_triage.app.widgets.action_button import ActionButton
from lens_triage.app.widgets.notice import Notice
from lens_triage.app.widgets.section import section
from lens_triage.app.widgets.shown_once import ShownOnce
from lens_triage.app.widgets.table import Row, Table, action, column
from lensing_core.store.api_tokens import is_open, list_api_tokens
from lensing_core.store.graders import list_graders
from lensing_core.store.tables import GRADER_ROLES, ApiToken

_COLUMNS = [
    column("label", "For", width="26%"),
    column("owner", "Of", width="18%"),
    column("role", "Role", width="92px"),
    column("state", "State", width="88px"),
    column("until", "Good until", width="104px"),
    column("used", "Last used", width="104px"),
    column("act", "", align="right"),
]
_DAYS = {"30 days": 30.0, "90 days": 90.0, "1 year": 365.0}
_ONCE = (
    "Copy it now: it is not shown again. Programs send it as the header "
    "“Authorization: Bearer TOKEN”, never in an address. What they may ask is listed at /api/v1."
)


class TokenBoard(pn.viewable.Viewer):
    """API tokens of the person signed in; each change is checked again when it is made."""

    def __init__(self, context: AppContext) -> None:
        self._context = context
        self._person = current_grader(context)
        style: dict[str, Any] = {"size": "small", "margin": 0}
        self.label = pmui.TextInput(label="What it is for", width=240, **style)
        roles = _roles_of(self._person)
        self.role = pmui.Select(label="Role", options=roles, value=roles[0], width=130, **style)
        self.days = pmui.Select(label="Good for", options=_DAYS, value=90.0, width=120, **style)
        self.make = ActionButton(
            self._make,
            label="New token",
            icon="add",
            variant="outlined",
            forbidden=why_not(context, "make_own_token"),
        )
        self.shown = ShownOnce(label="New API token", note=_ONCE)
        self.notice = Notice()
        self.table = Table(columns=_COLUMNS, label="API tokens", empty="There are no API tokens.")
        self.table.on_action(self._act)
        form = pn.Row(
            self.label,
            self.role,
            self.days,
            self.make,
            margin=0,
            styles={"gap": "12px", "flex-wrap": "wrap", "row-gap": "12px", "align-items": "center"},
        )
        self._view = section(
            "API tokens",
            self.notice,
            form,
            self.shown,
            self.table,
            note="With a token, a program acts under your name, with the role of the token or "
            "less, until it expires or is revoked.",
        )
        super().__init__()
        self.reload()

    def __panel__(self) -> pn.viewable.Viewable:
        return self._view

    def reload(self) -> None:
        """Read the tokens again."""
        person = self._person
        if person is None:
            self.table.update([])
            return
        with self._context.database.session() as session:
            found = list_api_tokens(session, None if person.is_organizer else person.id)
            names = {one.id: one.name for one in list_graders(session)}
        now = datetime.now(UTC)
        self.table.update([token_row(one, names[one.grader_id], now) for one in found])

    def _make(self) -> None:
        self.shown.text = ""
        with self.notice.guard():
            made = acts.make_api_token(
                self._context, self.label.value, self.role.value, self.days.value
            )
            self.shown.text = made
            self.label.value = ""
        self.reload()

    def _act(self, name: str, key: str) -> None:
        with self.notice.guard():
            if name == "revoke":
                acts.revoke_token(self._context, int(key))
                self.notice.say("The token is revoked.", "success")
        self.reload()


def _roles_of(person: SignedIn | None) -> list[str]:
    """Roles that a token of somebody may have, the least first."""
    if person is None:
        return [GRADER_ROLES[0]]
    return list(GRADER_ROLES[: GRADER_ROLES.index(person.role) + 1])


def token_row(token: ApiToken, owner: str, now: datetime) -> Row:
    """A line of the table."""
    good = is_open(token)
    state = "good" if good else "revoked" if token.revoked_at else "expired"
    used = token.last_used_at
    return {
        "key": str(token.id),
        "label": token.label,
        "owner": owner,
        "role": token.role,
        "state": {"text": state, "chip": "success" if good else ""},
        "until": {"text": f"{token.expires_at:%Y-%m-%d}", "title": fmt.moment(token.expires_at)},
        "used": "never"
        if used is None
        else {"text": fmt.ago(used, now), "title": fmt.moment(used)},
        "act": {"text": "", "actions": [action("revoke", "Revoke")] if good else []},
    }
