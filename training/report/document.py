"""``report.html``: one file that needs no other, no script and no network, and prints well."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path

from lens_triage.training.report.facts import SearchFacts
from lens_triage.training.report.figures import Drawn
from lens_triage.training.report.methods import Methods
from lensing_core.consensus.schemes import SCHEMES
from lensing_core.export.columns import ExportRow
from lensing_core.export.published import filled_columns
from lensing_core.export.text import one_line, sexagesimal

_MOST_ROWS = 50
_METRICS = {
    "tpr0": "Recall before any false positive (TPR0)",
    "tpr10": "Recall before 10 false positives (TPR10)",
    "recall_fpr_1e-4": "Recall at a false-positive rate of 1e-4",
    "recall_fpr_1e-3": "Recall at a false-positive rate of 1e-3",
    "recall_fpr_1e-2": "Recall at a false-positive rate of 1e-2",
    "average_precision": "Average precision",
    "auroc": "AUROC",
}
_CSS = """
:root { color-scheme: light; }
body { font: 15px/1.5 system-ui, "Segoe UI", "DejaVu Sans", sans-serif; color: #1c232b;
  background: #fff; max-width: 62rem; margin: 2rem auto; padding: 0 1.5rem; }
h1 { font-size: 1.7rem; line-height: 1.25; margin: 0 0 .25rem; }
h2 { font-size: 1.2rem; margin: 2.2rem 0 .6rem; border-bottom: 1px solid #d5dbe1; }
h3 { font-size: 1rem; margin: 0 0 .4rem; }
p { margin: .5rem 0; } .quiet { color: #55606c; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; margin: .5rem 0; }
th, td { text-align: left; padding: .2rem .9rem .2rem 0; border-bottom: 1px solid #e6eaee;
  vertical-align: top; }
td { overflow-wrap: anywhere; } th { font-weight: 600; }
td.number, th.number { text-align: right; white-space: nowrap; }
.numbers th { width: 42%; font-weight: 500; color: #39434e; } .numbers table { width: 100%; }
table.candidates { font-size: .78rem; width: 100%; }
.numbers { display: grid; grid-template-columns: repeat(auto-fit, minmax(26rem, 1fr));
  gap: 1rem 2.5rem; }
.numbers section, figure { break-inside: avoid; }
figure { margin: 0; } figure img { max-width: 100%; height: auto; display: block; }
.charts img { width: 100%; }
figcaption { font-size: .82rem; color: #39434e; margin-top: .3rem; }
.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(20rem, 1fr)); gap: 1.6rem; }
.galleries figure { margin: 0 0 1.6rem; }
ul.missing { border-left: 4px solid #d98e04; padding: .4rem 0 .4rem 1.6rem; background: #fdf6e7; }
footer { margin-top: 2.5rem; font-size: .82rem; color: #55606c; }
@page { size: A4; margin: 16mm; }
@media print { body { margin: 0; max-width: none; padding: 0; font-size: 10.5pt; }
  h2 { break-after: avoid; } tr { break-inside: avoid; } thead { display: table-header-group; } }
"""
POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"


def report_html(
    title: str,
    facts: SearchFacts,
    methods: Methods,
    charts: Sequence[Drawn],
    galleries: Sequence[Drawn],
    rows: Sequence[ExportRow],
    rows_are: str,
    folder: Path,
) -> str:
    """The whole document.

    Parameters
    ----------
    rows_are : str
        One sentence on which candidates the table holds.
    folder : Path
        Where the figures were saved.
    """
    parts = [
        f"<h1>{escape(title)}</h1>",
        f'<p class="quiet">Made {facts.made_at:%Y-%m-%d %H:%M} UTC with lens-triage '
        f"{escape(facts.versions.get('lens-triage', ''))}. Scores are no confirmation of a "
        "lens.</p>",
        _missing(facts.missing),
        "<h2>The search in numbers</h2>",
        f'<div class="numbers">{"".join(_numbers(facts))}</div>',
    ]
    if charts:
        drawn = "".join(_metric(one, "svg", folder) for one in charts)
        parts += ["<h2>Figures</h2>", f'<div class="charts">{drawn}</div>']
    if galleries:
        drawn = "".join(_metric(one, "png", folder) for one in galleries)
        parts += ["<h2>Galleries</h2>", f'<div class="galleries">{drawn}</div>']
    parts += ["<h2>Methods</h2>", methods.to_html(), "<h2>Candidates</h2>"]
    parts += [f"<p>{escape(rows_are)}</p>", _candidates(rows), "<h2>References</h2>"]
    parts += [_references(methods)]
    parts.append(
        "<footer>Figures are in <code>figures/</code> (PNG at 300 dpi, PDF, SVG, data as CSV), the "
        "table in <code>tables/</code> (AAS machine-readable, AASTeX, VOTable, CSV) and "
        "<code>cds/</code> (CDS with ReadMe), this text as <code>methods.tex</code> with "
        "<code>references.bib</code>, all numbers in <code>report.json</code>, checksums in "
        "<code>SHA256SUMS</code>.</footer>"
    )
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{_CSS}</style>\n</head>\n<body>\n"
        + "\n".join(part for part in parts if part)
        + "\n</body>\n</html>\n"
    )


def _missing(sentences: Sequence[str]) -> str:
    if not sentences:
        return ""
    lines = "".join(f"<li>{escape(one)}</li>" for one in sentences)
    return f'<ul class="missing" aria-label="Not in this report">{lines}</ul>'


def _numbers(facts: SearchFacts) -> list[str]:
    """Tables of the search: catalog, stages, ensemble, metrics, graders, grades."""
    c, e, m = facts.catalog, facts.ensemble, facts.measured
    rows = [
        _pairs(
            "Catalog",
            {
                "Name": c.name,
                "Survey": c.survey_title,
                "Origin": c.origin,
                "Candidates": f"{c.n_candidates:,}",
                "Rows set aside": f"{c.n_quarantined:,} of {c.rows_read:,}",
                "Cutouts": f"{c.size_px} px of {c.pixel_scale_arcsec:g}″, {', '.join(c.bands)}",
                "Labels": f"{c.labels.lenses:,} lenses, {c.labels.non_lenses:,} non-lenses"
                + (f" ({c.label_source})" if c.label_source else ""),
            },
        ),
        _pairs(
            "Stages",
            {
                **{stage.capitalize(): f"{n:,}" for stage, n in c.stages.items()},
                "Confirmed by spectra": f"{facts.confirmed['lens']:,} lenses, "
                f"{facts.confirmed['not_lens']:,} non-lenses",
            },
        ),
    ]
    if e is not None:
        prior = "not stated" if e.survey_prior is None else f"{e.survey_prior:g}"
        promoted = "no" if e.promoted_at is None else f"{e.promoted_at:%Y-%m-%d}"
        members = {"Members": ", ".join(f"{key} ({kind})" for key, kind in e.members) or "none"}
        rows.append(
            _pairs(
                "Ensemble",
                {
                    "Name": e.name,
                    **members,
                    "Fusion": e.fusion.replace("_", " "),
                    "Trained on": ", ".join(e.trained_on) or "not stated",
                    "Class prior": prior,
                    "Promoted": promoted,
                    "Scored": f"{e.n_scored:,}",
                },
            )
        )
        if e.figures:
            on = (
                e.metrics_on
                if m is None
                else f"{m.on}: {m.n_lenses:,} lenses, {m.n_others:,} others"
            )
            metrics = {_METRICS.get(k, k): str(figure) for k, figure in e.figures.items()}
            rows.append(_pairs("Metrics, 95 % intervals", {**metrics, "Measured on": on}))
    if facts.graders:
        rows += [_graders(facts), *_grades(facts)]
    return rows


def _graders(facts: SearchFacts) -> str:
    a = facts.agreement
    kappa = "not measurable"
    if a.value == a.value:
        interval = f" [{a.low_95:.3f}, {a.high_95:.3f}]" if a.low_95 == a.low_95 else ""
        kappa = f"{a.value:.3f}{interval}, {a.n:,} candidates"
    people = {one.name: f"{one.n_votes:,} grades, {one.n_lens:,} lens" for one in facts.graders}
    consensus = {k.capitalize(): f"{n:,}" for k, n in facts.consensus_states.items()}
    if facts.consensus is not None:
        consensus["Method"] = facts.consensus.method.replace("_", "-")
    return _pairs("Graders", {**people, "Fleiss’ κ": kappa}) + (
        _pairs("Consensus", consensus) if consensus else ""
    )


def _grades(facts: SearchFacts) -> list[str]:
    return [
        _pairs(
            f"Grades ({SCHEMES[name].title if name in SCHEMES else name})",
            {grade: f"{n:,}" for grade, n in counts.items()},
        )
        for name, counts in facts.grades.items()
    ]


def _pairs(title: str, pairs: Mapping[str, str]) -> str:
    rows = "".join(
        f'<tr><th scope="row">{escape(name)}</th><td>{escape(value)}</td></tr>'
        for name, value in pairs.items()
    )
    return f"<section><h3>{escape(title)}</h3><table>{rows}</table></section>"


def _metric(drawn: Drawn, kind: str, folder: Path) -> str:
    """A figure with its caption; the picture is the file that was written."""
    data = base64.b64encode((folder / f"{drawn.name}.{kind}").read_bytes()).decode()
    media = "svg+xml" if kind == "svg" else kind
    alt = escape(drawn.caption, quote=True)
    return (
        f'<figure><h3>{escape(drawn.title)}</h3><img alt="{alt}" '
        f'src="data:image/{media};base64,{data}"><figcaption>{escape(drawn.caption)}'
        "</figcaption></figure>"
    )


def _candidates(rows: Sequence[ExportRow]) -> str:
    """The first rows of the table, with sexagesimal positions."""
    if not rows:
        return ""
    skipped = ("ra", "dec", "catalog", "logit", "disagreement", "theta_e_proxy")
    columns = [c for c in filled_columns(rows) if c.of.name not in skipped]
    heads = "".join(
        f'<th scope="col"{"" if c.of.kind == "text" else " class=number"}>{escape(c.label)}</th>'
        for c in columns
    )
    lines = []
    for row in rows[:_MOST_ROWS]:
        cells = []
        for column in columns:
            value = row[column.of.name]
            if value is None or isinstance(value, str):
                cells.append(f"<td>{escape(one_line(value or ''))}</td>")
            else:
                number = format(value, column.number_format) if value == value else ""
                cells.append(f'<td class="number">{number}</td>')
        ra, dec = row.number("ra"), row.number("dec")
        place = "" if ra != ra or dec != dec else " ".join(sexagesimal(ra, dec))
        lines.append("<tr>" + "".join(cells) + f"<td>{place}</td></tr>")
    more = ""
    if len(rows) > _MOST_ROWS:
        more = f"<p>The first {_MOST_ROWS} of {len(rows):,}; the files hold all.</p>"
    return (
        f'<table class="candidates"><thead><tr>{heads}<th scope="col">Position (ICRS)</th></tr>'
        f"</thead><tbody>{''.join(lines)}</tbody></table>{more}"
    )


def _references(methods: Methods) -> str:
    lines = []
    for one in sorted(methods.references, key=lambda r: r.short):
        f = one.fields
        where = ", ".join(f[k] for k in ("journal", "booktitle", "volume", "pages") if k in f)
        number = f"arXiv:{f['eprint']}" if "eprint" in f else f.get("doi", "")
        text = ". ".join(part for part in (f.get("title", ""), where, number, f.get("note", ""))
                         if part)  # fmt: skip
        lines.append(f"<li>{escape(one.short)}: {escape(text)}</li>")
    return f"<ul>{''.join(lines)}</ul>"
