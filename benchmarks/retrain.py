"""How long does a fast retrain take, from labels to the new ranking?

    python benchmarks/retrain.py

A made-up catalog of 100,000 candidates with 384-dimensional embeddings, grid features and logits in
store, 200 lenses and 300 others labeled. The job runs in a process of its own, as it does from the
browser; its time includes the start of Python and the imports. Prints seconds by step, the peak
memory of the process, and how much better the catalog is ranked.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from sqlalchemy import insert, select, update

from lens_triage.training.runner.context import JobContext
from lens_triage.training.settings import RetrainSettings
from lensing_core.acquisition import QueueRequest, choose_queue
from lensing_core.calibration import Calibration
from lensing_core.cutouts import CutoutGeometry
from lensing_core.features import GridFeatures
from lensing_core.metrics import ranking_metrics
from lensing_core.models.classic import ClassicMember, train_trees
from lensing_core.models.contract import InputContract
from lensing_core.models.ensemble import EnsembleRule
from lensing_core.models.files import load_member, save_member
from lensing_core.models.member import MemberOutput
from lensing_core.models.outputs import OutputWriter
from lensing_core.store import open_database
from lensing_core.store.ranking import RankingQuery
from lensing_core.store.runs import get_run
from lensing_core.store.tables import (
    Candidate,
    Catalog,
    Ensemble,
    EnsembleMember,
    Model,
    Run,
    Score,
    SurveyRow,
)
from lensing_core.workspace import Workspace

GEOMETRY = CutoutGeometry("hsc", ("g", "r", "i"), 64, 0.168, "flux", (27.0,) * 3, (0.7,) * 3)
BATCH = 10_000
INFORMATIVE = 6


def make_base(workspace: Workspace) -> tuple[str, int]:
    """A classic member in an ensemble ``base``; its id and how many features it has."""
    compute = GridFeatures(GEOMETRY)
    names = compute.schema.names
    rng = np.random.default_rng(0)
    table = rng.normal(size=(200, len(names))).astype("f4")
    labels = (np.arange(200) % 2).astype(int)
    booster = train_trees(
        (table, labels),
        (table, labels),
        names=names,
        learning_rate=0.1,
        leaves=4,
        rounds=5,
        patience=5,
        seed=1,
        threads=1,
    )
    member = ClassicMember(InputContract.of(GEOMETRY), booster, compute.schema.to_json())
    save_member(workspace, "base-1", member, {})
    plain = Calibration("platt", 1.0, 0.0, (), (), 0.3)
    rule = EnsembleRule("mean", (plain,), plain, 1e-3)
    with open_database(workspace).session() as session:
        manifest = load_member(workspace, "base-1").manifest
        session.add(Model(id="base-1", kind="lightgbm", manifest=manifest))
        session.flush()
        session.add(
            Ensemble(
                name="base",
                fusion="mean",
                manifest={"rule": rule.to_json()},
                members=[EnsembleMember(model_id="base-1", position=0)],
            )
        )
    return "base-1", len(names)


def make_survey(
    workspace: Workspace, model: str, columns: int, arguments: argparse.Namespace
) -> np.ndarray:
    """The catalog's rows and stored outputs; returns the true classes."""
    rng = np.random.default_rng(1)
    n = arguments.n
    y = np.zeros(n, dtype=int)
    y[rng.permutation(n)[: round(arguments.share * n)]] = 1
    with open_database(workspace).session() as session:
        survey = SurveyRow(name="hsc", definition={})
        catalog = Catalog(
            name="survey",
            survey=survey,
            scale="galaxy",
            origin="observed",
            bands=list(GEOMETRY.bands),
            size_px=GEOMETRY.size_px,
            pixel_scale_arcsec=GEOMETRY.pixel_scale_arcsec,
            pixel_kind="flux",
            n_candidates=n,
            complete=True,
        )
        session.add(catalog)
        session.flush()
        writer = OutputWriter(workspace, model, "survey", n)
        for first in range(0, n, BATCH):
            part = y[first : first + BATCH]
            m = len(part)
            embedding = rng.normal(size=(m, arguments.d)).astype("f4")
            embedding[:, :INFORMATIVE] += 1.1 * part[:, None]
            features = rng.normal(size=(m, columns)).astype("f4")
            features[:, :INFORMATIVE] += 0.8 * part[:, None]
            logit = rng.normal(size=m) + 1.5 * part
            writer.write(first, MemberOutput(logit, embedding, features=features))
            session.execute(
                insert(Candidate),
                [
                    {
                        "catalog_id": catalog.id,
                        "object_id": f"{first + k}",
                        "ra_deg": float(rng.uniform(0, 90)),
                        "dec_deg": float(rng.uniform(-30, 30)),
                        "cutout_index": first + k,
                        "cutout_sha256": "0" * 64,
                        "stage": "detection",
                    }
                    for k in range(m)
                ],
            )
        # Others that were looked at stand high in the ranking, as in a real review.
        stored = np.load(workspace.embeddings / model / "logit" / "survey.npy")
        lenses = rng.permutation(np.flatnonzero(y == 1))[: arguments.lenses]
        top = np.argsort(-np.where(y == 0, stored, -np.inf))[: 20 * arguments.others]
        others = rng.permutation(top)[: arguments.others]
        for label, chosen in ((1, lenses), (0, others)):
            session.execute(
                update(Candidate)
                .where(Candidate.cutout_index.in_(chosen.tolist()))
                .values(label=label)
            )
    return y


def work(folder: Path, settings: RetrainSettings) -> None:
    """The job, in this process; prints its peak memory and processor time."""
    from lens_triage.training.jobs import retrain as retraining

    imports = _memory_mib()
    context = JobContext(Workspace(folder), "retrain")
    context.start_heart()
    result = retraining.run(context, settings)
    context.stop_heart()
    with open_database(context.workspace).session() as session:
        session.get_one(Run, "retrain").result = result
    used = resource.getrusage(resource.RUSAGE_SELF)
    print(
        f"peak memory of the process {_memory_mib():,.0f} MiB ({imports:,.0f} of them after the "
        f"imports), processor time {used.ru_utime + used.ru_stime:.0f} s"
    )


def _memory_mib() -> float:
    """Most memory that this process has had, mapped files included."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--n", type=int, default=100_000, help="candidates")
    parser.add_argument("--d", type=int, default=384, help="dimensions of the embeddings")
    parser.add_argument("--share", type=float, default=0.01, help="of true lenses")
    parser.add_argument("--lenses", type=int, default=200, help="labeled lenses")
    parser.add_argument("--others", type=int, default=300, help="vetted others")
    parser.add_argument("--heads", nargs="+", default=["nnpu", "logistic", "trees"])
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    settings = RetrainSettings(base="base", catalog="survey", heads=arguments.heads)
    if arguments.folder:
        work(arguments.folder, settings)
        return

    with tempfile.TemporaryDirectory() as folder:
        workspace = Workspace.create(Path(folder) / "ws")
        open_database(workspace)
        model, columns = make_base(workspace)
        y = make_survey(workspace, model, columns, arguments)
        with open_database(workspace).session() as session:
            session.add(
                Run(id="retrain", kind="retrain", title="retrain", settings=settings.to_json())
            )
        start = time.perf_counter()
        command = [sys.executable, __file__, *sys.argv[1:], "--folder", str(workspace.root)]
        subprocess.run(command, check=True)  # noqa: S603 - this script
        seconds = time.perf_counter() - start

        database = open_database(workspace)
        result = database.ask(get_run, "retrain").result or {}
        print(
            f"{arguments.n:,} candidates, {arguments.d} + {columns} columns, "
            f"{arguments.lenses} lenses and {arguments.others} others labeled: {seconds:.1f} s"
        )
        steps = result["seconds"]
        print(f"  start of Python and imports {seconds - sum(steps.values()):.1f} s")
        for name, value in steps.items():
            print(f"  {name} {value:.1f} s")
        queue_start = time.perf_counter()
        n_queue = _next_queue(workspace, settings.ensemble)
        print(
            f"  next queue of {n_queue} candidates {time.perf_counter() - queue_start:.1f} s: "
            f"{seconds + time.perf_counter() - queue_start:.1f} s in all"
        )
        print(result["calibration"])
        print(f"{result['figures_on']}: TPR0 {_text(result, 'tpr0')}")
        with database.session() as session:
            after = np.array(
                session.scalars(
                    select(Score.logit)
                    .join(Candidate, Candidate.id == Score.candidate_id)
                    .order_by(Candidate.cutout_index)
                ).all()
            )
        before = np.load(workspace.embeddings / model / "logit" / "survey.npy")
        unlabeled = _unlabeled(database)
        for name, logits in (("base", before), ("retrained", after)):
            metrics = ranking_metrics(logits[unlabeled], y[unlabeled])
            shown = ", ".join(
                f"{key} {metrics[key]:.3f}" for key in ("recall_fpr_1e-3", "average_precision")
            )
            print(f"{name}: {shown} (true classes of the unlabeled)")


def _next_queue(workspace: Workspace, name: str) -> int:
    """Choose the next mixed queue by the new ensemble, as a session does."""
    with open_database(workspace).session() as session:
        ensemble = session.scalars(select(Ensemble).where(Ensemble.name == name)).one()
        request = QueueRequest("mixed", 500, RankingQuery(ensemble_id=ensemble.id))
        return len(choose_queue(session, workspace, request))


def _text(result: dict, name: str) -> str:
    metric = result["figures"][name]
    return f"{metric['value']:.3f} [{metric['low_95']:.3f}, {metric['high_95']:.3f}]"


def _unlabeled(database) -> np.ndarray:
    with database.session() as session:
        labels = session.scalars(select(Candidate.label).order_by(Candidate.cutout_index)).all()
    return np.array([label is None for label in labels])


if __name__ == "__main__":
    main()
