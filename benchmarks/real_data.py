"""What ensembles trained on simulations alone do with real objects.

    python benchmarks/real_data.py DATA --workspace FOLDER
    python benchmarks/real_data.py DATA --workspace FOLDER --shipped

With ``--shipped`` the ensembles that come with the program are measured, against non-lenses as
every simulation has them and against harder ones, as their own training set had them. Else, for
each survey: simulate a training set and a control set of non-lenses, train, import the real
objects, score, and compare. Nothing is trained or tuned on a real object. DATA is the folder with
``sled_ps1`` (confirmed lenses in Pan-STARRS1; all are positives) and ``spacewarps_cfhtls`` (CFHTLS
color pictures with expert grades; More et al. 2016). Run it again to go on after an interruption.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
from runs_here import confirmed_lenses, do, graded_stamps
from scipy.stats import beta, kendalltau
from sqlalchemy import select

from lens_triage.training.bundled import make_workspace
from lens_triage.training.defaults import Default, simulation_settings
from lens_triage.training.settings import ScoreSettings, SimulateSettings, TrainSettings
from lensing_core.metrics import ranking_metrics_with_intervals
from lensing_core.store import open_database
from lensing_core.store.tables import Candidate, Catalog, Ensemble, Score
from lensing_core.workspace import Workspace


def scores(workspace: Workspace, catalog: str) -> dict[str, tuple[float, float | None]]:
    """Logit and ood_distance by object id."""
    with open_database(workspace).session() as session:
        rows = session.execute(
            select(Candidate.object_id, Score.logit, Score.ood_distance)
            .join(Score, Score.candidate_id == Candidate.id)
            .join(Catalog, Catalog.id == Candidate.catalog_id)
            .where(Catalog.name == catalog)
        ).all()
    return {name: (logit, ood_distance) for name, logit, ood_distance in rows}


def share(k: int, n: int) -> str:
    """k of n with its 95 % Clopper-Pearson interval."""
    low = beta.ppf(0.025, k, n - k + 1) if k else 0.0
    high = beta.ppf(0.975, k + 1, n - k) if k < n else 1.0
    return f"{k}/{n} = {k / n:.2f} [{low:.2f}, {high:.2f}]"


def prepare(workspace: Workspace, survey: str, pixels: str, n: int, shipped: str) -> str:
    """Simulate, train (or take ``shipped``), score the control set; return the ensemble's name."""
    sim = {"survey": survey, "pixels": pixels, "size_arcsec": 12.0}
    if not shipped:
        do(workspace, SimulateSettings(catalog=f"{survey}-train", n_objects=n, seed=1, **sim))
    do(
        workspace,
        SimulateSettings(
            catalog=f"{survey}-control",
            n_objects=n,
            lens_fraction=0.0,
            labeled=False,
            seed=2,
            **sim,
        ),
    )
    ensemble = shipped or f"{survey}-{pixels}"
    if not shipped:
        do(workspace, TrainSettings(ensemble=ensemble, catalogs=[f"{survey}-train"]))
    do(workspace, ScoreSettings(ensemble=ensemble, catalog=f"{survey}-control"))
    if shipped and pixels == "flux":
        control = Default(shipped, survey, "simulation", "", 12.0, ("g", "r", "i"))
        harder, _ = simulation_settings(control, n_objects=n)
        harder.param.update(
            catalog=f"{survey}-harder", lens_fraction=0.0, labeled=False, seed=2, size_arcsec=12.0
        )
        do(workspace, harder)
        do(workspace, ScoreSettings(ensemble=ensemble, catalog=f"{survey}-harder"))
    with open_database(workspace).session() as session:
        found = session.scalars(select(Ensemble).where(Ensemble.name == ensemble)).one()
    print(f"\n## {survey} ({pixels}): held-out simulations")
    for name, metric in found.manifest["figures"]["ensemble"].items():
        if metric["value"] is None:
            print(f"{name}: not measurable")
        else:
            print(
                f"{name}: {metric['value']:.3f} [{metric['low_95']:.3f}, {metric['high_95']:.3f}]"
            )
    return ensemble


def recall_of_known_lenses(workspace: Workspace, catalog: str, control: str) -> None:
    """Recall at thresholds that pass 1 % and 0.1 % of simulated non-lenses."""
    real = np.array([logit for logit, _ in scores(workspace, catalog).values()])
    others = np.array([logit for logit, _ in scores(workspace, control).values()])
    ood_distance = [n for _, n in scores(workspace, catalog).values() if n is not None]
    usual = [n for _, n in scores(workspace, control).values() if n is not None]
    print(f"\n## {catalog}: {len(real)} confirmed lenses, {len(others)} non-lenses of {control}")
    for rate in (1e-2, 1e-3):
        passing = int(rate * len(others))
        threshold = np.sort(others)[::-1][passing]
        print(
            f"recall at FPR {rate:g} ({passing} of the simulated pass): "
            f"{share(int((real > threshold).sum()), len(real))}"
        )
    if ood_distance and usual:
        beyond = int((np.array(ood_distance) > np.percentile(usual, 99)).sum())
        print(f"more novel than 99 % of simulated non-lenses: {share(beyond, len(ood_distance))}")


def agreement_with_grades(workspace: Workspace, catalog: str) -> None:
    """Ranking of expert grades: 2 and above against below 1, and rank correlation."""
    with open_database(workspace).session() as session:
        rows = session.execute(
            select(Candidate, Score.logit)
            .join(Score, Score.candidate_id == Candidate.id)
            .join(Catalog, Catalog.id == Candidate.catalog_id)
            .where(Catalog.name == catalog)
        ).all()
        pairs = [(float(c.observation.properties["Expert_Grade"]), z) for c, z in rows]
    grade, logit = np.array(pairs).T
    clear = (grade >= 2) | (grade < 1)
    metrics = ranking_metrics_with_intervals(logit[clear], (grade[clear] >= 2).astype(int))
    tau = kendalltau(grade, logit)
    draws = np.random.default_rng(0).integers(0, len(grade), (1000, len(grade)))
    taus = [kendalltau(grade[d], logit[d]).statistic for d in draws]
    low, high = np.percentile(taus, [2.5, 97.5])
    print(
        f"\n## {catalog}: {len(grade)} graded pictures, "
        f"{int((grade >= 2).sum())} of grade >= 2 against {int((grade < 1).sum())} below 1"
    )
    for name in ("auroc", "average_precision", "tpr0", "tpr10"):
        print(f"{name}: {metrics[name]}")
    print(f"Kendall's tau of score and grade: {tau.statistic:.2f} [{low:.2f}, {high:.2f}]")


def main() -> None:
    """Everything, survey by survey."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--workspace", type=Path, required=True)
    parser.add_argument("--n", type=int, default=3000, help="simulated objects a set")
    parser.add_argument("--shipped", action="store_true", help="measure what is shipped")
    arguments = parser.parse_args()
    workspace = make_workspace(arguments.workspace)
    shipped = ("default-ps1", "default-cfhtls-pictures") if arguments.shipped else ("", "")
    data = arguments.data.resolve()

    ensemble = prepare(workspace, "ps1", "flux", arguments.n, shipped[0])
    for kind in ("galaxies", "quasars"):
        name = f"ps1-{kind}"
        do(workspace, confirmed_lenses(data, name, kind))
        do(workspace, ScoreSettings(ensemble=ensemble, catalog=name))
        for control in ("ps1-control", "ps1-harder")[: 2 if arguments.shipped else 1]:
            recall_of_known_lenses(workspace, name, control)

    ensemble = prepare(workspace, "cfhtls", "rendered", arguments.n, shipped[1])
    do(workspace, graded_stamps(data, "cfhtls-graded"))
    do(workspace, ScoreSettings(ensemble=ensemble, catalog="cfhtls-graded"))
    agreement_with_grades(workspace, "cfhtls-graded")
    print(json.dumps({"simulated objects a set": arguments.n}))


if __name__ == "__main__":
    main()
