"""Scores of one place on the sky at both scales: as a galaxy-scale and as a cluster-scale lens.

A catalog of galaxies and one of clusters may hold the same system, each with cutouts of its own
size and scored by an ensemble of its own scale.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from astropy import units as u
from astropy_healpix import HEALPix
from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session
from sqlalchemy.sql.elements import ColumnElement

from lensing_core.store.tables import Candidate, Catalog, Ensemble, Score

RADIUS_ARCSEC = 15.0
"""A brightest galaxy and the place that a cluster catalog gives differ by so much."""
_MOST_IN_QUERY = 60
_NSIDE = 64
"""Of ``candidate.healpix``, nested."""


@dataclass(frozen=True)
class ScaleScores:
    """Probabilities of one place as a lens of either scale."""

    galaxy: float
    cluster: float

    @property
    def either(self) -> float:
        """Probability of a lens at one scale or both, the two taken as independent."""
        return 1 - (1 - self.galaxy) * (1 - self.cluster)


def scale_scores(
    session: Session, rows: Sequence[tuple[Candidate, Score | None]]
) -> dict[int, ScaleScores]:
    """Scores at both scales by candidate id; candidates without one at the other scale are left
    out.

    The other scale's score is that of the nearest candidate within 15″ in a catalog of that scale,
    by its promoted ensemble, else by the newest that scored it.
    """
    scales = {row.id: row.scale for row in session.execute(select(Catalog.id, Catalog.scale))}
    if len(set(scales.values())) < 2:
        return {}
    placed = [
        (candidate, score)
        for candidate, score in rows
        if score is not None and candidate.healpix is not None
    ]
    scores: dict[int, ScaleScores] = {}
    for first in range(0, len(placed), _MOST_IN_QUERY):
        part = placed[first : first + _MOST_IN_QUERY]
        for scale in ("galaxy", "cluster"):
            mine = [row for row in part if scales[row[0].catalog_id] == scale]
            others = [key for key, kind in scales.items() if kind != scale]
            if mine:
                scores |= _of_scale(session, mine, scale, others)
    return scores


def _of_scale(
    session: Session,
    rows: Sequence[tuple[Candidate, Score | None]],
    scale: str,
    others: Sequence[int],
) -> dict[int, ScaleScores]:
    """Return those of candidates of one scale, from catalogs of the other."""
    boxes = [_box(candidate) for candidate, _ in rows]
    near = session.execute(
        select(Candidate.id, Candidate.ra_deg, Candidate.dec_deg, Score.probability)
        .join(Score, Score.candidate_id == Candidate.id)
        .join(Ensemble, Ensemble.id == Score.ensemble_id)
        .where(
            Candidate.catalog_id.in_(others),
            Candidate.healpix.in_(_cells([candidate for candidate, _ in rows])),
            or_(*boxes),
        )
        .order_by(Ensemble.promoted_at.desc().nulls_last(), Ensemble.id.desc())
    ).all()
    scores = {}
    for candidate, score in rows:
        best = min(
            ((_distance(candidate, row.ra_deg, row.dec_deg), k) for k, row in enumerate(near)),
            default=None,
        )
        if best is None or best[0] > RADIUS_ARCSEC or score is None:
            continue
        own, other = float(score.probability), float(near[best[1]].probability)
        pair = (own, other) if scale == "galaxy" else (other, own)
        scores[candidate.id] = ScaleScores(*pair)
    return scores


def _cells(candidates: Sequence[Candidate]) -> list[int]:
    """Sky blocks that the boxes around candidates touch, which an index holds."""
    offsets = np.array([(x, y) for x in (-1, 0, 1) for y in (-1, 0, 1)]) * RADIUS_ARCSEC / 3600
    ra, dec = np.array([_place(candidate) for candidate in candidates]).T
    around_dec = np.clip(dec[:, None] + offsets[:, 1], -90, 90)
    around_ra = ra[:, None] + offsets[:, 0] / np.maximum(np.cos(np.radians(dec)), 1e-3)[:, None]
    grid = HEALPix(_NSIDE, order="nested")
    cells = grid.lonlat_to_healpix(around_ra.ravel() * u.deg, around_dec.ravel() * u.deg)
    return [int(cell) for cell in np.unique(cells)]


def _place(candidate: Candidate) -> tuple[float, float]:
    return float(candidate.ra_deg or 0.0), float(candidate.dec_deg or 0.0)


def _box(candidate: Candidate) -> ColumnElement[bool]:
    """Condition on a small box around a candidate."""
    half = RADIUS_ARCSEC / 3600
    ra, dec = _place(candidate)
    wide = half / max(np.cos(np.radians(dec)), 1e-3)
    ranges = [
        Candidate.ra_deg.between(ra - wide + turn, ra + wide + turn) for turn in (-360, 0, 360)
    ]
    return and_(Candidate.dec_deg.between(dec - half, dec + half), or_(*ranges))


def _distance(candidate: Candidate, ra_deg: float, dec_deg: float) -> float:
    """Distance on the sky in arcsec, of places close to each other."""
    ra, dec = _place(candidate)
    turn = (ra_deg - ra + 180) % 360 - 180
    return float(np.hypot(turn * np.cos(np.radians(dec)), dec_deg - dec) * 3600)
