"""How fast is a catalog scored from end to end, and what does the scaffolding cost?

    python benchmarks/scoring.py --n 3000

Trains a small ensemble on simulated cutouts, then scores a catalog three ways in one run: the
score job (streamed shards, database rows, embeddings), a plain float32 loop over the same members,
one cutout batch after another with nothing kept, and the members' pure prediction on one batch
that stays in memory.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from sqlalchemy import select

from lensing_core.cutouts import CutoutStore
from lensing_core.models.files import load_member
from lensing_core.store import open_database
from lensing_core.store.tables import Ensemble, Run
from lensing_core.workspace import Workspace
from training import fit, scoring, simulating
from training.jobs.context import JobContext
from training.settings import RunSettings, ScoreSettings, SimulateSettings, TrainSettings

BATCH = 256


def context_for(workspace: Workspace, settings: RunSettings, run_id: str) -> JobContext:
    """A run in this process, so that no start of a process is timed."""
    with open_database(workspace).session() as session:
        session.add(Run(id=run_id, kind=settings.kind, title=run_id, settings=settings.to_json()))
    return JobContext(workspace, run_id)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--n", type=int, default=3000, help="cutouts to score")
    parser.add_argument("--train", type=int, default=600, help="cutouts to train on")
    parser.add_argument("--backbone", default="resnet10t")
    arguments = parser.parse_args()

    with tempfile.TemporaryDirectory() as folder:
        workspace = Workspace.create(Path(folder) / "ws")
        open_database(workspace)
        bands = ["g", "r", "i"]
        for name, n, seed in (("train", arguments.train, 1), ("survey", arguments.n, 2)):
            settings = SimulateSettings(catalog=name, n_objects=n, seed=seed, bands=bands)
            simulating.run(context_for(workspace, settings, name), settings)
        train = TrainSettings(
            ensemble="e", catalogs=["train"], epochs=1, rounds=200, backbones=[arguments.backbone]
        )
        fit.run(context_for(workspace, train, "fit"), train)

        score = ScoreSettings(ensemble="e", catalog="survey", batch_size=BATCH)
        start = time.perf_counter()
        scoring.run(context_for(workspace, score, "score"), score)
        job = arguments.n / (time.perf_counter() - start)

        with open_database(workspace).session() as session:
            ensemble = session.scalars(select(Ensemble)).one()
        store = CutoutStore(workspace.catalog_cutouts("survey"))
        device = "cuda" if torch.cuda.is_available() else "cpu"
        members = [load_member(workspace, m.model_id, device=device) for m in ensemble.members]
        predictors = [m.member.predictor(store.geometry, "survey") for m in members]
        plain = [
            load_member(workspace, m.model_id, device=device, precision="32")
            for m in ensemble.members
        ]
        plain_predictors = [m.member.predictor(store.geometry, "survey") for m in plain]
        start = time.perf_counter()
        for first in range(0, len(store), BATCH):
            flux = np.stack([store.read(k) for k in range(first, min(first + BATCH, len(store)))])
            for predict in plain_predictors:
                predict(flux)
        loop = arguments.n / (time.perf_counter() - start)

        batch = store.read_many(range(BATCH))
        rates = []
        for stored, predict in zip(members, predictors, strict=True):
            start, rounds = time.perf_counter(), 5
            for _ in range(rounds):
                predict(batch)
            rates.append(rounds * BATCH / (time.perf_counter() - start))
            print(f"{stored.manifest['kind']}: {rates[-1]:,.0f}/s by itself")
        pure = 1 / sum(1 / rate for rate in rates)
        print(f"{store.geometry.shape} cutouts, {device}, {torch.get_num_threads()} threads")
        print(f"score job {job:,.0f}/s, plain loop {loop:,.0f}/s, pure prediction {pure:,.0f}/s")
        print(
            f"ratio to the plain loop {job / loop:.2f}, share of pure prediction {job / pure:.2f}"
        )


if __name__ == "__main__":
    main()
