"""One place scored at galaxy scale and at cluster scale."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from rows import add_catalog, score_row
from sqlalchemy import select

from lensing_core.store import open_database
from lensing_core.store.scale_scores import scale_scores
from lensing_core.store.tables import Candidate, Ensemble, Score

# Place of each candidate; one lies across the meridian, one just beyond the radius.
GALAXIES = [(10.0, 60.0), (359.9999, -1.0), (50.0, 0.0), (None, None)]
CLUSTERS = [(10.002, 60.001), (0.001, -1.0), (50.0, 0.0045), (10.0, 60.0)]
P_GALAXY, P_CLUSTER = [0.5, 0.2, 0.3, 0.4], [0.1, 0.6, 0.7, 0.2]


@pytest.fixture
def scored(workspace):
    database = open_database(workspace)
    with database.session() as session:
        for k, name in enumerate(("galaxies", "clusters", "clusters-newer")):
            promoted = datetime(2026, 1, 2, tzinfo=UTC) if k == 1 else None
            session.add(Ensemble(name=name, fusion="mean", manifest={}, promoted_at=promoted))
        session.flush()
        found = {row.name: row.id for row in session.execute(select(Ensemble.name, Ensemble.id))}
        for name, scale, places in (
            ("galaxies", "galaxy", GALAXIES),
            ("clusters", "cluster", CLUSTERS),
        ):
            ids = add_catalog(session, name, len(places), scale=scale)
            for key, (ra, dec) in zip(ids, places, strict=True):
                candidate = session.get(Candidate, key)
                candidate.ra_deg, candidate.dec_deg = ra, dec
                candidate.healpix = None if ra is None else _cell(ra, dec)
            values = P_GALAXY if name == "galaxies" else P_CLUSTER
            catalog_id = candidate.catalog_id
            for key, value in zip(ids, values, strict=True):
                session.add(score_row(found[name], catalog_id, key, probability=value))
                if name == "clusters":
                    session.add(
                        score_row(found["clusters-newer"], catalog_id, key, probability=0.99)
                    )
    return database


def _cell(ra: float, dec: float) -> int:
    from astropy import units as u
    from astropy_healpix import HEALPix

    return int(HEALPix(64, order="nested").lonlat_to_healpix(ra * u.deg, dec * u.deg))


def rows_of(session, ensemble: str):
    wanted = (
        select(Candidate, Score)
        .join(Score, Score.candidate_id == Candidate.id)
        .join(Ensemble, Ensemble.id == Score.ensemble_id)
        .where(Ensemble.name == ensemble)
        .order_by(Candidate.id)
    )
    return session.execute(wanted).all()


def test_the_nearest_of_the_other_scale_within_15_arcsec_counts(scored):
    with scored.session() as session:
        rows = rows_of(session, "galaxies")
        found = scale_scores(session, rows)
    ids = [candidate.id for candidate, _ in rows]
    assert set(found) == set(ids[:2])  # the third is 16.2″ away, the last has no position
    first = found[ids[0]]  # the cluster at its own place, and its promoted ensemble
    assert (first.galaxy, first.cluster) == (0.5, 0.2)
    assert first.either == pytest.approx(1 - 0.5 * 0.8)
    assert (found[ids[1]].galaxy, found[ids[1]].cluster) == (0.2, 0.6)


def test_a_queue_of_clusters_shows_the_galaxy_scale_beside_its_own(scored):
    with scored.session() as session:
        rows = rows_of(session, "clusters")
        found = scale_scores(session, rows)
    assert [
        (found[c.id].galaxy, found[c.id].cluster) if c.id in found else None for c, _ in rows
    ] == [(0.5, 0.1), (0.2, 0.6), None, (0.5, 0.2)]


def test_a_workspace_of_one_scale_has_nothing_to_show(workspace):
    with open_database(workspace).session() as session:
        add_catalog(session, "galaxies", 3)
        assert scale_scores(session, []) == {}
