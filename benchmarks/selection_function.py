"""Is the selection function right, and what does it say of real pixels?

    python benchmarks/selection_function.py --what coverage
    python benchmarks/selection_function.py --what real DATA --workspace FOLDER [--lens-test]

``coverage`` draws 1,000 chains of two steps of known response and counts how often intervals hold
it: of points, of means, of single cells, and of the expected number of lenses. ``real`` writes the
catalog of Pan-STARRS1 sky that ``DATA`` has (its own objects, and red galaxies of DES on its blank
sky), scores it with the bundled ensemble, measures, and compares half of the injected lenses with
the surface of the other half. Figures and grids lie in the run's folder.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from scipy.special import expit

from lens_triage.training import runner as jobs
from lens_triage.training.bundled import make_workspace
from lens_triage.training.real_sky import write_sky
from lens_triage.training.selection.measuring import MACHINE, measure_selection
from lens_triage.training.settings import RunSettings, ScoreSettings, SelectionSettings
from lensing_core.proportions import Proportion
from lensing_core.selection import Grid, Injections, early_type_lenses, expected_found, of_chain
from lensing_core.selection.surface import LogisticSurface
from lensing_core.store import open_database
from lensing_core.store.catalogs import find_catalog
from lensing_core.store.ensembles import find_ensemble
from lensing_core.store.observations import fetch_truth
from lensing_core.store.scores import read_scores
from lensing_core.workspace import Workspace

GRID = Grid.logarithmic((0.5, 3.0), (5.0, 200.0), (6, 6))
STEPS = {"machine": (-1.0, 2.0, 2.5), "team": (0.5, 3.0, 1.0)}
"""Intercept and slopes of logit C in ln θ_E and ln (S/N / 20)."""
DRAWS, LENSES = 1000, 720


def known(step: str, theta: np.ndarray, snr: np.ndarray) -> np.ndarray:
    """Completeness of a step."""
    a, b, c = STEPS[step]
    return np.asarray(expit(a + b * np.log(theta) + c * np.log(snr / 20)))


def draw(rng: np.random.Generator) -> Injections:
    """Lenses of a grid; the second step is asked about those that pass the first."""
    theta = np.exp(rng.uniform(*np.log(GRID.theta_e_edges_arcsec[[0, -1]]), LENSES))
    snr = np.exp(rng.uniform(*np.log(GRID.arc_snr_edges[[0, -1]]), LENSES))
    first = rng.random(LENSES) < known("machine", theta, snr)
    second = rng.random(LENSES) < known("team", theta, snr)
    outcomes = {"machine": first.astype(np.int64), "team": np.where(first, second, -1)}
    return Injections(theta, snr, outcomes)


def coverage() -> None:
    """Share of draws whose intervals hold the known response."""
    rng = np.random.default_rng(19)
    theta, snr = np.array([0.7, 1.0, 1.5, 2.5]), np.array([10.0, 20.0, 50.0, 100.0])
    true = known("machine", theta, snr) * known("team", theta, snr)
    population = early_type_lenses(1000, min_arc_snr=5.0)
    held = {"points": 0, "mean": 0, "expected lenses": 0}
    for _ in range(DRAWS):
        function = of_chain(draw(rng), list(STEPS), GRID).function
        found = function(theta, snr)
        held["points"] += int(((found.low <= true) & (true <= found.high)).sum())
        mean = function.mean(theta, snr)
        held["mean"] += int(mean.low <= true.mean() <= mean.high)
        inside = function.covers(population.theta_e_arcsec, population.arc_snr)
        c = np.prod(
            [
                known(s, population.theta_e_arcsec[inside], population.arc_snr[inside])
                for s in STEPS
            ],
            axis=0,
        )
        expected = expected_found(function, population)
        real = rng.poisson(population.number[inside] @ c)
        held["expected lenses"] += int(expected.low <= real <= expected.high)
    for name, count in held.items():
        share = Proportion(count, DRAWS * (len(theta) if name == "points" else 1))
        low, high = share.interval
        print(f"{name}: {share.value:.3f} [{low:.3f}, {high:.3f}] of {share.total:,} intervals")


def real(data: Path, root: Path, *, lens_test: bool) -> None:
    """The bundled ensemble on real Pan-STARRS1 sky."""
    workspace = make_workspace(root)
    write_sky(workspace, "sky", "ps1", data, copies=8)
    _run(workspace, ScoreSettings(ensemble="default-ps1", catalog="sky"))
    settings = SelectionSettings(
        catalog="sky", ensemble="default-ps1", top=50, lens_test=lens_test,
        min_theta_e_arcsec=0.5, max_theta_e_arcsec=2.9, survey_prior=0.01,
    )  # fmt: skip
    result = _run(workspace, settings)
    for name in ("injected", "unpainted", "found", "cut", "steps", "expected", "purity", "notes"):
        print(f"{name}: {result[name]}")
    measured = measure_selection(workspace, settings)
    for name, one in measured.maps.items():
        at = one.function(np.array([0.8, 1.2, 2.0])[:, None], np.array([20.0, 50.0, 100.0]))
        print(f"{name}: {one.found:,} of {one.total:,}, misfit p = {one.misfit:.2g}")
        for row, radius in enumerate((0.8, 1.2, 2.0)):
            cells = ", ".join(
                f"S/N {snr}: {at.value[row, k]:.2f} [{at.low[row, k]:.2f}, {at.high[row, k]:.2f}]"
                for k, snr in enumerate((20, 50, 100))
            )
            print(f"  θ_E {radius}″  {cells}")
    held_out(workspace, settings)
    print(f"files: {result['folder']}")


def held_out(workspace: Workspace, settings: SelectionSettings) -> None:
    """Found lenses of one half against the surface fitted on the other, by S/N."""
    measured = measure_selection(workspace, settings)
    with open_database(workspace).session() as session:
        injected = find_catalog(session, settings.injected)
        ids, logits = read_scores(
            session, injected.id, find_ensemble(session, settings.ensemble).id
        )
        truth = fetch_truth(session, ids, ("theta_e_arcsec", "arc_snr")).astype(np.float64)
    passed = np.sort(logits)[::-1][measured.maps[MACHINE].found - 1]
    found = logits >= passed
    half = np.random.default_rng(0).random(len(ids)) < 0.5
    surface = LogisticSurface.fit(*truth[half].T, found[half])
    rest = ~half
    predicted = expit(surface.design(*truth[rest].T) @ surface.coefficients)
    for low, high in zip(GRID.arc_snr_edges[:-1], GRID.arc_snr_edges[1:], strict=True):
        here = (truth[rest, 1] >= low) & (truth[rest, 1] < high)
        share = Proportion(int(found[rest][here].sum()), int(here.sum()))
        ends = share.interval
        print(
            f"held out, S/N {low:.0f} to {high:.0f}: predicted {predicted[here].mean():.2f}, "
            f"found {share.found} of {share.total} = {share.value:.2f} [{ends[0]:.2f}, "
            f"{ends[1]:.2f}]"
        )


def _run(workspace: Workspace, settings: RunSettings) -> dict[str, object]:
    run = jobs.wait(workspace, jobs.submit(workspace, settings))
    if run.status != "succeeded" or run.result is None:
        raise SystemExit(f"{run.title}: {run.error or run.status}")
    return dict(run.result)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", nargs="?", type=Path)
    parser.add_argument("--what", choices=["coverage", "real"], default="coverage")
    parser.add_argument("--workspace", type=Path, default=Path("selection-workspace"))
    parser.add_argument("--lens-test", action="store_true")
    chosen = parser.parse_args()
    if chosen.what == "coverage":
        coverage()
    elif chosen.data is None:
        parser.error("real: give the folder of public data")
    else:
        real(chosen.data, chosen.workspace, lens_test=chosen.lens_test)


if __name__ == "__main__":
    main()
