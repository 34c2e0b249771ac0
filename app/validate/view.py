"""The parts of the Validate page: stages, the candidates of one, moves, yields, one candidate."""

from __future__ import annotations

from dataclasses import dataclass, fields

import panel as pn
import panel_material_ui as pmui

from lens_triage.app.acting import hides_blind
from lens_triage.app.context import AppContext
from lens_triage.app.validate.candidate import CandidateBoard
from lens_triage.app.validate.fields import NUMBER, SMALL, number, row
from lens_triage.app.validate.moving import MovingBoard, Ranking
from lens_triage.app.validate.rows import (
    CANDIDATE_COLUMNS,
    STAGE_COLUMNS,
    candidate_row,
    stage_row,
)
from lens_triage.app.widgets.live import in_background
from lens_triage.app.widgets.notice import Notice
from lens_triage.app.widgets.pager import Pager
from lens_triage.app.widgets.section import columns, section, stack
from lens_triage.app.widgets.table import Table
from lensing_core.errors import LensTriageError
from lensing_core.store.ensembles import by_preference
from lensing_core.store.ranking_query import Cursor
from lensing_core.store.stages import StagedCandidate, StageOrder, count_stages, stage_page
from lensing_core.store.summaries import list_ensembles
from lensing_core.store.tables import STAGES
from lensing_core.yields import Rates, expected_yields

PAGE_ROWS = 12
_RATE_TEXTS = {
    "detection": "Detections worth a look",
    "visual": "Pass inspection",
    "new": "New to the literature",
    "model": "A model fits",
    "redshift": "Redshifts agree",
}


@dataclass(frozen=True)
class _Found:
    """Contents of the page, read in one go."""

    counts: dict[str, int]
    candidates: list[StagedCandidate]
    total: int
    ranking: Ranking


class ValidationBoard(pn.viewable.Viewer):
    """All parts of the page."""

    def __init__(self, context: AppContext, *, stage: str = "", candidate: str = "") -> None:
        self._context = context
        self._counts = dict.fromkeys(STAGES, 0)
        self._ranking = Ranking(None, "")
        self._wanted = candidate if candidate.isdecimal() and len(candidate) < 16 else ""
        self.notice = Notice()
        self.stages = Table(
            columns=STAGE_COLUMNS,
            label="Stages",
            selectable=True,
            selected=stage if stage in STAGES else "triage",
        )
        self.order = pmui.Select(
            label="Order",
            options={"By score": "score", "By consensus": "consensus"},
            value="score",
            width=150,
            **SMALL,
        )
        self.candidates = Table(
            columns=CANDIDATE_COLUMNS,
            label="Candidates",
            selectable=True,
            empty="No candidate here in this order.",
        )
        self.pager = Pager(PAGE_ROWS, self.reload)
        self.moving = MovingBoard(context, lambda: self._ranking, self.first_page)
        self.candidate = CandidateBoard(context, self.reload)
        self.rates = {
            field.name: pmui.TextInput(
                label=_RATE_TEXTS[field.name], value=f"{field.default:g}", width=150, **NUMBER
            )
            for field in fields(Rates)
        }
        for each in self.rates.values():
            each.param.watch(lambda _: self._show_stages(), "value")
        self.stages.param.watch(lambda _: self.first_page(), "selected")
        self.order.param.watch(lambda _: self.first_page(), "value")
        self.candidates.param.watch(
            lambda event: self.candidate.show_candidate(int(event.new or 0)), "selected"
        )
        self._view = stack(
            self.notice,
            columns(
                section(
                    "Stages",
                    self.stages,
                    row(*self.rates.values()),
                    note="Lenses to expect by the rates below, each with the root of its binomial "
                    "variance. The rates are assumptions for planning that you can change; they "
                    "do not affect any candidate.",
                ),
                self.moving,
                template="minmax(0, 1fr) minmax(0, 1.1fr)",
            ),
            section(
                "Candidates",
                self.candidates,
                row(self.order, self.pager),
                note="Choose one for its checklist and its confirmation record.",
            ),
            self.candidate,
        )
        super().__init__()

    def __panel__(self) -> pn.viewable.Viewable:
        return self._view

    def refresh(self) -> None:
        """Follow the database."""
        self.reload()

    def first_page(self) -> None:
        """Show the first candidates of the stage."""
        self.pager.reset()
        self.reload()

    def reload(self) -> None:
        """Read the stages and the page of candidates again."""
        stage, order, after = self.stages.selected or "triage", self.order.value, self.pager.after
        in_background(lambda: self._read(stage, order, after), self._show)

    def _read(self, stage: str, order: StageOrder, after: Cursor | None) -> _Found | str:
        try:
            first = next(iter(by_preference(self._context.database.ask(list_ensembles))), None)
            ranking = Ranking(None, "") if first is None else Ranking(first.id, first.name)
            with self._context.database.session() as session:
                found, total = stage_page(
                    session,
                    stage,
                    ranking.ensemble_id,
                    order=order,
                    after=after,
                    limit=PAGE_ROWS,
                    hides_blind=hides_blind(self._context),
                )
                return _Found(count_stages(session), found, total, ranking)
        except LensTriageError as error:
            return str(error)

    def _show(self, found: _Found | str) -> None:
        if isinstance(found, str):
            self.pager.reset()
            self.notice.say(found)
            return
        self._counts, self._ranking = found.counts, found.ranking
        self._show_stages()
        self.moving.reload()
        self.candidates.update([candidate_row(one, found.ranking.name) for one in found.candidates])
        last = None
        if found.candidates:
            last = found.candidates[-1].ranked.cursor
        self.pager.show_place(len(found.candidates), found.total, last)
        if self._wanted:
            self.candidates.selected, self._wanted = self._wanted, ""

    def _show_stages(self) -> None:
        self.notice.clear()
        with self.notice.guard():
            rates = Rates(**{name: number(field) for name, field in self.rates.items()})
            expected = expected_yields(self._counts, rates)
            self.stages.update(
                [stage_row(stage, n, expected.get(stage)) for stage, n in self._counts.items()]
            )
