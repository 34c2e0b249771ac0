"""Inviting people by link: the form, the link that is shown once, and what is open still."""

from __future__ import annotations

from typing import Any

import panel as pn
import panel_material_ui as pmui

from lens_triage.app import acts
from lens_triage.app.acting import why_not
from lens_triage.app.context import AppContext
from lens_triage.app.widgets import format as fmt
from lens_triage.app.widgets.action_button import ActionButton
from lens_triage.app.widgets.notice import Notice
from lens_triage.app.widgets.section import row, section
from lens_triage.app.widgets.shown_once import ShownOnce
from lens_triage.app.widgets.table import Row, Table, action, column
from lensing_core.store.invitations import open_invitations
from lensing_core.store.label_sessions import all_sessions, open_sessions
from lensing_core.store.tables import GRADER_ROLES, Invitation

_COLUMNS = [
    column("name", "Invited", width="30%"),
    column("role", "Role", width="104px"),
    column("leads", "Leads to"),
    column("until", "Open until", width="132px"),
    column("act", "", align="right"),
]
_DAYS = {"1 day": 1.0, "7 days": 7.0, "30 days": 30.0}
_ONCE = (
    "Copy the link now, and send it over a channel that you trust: it is not shown again, and "
    "whoever opens it first gets the name."
)


class InvitationBoard(pn.viewable.Viewer):
    """Invitations, for organizers; each change is checked again when it is made.

    Parameters
    ----------
    session_id : str, optional
        Of the labeling session that is chosen at first.
    """

    def __init__(self, context: AppContext, session_id: str = "") -> None:
        self._context = context
        style: dict[str, Any] = {"size": "small", "margin": 0}
        self.name_of = pmui.TextInput(label="Name", width=220, **style)
        self.role = pmui.Select(
            label="Role", options=[*GRADER_ROLES], value="grader", width=130, **style
        )
        self.days = pmui.Select(label="Open for", options=_DAYS, value=7.0, width=120, **style)
        sessions = {one.name: one.id for one in context.database.ask(open_sessions)}
        self.leads_to = pmui.Select(
            label="Leads to",
            options={"the overview": "", **sessions},
            value=session_id if session_id in sessions.values() else "",
            width=200,
            **style,
        )
        self.invite = ActionButton(
            self._invite,
            label="Invite",
            icon="add",
            variant="outlined",
            forbidden=why_not(context, "invite"),
        )
        self.shown = ShownOnce(label="Link of the invitation", note=_ONCE, is_link=True)
        self.notice = Notice()
        self.table = Table(columns=_COLUMNS, label="Invitations", empty="No invitation is open.")
        self.table.on_action(self._act)
        form = row(self.name_of, self.role, self.days, self.leads_to, self.invite)
        self._view = section(
            "Invite",
            self.notice,
            form,
            self.shown,
            self.table,
            note="Whoever opens the link chooses a passphrase, or signs in with a service that is "
            "set up on this server. A reader sees candidates and changes nothing; a grader "
            "grades; an organizer runs the search.",
        )
        super().__init__()
        self.reload()

    def __panel__(self) -> pn.viewable.Viewable:
        return self._view

    def reload(self) -> None:
        """Read the invitations again."""
        with self._context.database.session() as session:
            found, sessions = open_invitations(session), all_sessions(session)
        names = {one.id: one.name for one in sessions}
        self.table.update([invitation_row(one, names.get(one.session_id or "")) for one in found])

    def _invite(self) -> None:
        self.shown.text = ""
        with self.notice.guard():
            name = " ".join(self.name_of.value.split())
            self.shown.text = acts.invite_person(
                self._context,
                name,
                self.role.value,
                self.days.value,
                self.leads_to.value or None,
            )
            self.name_of.value = ""
        self.reload()

    def _act(self, name: str, key: str) -> None:
        with self.notice.guard():
            if name == "withdraw":
                acts.withdraw_invitation(self._context, key)
                self.notice.say(f"The invitation of {key} is withdrawn.", "success")
        self.reload()


def invitation_row(invitation: Invitation, session: str | None = None) -> Row:
    """A line of the table; ``session`` is the name of the session that it leads to."""
    until = invitation.expires_at
    return {
        "key": invitation.name,
        "name": invitation.name,
        "role": invitation.role,
        "leads": session or "",
        "until": {"text": f"{until:%Y-%m-%d %H:%M}", "title": fmt.moment(until)},
        "act": {"text": "", "actions": [action("withdraw", "Withdraw")]},
    }
