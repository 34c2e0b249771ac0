"""Who has a name in the workspace: roles, passphrases, and names that are no longer used."""

from __future__ import annotations

import panel as pn

from lens_triage.app import acts
from lens_triage.app.context import AppContext
from lens_triage.app.http.identity import SignedIn
from lens_triage.app.widgets import format as fmt
from lens_triage.app.widgets.notice import Notice
from lens_triage.app.widgets.section import section
from lens_triage.app.widgets.table import Row, Table, column
from lensing_core.store.graders import list_graders
from lensing_core.store.tables import Grader

_COLUMNS = [
    column("name", "Name", width="24%"),
    column("role", "Role", width="104px"),
    column("passphrase", "Passphrase", width="104px"),
    column("since", "Since", width="96px"),
    column("act", "", align="right"),
]


class PeopleBoard(pn.viewable.Viewer):
    """For organizers; each change is checked again when it is made."""

    def __init__(self, context: AppContext, organizer: SignedIn) -> None:
        self._context = context
        self._organizer = organizer
        self.notice = Notice()
        self.table = Table(columns=_COLUMNS, label="People", empty="Nobody has signed in yet.")
        self.table.on_action(self._act)
        self._view = section(
            "People",
            self.notice,
            self.table,
            note="A new passphrase is shown here once, and signs its owner out everywhere. Nobody "
            "signs in with a deactivated name; what was done with it stays.",
        )
        super().__init__()
        self.reload()

    def __panel__(self) -> pn.viewable.Viewable:
        return self._view

    def reload(self) -> None:
        """Read the names again."""
        with self._context.database.session() as session:
            found = list_graders(session)
        self.table.update([person_row(one, is_self=one.id == self._organizer.id) for one in found])

    def _act(self, action: str, key: str) -> None:
        with self.notice.guard():
            said = self._do(action, int(key))
            self.notice.say(said, "success")
        self.reload()

    def _do(self, action: str, grader_id: int) -> str:
        name = next((r["name"]["text"] for r in self.table.rows if r["key"] == str(grader_id)), "?")
        if action == "reset":
            made = acts.new_passphrase(self._context, grader_id)
            return f"The new passphrase of {name} is {made} (tell it to nobody else)."
        if action in ("organizer", "grader"):
            acts.give_role(self._context, grader_id, action)
            return f"{name} is now {'an organizer' if action == 'organizer' else 'a grader'}."
        acts.activate(self._context, grader_id, active=action == "activate")
        return f"{name} is {'active again' if action == 'activate' else 'deactivated'}."


def person_row(grader: Grader, *, is_self: bool) -> Row:
    """A person, or a source of imported grades."""
    active = grader.deactivated_at is None
    other = "grader" if grader.role == "organizer" else "organizer"
    actions = [
        {"name": "reset", "text": "New passphrase"},
        {"name": other, "text": f"Make {other}"},
        {"name": "deactivate", "text": "Deactivate"},
    ]
    if not active:
        actions = [{"name": "activate", "text": "Activate"}]
    return {
        "key": str(grader.id),
        "name": {"text": grader.name, "note": "you" if is_self else ""},
        "role": {
            "text": grader.role if active else "deactivated",
            "chip": "accent" if active and grader.role == "organizer" else "",
        },
        "passphrase": {
            "text": "set" if grader.secret else "none",
            "title": "" if grader.secret else "Anybody at this machine can sign in with this name",
        },
        "since": {"text": fmt.ago(grader.created_at), "title": fmt.moment(grader.created_at)},
        "act": {"text": "", "actions": actions},
    }
