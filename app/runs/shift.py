"""Markup of the shift of a scored catalog from the training set, for a run's card and Score."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from lens_triage.app.widgets import format as fmt
from lens_triage.app.widgets.glossary import with_terms
from lens_triage.app.widgets.steps import address

SHIFT_CSS = """
.shift p { margin: 4px 0; line-height: 1.5; color: var(--lt-muted); }
.shift p.warning { color: var(--lt-warning); }
.shift p.ok { color: var(--lt-text); }
.shift h4 { font-size: 13px; font-weight: 500; margin: 10px 0 2px; }
.shift .wide { overflow-x: auto; }
.shift table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: 12.5px;
  margin: 2px 0 8px; min-width: min(100%, 520px); }
.shift th { font-weight: 500; color: var(--lt-muted); font-size: 12px; }
.shift th, .shift td { text-align: right; padding: 3px 12px 3px 0; white-space: nowrap;
  border-bottom: 1px solid var(--lt-line); }
.shift th:first-child, .shift td:first-child { text-align: left; }
.shift td.warning { color: var(--lt-warning); }
.shift caption { text-align: left; color: var(--lt-muted); padding: 4px 0; font-size: 12px; }
.shift summary { cursor: pointer; color: var(--lt-muted); font-size: 12px; }
"""
GUIDE = "when-an-alarm-rings"
_SAYS = {
    "ok": "No alarm: what was compared with the training set lies within its range.",
    "unknown": "Not compared with a training set.",
}


def guide_link(section: str = "") -> str:
    """The way to the guide of alarms."""
    href = address("help", guide=GUIDE, **({"section": section} if section else {}))
    return f'<a href="{escape(href)}">What to do when an alarm rings</a>'


def shifts_html(shifts: Mapping[str, Mapping[str, Any]], *, ensemble: str = "") -> str:
    """The comparisons of a run by catalog, one below the other; '' for none."""
    titled = len(shifts) > 1
    return "".join(
        shift_html(found, catalog=name, ensemble=ensemble, titled=titled)
        for name, found in shifts.items()
    )


def shift_html(
    found: Mapping[str, Any], *, catalog: str, ensemble: str = "", titled: bool = False
) -> str:
    """Sentences in sight, tables folded.

    Parameters
    ----------
    found : mapping
        Of :func:`lens_triage.training.shift.shift_of`.
    """
    name = f" of {escape(catalog)}" if titled else ""
    sentences = [f'<p class="warning">{escape(text)}</p>' for text in found["alarms"]]
    if not sentences:
        sentences = [f'<p class="ok">{_SAYS[found["level"]]}</p>']
    sentences += [f"<p>{escape(text)}</p>" for text in found["notes"]]
    tables = "".join(
        filter(
            None,
            [
                _contract(found["contract"], found.get("zero_points_mag", {})),
                _domains(found["domains"]),
                _columns(found["columns"]),
                _giveaways(found["giveaways"], catalog, ensemble),
            ],
        )
    )
    folded = f"<details><summary>Tables</summary>{tables}</details>" if tables else ""
    return (
        f'<div class="shift"><h4>Against the training set{name}</h4>{"".join(sentences)}'
        f"<p>{guide_link()}.</p>{folded}</div>"
    )


def table_html(caption: str, head: Sequence[str], rows: Sequence[str]) -> str:
    """A table that may be scrolled sideways; '' without rows."""
    if not rows:
        return ""
    titles = "".join(f"<th>{with_terms(title)}</th>" for title in head)
    return (
        f'<div class="wide"><table><caption>{with_terms(caption)}</caption>'
        f"<tr>{titles}</tr>{''.join(rows)}</table></div>"
    )


def table_row(cells: Sequence[str], *, warning: bool = False) -> str:
    """A row of markup, in the color of warnings where it is one."""
    mark = ' class="warning"' if warning else ""
    return "<tr>" + "".join(f"<td{mark}>{cell}</td>" for cell in cells) + "</tr>"


def _contract(checks: Sequence[Mapping[str, Any]], points: Mapping[str, Any]) -> str:
    rows = [
        table_row(
            [
                escape(f"{check['title']} ({check['unit']})" if check["unit"] else check["title"]),
                _number(check["training"]),
                f"{_number(check['low'])} – {_number(check['high'])}",
                _number(check["catalog"]),
            ],
            warning=check["level"] != "ok",
        )
        for check in checks
    ]
    listed = [_points(points.get(side, {})) for side in ("training", "catalog")]
    if rows and any(listed):
        rows.append(table_row(["Zero points (mag)", listed[0], "", listed[1]]))
    return table_html(
        "Scale contract: medians, and the range of training with its margin",
        ("Quantity", "Training", "Allowed", "Catalog"),
        rows,
    )


def _points(of: Mapping[str, Sequence[float | None]]) -> str:
    """Zero points, once for all catalogs that share them."""
    known = {tuple(points) for points in of.values() if any(p is not None for p in points)}
    return "; ".join(
        ", ".join("unknown" if p is None else f"{p:.2f}" for p in points)
        for points in sorted(known, key=str)
    )


def _domains(domains: Sequence[Mapping[str, Any]]) -> str:
    rows = [
        table_row(
            [
                "Noise, brightness, color, PSF"
                if of["columns"] == "measured"
                else escape(of["columns"][0].upper() + of["columns"][1:]),
                f"{of['auroc']:.3f} [{of['low_95']:.3f}, {of['high_95']:.3f}]",
                _number(of["discrepancy"]),
                _number(of["p_value"]),
                f"{fmt.count(of['training'])} / {of['catalog']:,}",
            ],
            warning=of["alarming"],
        )
        for of in domains
    ]
    return table_html(
        "How surely the catalog is told from training objects, by what",
        ("Columns", "Domain AUROC", "MMD²", "p", "Objects"),
        rows,
    )


def _columns(columns: Sequence[Mapping[str, Any]]) -> str:
    rows = [
        table_row(
            [
                escape(of["title"]),
                _number(of["training"]),
                _number(of["catalog"]),
                f"{of['wasserstein']:.2f}",
                f"{of['kolmogorov_smirnov']:.2f}",
            ],
            warning=of["moved"],
        )
        for of in columns
    ]
    return table_html(
        "Columns that differ most",
        ("Column", "Training, median", "Catalog, median", "Distance (σ)", "KS"),
        rows,
    )


def _giveaways(found: Sequence[Mapping[str, Any]], catalog: str, ensemble: str) -> str:
    if not found:
        return ""
    links = ", ".join(
        f'<a href="{escape(_review(catalog, ensemble, of["candidate"]))}">'
        f"{escape(of['object'] or str(of['candidate']))}</a>"
        for of in found
    )
    return f"<p>Objects least like training objects: {links}.</p>"


def _review(catalog: str, ensemble: str, candidate: int) -> str:
    where = {"catalog": catalog, "candidate": candidate}
    return address("review", **({**where, "ensemble": ensemble} if ensemble else where))


def _number(value: float | None) -> str:
    return fmt.number(value) if value is not None else fmt.MISSING
