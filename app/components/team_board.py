"""The team: consensus, agreement, skill, pace and coverage; a grader sees the own figures."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

import panel as pn
import panel_material_ui as pmui

from app.components import format as fmt
from app.components.label_files import LabelFiles
from app.components.live import in_background, live
from app.components.loop_board import LoopBoard
from app.components.notice import Notice
from app.components.section import columns, html, section, stack
from app.components.table import Table
from app.components.team_rows import (
    COVERAGE_COLUMNS,
    DISAGREEMENT_COLUMNS,
    GRADER_COLUMNS,
    LIST_COLUMNS,
    PAIR_COLUMNS,
    agreement_text,
    coverage_row,
    disagreement_row,
    grader_row,
    list_row,
    pair_row,
)
from app.context import AppContext
from app.identity import SignedIn
from lensing_core.acquisition import QueueEntry, QueueRequest, choose_queue
from lensing_core.consensus import STATES, ListFigures, Thresholds
from lensing_core.errors import LensTriageError
from lensing_core.labeling.team import Team, team_figures
from lensing_core.store.candidates import object_names
from lensing_core.store.consensus import (
    ConsensusEntry,
    ConsensusRule,
    consensus_page,
    count_states,
    is_stale,
    update_consensus,
)
from lensing_core.store.summaries import list_ensembles

_PAGE, _CONTESTED = 15, 10
_METHODS = {"Dawid-Skene (all grades)": "dawid_skene", "SWAP (lens or not)": "swap"}
_CSS = """
p { margin: 0; color: var(--lt-muted); line-height: 1.55; }
b { color: var(--lt-text); font-weight: 500; font-variant-numeric: tabular-nums; }
"""


@dataclass(frozen=True)
class _Found:
    """What the page shows, read in one go."""

    team: Team
    entries: list[ConsensusEntry]
    states: dict[str, int]
    contested: list[tuple[QueueEntry, str]]
    ensemble: str
    stale: bool


class TeamBoard(pn.viewable.Viewer):
    """All parts of the page."""

    def __init__(self, context: AppContext, grader: SignedIn) -> None:
        self._context = context
        self._grader = grader
        organiser = grader.is_organiser
        self.notice = Notice()
        self.graders = Table(
            columns=GRADER_COLUMNS,
            label="Graders",
            empty="Nothing has been graded yet: start a session on the Label page.",
        )
        self.pairs = Table(
            columns=PAIR_COLUMNS, label="Pairs", empty="No two graders share five objects yet."
        )
        self.coverage = Table(
            columns=COVERAGE_COLUMNS, label="Coverage", empty="No catalog has grades yet."
        )
        self.contested = Table(
            columns=DISAGREEMENT_COLUMNS,
            label="Disagreements",
            empty="No object has grades that differ.",
        )
        self.list = Table(
            columns=LIST_COLUMNS, label="Consensus", empty="Run the consensus to see the list."
        )
        self._agreement = html("", css=_CSS)
        self._figures = html("", css=_CSS)
        small = {"size": "small", "margin": 0}
        self.method = pmui.Select(
            label="Method", options=_METHODS, value="dawid_skene", width=220, **small
        )
        self.accept = pmui.FloatInput(
            label="Accept from", value=0.95, start=0.5, end=0.9999, step=0.01, width=110, **small
        )
        self.retire = pmui.FloatInput(
            label="Retire at", value=1e-3, start=1e-9, end=0.4, step=1e-3, width=110, **small
        )
        self.run = pmui.Button(
            label="Run consensus", icon="how_to_vote", disable_elevation=True, **small
        )
        self.state = pmui.Select(
            label="State",
            options={"All": "", **{s.capitalize(): s for s in STATES}},
            value="",
            width=130,
            **small,
        )
        self.run.on_click(lambda _: self._run())
        for chooser in (self.state, self.method):
            chooser.param.watch(lambda _: self.reload(), "value")
        self.loop = LoopBoard(context, organiser=organiser)
        figures = section(
            "Graders" if organiser else "Your figures",
            self.graders,
            note="Repeats and gold standards with 95 % intervals; the last column is what the "
            "consensus has learned: lens grades of lenses / no-lens grades of others.",
        )
        parts = [self.notice, self.loop, figures]
        if organiser:
            self.files = LabelFiles(context, self.reload)
            parts[2:2] = [self._consensus()]
            agreement = section("Agreement", self._agreement, self.pairs)
            contested = section("Disagreements", self.contested)
            even = "minmax(0, 1fr) minmax(0, 1fr)"
            parts += [columns(agreement, contested, template=even), self.files]
        parts.append(section("Coverage", self.coverage))
        self._view = stack(*parts)
        super().__init__()
        self.reload()
        live(self.loop.refresh)

    def __panel__(self) -> pn.viewable.Viewable:
        return self._view

    def _consensus(self) -> pn.viewable.Viewable:
        choosers = pn.Row(
            self.method,
            self.accept,
            self.retire,
            self.state,
            self.run,
            margin=0,
            styles={"gap": "10px", "align-items": "center", "flex-wrap": "wrap"},
        )
        return section(
            "Consensus",
            choosers,
            self._figures,
            self.list,
            note="The last grade of each grader counts. Purity and completeness are those of the "
            "accepted list among graded objects, with 95 % intervals.",
        )

    def reload(self) -> None:
        """Read everything again, in the background."""
        in_background(self._read, self._show)

    def rule(self) -> ConsensusRule:
        """As the form says."""
        thresholds = Thresholds(float(self.accept.value or 0), float(self.retire.value or 0))
        return ConsensusRule(self.method.value, thresholds=thresholds)

    def _run(self) -> None:
        with self.notice.guard():
            rule = self.rule()
            self.run.loading = True

            def work() -> str:
                try:
                    with self._context.database.session() as session:
                        update_consensus(session, rule)
                except LensTriageError as error:
                    return str(error)
                return ""

            in_background(work, self._ran)

    def _ran(self, wrong: str) -> None:
        self.run.loading = False
        if wrong:
            self.notice.say(wrong)
        self.reload()

    def _read(self) -> _Found | str:
        try:
            rule = self.rule()
            ensembles = list_ensembles(self._context.database)
            promoted = [e for e in ensembles if e.promoted_at is not None]
            newest = max(promoted, key=lambda e: str(e.promoted_at)).name if promoted else ""
            with self._context.database.session() as session:
                team = team_figures(session, rule)
                entries = consensus_page(
                    session, rule.method, state=self.state.value or None, limit=_PAGE
                )
                torn = choose_queue(
                    session, self._context.workspace, QueueRequest("graders", _CONTESTED)
                )
                names = object_names(session, [entry.candidate_id for entry in torn])
                return _Found(
                    team,
                    entries,
                    count_states(session, rule.method),
                    [(entry, names[entry.candidate_id]) for entry in torn],
                    newest,
                    is_stale(session, rule.method),
                )
        except LensTriageError as error:
            return str(error)

    def _show(self, found: _Found | str) -> None:
        if isinstance(found, str):
            self.notice.say(found)
            return
        organiser = self._grader.is_organiser
        mine = [g for g in found.team.graders if organiser or g.id == self._grader.id]
        self.graders.update([grader_row(g) for g in mine])
        self.coverage.update([coverage_row(c) for c in found.team.coverage])
        if not organiser:
            return
        self.pairs.update([pair_row(p) for p in found.team.pairs])
        self.contested.update([disagreement_row(e, n, found.ensemble) for e, n in found.contested])
        self.list.update([list_row(e, found.ensemble) for e in found.entries])
        fleiss = found.team.fleiss
        self._agreement.object = (
            f"<p>Fleiss' κ on lens, open, no lens: <b>{escape(agreement_text(fleiss))}</b> of "
            f"{fmt.count(fleiss.n)} objects with two grades or more.</p>"
        )
        self._figures.object = figures_html(
            found.team.joined.figures, found.states, stale=found.stale
        )


def figures_html(figures: ListFigures, states: dict[str, int], *, stale: bool) -> str:
    """One paragraph on the list."""
    if not figures.n_graded:
        return "<p>Nothing has been graded yet.</p>"

    def said(values: tuple[float, float, float]) -> str:
        if values[0] != values[0]:
            return "not measurable"
        return escape(fmt.with_interval(values[0], values[1:]))

    parts = [
        f"<b>{figures.n_graded:,}</b> graded, about <b>{fmt.number(figures.expected_lenses)}</b> "
        f"lenses among them; accepted now <b>{figures.n_accepted:,}</b>: purity "
        f"<b>{said(figures.purity)}</b>, completeness <b>{said(figures.completeness)}</b>."
    ]
    stored = sum(states.values())
    if stored:
        counts = ", ".join(f"{n:,} {name}" for name, n in states.items())
        parts.append(f"In the list: {counts}.")
    if stale:
        parts.append("There are grades since the list was made: run the consensus.")
    return f"<p>{' '.join(parts)}</p>"
