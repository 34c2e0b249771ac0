"""Outline of a Zooniverse classification export: workflows, versions, questions, answers.

An export has "all task data from all workflows of the project" (help.zooniverse.org, data exports):
the same task key, ``T0``, asks something else in each workflow, and may do so in each version.
"""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lensing_core.errors import BadInputError
from lensing_core.labeling.grade_rows import RowFault

csv.field_size_limit(10_000_000)  # subject data may be long
COLUMNS = ("classification_id", "user_name", "created_at", "annotations", "subject_data")
_MOST_ANSWERS = 50
_HIDDEN = "#/!@ "  # before names of metadata that volunteers do not see


@dataclass
class TaskOutline:
    """A task of a workflow.

    Attributes
    ----------
    questions : Counter of (version, text)
        Text of the question; '' where the export has none.
    answers : Counter of (version, text)
        The commonest answers.
    """

    questions: Counter[tuple[str, str]] = field(default_factory=Counter)
    answers: Counter[tuple[str, str]] = field(default_factory=Counter)


@dataclass
class WorkflowOutline:
    """A workflow of a project.

    Attributes
    ----------
    key, name : str
        '' where the export has no columns of workflows.
    versions : Counter of str
        Classifications of each version.
    tasks : dict of str to TaskOutline
    """

    key: str
    name: str
    versions: Counter[str] = field(default_factory=Counter)
    tasks: dict[str, TaskOutline] = field(default_factory=dict)

    @property
    def n(self) -> int:
        """Classifications."""
        return self.versions.total()

    @property
    def title(self) -> str:
        """Id and name, for people."""
        return f"{self.key} {self.name!r}" if self.name else self.key or "without a name"


def outline_zooniverse(path: Path) -> list[WorkflowOutline]:
    """Return the workflows of an export, the one with most classifications first.

    Raises
    ------
    BadInputError
        If the file is no export.
    """
    workflows: dict[str, WorkflowOutline] = {}
    for _, cells in classifications(path):
        key, name = cells.get("workflow_id", "").strip(), cells.get("workflow_name", "").strip()
        workflow = workflows.setdefault(key, WorkflowOutline(key, name))
        version = cells.get("workflow_version", "").strip()
        workflow.versions[version] += 1
        try:
            for given in answers_of(cells):
                task = workflow.tasks.setdefault(str(given.get("task")), TaskOutline())
                task.questions[version, str(given.get("task_label") or "").strip()] += 1
                answer = version, answer_text(given.get("value"))
                if answer in task.answers or len(task.answers) < 10 * _MOST_ANSWERS:
                    task.answers[answer] += 1
        except RowFault:
            continue  # the row is told where it is read
    return sorted(workflows.values(), key=lambda workflow: -workflow.n)


def is_export(path: Path) -> bool:
    """Return whether a file has the columns of a classification export."""
    try:
        with path.open(newline="", encoding="utf-8-sig") as stream:
            return set(COLUMNS) <= set(next(csv.reader(stream), []))
    except (OSError, UnicodeDecodeError, csv.Error):
        return False


def classifications(path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield the line and the cells by column of each classification of an export."""
    try:
        with path.open(newline="", encoding="utf-8-sig") as stream:
            reader = csv.DictReader(stream)
            there = reader.fieldnames or []
            if missing := [name for name in COLUMNS if name not in there]:
                raise BadInputError(
                    f"{path.name} is no classification export of Zooniverse: it has no column "
                    f"{', '.join(missing)}; it has {', '.join(there) or 'none'}."
                )
            for cells in reader:
                yield reader.line_num, {k: (v or "") for k, v in cells.items() if k is not None}
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise BadInputError(f"{path} cannot be read as CSV: {error}.") from error


def answers_of(cells: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return the answers of a classification, those within combined tasks too."""
    return list(_within(_json(cells["annotations"], "annotations", list)))


def subjects_of(cells: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return the metadata of the subjects of a classification."""
    data = _json(cells["subject_data"], "subject_data", dict)
    return [metadata for metadata in data.values() if isinstance(metadata, dict)]


def answer_text(value: Any) -> str:
    """Return the text of an answer: of a list of one its only entry, of a choice its label."""
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    if isinstance(value, dict):
        value = value.get("label", value.get("choice", value.get("value", value)))
    return "" if value is None else str(value).strip()


def plain_key(name: str) -> str:
    """Return the name of a field of metadata without the marks that hide it from volunteers."""
    return name.lstrip(_HIDDEN).casefold()


def _within(annotations: list[Any]) -> Iterator[dict[str, Any]]:
    for given in annotations:
        value = given.get("value")
        parts = value if isinstance(value, list) else []
        if parts and all(isinstance(part, dict) and "task" in part for part in parts):
            yield from _within(parts)
        else:
            yield given


def _json(text: str, name: str, kind: type) -> Any:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        value = None
    parts = value if isinstance(value, list) else []
    if not isinstance(value, kind) or not all(isinstance(part, dict) for part in parts):
        raise RowFault(f"{name} is not the JSON of a Zooniverse export.")
    return value
