"""Markup of probes for shortcuts, for a run's card and for Evaluate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from lens_triage.app.runs.shift import guide_link, table_html, table_row
from lens_triage.app.widgets import format as fmt


def probes_html(found: Mapping[str, Any]) -> str:
    """Sentences that warn, then a row a probe.

    Parameters
    ----------
    found : mapping
        Result of a run of kind ``probe``.
    """
    probes: Sequence[Mapping[str, Any]] = found["probes"]
    alarms = [probe["sentence"] for probe in probes if probe["sentence"]]
    sentences = [f'<p class="warning">{escape(text)}</p>' for text in alarms]
    if not alarms:
        sentences = [
            '<p class="ok">No alarm: no probe that sees no arc scores nearly as well as the '
            "ensemble, and no single band, color or direction decides.</p>"
        ]
    sentences += [f"<p>{escape(note)}</p>" for note in found["notes"]]
    others = (
        "vetted non-lenses"
        if found["kind_of_others"] == "vetted"
        else "unlabeled objects, counted as non-lenses"
    )
    table = table_html(
        f"On {found['lenses']:,} lenses and {found['others']:,} {others} of "
        f"{', '.join(found['catalogs'])}",
        ("Probe", "AUROC", "Drop of AUROC", "Rank correlation"),
        [_row(probe) for probe in probes],
    )
    link = guide_link("shortcuts-what-a-ranking-lives-on")
    return f'<div class="shift">{"".join(sentences)}{table}<p>{link}.</p></div>'


def _row(probe: Mapping[str, Any]) -> str:
    drop = probe["drop"]
    correlation = probe["correlation"]
    return table_row(
        [
            escape(probe["title"]),
            _interval(probe["auroc"]),
            "" if drop is None else _interval(drop, signed=True),
            "" if correlation is None else fmt.number(correlation),
        ],
        warning=bool(probe["sentence"]),
    )


def _interval(of: Mapping[str, float], *, signed: bool = False) -> str:
    form = "+.3f" if signed else ".3f"
    value, low, high = (f"{of[key]:{form}}" for key in ("value", "low_95", "high_95"))
    return f"{value} [{low}, {high}]".replace("-", "\N{MINUS SIGN}")
