"""Rows of the tables about cross-matches, and their metrics as HTML; pure functions."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from urllib.parse import quote

from lens_triage.app.viewer.tiles import tile_url
from lens_triage.app.widgets import format as fmt
from lens_triage.app.widgets.steps import address
from lens_triage.app.widgets.table import (
    Row,
    column,
)
from lensing_core.crossmatch.choices import KIND_TITLES
from lensing_core.crossmatch.completeness import RecallAtK
from lensing_core.crossmatch.report import (
    CrossmatchReport,
    MatchedPair,
    Missed,
    UnlistedCandidate,
    object_type,
)
from lensing_core.store.tables import Crossmatch

_PER_ROW = 12
_SIMBAD = "https://simbad.cds.unistra.fr/simbad/sim-coo?Coord={}&Radius=10&Radius.unit=arcsec"
NO_RECALL = "Needs a list of known lenses and an ensemble that has scored the catalog."
REFERENCES = [
    column("reference", "Reference"),
    column("matched", "Matched", align="right", width="74px"),
    column("review", "To review", align="right", width="78px"),
    column("unmatched", "Without", align="right", width="78px", help_text="No counterpart"),
    column("radius", "Radius", align="right", width="62px"),
    column("state", "State", width="104px"),
    column("when", "When", width="92px"),
]
RECALL = [
    column("k", "First", align="right", width="70px"),
    column("recall", "Recall"),
    column("interval", "95 %", align="right", width="112px"),
    column("review", "With review", align="right", width="86px"),
]
RECOVERED = [
    column("rank", "Rank", align="right", width="70px"),
    column("candidate", "Candidate", width="24%"),
    column("probability", "Probability", align="right", width="82px"),
    column("counterpart", "Known as"),
    column("separation", "Apart", align="right", width="66px"),
    column("normalized", "in σ", align="right", width="52px", help_text="Over the joint error"),
]
DOUBTS = [
    column("rank", "Rank", align="right", width="70px"),
    column("candidate", "Candidate", width="16%"),
    column("reference", "Reference", width="15%"),
    column("counterpart", "Counterpart", width="20%"),
    column("separation", "Apart", align="right", width="66px"),
    column("note", "Why"),
]
MISSED = [
    column("name", "Lens"),
    column(
        "place", "Position", width="150px", help_text="Right ascension and declination, degrees"
    ),
    column(
        "elsewhere",
        "Elsewhere",
        width="120px",
        help_text="A candidate of another catalog within 5 arcsec",
    ),
    column("links", "", width="72px"),
]
_TONES = {"complete": "success", "partial": "warning", "unreachable": ""}
_STATES = {"complete": "Complete", "partial": "Partly", "unreachable": "Not reached"}


def metrics_html(report: CrossmatchReport, *, trained: bool) -> str:
    """The metrics at the head; a warning where the ensemble knew the answers."""
    lenses = report.lenses
    if lenses is None:
        return (
            "<p>No list of known lenses has been matched with this catalog, so completeness is "
            "not known: cross-match it with lenscat, or with your own table of lenses.</p>"
        )
    metrics = [
        (fmt.count(lenses.n_in_footprint), "known lenses in the footprint"),
        (fmt.count(report.n_recovered), "recovered"),
        (fmt.count(report.n_missed), "without a candidate"),
        (fmt.count(report.n_disagreements), "pairs to review"),
        (f"{fmt.number(lenses.footprint_deg2)} deg²", f"footprint, NSIDE {lenses.footprint_nside}"),
    ]
    items = "".join(f"<div><b>{value}</b><span>{text}</span></div>" for value, text in metrics)
    note = (
        "<p>The ensemble was trained on this catalog: the recall of lenses that it was trained "
        "on says nothing about unknown lenses.</p>"
        if trained
        else ""
    )
    return f'<div class="figures">{items}</div>{note}'


def reference_row(crossmatch: Crossmatch) -> Row:
    """A reference: what came out, and when."""
    reached = crossmatch.state != "unreachable"
    unmatched = crossmatch.n_candidates - crossmatch.n_matched - crossmatch.n_review
    kind = KIND_TITLES[crossmatch.kind]
    asked = f", {crossmatch.n_candidates:,} queried" if not crossmatch.asked_all else ""
    return {
        "key": crossmatch.reference,
        "reference": {
            "text": crossmatch.title,
            "note": kind + (asked if reached else ""),
            "title": f"{crossmatch.title}, {crossmatch.version}: "
            f"{fmt.plural(crossmatch.n_references, 'object')}",
        },
        "matched": fmt.count(crossmatch.n_matched) if reached else fmt.MISSING,
        "review": fmt.count(crossmatch.n_review) if reached else fmt.MISSING,
        "unmatched": fmt.count(unmatched) if reached else fmt.MISSING,
        "radius": f"{crossmatch.radius_arcsec:g}″",
        "state": {
            "text": _STATES[crossmatch.state],
            "chip": _TONES[crossmatch.state],
            "title": crossmatch.message or "Every position was answered.",
        },
        "when": {
            "text": fmt.ago(crossmatch.created_at),
            "title": fmt.moment(crossmatch.created_at),
        },
    }


def recall_rows(recall: Sequence[RecallAtK], with_review: Sequence[RecallAtK]) -> list[Row]:
    """Recall at each length of the list."""
    return [
        {
            "key": str(step.k),
            "k": fmt.count(step.k),
            "recall": {
                "share": None if step.known == 0 else step.recall,
                "text": f"{step.found:,} / {step.known:,}",
                "label": f"Recall among the first {step.k:,}",
                "title": f"{fmt.number(step.recall)} of the known lenses",
            },
            "interval": " – ".join(fmt.number(x, digits=2) for x in (step.low_95, step.high_95)),
            "review": fmt.number(more.recall, digits=2),
        }
        for step, more in zip(recall, with_review, strict=True)
        if step.known
    ]


def pair_row(pair: MatchedPair, k: int, catalog: str, ensemble: str, picture: str = "") -> Row:
    """A pair; the candidate is a link to its review, with its stamp at the address ``picture``."""
    href = address("review", catalog=catalog, ensemble=ensemble, candidate=pair.candidate_id)
    details = [
        f"{name.replace('_', ' ')}: {fmt.quantity(v)}" for name, v in pair.properties.items()
    ]
    kind = object_type(pair.properties)
    return {
        "key": f"{k}-{pair.candidate_id}",
        "rank": fmt.count(pair.rank),
        "candidate": {
            "text": pair.object_id,
            "href": href,
            "title": f"Review {pair.object_id}",
            "picture": picture,
        },
        "probability": fmt.number(pair.probability),
        "reference": pair.reference,
        "counterpart": {
            "text": pair.counterpart,
            "note": kind,
            "title": "\n".join([pair.counterpart, *details[:14]]),
        },
        "separation": f"{fmt.number(pair.separation_arcsec, digits=2)}″",
        "normalized": fmt.number(pair.normalized, digits=2),
        "note": pair.note,
    }


def missed_row(lens: Missed, k: int, elsewhere: tuple[int, str] | None = None) -> Row:
    """A known lens without a candidate, with a link to the sky there.

    Parameters
    ----------
    elsewhere : (int, str), optional
        Candidate of another catalog at its place, and the address of its stamp.
    """
    place = quote(f"{lens.ra_deg:.6f} {lens.dec_deg:+.6f}")
    return {
        "key": str(k),
        "name": {"text": lens.name, "note": object_type(lens.properties)},
        "elsewhere": fmt.MISSING
        if elsewhere is None
        else {
            "text": "Review",
            "title": "A candidate of another catalog lies there",
            "href": address("review", candidate=elsewhere[0]),
            "picture": elsewhere[1],
        },
        "place": f"{lens.ra_deg:.5f} {lens.dec_deg:+.5f}".replace("-", "−"),
        "links": {
            "text": "SIMBAD",
            "href": _SIMBAD.format(place),
            "title": "What SIMBAD has there (needs a network)",
        },
    }


def new_html(new: Sequence[UnlistedCandidate], *, catalog: str, ensemble: str) -> str:
    """Pictures of new candidates by rank; what other references call them stands in the tooltip."""
    if not new:
        return (
            "<p>Needs a cross-match with a list of known lenses, and an ensemble that has scored "
            "the catalog.</p>"
        )
    items = []
    for item in new:
        href = address("review", catalog=catalog, ensemble=ensemble, candidate=item.candidate_id)
        source = tile_url(catalog, item.cutout_index, item.cutout_sha256, size=96)
        title = "\n".join([f"{item.object_id}, rank {item.rank:,}", *item.elsewhere])
        mark = " ·" if item.elsewhere else ""
        items.append(
            f'<li><a href="{escape(href)}" title="{escape(title)}">'
            f'<img src="{escape(source)}" alt="" loading="lazy">'
            f'<div class="caption"><span>{item.rank:,}. {escape(item.object_id)}{mark}</span>'
            f"<span>{fmt.number(item.probability)}</span></div></a></li>"
        )
    return f'<ul style="--per-row: {_PER_ROW}">{"".join(items)}</ul>'
