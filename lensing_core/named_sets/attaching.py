"""A list of known objects put onto a catalog that is already there, by position."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy.spatial import cKDTree

from lensing_core.crossmatch.matching import unit_vectors
from lensing_core.named_sets.rows import NamedSet, SetRow
from lensing_core.store import Session
from lensing_core.store.known_lenses import KnownLabel, PlacedCandidate, attach_labels, placed

_ARCSEC = np.pi / 180 / 3600


@dataclass
class AttachReport:
    """Outcome of attaching a list.

    Attributes
    ----------
    objects : int
        Rows of the list with a position and a label.
    attached, known, contradicted : int
        Candidates that got a label; that had the same; that have another and keep it.
    ambiguous : list of str
        Objects with several candidates in reach, or candidates in reach of several objects.
    out_of_reach : int
        Objects of the list without a candidate in reach.
    unlabeled : int
        Rows whose grade gives no label, or that have no position.
    """

    objects: int = 0
    attached: int = 0
    known: int = 0
    contradicted: int = 0
    ambiguous: list[str] = field(default_factory=list)
    out_of_reach: int = 0
    unlabeled: int = 0

    def to_json(self) -> dict[str, Any]:
        """Plain JSON."""
        return dict(vars(self))


def attach(
    session: Session,
    catalog_id: int,
    rows: Sequence[SetRow],
    chosen: NamedSet,
    *,
    radius_arcsec: float,
) -> AttachReport:
    """Label the candidates of a catalog that a list has; the caller's transaction commits it.

    A label that is there already stays. Where two candidates are in reach of an object, or two
    objects of one candidate with different labels, none gets a label: it is told.
    """
    usable = [
        row for row in rows if row.label is not None and None not in (row.ra_deg, row.dec_deg)
    ]
    report = AttachReport(objects=len(usable), unlabeled=len(rows) - len(usable))
    candidates = placed(session, catalog_id)
    if not usable or not candidates:
        report.out_of_reach = len(usable)
        return report
    within = _within(usable, candidates, radius_arcsec)
    by_candidate: dict[int, list[SetRow]] = {}
    for row, near in zip(usable, within, strict=True):
        if not near:
            report.out_of_reach += 1
        elif len(near) > 1:
            names = ", ".join(candidates[k].object_id for k in near[:3])
            report.ambiguous.append(f"{row.name}: {len(near)} candidates in reach, {names}")
        else:
            by_candidate.setdefault(near[0], []).append(row)
    labels = []
    for k, mine in by_candidate.items():
        if len({row.label for row in mine}) > 1:
            names = ", ".join(row.name for row in mine[:3])
            report.ambiguous.append(f"{candidates[k].object_id}: lies in reach of {names}")
            continue
        best = max(mine, key=lambda row: row.confidence)
        if candidates[k].label is None:
            labels.append(_label(candidates[k], best, chosen))
        elif candidates[k].label == best.label:
            report.known += 1
        else:
            report.contradicted += 1
    report.attached = attach_labels(session, labels)
    return report


def _within(
    rows: Sequence[SetRow], candidates: Sequence[PlacedCandidate], radius_arcsec: float
) -> list[list[int]]:
    sky = np.array([(one.ra_deg, one.dec_deg) for one in candidates], dtype=np.float64)
    asked = np.array([(row.ra_deg, row.dec_deg) for row in rows], dtype=np.float64)
    chord = 2 * np.sin(radius_arcsec * _ARCSEC / 2)
    tree = cKDTree(unit_vectors(*sky.T))
    return [sorted(near) for near in tree.query_ball_point(unit_vectors(*asked.T), chord)]


def _label(candidate: PlacedCandidate, row: SetRow, chosen: NamedSet) -> KnownLabel:
    marks: dict[str, Any] = {"list": chosen.key, "name": row.name, "citation": chosen.citation}
    for name in ("grade", "lens_scale", "domain_shifted", "z_lens", "redshift"):
        if row.properties.get(name) is not None:
            marks[name] = row.properties[name]
    if chosen.domain:
        marks["domain"] = chosen.domain
    properties = {"known_object": marks}
    if row.label == 0 and row.properties.get("reject_reason"):
        properties["reject_reason"] = row.properties["reject_reason"]
    return KnownLabel(
        candidate.id, int(row.label or 0), chosen.source, row.confidence, chosen.policy, properties
    )
