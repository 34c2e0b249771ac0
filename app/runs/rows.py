"""Markup of a run: rows of a list, the head of its monitor, its log and its result."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from pathlib import PurePath
from typing import Any

from lens_triage.app.runs.probes import probes_html
from lens_triage.app.runs.shift import shifts_html
from lens_triage.app.widgets import format as fmt
from lens_triage.app.widgets.fields import label_of
from lens_triage.app.widgets.steps import address
from lens_triage.app.widgets.table import (
    Row,
    column,
)
from lens_triage.training.settings import SETTINGS, fields
from lensing_core.store.runs import SHIFT, LogLine, RunSummary

TONES = {
    "queued": "",
    "running": "accent",
    "succeeded": "success",
    "failed": "bad",
    "cancelled": "warning",
    "lost": "bad",
}
_LOG_TONES = {"warning": "warning", "error": "bad"}
ENDED_COLUMNS = [
    column("title", "Run"),
    column("state", "State", width="96px"),
    column("time", "Took", align="right", width="96px"),
    column("when", "Begun", align="right", width="88px"),
]
NOT_RESUMABLE = "Resuming cannot change that: choose other settings."
RUN_COLUMNS = [*ENDED_COLUMNS[:2], column("progress", "Progress", width="26%"), *ENDED_COLUMNS[2:]]


def state_of(run: RunSummary) -> str:
    """The state in one word, for people."""
    return "stopping" if run.status == "running" and run.cancel_requested else run.status


def run_row(run: RunSummary) -> Row:
    """A row for :data:`RUN_COLUMNS`."""
    if run.status == "queued":
        progress: Any = {"text": "waits for its turn", "tone": "muted"}
    else:
        tone = {"failed": "bad", "lost": "bad", "cancelled": "warning"}.get(run.status, "")
        progress = {
            "share": run.share if run.status == "running" else (run.share or 0.0),
            "text": fmt.percent(run.share),
            "title": run.error or run.activity or run.status,
            "tone": "quiet" if run.status == "succeeded" else tone,
        }
    return {
        "key": run.id,
        "title": {"text": run.title, "title": f"{run.title} ({run.id})"},
        "state": {"text": state_of(run), "chip": TONES[run.status], "title": run.error or ""},
        "progress": progress,
        "time": fmt.duration(run.elapsed_s()),
        "when": {"text": fmt.ago(run.created_at), "title": fmt.moment(run.created_at)},
    }


def head_html(run: RunSummary, *, per_second: float | None, left_s: float | None) -> str:
    """Title, state, progress bar and metrics of a run."""
    share = run.share
    facts = []
    if run.started_at is not None:
        facts.append(f"{fmt.duration(run.elapsed_s())}")
    if run.total and (run.status != "succeeded" or run.done == run.total):
        facts.append(f"{fmt.count(run.done)} of {fmt.count(run.total)}")
    elif run.done and not run.total:
        facts.append(fmt.count(run.done))
    if run.status == "running" and per_second:
        facts.append(fmt.rate(per_second).replace(" /", "/"))
    if run.status == "running" and left_s is not None:
        facts.append(f"{fmt.duration(left_s)} left of this step")
    if run.attempt > 1:
        facts.append(f"attempt {run.attempt}")
    activity = {
        "queued": "Waits for its turn.",
        "succeeded": "Done.",
        "failed": "Failed." if run.resumable else f"Failed. {NOT_RESUMABLE}",
        "cancelled": "Cancelled; its files are kept.",
        "lost": "Lost.",
    }.get(run.status, run.activity or "Starting")
    unknown = " unknown" if share is None and run.status == "running" else ""
    width = "" if unknown else f"width:{100 * (share or 0.0):.1f}%"
    value = f' aria-valuenow="{round(100 * share)}"' if share is not None else ""
    return (
        f'<div class="title"><h3 title="{escape(run.id)}">{escape(run.title)}</h3>'
        f'<span class="chip {TONES[run.status]}">{state_of(run)}</span></div>'
        f'<div class="track {run.status}" role="progressbar" aria-label="Progress"{value}>'
        f'<span class="fill{unknown}" style="{width}"></span></div>'
        f'<div class="facts"><span>{escape(activity)}</span>'
        f"<span>{' · '.join(escape(fact) for fact in facts)}</span></div>"
    )


def log_html(lines: Sequence[LogLine], run_id: str) -> str:
    """The log, newest line last; of many-line messages the last line only."""
    if not lines:
        return '<p class="none">No messages yet.</p>'
    rows = []
    for line in reversed(lines):
        message = line.message.strip()
        if "\n" in message:
            last = message.splitlines()[-1]
            message = f"{last} (in full in runs/{run_id}/output.log)"
        rows.append(
            f'<div class="{_LOG_TONES.get(line.level, "")}"><time title="{fmt.moment(line.at)}">'
            f"{line.at:%H:%M:%S}</time> {escape(message)}</div>"
        )
    return f'<div class="log" role="log" tabindex="0" aria-label="Log">{"".join(rows)}</div>'


def result_html(run: RunSummary) -> str:
    """Return what came out, as a list of names and metrics, and where to go on; '' for nothing."""
    if not run.result:
        return ""
    shown = {k: v for k, v in run.result.items() if v is not False and v not in (None, [], {}, "")}
    probes = probes_html(run.result) if shown.pop("probes", None) else ""
    if probes:
        shown.pop("notes", None)  # they stand above the table
    shifts = shown.pop(SHIFT, {})
    ensemble = str(run.result.get("ensemble", ""))
    return _facts(shown) + probes + shifts_html(shifts, ensemble=ensemble) + links_html(run)


def links_html(run: RunSummary) -> str:
    """Links to what a run that succeeded has made."""
    catalog, ensemble = (str(run.settings.get(name, "")) for name in ("catalog", "ensemble"))
    made_from_labels = (
        ("Review", address("review", catalog=catalog, ensemble=ensemble)),
        ("Evaluate it", address("evaluate", ensemble=ensemble)),
    )
    links = {
        "ingest": (
            ("See the catalog", address("catalogs", catalog=catalog)),
            ("Score it", address("score", catalog=catalog)),
        ),
        "attach": (
            ("See the catalog", address("catalogs", catalog=catalog)),
            ("Train on it", "train"),
        ),
        "simulate": (
            ("See the catalog", address("catalogs", catalog=catalog)),
            ("Train on it", "train"),
        ),
        "inject": (
            ("See the catalog", address("catalogs", catalog=catalog)),
            ("Train on it", "train"),
        ),
        "search": made_from_labels,
        "train": (
            ("Evaluate it", address("evaluate", ensemble=ensemble)),
            ("Score with it", address("score", ensemble=ensemble)),
        ),
        "score": (("Review", address("review", catalog=catalog, ensemble=ensemble)),),
        "model": (("Review", address("review", catalog=catalog)),),
        "encode": (("Retrain on it", address("train", tab="retrain", catalog=catalog)),),
        "retrain": made_from_labels,
        "finetune": made_from_labels,
        "probe": (("Evaluate it", address("evaluate", ensemble=ensemble)),),
        "selection": (("See the maps", address("evaluate", tab="selection")),),
        "report": (
            ("Open report", f"reports/{run.id}/html"),
            ("Download (ZIP)", f"reports/{run.id}/zip"),
        ),
    }
    if run.status != "succeeded" or run.kind not in links:
        return ""
    how = {"zip": " download", "html": ' target="_blank" rel="noopener"'}
    made = " ".join(
        f'<a href="{escape(href)}"{how.get(PurePath(href).name, "")}>{text}</a>'
        for text, href in links[run.kind]
    )
    return f'<p class="links">{made}</p>'


def settings_html(run: RunSummary) -> str:
    """The settings of a run, folded."""
    known = SETTINGS.get(run.kind)
    labels = {field.name: label_of(field) for field in fields(known)} if known else {}
    shown = {labels.get(name, fmt.words(name)): value for name, value in run.settings.items()}
    return f"<details><summary>Settings</summary>{_facts(shown, named=True)}</details>"


def is_metric(value: Any) -> bool:
    """Return whether a value is a metric with intervals, as manifests store it."""
    return isinstance(value, Mapping) and {"value", "low_95", "high_95"} <= set(value)


def metric_text(value: Any) -> str:
    """A metric with its 95 % interval."""
    if not is_metric(value):
        return fmt.quantity(value)
    if value["value"] is None:
        return "not measurable"
    return fmt.with_interval(value["value"], (value["low_95"], value["high_95"]))


def _facts(values: Mapping[str, Any], *, named: bool = False) -> str:
    parts = []
    for name, value in values.items():
        title = name if named else fmt.words(name)
        if isinstance(value, Mapping) and value and all(map(is_metric, value.values())):
            parts += [
                (METRICS.get(key, fmt.words(key)), metric_text(v)) for key, v in value.items()
            ]
        elif isinstance(value, Mapping) and any(isinstance(v, Mapping) for v in value.values()):
            parts += [(f"{title}: {fmt.words(k).lower()}", fmt.quantity(value[k])) for k in value]
        else:
            parts.append((title, fmt.quantity(value)))
    return (
        "<dl>"
        + "".join(
            f'<dt title="{escape(name)}">{escape(name)}</dt>'
            f'<dd title="{escape(text)}">{escape(text)}</dd>'
            for name, text in parts
        )
        + "</dl>"
    )


METRICS = {
    "tpr0": "Recall before any false positive",
    "tpr10": "Recall before 10 false positives",
    "recall_fpr_1e-4": "Recall at FPR 1e-4",
    "recall_fpr_1e-3": "Recall at FPR 1e-3",
    "recall_fpr_1e-2": "Recall at FPR 1e-2",
    "average_precision": "Average precision",
    "auroc": "AUROC",
}
