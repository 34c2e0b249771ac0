"""How long painting takes by depth of the survey, and whether a search's forecast says so.

    python benchmarks/painting.py DATA --workspace FOLDER      (a new one)

Real sky of Pan-STARRS1, CFHTLS (pictures) and the Legacy Surveys (pictures), and a simulated
catalog as deep as HSC. For each training set: seconds a galaxy as the forecast times them on the
first few, and as painting all of them takes. Processor time of one thread, so that other work on
the machine does not count.
"""

from __future__ import annotations

import argparse
import os
import time
from pathlib import Path

from runs_here import known_run

from lens_triage.training.defaults import DEFAULTS, run_once, search_settings
from lens_triage.training.jobs import inject
from lens_triage.training.jobs.search.timing import time_painting
from lens_triage.training.real_sky import write_sky
from lens_triage.training.runner.context import JobContext
from lens_triage.training.settings import SearchSettings, SimulateSettings
from lensing_core.surveys import get_survey
from lensing_core.workspace import Workspace

SKIES = ("default-ps1", "default-cfhtls-pictures", "default-legacy-pictures")
SIMULATED = "hsc-sky"


def searches(workspace: Workspace, data: Path, n_hosts: int) -> dict[str, SearchSettings]:
    """Searches of the skies, by survey; their catalogs are made unless they are there."""
    found = {}
    for name in SKIES:
        settings = search_settings(DEFAULTS[name], device="cpu")
        write_sky(workspace, settings.catalog, DEFAULTS[name].survey, data, copies=1)
        settings.param.update(n_hosts=n_hosts)
        found[DEFAULTS[name].survey] = settings
    simulated = SimulateSettings(
        catalog=SIMULATED,
        survey="hsc",
        bands=["g", "r", "i"],
        size_arcsec=10.8,
        n_objects=10 * n_hosts,
        lens_fraction=0.0,
        labeled=False,
        seed=1,
        device="cpu",
    )
    run_once(workspace, simulated)
    found["hsc"] = SearchSettings(catalog=SIMULATED, ensemble=SIMULATED, n_hosts=n_hosts)
    return found


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--workspace", type=Path, required=True)
    parser.add_argument("--hosts", type=int, default=64)
    arguments = parser.parse_args()
    workspace = Workspace.create(arguments.workspace)
    print("| survey | depth (r) | set | galaxies | with arcs | forecast, s each | taken, s each |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for survey, search in searches(workspace, arguments.data.resolve(), arguments.hosts).items():
        depth = get_survey(survey).band("r").depth_mag
        began = time.thread_time()
        forecast = time_painting(workspace, search)
        told = time.thread_time() - began
        total = 0.0
        for number, one in enumerate(forecast):
            wanted = search.injection(number)
            known_run(workspace, wanted, wanted.catalog)
            began = time.thread_time()
            result = inject.run(JobContext(workspace, wanted.catalog), wanted)
            took = time.thread_time() - began
            galaxies = result["galaxies"] + result["left_out"]
            total += took
            print(
                f"| {survey} | {depth:g} | {number + 1} | {galaxies} | {result['galaxies']} | "
                f"{one.seconds:.3f} ({one.timed}) | {took / galaxies:.3f} |",
                flush=True,
            )
        foretold = sum((one.seconds or 0) * one.hosts(arguments.hosts) for one in forecast)
        print(
            f"# {survey}: forecast {foretold:.0f} s of {forecast[0].hosts(arguments.hosts)} a set "
            f"(timed in {told:.1f} s), taken {total:.0f} s",
            flush=True,
        )
    print(f"load (1-minute average) {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
