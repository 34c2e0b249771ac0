"""Renaming, archiving and deleting what is chosen on a page, with what hangs on it told first."""

from __future__ import annotations

from collections.abc import Callable
from html import escape

import panel as pn
import panel_material_ui as pmui

from lens_triage.app import acts
from lens_triage.app.acting import why_not
from lens_triage.app.context import AppContext
from lens_triage.app.widgets import format as fmt
from lens_triage.app.widgets.action_button import ActionButton
from lens_triage.app.widgets.fold import fold
from lens_triage.app.widgets.live import in_background
from lens_triage.app.widgets.notice import Notice
from lens_triage.app.widgets.section import html, stack
from lensing_core.errors import LensTriageError
from lensing_core.store.dependents import Dependents
from lensing_core.store.managing import What, dependents

_CSS = """
dl { display: grid; grid-template-columns: max-content minmax(0, 1fr); gap: 3px 20px; margin: 0;
  font-size: 12.5px; }
dt { color: var(--lt-muted); }
dt, dd { margin: 0; min-width: 0; overflow-wrap: anywhere; }
p { margin: 8px 0 0; line-height: 1.5; }
"""
_MOST_NAMES = 5
_ROW = {"gap": "12px", "flex-wrap": "wrap", "row-gap": "12px", "align-items": "center"}


class ManagePanel(pn.viewable.Viewer):
    """A part that begins shut; what hangs on the chosen one is counted while it is open.

    Parameters
    ----------
    what : {'catalog', 'ensemble', 'session'}
    action : str
        Of the table of actions; the part is shown to those who may take it.
    on_change : callable
        Called when something was renamed, archived or deleted.
    """

    def __init__(
        self, context: AppContext, what: What, action: str, on_change: Callable[[], None]
    ) -> None:
        self._context, self._what, self._on_change = context, what, on_change
        self._key, self._shown_name, self._archived = "", "", False
        self._counted: tuple[str, Dependents] | None = None
        self._may = not (forbidden := why_not(context, action))
        self.notice = Notice()
        self.new_name = pmui.TextInput(label="Name", width=320, size="small", margin=0)
        style = {"variant": "outlined", "size": "small", "forbidden": forbidden}
        self.rename = ActionButton(self._rename, label="Rename", **style)
        self.archive = ActionButton(self._archive, label="Archive", **style)
        self.delete = ActionButton(self._ask, label="Delete …", disabled=True, **style)
        self.confirm = ActionButton(self._delete, label="Delete for good", forbidden=forbidden)
        self.keep = ActionButton(self._keep, label="Keep", variant="text")
        self._question = html("", css=_CSS)
        self._asking = stack(
            self._question,
            pn.Row(self.confirm, self.keep, margin=0, styles=_ROW),
            gap=8,
            visible=False,
        )
        self._facts = html("", css=_CSS)
        self._fold = fold(
            "Rename, archive, delete",
            stack(
                pn.Row(
                    self.new_name, self.rename, self.archive, self.delete, margin=0, styles=_ROW
                ),
                self._asking,
                self._facts,
                gap=10,
            ),
        )
        self._view = stack(self.notice, self._fold, gap=6, visible=False)
        super().__init__()
        self._fold.param.watch(lambda _: self._count(), "active")

    def __panel__(self) -> pn.viewable.Viewable:
        return self._view

    def offer(self, key: str, name: str, *, archived: bool) -> None:
        """Offer what can be done with one of them; '' for none."""
        self._view.visible = bool(key) and self._may
        if key != self._key:
            self.notice.clear()
            self._keep()
        if key != self._key or name != self._shown_name:
            self.new_name.value = name
        self._key, self._shown_name, self._archived = key, name, archived
        self.archive.label = "Restore from the archive" if archived else "Archive"
        if key and (self._counted is None or self._counted[0] != key):
            self._count()

    def _count(self) -> None:
        """Count in a thread what hangs on it: that takes seconds in a large workspace."""
        if not (self._key and self._fold.active):
            return
        key = self._key
        self._facts.object = "<p>Counting what depends on it …</p>"
        self.delete.disabled = True

        def work() -> Dependents | str:
            try:
                return self._context.database.ask(dependents, self._what, key)
            except LensTriageError as error:  # it is gone by now
                return str(error)

        def show(found: Dependents | str) -> None:
            if key != self._key:
                return
            if isinstance(found, str):
                self._facts.object = f"<p>{escape(found)}</p>"
                return
            self._counted = (key, found)
            self._facts.object = dependents_html(found)
            self.delete.disabled = bool(found.reasons)
            self.delete.description = " ".join(found.reasons)

        in_background(work, show)

    def _rename(self) -> None:
        with self.notice.guard():
            shown = acts.give_name(self._context, self._what, self._key, self.new_name.value)
            self._done(f"Renamed to {shown}.")

    def _archive(self) -> None:
        with self.notice.guard():
            archived = not self._archived
            acts.archive(self._context, self._what, self._key, archived=archived)
            state = "archived: hidden in lists and choices" if archived else "listed again"
            self._done(f"{self._shown_name} is {state}.")

    def _ask(self) -> None:
        goes = self._counted[1].goes if self._counted else {}
        parts = ", ".join(f"{n:,} {what}" for what, n in goes.items())
        also = f" with {parts}" if parts else ""
        self._question.object = (
            f"<p>Delete {escape(self._shown_name)}{escape(also)}? This cannot be undone.</p>"
        )
        self._asking.visible = True

    def _keep(self) -> None:
        self._asking.visible = False

    def _delete(self) -> None:
        with self.notice.guard():
            left = acts.delete(self._context, self._what, self._key)
            self._asking.visible = False
            name, self._counted = self._shown_name, None
            self._done(f"{name} is deleted.")
            if left:
                self.notice.say(" ".join(left), "warning")

    def _done(self, sentence: str) -> None:
        self._on_change()
        self.notice.say(sentence, "success")


def archived_switch() -> pmui.Checkbox:
    """Return the switch of a list that shows what is archived; hidden while nothing is."""
    return pmui.Checkbox(label="Show archived", value=False, size="small", margin=0, visible=False)


def dependents_html(found: Dependents) -> str:
    """HTML on what would be deleted, what stays, and why something cannot be deleted."""
    rows = [
        f"<dt>Deleted with it: {escape(what)}</dt><dd>{fmt.count(n)}</dd>"
        for what, n in found.goes.items()
    ]
    for what, names in found.stays.items():
        listed = ", ".join(names[:_MOST_NAMES])
        if len(names) > _MOST_NAMES:
            listed += f" and {fmt.count(len(names) - _MOST_NAMES)} more"
        rows.append(f"<dt>{escape(fmt.words(what))}</dt><dd>{escape(listed)}</dd>")
    reasons = ""
    if found.reasons:
        reasons = f"<p>It can be archived, but not deleted. {escape(' '.join(found.reasons))}</p>"
    return f"<dl>{''.join(rows)}</dl>{reasons}"
