"""Grades from Zooniverse classification exports: the answers to one question, and no other.

Which question is meant is said by workflow, task and version. Where an export leaves a choice, and
none was made, it is refused with what there is to choose from, by count.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lensing_core.errors import BadInputError
from lensing_core.labeling.grade_rows import (
    BadRow,
    GradeRow,
    GradesRead,
    RowFault,
    moment,
    one_name,
    shown,
)
from lensing_core.labeling.zooniverse_outline import (
    TaskOutline,
    WorkflowOutline,
    answer_text,
    answers_of,
    classifications,
    outline_zooniverse,
    plain_key,
    subjects_of,
)

_OWN_KEY, _CATALOG = "object_id", "catalog"


@dataclass(frozen=True)
class ZooniverseMapping:
    """Mapping of a classification export to grades.

    Attributes
    ----------
    answers : mapping of str to str
        From the answer's text to the key of a grade; '' for an answer that is none.
    task : str
        Key of the task whose answer is the grade, e.g. ``T0``.
    subject_key : str
        Field of the subject's metadata that holds the object's name; '' for ``object_id``, as
        exported here. ``#`` and other marks that hide a field from volunteers need not be given.
    workflow : str
        Id or name of the workflow; '' where there is only one.
    versions : tuple of str
        Versions of the workflow, such as ``12.5``, or ``12`` for all of 12; empty: all, if they ask
        the same question.
    """

    answers: Mapping[str, str]
    task: str = "T0"
    subject_key: str = ""
    workflow: str = ""
    versions: tuple[str, ...] = ()


def read_zooniverse(path: Path, mapping: ZooniverseMapping) -> GradesRead:
    """Read the answers to one question of an export.

    Raises
    ------
    BadInputError
        If the file is no export, or it leaves open which question is meant.
    """
    workflows = outline_zooniverse(path)
    if not workflows:
        raise BadInputError(f"{path.name} holds no classification.")
    chosen = _workflow(path.name, workflows, mapping.workflow)
    versions = _versions(path.name, chosen, mapping)
    _check_answers(path.name, chosen, versions, mapping)
    read, aside = GradesRead(), Counter[str]()
    for line, cells in classifications(path):
        if cells.get("workflow_id", "").strip() != chosen.key:
            aside[cells.get("workflow_id", "").strip()] += 1
            continue
        if cells.get("workflow_version", "").strip() not in versions:
            aside[""] += 1
            continue
        try:
            row = _row(line, cells, mapping)
        except RowFault as fault:
            read.bad.append(BadRow(line, str(fault)))
            continue
        if row.grade:
            read.rows.append(row)
        else:
            read.n_ungraded += 1
    _note(read, chosen, workflows, versions, aside)
    return read


def _workflow(file: str, workflows: list[WorkflowOutline], wanted: str) -> WorkflowOutline:
    there = "; ".join(
        f"{one.title}, {_count(one.n)}, versions {_list(one.versions)}" for one in workflows
    )
    if not wanted:
        if len(workflows) == 1:
            return workflows[0]
        raise BadInputError(
            f"{file} holds answers of {len(workflows)} workflows: {there}. Say which workflow is "
            "meant."
        )
    named = [one for one in workflows if one.key == wanted] or [
        one for one in workflows if one.name.casefold() == wanted.casefold()
    ]
    if len(named) == 1:
        return named[0]
    what = f"several workflows are called {wanted!r}; name one by its number" if named else ""
    what = what or f"there is no workflow {wanted!r}"
    raise BadInputError(f"{file}: {what}. It holds {there}.")


def _versions(file: str, workflow: WorkflowOutline, mapping: ZooniverseMapping) -> set[str]:
    """Return the versions to take, which all ask the same question."""
    there = set(workflow.versions)
    chosen = {v for v in there if any(_is_version(v, name) for name in mapping.versions)}
    missing = [n for n in mapping.versions if not any(_is_version(v, n) for v in there)]
    if missing:
        raise BadInputError(
            f"{file}: workflow {workflow.title} has no version {missing[0]}; it has "
            f"{_list(workflow.versions)}."
        )
    chosen = chosen or there
    asked = _questions(workflow.tasks.get(mapping.task, TaskOutline()), chosen)
    same = len(asked) == 1 and ("" not in asked or len({v.partition(".")[0] for v in chosen}) == 1)
    if asked and not same and not chosen <= set(mapping.versions):
        said = "; ".join(
            f"{text or '(not stated)'!r} in versions {_list(counts)}"
            for text, counts in asked.items()
        )
        raise BadInputError(
            f"{file}: task {mapping.task} of workflow {workflow.title} may not be one question: "
            f"{said}. Name the versions that are meant."
        )
    return chosen


def _is_version(version: str, name: str) -> bool:
    return name in (version, version.partition(".")[0])


def _questions(task: TaskOutline, versions: set[str]) -> dict[str, Counter[str]]:
    asked: dict[str, Counter[str]] = {}
    for (version, text), n in task.questions.items():
        if version in versions:
            asked.setdefault(text, Counter())[version] += n
    return asked


def _check_answers(
    file: str, workflow: WorkflowOutline, versions: set[str], mapping: ZooniverseMapping
) -> None:
    """Raise BadInputError where no row can be read, with what could be."""
    task = workflow.tasks.get(mapping.task)
    if task is None:
        there = "; ".join(
            f"{key} {next(iter(_questions(one, set(workflow.versions))), '')!r}, "
            f"{_count(one.questions.total())}"
            for key, one in sorted(workflow.tasks.items())
        )
        if there:
            raise BadInputError(
                f"{file}: no classification of workflow {workflow.title} answers task "
                f"{mapping.task}; it has {there}."
            )
        return
    if not mapping.answers:
        counts = Counter[str]()
        for (version, text), n in task.answers.items():
            counts[text] += n * (version in versions)
        given = ", ".join(f"{text!r} ({n:,})" for text, n in counts.most_common(10))
        raise BadInputError(f"{file}: say which grade each answer stands for: {given}.")


def _row(line: int, cells: Mapping[str, str], mapping: ZooniverseMapping) -> GradeRow:
    name, catalog = _object(subjects_of(cells), mapping.subject_key)
    number = cells["classification_id"].strip()
    return GradeRow(
        line,
        name,
        None,
        None,
        _grade(answers_of(cells), mapping),
        one_name(cells["user_name"]),
        "",
        "",
        moment(cells["created_at"].strip().removesuffix(" UTC")),
        f"{number}:{mapping.task}",
        int(number) if number.isdecimal() else line,
        catalog,
    )


def _grade(given: list[dict[str, Any]], mapping: ZooniverseMapping) -> str:
    mine = [one for one in given if one.get("task") == mapping.task]
    if not mine:
        others = ", ".join(
            f"{one.get('task')} {one.get('task_label') or ''!s}".strip() for one in given[:5]
        )
        said = f"the row answers {others}" if others else "the row answers none"
        raise RowFault(f"task {mapping.task} was not answered; {said}.")
    value = mine[-1].get("value")
    if isinstance(value, list) and len(value) > 1:
        raise RowFault(f"task {mapping.task} has {len(value)} answers at once, {shown(value)}.")
    text = answer_text(value)
    if text not in mapping.answers:
        what = f"answer {shown(text)} stands for no grade; say which." if text else ""
        raise RowFault(what or f"task {mapping.task} was left without an answer.")
    return mapping.answers[text]


def _object(subjects: list[dict[str, Any]], wanted: str) -> tuple[str, str]:
    """Return the name of the only object of a classification, and of its catalog if told."""
    key = wanted or _OWN_KEY
    named = [(_field(one, key), _field(one, _CATALOG)) for one in subjects]
    named = [pair for pair in named if pair[0]]
    if len(named) == 1:
        return named[0]
    if named:
        raise RowFault(f"subject_data holds {len(named)} objects with {key!r}.")
    fields = sorted({name for one in subjects for name in one if name != "retired"})
    raise RowFault(
        f"subject_data holds 0 objects with {key!r}: its fields are {', '.join(fields) or 'none'}; "
        "say which holds the object id."
    )


def _field(metadata: Mapping[str, Any], key: str) -> str:
    names = [key] if key in metadata else [n for n in metadata if plain_key(n) == plain_key(key)]
    values = {str(metadata[name]).strip() for name in names if metadata[name] not in (None, "")}
    if len(values) > 1:
        raise RowFault(f"subject_data has several fields {key!r}: {', '.join(sorted(names))}.")
    return next(iter(values), "")


def _note(
    read: GradesRead,
    chosen: WorkflowOutline,
    workflows: list[WorkflowOutline],
    versions: set[str],
    aside: Counter[str],
) -> None:
    if chosen.key:
        taken = Counter({v: n for v, n in chosen.versions.items() if v in versions})
        read.notes.append(f"Workflow {chosen.title} was read, versions {_list(taken)}.")
    titles = {one.key: one.title for one in workflows}
    for key, n in aside.items():
        what = f"workflow {titles[key]}" if key else "other versions"
        read.notes.append(f"{_count(n)} of {what} left aside: they answer another question.")


def _count(n: int) -> str:
    return f"{n:,} classification" + "s" * (n != 1)


def _list(counts: Counter[str]) -> str:
    return ", ".join(f"{version or '(none)'} ({n:,})" for version, n in counts.most_common(8))
