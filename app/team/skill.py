"""Skill of graders by the kind of known object, as a table of kinds by graders."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import panel as pn
import panel_material_ui as pmui

from lens_triage.app.widgets import format as fmt
from lens_triage.app.widgets.section import section
from lens_triage.app.widgets.table import (
    Cell,
    Row,
    Table,
    column,
)
from lensing_core.labeling.skill import KindSkill, all_graders

MOST_BESIDE = 4
_ALL = 0


class SkillBoard(pn.viewable.Viewer):
    """Shows what it is given; with many graders one chooses whom to see beside all together."""

    def __init__(self) -> None:
        self._skills: list[KindSkill] = []
        self._names: dict[int, str] = {}
        self.table = Table(
            columns=[column("kind", "Kind")],
            label="Skill by kind",
            empty="No known object has been graded yet: give a session a gold fraction.",
        )
        self.chosen = pmui.MultiChoice(
            label="Graders",
            options={},
            max_items=MOST_BESIDE,
            margin=0,
            sizing_mode="stretch_width",
            visible=False,
        )
        self.chosen.param.watch(lambda _: self._draw(), "value")
        self._view = section(
            "Skill by kind of known object",
            self.chosen,
            self.table,
            note="Fraction of known objects that were graded correctly, undecided grades left out, "
            "with 95 % intervals, by kind of object.",
        )
        super().__init__()

    def __panel__(self) -> pn.viewable.Viewable:
        return self._view

    def show_skills(self, skills: Sequence[KindSkill], names: Mapping[int, str]) -> None:
        """Show the skill of the graders of ``names``, and of no others."""
        self._skills = [one for one in skills if one.grader_id in names]
        met = {one.grader_id for one in self._skills}
        self._names = {key: name for key, name in names.items() if key in met}
        by_name = {name: key for key, name in self._names.items()}
        kept = [key for key in self.chosen.value or [] if key in self._names]
        self.chosen.visible = len(by_name) > MOST_BESIDE
        if self.chosen.options != by_name:
            self.chosen.options = by_name
        self.chosen.value = kept or list(by_name.values())[:MOST_BESIDE]
        self._draw()

    def _draw(self) -> None:
        shown = {key: self._names[key] for key in self.chosen.value or [] if key in self._names}
        together = len(self._names) > 1
        self.table.columns = [
            column("kind", "Kind", width="150px"),
            *([column("0", "All graders")] if together else []),
            *(column(str(key), name) for key, name in shown.items()),
        ]
        rows: dict[tuple[str, int], Row] = {}
        shared = all_graders(self._skills)  # of those who are shown at all
        for one in [*shared, *self._skills]:
            row = rows.setdefault(
                (one.kind, one.answer),
                {
                    "key": f"{one.kind}/{one.answer}",
                    "kind": {
                        "text": fmt.words(one.kind),
                        "note": "" if one.answer else "no lens",
                    },
                },
            )
            row[str(one.grader_id)] = skill_cell(one)
        self.table.update(list(rows.values()))


def skill_cell(one: KindSkill) -> Cell:
    """A share with its interval, and of how many."""
    open_ = f"; {one.undecided:,} undecided" if one.undecided else ""
    if not one.right.total:
        return {"text": fmt.MISSING, "note": f"{one.undecided:,} undecided"}
    return {
        "text": fmt.with_interval(one.right.value, one.right.interval),
        "note": f"{one.right.found:,} of {one.right.total:,}",
        "title": f"{one.right.found:,} of {one.right.total:,} graded correctly{open_}",
    }
