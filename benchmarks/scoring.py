"""How fast is a catalog scored from end to end, and what does the scaffolding cost?

    python benchmarks/scoring.py --n 8192
    python benchmarks/scoring.py --n 8192 --ensemble default-hsc

Scores a simulated catalog with an ensemble that comes with the program, three ways in one run: a
score run in a process of its own, as the program starts it (streamed shards, database rows, outputs
kept), from the first cutout to the last; the plain loop that a user would write: the same members,
batch after batch in float32, as they were trained, keeping nothing; and the
members' pure prediction, one after another, of one batch that stays in memory. All take turns, and
the best round of each counts. Figures are by the clock, so other work must rest.
"""

from __future__ import annotations

import argparse
import os
import shutil
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from runs_here import run_here
from sqlalchemy import delete, select

from lens_triage.training import runner as jobs
from lens_triage.training.bundled import make_workspace
from lens_triage.training.defaults import DEFAULTS, simulation_settings
from lens_triage.training.settings import ScoreSettings
from lensing_core.cutouts import CutoutStore
from lensing_core.features import ClassicFeatures
from lensing_core.models.classic import ClassicMember
from lensing_core.models.contract import flux_scale
from lensing_core.models.deep import DeepMember
from lensing_core.models.files import load_member
from lensing_core.processes import available_cores
from lensing_core.store import open_database
from lensing_core.store.tables import Ensemble, MemberScore, Score
from lensing_core.workspace import Workspace

BATCH = 256


@dataclass
class Best:
    """The best round of one way to score ``n`` cutouts."""

    n: int
    seconds: float = np.inf

    def time(self, work: Callable[[], object]) -> None:
        """Do it once."""
        clock = time.perf_counter()
        work()
        self.seconds = min(self.seconds, time.perf_counter() - clock)

    @property
    def rate(self) -> float:
        """Cutouts a second."""
        return self.n / self.seconds


def forget(workspace: Workspace) -> None:
    """Remove all scores and what members computed."""
    with open_database(workspace).session() as session:
        session.execute(delete(MemberScore))
        session.execute(delete(Score))
    shutil.rmtree(workspace.embeddings, ignore_errors=True)


@torch.inference_mode()
def plain_loop(
    store: CutoutStore, members: list[ClassicMember | DeepMember], features: ClassicFeatures
) -> list[np.ndarray]:
    """Raw logits of all members, as a user would write it; the last batch's."""
    factors = flux_scale(store.geometry)[:, None, None]
    found: list[np.ndarray] = []
    for _, flux in store.batches(BATCH):
        found = []
        for member in members:
            if isinstance(member, ClassicMember):
                found.append(member.booster.predict(features(flux), raw_score=True))
            else:
                images = member.scaling(torch.from_numpy(flux * factors).to(member.device))
                found.append(member.network(images).logit.cpu().numpy())
    return found


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--n", type=int, default=8192, help="cutouts to score")
    parser.add_argument("--rounds", type=int, default=3)
    simulated = [name for name, default in DEFAULTS.items() if default.make_by == "simulation"]
    parser.add_argument("--ensemble", default="default-hsc", choices=simulated)
    arguments = parser.parse_args()
    device = "cuda" if torch.cuda.is_available() else "cpu"

    with tempfile.TemporaryDirectory() as folder:
        workspace = make_workspace(Path(folder) / "ws")
        simulate, _ = simulation_settings(DEFAULTS[arguments.ensemble], n_objects=arguments.n)
        simulate.param.update(catalog="survey", lens_fraction=0.05)
        run_here(workspace, simulate, "survey")
        store = CutoutStore(workspace.catalog_cutouts("survey"))
        with open_database(workspace).session() as session:
            ensemble = session.scalars(
                select(Ensemble).where(Ensemble.name == arguments.ensemble)
            ).one()
            stored = [load_member(workspace, m.model_id, device=device) for m in ensemble.members]
        members = [each.member for each in stored]
        predictors = [member.predictor(store.geometry, "survey") for member in members]
        for member in members:
            if isinstance(member, DeepMember):
                member.network.to(device).eval()
            else:
                features = ClassicFeatures.stored(store.geometry, member.features)
        batch = store.read_many(range(BATCH))
        job, loop = Best(arguments.n), Best(arguments.n)
        each = [Best(BATCH) for _ in members]
        for _ in range(arguments.rounds):
            settings = ScoreSettings(
                ensemble=arguments.ensemble, catalog="survey", batch_size=BATCH
            )
            run = jobs.wait(workspace, jobs.submit(workspace, settings))
            if run.status != "succeeded":
                raise SystemExit(run.error)
            job.seconds = min(job.seconds, arguments.n / run.result["per_second"])
            forget(workspace)
            loop.time(lambda: plain_loop(store, members, features))
            for best, predict in zip(each, predictors, strict=True):
                best.time(lambda: predict(batch))  # noqa: B023

        print(f"{store.geometry.shape} cutouts, {device}, {torch.get_num_threads()} threads")
        for known, best in zip(stored, each, strict=True):
            print(f"{known.id}: {best.rate:,.0f}/s")
        pure = BATCH / sum(best.seconds for best in each)
        print(f"score job {job.rate:,.0f}/s, ratio to the plain loop {job.rate / loop.rate:.2f}")
        print(f"plain loop {loop.rate:,.0f}/s")
        print(f"pure prediction {pure:,.0f}/s, of which the job reaches {job.rate / pure:.0%}")
        print(f"load (1-minute average) {os.getloadavg()[0]:.1f} on {available_cores()} cores")


if __name__ == "__main__":
    main()
