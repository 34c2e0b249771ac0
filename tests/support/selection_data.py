"""A searched catalog with injected lenses, whose machine finds those of a known response."""

from __future__ import annotations

import numpy as np
import sqlalchemy as sa
from drawn_catalogs import TWO_BANDS, blobs_and_rings, draw_catalog
from known_responses import response

from lens_triage.training.settings import SelectionSettings
from lensing_core.ingest.catalog_writer import CatalogSpec, CatalogWriter, NewCandidate
from lensing_core.store import Session, open_database
from lensing_core.store.tables import Candidate, Catalog, Ensemble, Observation, Run, Score, utc_now
from lensing_core.workspace import Workspace

KNOWN = (1.5, 2.0, 2.0)
SETTINGS = SelectionSettings(
    catalog="sky", ensemble="known", top=6, hosts="all", sources=["simulated"],
    min_theta_e_arcsec=0.5, max_theta_e_arcsec=1.2, theta_e_cells=2,
    min_arc_snr=5.0, max_arc_snr=80.0, snr_cells=3, per_cell=24, survey_prior=0.5,
    population_min_snr=5.0,
)  # fmt: skip
N_SKY, N_LISTED = 90, 6


def search_sky(workspace: Workspace) -> None:
    """Catalog sky: ninety objects without labels, six of which ensemble known has in its list."""
    draw_catalog(workspace, "sky", N_SKY, 1, labeled=False)
    with open_database(workspace).session() as session:
        session.add(Ensemble(name="known", fusion="mean", manifest={}))
        session.flush()
        give_scores(session, "sky", np.arange(N_SKY) < N_LISTED)


def inject_on_grid(workspace: Workspace, seed: int = 1) -> None:
    """Catalog sky-injected as a run leaves it, but for its pixels, and that run."""
    rng = np.random.default_rng(seed)
    n = SETTINGS.n_lenses
    theta = np.exp(rng.uniform(*np.log([0.5, 1.2]), n))
    snr = np.exp(rng.uniform(*np.log([5.0, 80.0]), n))
    writer = CatalogWriter(
        workspace, CatalogSpec(SETTINGS.injected, TWO_BANDS, {}, origin="simulated")
    )
    rows = [
        NewCandidate(
            f"sky-{k % N_SKY}+arc{k}", label=1, label_source="inject:sky", label_confidence=1.0,
            observation={"truth": {"theta_e_arcsec": float(t), "arc_snr": float(s)}},
        )
        for k, (t, s) in enumerate(zip(theta, snr, strict=True))
    ]  # fmt: skip
    writer.append(blobs_and_rings(n, seed)[0], rows, rows_read=n)
    writer.finish()
    with open_database(workspace).session() as session:
        score_injected(session)
        session.add(
            Run(
                id="measured", kind="selection", title=SETTINGS.title(), status="succeeded",
                settings=SETTINGS.to_json(), finished_at=utc_now(),
            )
        )  # fmt: skip


def score_injected(session: Session) -> None:
    """Scores of the injected lenses by the known response."""
    rows = session.execute(
        sa.select(Observation.truth)
        .join(Candidate, Candidate.id == Observation.candidate_id)
        .join(Catalog, Catalog.id == Candidate.catalog_id)
        .where(Catalog.name == SETTINGS.injected)
        .order_by(Candidate.id)
    ).scalars()
    truths = list(rows)
    theta, snr = (np.array([t[name] for t in truths]) for name in ("theta_e_arcsec", "arc_snr"))
    found = np.random.default_rng(7).random(len(truths)) < response(KNOWN, theta, snr)
    give_scores(session, SETTINGS.injected, found)


def give_scores(session: Session, catalog: str, found: np.ndarray) -> None:
    """Logits of 3 for what ensemble known finds, else −3, in the order of the ids."""
    ensemble = session.query(Ensemble).filter_by(name="known").one()
    rows = session.execute(
        sa.select(Candidate.id, Candidate.catalog_id)
        .join(Catalog, Catalog.id == Candidate.catalog_id)
        .where(Catalog.name == catalog)
        .order_by(Candidate.id)
    ).all()
    for (key, catalog_id), hit in zip(rows, found, strict=True):
        logit = 3.0 if hit else -3.0
        session.add(
            Score(
                ensemble_id=ensemble.id, candidate_id=key, catalog_id=catalog_id, logit=logit,
                probability=float(1 / (1 + np.exp(-logit))), epistemic=0.0, aleatoric=0.0,
                disagreement=0.0,
            )
        )  # fmt: skip
