"""Mapping of a file of grades: its columns or its question, and the grade of each value."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from html import escape

import panel as pn
import panel_material_ui as pmui

from lens_triage.app.widgets.fields import CHIPS_LOOK, SELECT_LOOK
from lens_triage.app.widgets.section import html
from lensing_core.consensus import Scheme
from lensing_core.labeling.csv_mapping import CsvMapping
from lensing_core.labeling.outline import GradesOutline
from lensing_core.labeling.zooniverse_files import ZooniverseMapping
from lensing_core.labeling.zooniverse_outline import TaskOutline, WorkflowOutline

_SAID_CSS = "p { margin: 0; font-size: 12.5px; color: var(--lt-muted); }"
_ROW = {"gap": "10px", "align-items": "center"}
_UNSAID, _NONE = "(choose a meaning)", "no grade"
_MOST = 40
Options = Mapping[str, str | None]
_CHOOSE: Options = {"(choose)": None}


class GradesMapping(pn.viewable.Viewer):
    """Shows what a file holds, and lets columns, question and meanings be chosen.

    Parameters
    ----------
    on_columns : callable
        Called when the column of grades changes: the values are to be counted anew.
    """

    def __init__(self, on_columns: Callable[[], None]) -> None:
        self._on_columns = on_columns
        self.outline: GradesOutline | None = None
        self._scheme: Scheme | None = None
        self.said = html("", css=_SAID_CSS)
        self.object_id = choice("Column of object id")
        self.grade = choice("Column of grade")
        self.grader = choice("Column of grader")
        self.grader_name = text("or grader of all rows")
        self.workflow = choice("Workflow")
        self.versions = pmui.MultiChoice(
            label="Versions (none: all)", margin=0, sizing_mode="stretch_width", **CHIPS_LOOK
        )
        self.task = choice("Task")
        self.subject_key = choice("Subject field with object id")
        self.meanings: dict[str, pmui.Select] = {}
        self._values = pn.FlexBox(gap="14px 10px", margin=0, sizing_mode="stretch_width")
        self._asked = html("<p>Meaning of each value:</p>", css=_SAID_CSS, visible=False)
        self._csv = row(self.object_id, self.grade, self.grader, self.grader_name)
        self._zooniverse = row(self.workflow, self.versions, self.task, self.subject_key)
        self._view = pn.Column(
            self.said, self._csv, self._zooniverse, self._asked, self._values, margin=0,
            sizing_mode="stretch_width", styles={"gap": "14px"},
        )  # fmt: skip
        super().__init__()
        self.grade.param.watch(lambda _: self._columns_changed(), "value")
        self.workflow.param.watch(lambda _: self._show_workflow(), "value")
        for widget in (self.versions, self.task):
            widget.param.watch(lambda _: self._show_answers(), "value")
        self.offer_file(None, None)

    def __panel__(self) -> pn.viewable.Viewable:
        return self._view

    def offer_file(self, outline: GradesOutline | None, scheme: Scheme | None) -> None:
        """Offer what a file holds; None: nothing yet."""
        self.outline, self._scheme = None, scheme  # no callback counts while choices change
        kind = outline.kind if outline else ""
        self.said.object = f"<p>{escape(outline.title)}</p>" if outline else ""
        self._csv.visible, self._zooniverse.visible = kind == "csv", kind == "zooniverse"
        self._offer({})
        if outline and kind == "csv":
            self._show_columns(outline)
        if outline and kind == "zooniverse":
            titles: Options = {f"{one.title} ({one.n:,})": one.key for one in outline.workflows}
            only = outline.workflows[0].key if len(titles) == 1 else None
            choose(self.workflow, titles if only is not None else {**_CHOOSE, **titles}, only)
            choose(self.subject_key, {name: name for name in outline.columns})
        self.outline = outline
        if kind == "zooniverse":
            self._show_workflow()

    def offer_values(self, values: Mapping[str, tuple[int, str | None]]) -> None:
        """Offer the values of the column of grades, each with what it would be read as."""
        self._offer(values)

    def csv(self) -> CsvMapping:
        """The mapping of a table."""
        base = CsvMapping()
        outlined = self.outline.mapping if self.outline else base
        return CsvMapping(
            object_id=base.object_id if self.object_id.value is None else self.object_id.value,
            grade=self.grade.value or base.grade,
            grader=self.grader.value or base.grader,
            grader_name=self.grader_name.value.strip(),
            values=self._chosen_meanings(),
            header=outlined.header,
        )

    def zooniverse(self) -> ZooniverseMapping:
        """The mapping of a Zooniverse export."""
        return ZooniverseMapping(
            self._chosen_meanings(),
            self.task.value or "T0",
            self.subject_key.value or "",
            self.workflow.value or "",
            tuple(self.versions.value or ()),
        )

    def _chosen_meanings(self) -> dict[str, str]:
        said = {value: widget.value for value, widget in self.meanings.items()}
        return {value: key for value, key in said.items() if key is not None}

    def _show_columns(self, outline: GradesOutline) -> None:
        columns = {name or "(first column)": name for name in outline.columns}
        mapping = outline.mapping
        for widget, name in ((self.object_id, mapping.object_id), (self.grade, mapping.grade)):
            choose(widget, {**_CHOOSE, **columns}, name if name in outline.columns else None)
        grader = "grader" if "grader" in outline.columns else None
        choose(self.grader, {"(none)": None, **columns}, grader)

    def _columns_changed(self) -> None:
        if self.outline is not None and self.outline.kind == "csv":
            self._on_columns()

    def _chosen(self) -> WorkflowOutline | None:
        workflows = self.outline.workflows if self.outline else ()
        return next((one for one in workflows if one.key == self.workflow.value), None)

    def _show_workflow(self) -> None:
        workflow = self._chosen()
        if workflow is None:
            self._offer({})
            return
        self.versions.param.update(options=sorted(workflow.versions), value=[])
        questions = {}
        for key, task in sorted(workflow.tasks.items()):
            asked = ", ".join(dict.fromkeys(text for _, text in task.questions if text))
            questions[f"{key} {asked}".strip()] = key
        choose(self.task, questions, "T0" if "T0" in workflow.tasks else None)
        self._show_answers()

    def _show_answers(self) -> None:
        workflow = self._chosen()
        if workflow is None or self._scheme is None:
            return
        counts: Counter[str] = Counter()
        task = workflow.tasks.get(self.task.value or "", TaskOutline())
        for (version, answer), n in task.answers.items():
            if answer and (not self.versions.value or version in self.versions.value):
                counts[answer] += n
        keys = {grade.key for grade in self._scheme.grades}
        plain = {"yes": "lens", "no": "not"} if keys == {"lens", "not"} else {}
        self._offer(
            {
                answer: (n, answer if answer in keys else plain.get(answer.casefold()))
                for answer, n in counts.most_common(_MOST)
            }
        )

    def _offer(self, values: Mapping[str, tuple[int, str | None]]) -> None:
        if self._scheme is None or self._scheme.continuous:
            self.meanings, self._values.objects = {}, []
            self._asked.visible = False
            return
        grades = {f"{g.key}: {g.title}": g.key for g in self._scheme.grades}
        options = {_UNSAID: None, **grades, _NONE: ""}
        self.meanings = {}
        for value, (n, key) in values.items():
            widget = choice(f"{value or '(empty)'} ({n:,})", width=250)
            choose(widget, options, key if key in options.values() else None)
            self.meanings[value] = widget
        self._values.objects = list(self.meanings.values())
        self._asked.visible = bool(self.meanings)


def choose(widget: pmui.Select, options: Options, value: str | None = None) -> None:
    """Give a select its options, with one of them chosen, else the first."""
    there = list(options.values())
    chosen = value if value in there else (there[0] if there else None)
    widget.param.update(options=dict(options), value=chosen)


def choice(label: str, **size: int) -> pmui.Select:
    """An empty select."""
    sizing = {"width": size["width"]} if size else {"sizing_mode": "stretch_width"}
    return pmui.Select(label=label, options={}, size="small", margin=0, **SELECT_LOOK, **sizing)


def text(label: str, value: str = "") -> pmui.TextInput:
    """An input of text."""
    return pmui.TextInput(
        label=label, value=value, size="small", margin=0, sizing_mode="stretch_width"
    )


def row(*parts: pn.viewable.Viewable) -> pn.Row:
    """Parts beside each other."""
    return pn.Row(*parts, margin=0, sizing_mode="stretch_width", styles=_ROW)
