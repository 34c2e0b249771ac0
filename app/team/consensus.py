"""Consensus of graders: how votes are aggregated, quality of the list, and the list."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from html import escape
from typing import Any

import panel as pn
import panel_material_ui as pmui

from lens_triage.app.acting import acting
from lens_triage.app.context import AppContext
from lens_triage.app.team.rows import (
    LIST_COLUMNS,
    list_row,
)
from lens_triage.app.viewer.stamps import stamps
from lens_triage.app.widgets import format as fmt
from lens_triage.app.widgets.action_button import ActionButton
from lens_triage.app.widgets.choices import newest_promoted
from lens_triage.app.widgets.live import in_background
from lens_triage.app.widgets.notice import Notice
from lens_triage.app.widgets.pager import Pager
from lens_triage.app.widgets.section import (
    html,
    row,
    section,
)
from lens_triage.app.widgets.skeleton import skeleton
from lens_triage.app.widgets.table import Table
from lensing_core.consensus import PRIOR, STATES, ListMetrics, Thresholds
from lensing_core.errors import BadInputError, LensTriageError
from lensing_core.store.consensus import update_consensus
from lensing_core.store.consensus_choice import (
    ConsensusSettings,
    Method,
    count_votes_in_sight,
    current_consensus_settings,
    is_stale,
)
from lensing_core.store.consensus_list import ConsensusEntry, consensus_page, count_states
from lensing_core.store.summaries import list_ensembles

PAGE_ROWS = 15
METRICS_CSS = """
p { margin: 0; color: var(--lt-muted); line-height: 1.55; }
b { color: var(--lt-text); font-weight: 500; font-variant-numeric: tabular-nums; }
"""
_METHODS = {"Dawid-Skene (all grades)": "dawid_skene", "SWAP (lens or not)": "swap"}
_OWN, _NUMBER = "own", "number"
_OWN_TEXT = {"dawid_skene": "Estimated from the grades", "swap": f"{PRIOR:g}, as SWAP"}
_FIRST = Thresholds(0.95, 1e-3)


@dataclass(frozen=True)
class _Found:
    """A page of the list."""

    entries: list[ConsensusEntry]
    states: dict[str, int]
    stale: bool
    in_sight: int
    ensemble: str
    pictures: dict[int, str]


class ConsensusBoard(pn.viewable.Viewer):
    """Consensus and its settings, for organizers; calls ``on_rule`` when settings change."""

    def __init__(self, context: AppContext, on_rule: Callable[[], None]) -> None:
        self._context = context
        self._on_rule = on_rule
        self._metrics: ListMetrics | None = None
        self.notice = Notice()
        self.list = Table(
            columns=LIST_COLUMNS, label="Consensus", empty="Run the consensus to see the list."
        )
        self.pager = Pager(PAGE_ROWS, self.reload)
        self.metrics = html(skeleton(2), css=METRICS_CSS)
        small: dict[str, Any] = {"size": "small", "margin": 0}
        number = {**small, "sx": {"& .MuiInputBase-root": {"height": 32}}}  # as tall as a Select
        with context.database.session() as session:
            rule = current_consensus_settings(session)
        self.method = pmui.Select(
            label="Method",
            options=_METHODS,
            value=rule.method if rule else "dawid_skene",
            width=210,
            **small,
        )
        self.prior = pmui.Select(label="Prior", options={"": _OWN}, value=_OWN, width=230, **small)
        self.share = pmui.TextInput(label="Share of lenses", value="0.001", width=130, **number)
        self.accept = pmui.TextInput(label="Accept from", width=110, **number)
        self.retire = pmui.TextInput(label="Retire at", width=110, **number)
        self.run = ActionButton(self.join, label="Run consensus", icon="check", size="small")
        self.state = pmui.Select(
            label="Show",
            options={"All": "", **{s.capitalize(): s for s in STATES}},
            value="",
            width=130,
            **small,
        )
        self._write(rule)
        self.state.param.watch(lambda _: self._first_page(), "value")
        self.method.param.watch(lambda _: self._choose_method(), "value")
        self.prior.param.watch(lambda _: self._show_share(), "value")
        self._view = section(
            "Consensus",
            self.notice,
            row(self.method, self.prior, self.share, self.accept, self.retire, self.run),
            self.metrics,
            self.list,
            row(self.state, self.pager),
            note="The last grade of each grader counts. Purity and completeness are those of the "
            "accepted list among graded objects, with 95 % intervals. Use scores as the prior "
            "only for grades that were given blind.",
        )
        super().__init__()

    def __panel__(self) -> pn.viewable.Viewable:
        return self._view

    def rule(self) -> ConsensusSettings:
        """Settings in the form."""
        chosen = self.prior.value
        return ConsensusSettings(
            self._method,
            _number(self.share) if chosen == _NUMBER else None,
            int(chosen) if chosen not in (_OWN, _NUMBER) else None,
            Thresholds(_number(self.accept), _number(self.retire)),
        )

    def join(self) -> None:
        """Join the votes and write the list."""
        with self.notice.guard():
            rule = self.rule()

            def work() -> str:
                try:
                    with acting(self._context, "run_consensus") as (session, _):
                        update_consensus(session, rule)
                except LensTriageError as error:
                    return str(error)
                return ""

            in_background(work, self._on_run, button=self.run)

    def show_metrics(self, metrics: ListMetrics) -> None:
        """Say how good the list would be by the present votes and rule."""
        self._metrics = metrics
        self.reload()

    def reload(self) -> None:
        """Read the page of the list again."""
        state, after = self.state.value or None, self.pager.after
        in_background(lambda: self._read(state, after), self._show)

    # -- parts -------------------------------------------------------------------------------------

    @property
    def _method(self) -> Method:
        return self.method.value

    def _write(self, rule: ConsensusSettings | None) -> None:
        """Put a rule, or what a method begins with, into the form."""
        ensembles = {
            f"Scores of {e.name}": str(e.id) for e in self._context.database.ask(list_ensembles)
        }
        self.prior.options = {
            _OWN_TEXT[self._method]: _OWN,
            "One number": _NUMBER,
            **ensembles,
        }
        chosen = _OWN
        if rule is not None and rule.ensemble_id is not None:
            chosen = str(rule.ensemble_id)
        elif rule is not None and rule.prior is not None:
            chosen, self.share.value = _NUMBER, f"{rule.prior:g}"
        self.prior.value = chosen
        thresholds = rule.thresholds if rule else _FIRST
        self.accept.value = f"{thresholds.accept:g}"
        self.retire.value = f"{thresholds.retire:g}"
        self._show_share()

    def _show_share(self) -> None:
        self.share.visible = self.prior.value == _NUMBER

    def _choose_method(self) -> None:
        with self._context.database.session() as session:
            self._write(current_consensus_settings(session, self._method))
        self.pager.reset()
        self._on_rule()

    def _first_page(self) -> None:
        self.pager.reset()
        self.reload()

    def _on_run(self, wrong: str) -> None:
        if wrong:
            self.notice.say(wrong)
        self.pager.reset()
        self._on_rule()

    def _read(self, state: str | None, after: Any) -> _Found | str:
        try:
            newest = newest_promoted(self._context.database.ask(list_ensembles))
            with self._context.database.session() as session:
                entries = consensus_page(
                    session, self._method, state=state, after=after, limit=PAGE_ROWS
                )
                return _Found(
                    entries,
                    count_states(session, self._method),
                    is_stale(session, self._method),
                    count_votes_in_sight(session),
                    newest,
                    stamps(session, [entry.candidate.id for entry in entries]),
                )
        except LensTriageError as error:
            return str(error)

    def _show(self, found: _Found | str) -> None:
        if isinstance(found, str):
            self.pager.reset()
            self.notice.say(found)
            return
        pictures = found.pictures
        self.list.update(
            [list_row(e, found.ensemble, pictures[e.candidate.id]) for e in found.entries]
        )
        state = self.state.value
        total = found.states[state] if state else sum(found.states.values())
        last = found.entries[-1].key if found.entries else None
        self.pager.show_place(len(found.entries), total, last)
        if self._metrics is not None:
            by_scores = self.prior.value not in (_OWN, _NUMBER)
            self.metrics.object = metrics_html(
                self._metrics,
                found.states,
                stale=found.stale,
                in_sight=found.in_sight if by_scores else 0,
            )


def metrics_html(
    metrics: ListMetrics, states: dict[str, int], *, stale: bool, in_sight: int = 0
) -> str:
    """One paragraph on the list.

    Parameters
    ----------
    states : number of candidates by state
    stale : whether there are grades that the list has not seen
    in_sight : grades that were given with the score in sight that is the prior now
    """
    if not metrics.n_graded:
        return "<p>Nothing has been graded yet.</p>"

    def said(values: tuple[float, float, float]) -> str:
        if values[0] != values[0]:
            return "not measurable"
        return escape(fmt.with_interval(values[0], values[1:]))

    parts = [
        f"<b>{metrics.n_graded:,}</b> graded, about <b>{fmt.number(metrics.expected_lenses)}</b> "
        f"lenses among them; accepted now <b>{metrics.n_accepted:,}</b>: purity "
        f"<b>{said(metrics.purity)}</b>, completeness <b>{said(metrics.completeness)}</b>."
    ]
    stored = sum(states.values())
    if stored:
        counts = ", ".join(f"{n:,} {name}" for name, n in states.items())
        parts.append(f"In the list: {counts}.")
    if stale:
        parts.append("There are newer grades than this list: run the consensus.")
    if in_sight:
        parts.append(
            f"{in_sight:,} grades were given with a visible score; with scores as the prior, the "
            "score counts twice."
        )
    return f"<p>{' '.join(parts)}</p>"


def _number(field: pmui.TextInput) -> float:
    """Return what was typed; as text, since a step of an input for numbers is no smaller than
    0.001.
    """
    try:
        return float(field.value)
    except ValueError:
        raise BadInputError(
            f"{field.label}: {field.value!r} is not a number; write one such as 0.95 or 1e-7."
        ) from None
