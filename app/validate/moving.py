"""Moves of many candidates by a rule, and their undo."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import panel as pn
import panel_material_ui as pmui

from lens_triage.app import acts
from lens_triage.app.acting import why_not
from lens_triage.app.context import AppContext
from lens_triage.app.validate.fields import NUMBER, SMALL, number, optional_number, row
from lens_triage.app.validate.rows import MOVE_COLUMNS, TEST_TEXTS, move_row
from lens_triage.app.widgets import format as fmt
from lens_triage.app.widgets.action_button import ActionButton
from lens_triage.app.widgets.notice import Notice
from lens_triage.app.widgets.section import section
from lens_triage.app.widgets.table import Table
from lensing_core.errors import BadInputError
from lensing_core.store.bulk_moves import MOST, MoveRule, chosen_by, list_bulk_moves
from lensing_core.store.ranking_query import Range
from lensing_core.store.tables import STAGES

_NEXT = {"detection": "triage", "triage": "validation", "validation": "confirmation"}
FEATURES = {
    "No feature": "",
    "Magnitude": "magnitude",
    "Einstein radius (proxy, ″)": "theta_e",
    "Arc radius (″)": "arc_radius",
    "Arc length (″)": "arc_length",
    "Arc angle (°)": "arc_angle",
    "Arc S/N": "arc_snr",
    "Color consistency": "color_consistency",
    "Arc − galaxy color (mag)": "arc_color",
}


@dataclass(frozen=True)
class Ranking:
    """The ensemble whose scores the page shows; None and '' where there is none."""

    ensemble_id: int | None
    name: str


class MovingBoard(pn.viewable.Viewer):
    """A rule, what it would move, and what was moved; ``on_move`` is called after each change."""

    def __init__(
        self, context: AppContext, ranking: Callable[[], Ranking], on_move: Callable[[], None]
    ) -> None:
        self._context = context
        self._ranking = ranking
        self._on_move = on_move
        self._forbidden = why_not(context, "move_by_rule")
        stages = {stage.capitalize(): stage for stage in STAGES}
        self.notice = Notice()
        self.source = pmui.Select(
            label="From", options=stages, value="detection", width=140, **SMALL
        )
        self.target = pmui.Select(
            label="To",
            options={text: key for text, key in stages.items() if key != "rejected"},
            value="triage",
            width=140,
            **SMALL,
        )
        self.most = pmui.TextInput(label="At most", value="50", width=84, **NUMBER)
        self.score = pmui.TextInput(label="Score from", width=100, **NUMBER)
        self.consensus = pmui.TextInput(label="Consensus from", width=130, **NUMBER)
        self.test = pmui.Select(
            label="Lens test",
            options={"Any": "", **{text: key for key, text in TEST_TEXTS.items()}},
            value="",
            width=120,
            **SMALL,
        )
        self.feature = pmui.Select(label="Feature", options=FEATURES, value="", width=210, **SMALL)
        self.low = pmui.TextInput(label="Least", width=84, **NUMBER)
        self.high = pmui.TextInput(label="Most", width=84, **NUMBER)
        self.preview = ActionButton(self.count, label="Count", variant="outlined", size="small")
        self.move = ActionButton(
            self.move_now, label="Move by rule", size="small", forbidden=self._forbidden
        )
        self.moves = Table(
            columns=MOVE_COLUMNS, label="Moves by rule", empty="Nothing was moved by a rule yet."
        )
        self.moves.on_action(lambda _, key: self.undo(int(key)))
        self.source.param.watch(lambda event: self._suggest(event.new), "value")
        self._view = section(
            "Move by rule",
            self.notice,
            row(self.source, self.target, self.most, self.score, self.consensus, self.test),
            row(self.feature, self.low, self.high, self.preview, self.move),
            self.moves,
            note="The first of the ranking that pass all conditions; empty conditions hold for "
            "all. Each candidate's history keeps who moved it.",
        )
        super().__init__()

    def __panel__(self) -> pn.viewable.Viewable:
        return self._view

    def rule(self) -> MoveRule:
        """Rule in the form."""
        most = number(self.most)
        if most != int(most):
            raise BadInputError(f"At most {self.most.value}: give a whole number to {MOST:,}.")
        low, high = optional_number(self.low), optional_number(self.high)
        limits: tuple[Range, ...] = ()
        if self.feature.value:
            if low is None and high is None:
                raise BadInputError("Give a minimum or a maximum of the feature.")
            limits = (Range(self.feature.value, low, high),)
        score = optional_number(self.score)
        ensemble_id = self._ranking().ensemble_id
        if score is not None and ensemble_id is None:
            raise BadInputError("No ensemble has scored candidates: leave Score from empty.")
        return MoveRule(
            self.source.value,
            self.target.value,
            ensemble_id,
            int(most),
            score or 0.0,
            optional_number(self.consensus),
            self.test.value,
            limits,
        )

    def count(self) -> None:
        """Say how many candidates the rule would move."""
        with self.notice.guard():
            rule = self.rule()
            with self._context.database.session() as session:
                n = len(chosen_by(session, rule))
            self.notice.say(
                f"The rule moves {fmt.plural(n, 'candidate')} to {rule.target}.", "info"
            )

    def move_now(self) -> None:
        """Move what the rule chooses."""
        with self.notice.guard():
            rule = self.rule()
            n = acts.move_by_rule(self._context, rule)
            self.notice.say(
                f"{fmt.plural(n, 'candidate')} moved to {rule.target}."
                if n
                else f"No candidate in {rule.source} passes the rule.",
                "success" if n else "info",
            )
        self._on_move()

    def undo(self, move_id: int) -> None:
        """Take a move back."""
        with self.notice.guard():
            back, kept = acts.undo_bulk_move(self._context, move_id)
            rest = f"; {fmt.count(kept)} were moved since and stay" if kept else ""
            self.notice.say(f"{fmt.plural(back, 'candidate')} moved back{rest}.", "success")
        self._on_move()

    def reload(self) -> None:
        """Read the moves again."""
        found = self._context.database.ask(list_bulk_moves)
        self.moves.update([move_row(move, forbidden=self._forbidden) for move in found])

    def _suggest(self, source: str) -> None:
        self.target.value = _NEXT.get(source, "triage")
