"""A scored survey whose stored outputs are made up, so that retraining has something to learn."""

from __future__ import annotations

import numpy as np
from sqlalchemy import insert, select

from lensing_core.calibration import Calibration
from lensing_core.cutouts import CutoutGeometry
from lensing_core.features import GridFeatures
from lensing_core.ingest.catalog_writer import CatalogSpec, CatalogWriter, NewCandidate
from lensing_core.models.classic import ClassicMember, train_trees
from lensing_core.models.contract import InputContract
from lensing_core.models.ensemble import EnsembleRule
from lensing_core.models.files import load_member, save_member
from lensing_core.models.member import MemberOutput
from lensing_core.models.outputs import OutputWriter
from lensing_core.store import open_database
from lensing_core.store.tables import Candidate, Ensemble, EnsembleMember, Model, Score
from lensing_core.workspace import Workspace

GEOMETRY = CutoutGeometry("hsc", ("g", "i"), 12, 0.168, "flux", (27.0, 27.0), (0.8, 0.6))
D, COLUMNS = 12, 6


def make_base(workspace: Workspace) -> str:
    """Store a small classic member, in an ensemble ``first``; its id."""
    rng = np.random.default_rng(0)
    compute = GridFeatures(GEOMETRY)
    table = compute(rng.normal(size=(60, 2, 12, 12)).astype("f4"))
    labels = (np.arange(60) % 2).astype(int)
    booster = train_trees(
        (table, labels), (table, labels), names=compute.schema.names, learning_rate=0.1,
        leaves=3, rounds=2, patience=2, seed=1, threads=1,
    )  # fmt: skip
    member = ClassicMember(InputContract.of(GEOMETRY), booster, compute.schema.to_json())
    save_member(workspace, "trees-1", member, {"catalogs": ["elsewhere"]})
    calibration = Calibration("platt", 1.0, 0.0, (), (), 0.3)
    rule = EnsembleRule("mean", (calibration,), calibration, 0.01)
    with open_database(workspace).session() as session:
        manifest = load_member(workspace, "trees-1").manifest
        session.add(Model(id="trees-1", kind="lightgbm", manifest=manifest))
        session.flush()
        session.add(
            Ensemble(
                name="first",
                fusion="mean",
                manifest={"rule": rule.to_json()},
                members=[EnsembleMember(model_id="trees-1", position=0)],
            )
        )
    return "trees-1"


def make_survey(
    workspace: Workspace,
    model: str,
    name: str = "survey",
    n: int = 2000,
    *,
    lenses: int = 60,
    others: int = 60,
    share: float = 0.1,
    seed: int = 1,
    contrast: float = 1.2,
    outputs: bool = True,
    positions: bool = True,
    **spec: object,
) -> np.ndarray:
    """Write a catalog with outputs of ``model`` in store and scores; the true classes.

    ``lenses`` and ``others`` say how many objects of each class are labeled.
    """
    rng = np.random.default_rng(seed)
    y = np.zeros(n, dtype=int)
    y[rng.permutation(n)[: round(share * n)]] = 1
    label = np.full(n, -1)
    label[rng.permutation(np.flatnonzero(y == 1))[:lenses]] = 1
    label[rng.permutation(np.flatnonzero(y == 0))[:others]] = 0
    rows = [
        NewCandidate(
            f"{name}-{k}",
            float(rng.uniform(0, 60)) if positions else None,
            float(rng.uniform(-20, 20)) if positions else None,
            label=None if label[k] < 0 else int(label[k]),
        )
        for k in range(n)
    ]
    writer = CatalogWriter(workspace, CatalogSpec(name, GEOMETRY, {}, **spec))
    flux = rng.normal(size=(n, 2, 12, 12)).astype("f4")
    writer.append(flux, rows, rows_read=n)
    writer.finish()
    if outputs:
        embedding = rng.normal(size=(n, D))
        embedding[:, :3] += contrast * y[:, None]
        features = rng.normal(size=(n, COLUMNS))
        features[:, 0] += contrast * y
        features[rng.random((n, COLUMNS)) < 0.05] = np.nan
        logit = rng.normal(size=n) + 0.8 * y
        OutputWriter(workspace, model, name, n).write(
            0,
            MemberOutput(logit, embedding.astype("f4"), features=features.astype("f4")),
        )
        _score(workspace, name, logit)
    return y


def logits_of(workspace: Workspace, ensemble: str) -> np.ndarray:
    """All scores of an ensemble, in the order of the cutouts."""
    with open_database(workspace).session() as session:
        return np.array(
            session.scalars(
                select(Score.logit)
                .join(Ensemble, Ensemble.id == Score.ensemble_id)
                .join(Candidate, Candidate.id == Score.candidate_id)
                .where(Ensemble.name == ensemble)
                .order_by(Candidate.cutout_index)
            ).all()
        )


def _score(workspace: Workspace, name: str, logit: np.ndarray) -> None:
    """Rows that say what ``first`` thinks of the catalog."""
    with open_database(workspace).session() as session:
        ensemble = session.scalars(select(Ensemble).where(Ensemble.name == "first")).one()
        rows = session.execute(
            select(Candidate.id, Candidate.catalog_id, Candidate.cutout_index).where(
                Candidate.object_id.startswith(f"{name}-")
            )
        ).all()
        session.execute(
            insert(Score),
            [
                {
                    "ensemble_id": ensemble.id, "candidate_id": row[0], "catalog_id": row[1],
                    "logit": float(logit[row[2]]),
                    "probability": float(1 / (1 + np.exp(-logit[row[2]]))),
                    "epistemic": 0.0, "aleatoric": 0.1, "disagreement": 0.0,
                }
                for row in rows
            ],
        )  # fmt: skip
