"""Arcs and colors beside the candidates: at scoring, and from stored features afterwards."""

from __future__ import annotations

import numpy as np
import pytest
import sqlalchemy as sa

from lens_triage.training.derived_columns import columns_of_features, derive_columns
from lens_triage.training.jobs import score as scoring
from lens_triage.training.jobs.train import train
from lens_triage.training.settings import ScoreSettings, TrainSettings
from lensing_core.cutouts import CutoutGeometry
from lensing_core.errors import NotFoundError
from lensing_core.ingest.catalog_writer import CatalogSpec, CatalogWriter, NewCandidate
from lensing_core.ingest.proxies import theta_e_proxies
from lensing_core.models.outputs import outputs_path
from lensing_core.store import open_database
from lensing_core.store.tables import Candidate, Observation

COLUMNS = ("arc_radius_arcsec", "arc_length_arcsec", "arc_angle_deg", "arc_galaxy_color_mag")


def stored(workspace, column: str) -> np.ndarray:
    with open_database(workspace).session() as session:
        rows = session.scalars(
            sa.select(getattr(Candidate, column)).order_by(Candidate.cutout_index)
        )
        return np.array([np.nan if value is None else value for value in rows])


def half_rings(workspace, n: int) -> np.ndarray:
    """A labeled catalog of blobs, a third of them with half a blue ring; returns the labels."""
    rng = np.random.default_rng(1)
    labels = (np.arange(n) % 3 == 0).astype(int)
    axis = np.arange(32) - 15.5
    r = np.hypot(axis[:, None], axis)
    blob = 30 * np.exp(-0.5 * (r / 3) ** 2)
    half = 8 * np.exp(-0.5 * ((r - 9) / 1.2) ** 2) * (axis > 0)
    flux = rng.normal(size=(n, 2, 32, 32)) + np.stack([blob / 2, blob])
    flux += labels[:, None, None, None] * np.stack([half, half / 4])
    geometry = CutoutGeometry("hsc", ("g", "i"), 32, 0.168, "flux", (27.0, 27.0), (0.8, 0.6))
    writer = CatalogWriter(workspace, CatalogSpec("rings", geometry, {}, origin="simulated"))
    rows = [NewCandidate(f"o{k}", k * 1.0, 0.0, label=int(labels[k])) for k in range(n)]
    writer.append(flux.astype("f4"), rows, rows_read=n)
    writer.finish()
    return labels


def test_features_become_columns_in_their_units():
    names = (
        *("arc_angle", "arc_length", "arc_radius", "arc_snr", "colour_consistency"),
        *("colour_against_galaxy_g-r", "colour_against_galaxy_r-i"),
    )
    table = np.array([[np.pi / 2, 3, 1.5, 9, 0.7, -0.5, -0.25], [0, 0] + [np.nan] * 5], "f4")
    found = columns_of_features(names, table)
    assert found["arc_angle_deg"].tolist() == pytest.approx([90, 0], abs=1e-5)
    assert found["arc_galaxy_color_mag"][0] == pytest.approx(-0.75)
    assert np.isnan(found["arc_galaxy_color_mag"][1])
    assert columns_of_features(("grid_0",), table[:, :1]) == {}


def test_the_proxy_of_a_catalog_row():
    rows = [
        {"richness": 50.0},
        {"properties": {"Sigma_V": 1000.0}, "z_phot": 0.3},
        {"properties": {"sigma_v": 1000.0}},  # without a redshift nothing follows
        {},
    ]
    found = theta_e_proxies(rows)
    assert found[0] == pytest.approx(10)
    assert 15 < found[1] < 30
    assert np.isnan(found[2:]).all()


@pytest.mark.slow
def test_scoring_keeps_arcs_and_colors(workspace, make_context):
    labels = half_rings(workspace, 240)
    settings = TrainSettings(
        ensemble="first", catalogs=["rings"], members=["trees"], rounds=20, leaves=7
    )
    train.run(make_context(settings), settings)
    score = ScoreSettings(ensemble="first", catalog="rings", device="cpu", batch_size=64)
    scoring.run(make_context(score, "score"), score)
    length, angle = stored(workspace, "arc_length_arcsec"), stored(workspace, "arc_angle_deg")
    assert np.isfinite(length).all()
    arcs, radius = labels == 1, stored(workspace, "arc_radius_arcsec")
    assert np.median(length[arcs]) > 2 > np.median(length[~arcs])
    assert 90 < np.median(angle[arcs]) < 200
    # of the middle of half a ring
    assert np.nanmedian(radius[arcs]) == pytest.approx(9 * 0.168 * 2 / np.pi, rel=0.1)
    assert np.nanmedian(stored(workspace, "arc_galaxy_color_mag")[arcs]) < -1
    assert np.isnan(stored(workspace, "theta_e_proxy_arcsec")).all()
    before = [stored(workspace, name) for name in COLUMNS]

    with open_database(workspace).session() as session:
        session.execute(sa.update(Candidate).values(dict.fromkeys(COLUMNS)))
        session.execute(
            sa.update(Observation).where(Observation.candidate_id == 1).values(richness=50.0)
        )
    counts = derive_columns(workspace, "rings")
    assert counts["arc_length_arcsec"] == 240
    assert counts["theta_e_proxy_arcsec"] == 1
    for name, values in zip(COLUMNS, before, strict=True):
        np.testing.assert_allclose(stored(workspace, name), values, rtol=1e-6)

    (path,) = workspace.embeddings.glob("*/features/rings.npy")
    assert path == outputs_path(workspace, path.parent.parent.name, "rings", "features")
    path.unlink()
    assert "arc_length_arcsec" not in derive_columns(workspace, "rings")
    with pytest.raises(NotFoundError, match="no catalog ghost"):
        derive_columns(workspace, "ghost")
