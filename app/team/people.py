"""People of the workspace: roles, passphrases, and deactivated names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from types import MappingProxyType

import panel as pn

from lens_triage.app import acts
from lens_triage.app.context import AppContext
from lens_triage.app.http.identity import SignedIn
from lens_triage.app.widgets import format as fmt
from lens_triage.app.widgets.notice import Notice
from lens_triage.app.widgets.section import section
from lens_triage.app.widgets.table import Cell, Row, Table, column
from lensing_core.store.graders import list_graders
from lensing_core.store.identities import identities_by_grader
from lensing_core.store.people import last_seen
from lensing_core.store.tables import GRADER_ROLES, Grader, GraderIdentity

_COLUMNS = [
    column("name", "Name", width="18%"),
    column("role", "Role", width="104px"),
    column("by", "Signs in by", width="13%"),
    column("seen", "Last seen", width="96px"),
    column("act", "", align="right"),
]


class PeopleBoard(pn.viewable.Viewer):
    """People and their roles, for organizers; each change is checked again when it is made."""

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
            "can sign in with a deactivated name; its grades and notes are kept.",
        )
        super().__init__()
        self.reload()

    def __panel__(self) -> pn.viewable.Viewable:
        return self._view

    def reload(self) -> None:
        """Read the names again."""
        with self._context.database.session() as session:
            found, accounts = list_graders(session), identities_by_grader(session)
            seen = last_seen(session)
        titles = {each.issuer: each.title for each in self._context.reach.providers}
        self.table.update(
            [
                person_row(
                    one,
                    is_self=one.id == self._organizer.id,
                    accounts=accounts.get(one.id, []),
                    titles=titles,
                    seen=seen.get(one.id),
                )
                for one in found
            ]
        )

    def _act(self, action: str, key: str) -> None:
        with self.notice.guard():
            said = self._do(action, int(key))
            self.notice.say(said, "success")
        self.reload()

    def _do(self, action: str, grader_id: int) -> str:
        name = next((r["name"]["text"] for r in self.table.rows if r["key"] == str(grader_id)), "?")
        if action == "reset":
            made = acts.new_passphrase(self._context, grader_id)
            return f"The new passphrase of {name} is {made} (give it to nobody else)."
        if action in GRADER_ROLES:
            acts.give_role(self._context, grader_id, action)
            return f"{name} is now {'an' if action == 'organizer' else 'a'} {action}."
        if action == "untie":
            n = acts.untie_accounts(self._context, grader_id)
            return f"{name} has {n} accounts less to sign in by; a new passphrase lets them in."
        acts.activate(self._context, grader_id, active=action == "activate")
        return f"{name} is {'active again' if action == 'activate' else 'deactivated'}."


def person_row(
    grader: Grader,
    *,
    is_self: bool,
    accounts: Sequence[GraderIdentity] = (),
    titles: Mapping[str, str] = MappingProxyType({}),
    seen: datetime | None = None,
) -> Row:
    """A person, or a source of imported grades.

    Parameters
    ----------
    accounts : sequence of GraderIdentity, optional
        By which the person signs in.
    titles : mapping, optional
        Of services, by their issuer.
    seen : datetime, optional
        When the person last did something.
    """
    active = grader.deactivated_at is None
    actions = [
        {"name": "reset", "text": "New passphrase"},
        *({"name": role, "text": f"Make {role}"} for role in GRADER_ROLES if role != grader.role),
        *([{"name": "untie", "text": "Untie"}] if accounts else []),
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
        "by": _way_in(grader, accounts, titles),
        "seen": {
            "text": "never" if seen is None else fmt.ago(seen),
            "title": f"Name made {fmt.moment(grader.created_at)}",
        },
        "act": {"text": "", "actions": actions},
    }


def _way_in(grader: Grader, accounts: Sequence[GraderIdentity], titles: Mapping[str, str]) -> Cell:
    """Ways in which a person signs in."""
    if accounts:
        services = dict.fromkeys(titles.get(each.issuer, each.issuer) for each in accounts)
        told = ", ".join(each.email or each.subject for each in accounts)
        return {"text": ", ".join(services), "title": told}
    if grader.secret:
        return {"text": "passphrase"}
    return {"text": "name alone", "title": "Anybody at this machine can sign in with this name"}
